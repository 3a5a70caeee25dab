"""Mixlake on one machine: the real functions and the real template on local stand-ins.

`make demo` and the end-to-end tests stand on this package. It starts MiniStack (AWS) and
`mixpanel-standin` (Mixpanel) on loopback, deploys `template.yaml` with `sam deploy`, invokes the
functions and asks the Glue catalog what a reader would see.

What it refuses: to know how an event becomes a row. It looks at the outside only, as a user does.
"""
