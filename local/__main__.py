"""python -m local demo | query SQL | up | stop | costs [measure | write]"""

import sys

from local import demo
from local.costs import measure, table
from local.failure import exit_code
from local.process import end_on_signals

PROGRAMS = {
    "demo": demo.run,
    "up": demo.up,
    "stop": demo.stop,
    "costs": table.show,
    "costs measure": measure.write,
    "costs write": table.write,
}


def main(arguments: list[str]) -> int:
    end_on_signals()
    match arguments:
        case ["query", sql]:
            return exit_code(lambda: demo.query(sql))
        case _ if program := PROGRAMS.get(" ".join(arguments)):
            return exit_code(program)
        case _:
            print(f"usage: {__doc__}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
