"""What a deployment costs a month, from measured requests and list prices.

`measure` runs a day of hourly slices, a sync, an export of profiles and a maintenance on the stand-in, and writes down
what was called (`measured.json`). `prices` has the prices, `bill` multiplies both, and `table` prints Markdown for
docs/DEPLOY.md.
"""
