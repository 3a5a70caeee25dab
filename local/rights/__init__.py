"""Which rights the deployed functions use, and whether their roles allow exactly those.

The stand-in of AWS records the calls of roles (`recorder`). `actions` says what each call needs from IAM, by the
Service Authorization Reference of AWS. `policy` evaluates policy documents, and `roles` reads those of the deployed
roles. The tests compare both: `tests/e2e/test_rights.py`.

It does not trust the stand-in's own opinion of IAM: that one does not know the resources of Glue, for example.
"""
