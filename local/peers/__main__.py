"""python -m local.peers

ROWS=300000 ROUNDS=3 THREADS=1 SYSTEMS=name,name (default: all) make bench-peers
"""

import os
import sys

from local.failure import Failure
from local.peers import report
from local.peers.compare import Wish, compare
from local.peers.place import BENCH
from local.peers.systems import ALL
from local.process import end_on_signals


def main() -> int:
    end_on_signals()
    try:
        wish = wished()
        result = compare(wish)
        report.show(result, wish)
        print(f"\n{report.write(result, wish)}")
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def wished() -> Wish:
    """What the environment asks for, checked before any work."""
    if not BENCH.exists():
        raise Failure(f"{BENCH} is missing", advice="make bench-peers builds it first")
    only = tuple(name for name in os.environ.get("SYSTEMS", "").split(",") if name)
    known = [system.name for system in ALL]
    unknown = [name for name in only if name not in known]
    if unknown:
        raise Failure(f"SYSTEMS has no system {', '.join(unknown)}", advice=f"there are {', '.join(known)}")
    return Wish(number("ROWS", Wish.rows), number("ROUNDS", Wish.rounds), number("THREADS", Wish.threads), only)


def number(name: str, usual: int) -> int:
    text = os.environ.get(name, "") or str(usual)
    if not text.isdecimal() or int(text) < 1:
        raise Failure(f"{name} is {text!r}", advice=f"give a whole number, as in {name}={usual}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
