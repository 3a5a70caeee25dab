"""Where things are: the binary under test, the data, and what a run leaves behind."""

from local import names

BENCH = names.target_folder() / "release" / "mixlake-bench"
"""The release build: peers are release builds too."""

HOME = names.HOME / "bench"
DATA = HOME / "data"
OUTPUT = HOME / "out"
LOGS = HOME / "logs"
RESULT = HOME / "peers.md"
DOCUMENT = names.ROOT / "docs" / "PERFORMANCE.md"
