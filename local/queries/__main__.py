"""python -m local.queries [--rows N] [--days N]"""

import argparse
import sys

from local.failure import exit_code
from local.peers.__main__ import number
from local.process import end_on_signals
from local.queries import report
from local.queries.bench import bench
from local.queries.events import Events


def main() -> int:
    end_on_signals()
    parser = argparse.ArgumentParser("make bench-queries", usage="make bench-queries ROWS=N DAYS=N")
    parser.add_argument("--rows", type=number, default=report.USUAL.per_day)
    parser.add_argument("--days", type=number, default=report.USUAL.days)
    wish = parser.parse_args()
    return exit_code(lambda: report.show(bench(Events(wish.rows, wish.days))))


if __name__ == "__main__":
    sys.exit(main())
