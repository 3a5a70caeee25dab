"""python -m local.peers [--rows N] [--rounds N] [--threads N] [--only NAME ...]"""

import argparse
import sys

from local.failure import exit_code
from local.peers import report
from local.peers.compare import Wish, compare
from local.peers.systems import ALL
from local.process import end_on_signals


def main() -> int:
    end_on_signals()
    parser = argparse.ArgumentParser("make bench-peers", usage="make bench-peers ROWS=N ROUNDS=N THREADS=N SYSTEMS=A,B")
    for name, usual in (("rows", Wish.rows), ("rounds", Wish.rounds), ("threads", Wish.threads)):
        parser.add_argument(f"--{name}", type=number, default=usual)
    parser.add_argument(
        "--only", action="extend", nargs="*", choices=sorted({system.name for system in ALL}), default=[]
    )
    wish = Wish(**vars(parser.parse_args()))
    return exit_code(lambda: report.show(compare(wish), wish))


def number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
