"""Makes MiniStack refuse what AWS refuses, where the two stacks of this project rely on it.

By itself MiniStack knows accounts (an access key of twelve digits is the root of that account), roles, trust
policies and external ids. `install` adds:

- `roles`: `aws:PrincipalArn` is the ARN of a role, and Glue checks a call on the catalog, the database and the
  table. A request counts as TLS.
- `keys`: S3 uses a KMS key with the rights of its caller, and refuses a bucket of another account than expected.
- `buses`: EventBridge delivers to the bus of another account, if both accounts allow it.
- `machines`, `maps`: Step Functions runs a machine with the rights of its role, and ends its items with it.

What is still missing: Lake Formation; rights on the tables that a GetTables returns (AWS leaves out the others);
service control policies.
"""

from local.strict import buses, keys, machines, maps, roles


def install() -> None:
    for part in (roles, keys, buses, machines, maps):
        part.install()
