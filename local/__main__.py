"""python -m local demo | query SQL | up | stop"""

import sys
import traceback

from local import demo, names
from local.failure import Failure
from local.process import end_on_signals


def main(arguments: list[str]) -> int:
    end_on_signals()
    try:
        match arguments:
            case ["demo"]:
                demo.run()
            case ["query", sql]:
                demo.query(sql)
            case ["up"]:
                demo.up()
            case ["stop"]:
                demo.stop()
            case _:
                print(f"usage: {__doc__}", file=sys.stderr)
                return 2
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except Exception as problem:  # noqa: BLE001 - a person gets a sentence, the log gets the trace
        log = names.HOME / "error.log"
        log.write_text("".join(traceback.format_exception(problem)))
        print(f"\n{Failure(str(problem), log=log)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
