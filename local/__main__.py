"""python -m local demo | query SQL | up | stop"""

import sys

from local import demo
from local.failure import exit_code
from local.process import end_on_signals


def main(arguments: list[str]) -> int:
    end_on_signals()
    match arguments:
        case ["demo"]:
            return exit_code(demo.run)
        case ["query", sql]:
            return exit_code(lambda: demo.query(sql))
        case ["up"]:
            return exit_code(demo.up)
        case ["stop"]:
            return exit_code(demo.stop)
        case _:
            print(f"usage: {__doc__}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
