"""Mixlake beside the tools that people would use instead: same file, same task, one run.

`make bench-peers` makes a gzip file of JSON lines. Each system turns it into one flat, wide Parquet file, in turn and
several times. Each is a process of its own, ours too, so that processor time, memory and output are taken in the same
way. Then the check looks for the values of the input in the output.

The runner does not know how a system works. A system is a command line with an input and an output.
"""

from local import names

RELEASE = names.target_folder() / "release"
"""The release builds: peers are release builds too."""
BENCH = RELEASE / "mixlake-bench"

HOME = names.HOME / "bench"
DATA, OUTPUT, LOGS = HOME / "data", HOME / "out", HOME / "logs"
