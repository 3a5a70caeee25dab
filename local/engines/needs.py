"""What the engines need that no Python package brings: told all at once, before anything is started."""

import sys

from local.engines import java, server
from local.failure import Failure

SPARK = java.Need("Spark", 17, 21)
TRINO = java.Need(f"Trino {server.VERSION}", 24)


def missing() -> list[Failure]:
    checks = (lambda: java.find(SPARK), lambda: java.find(TRINO), server.check)
    found = []
    for check in checks:
        try:
            check()
        except Failure as failure:
            found.append(failure)
    return found


def main() -> int:
    failures = missing()
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
