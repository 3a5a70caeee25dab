"""Where things are: the binary under test, the data, and what a run leaves behind."""

from local import names

RELEASE = names.target_folder() / "release"
"""The release builds: peers are release builds too."""
BENCH = RELEASE / "mixlake-bench"

HOME = names.HOME / "bench"
DATA = HOME / "data"
OUTPUT = HOME / "out"
LOGS = HOME / "logs"
RESULT = HOME / "peers.md"
DOCUMENT = names.ROOT / "docs" / "PERFORMANCE.md"
