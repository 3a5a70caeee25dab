"""Makes `.local/venv` with the pinned packages. Runs on the bare Python of the machine.

    python3 local/setup_venv.py [--venv engines/venv] [requirements.txt requirements-package.txt ...]

Does nothing when the requirements are what they were. Another environment below `.local` keeps what is
large, or wants other versions, out of the one that the demo and the tests use.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".local"
LOG = HOME / "setup.log"
VENV = HOME / "venv"
OLDEST = (3, 11)

NO_PIP = """\
This Python has neither `ensurepip` nor `pip`, so no package can be installed.
  Debian, Ubuntu:  sudo apt-get install python3-venv
  Fedora:          sudo dnf install python3-pip
  Alpine:          sudo apk add py3-pip
Then run the same command again."""


def main(arguments: list[str]) -> int:
    global VENV
    if arguments[:1] == ["--venv"]:
        VENV, arguments = HOME / arguments[1], arguments[2:]
    if sys.version_info < OLDEST:
        return complain(
            f"Python {'.'.join(map(str, OLDEST))} or newer is needed; {sys.executable} is {sys.version.split()[0]}."
        )
    for name in arguments or ["requirements.txt"]:
        if is_installed(name):
            continue
        print(f"Installing the Python packages of local/{name} into {VENV} (once, a minute or more) ...", flush=True)
        problem = make_environment() or install(name)
        if problem:
            return complain(problem)
    return 0


def complain(text: str) -> int:
    print(f"\nSetting up the Python environment failed.\n{text}", file=sys.stderr)
    return 1


def stamp(name: str) -> Path:
    return VENV / f".{name}.sha256"


def digest(name: str) -> str:
    return hashlib.sha256((HERE / name).read_bytes() + sys.version.encode()).hexdigest()


def is_installed(name: str) -> bool:
    """The stamp is written last: an interrupted installation leaves none."""
    return stamp(name).is_file() and stamp(name).read_text() == digest(name) and python().exists()


def python() -> Path:
    return VENV / "bin" / "python"


def make_environment() -> str:
    """Returns what went wrong, or nothing."""
    VENV.parent.mkdir(parents=True, exist_ok=True)
    if python().exists() and run([str(python()), "-c", "import sys"]) == 0:
        return ""
    shutil.rmtree(VENV, ignore_errors=True)
    if run([sys.executable, "-m", "venv", str(VENV)]) == 0:
        return ""
    # Debian splits ensurepip off. A venv needs none if the machine's own pip can fill it.
    if run([sys.executable, "-m", "pip", "--version"]) != 0:
        return NO_PIP
    shutil.rmtree(VENV, ignore_errors=True)
    if run([sys.executable, "-m", "venv", "--without-pip", str(VENV)]) != 0:
        return f"`python3 -m venv` does not work here.\n{NO_PIP}"
    return ""


def install(name: str) -> str:
    """Returns what went wrong, or nothing."""
    has_pip = run([str(python()), "-m", "pip", "--version"]) == 0
    pip = [str(python()), "-m", "pip"] if has_pip else [sys.executable, "-m", "pip", "--python", str(python())]
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / name)]
    if run(command) != 0:
        return f"pip could not install local/{name}; its last words:\n{last_words()}\nlog: {LOG}"
    stamp(name).write_text(digest(name))
    return ""


def run(command: list[str]) -> int:
    with LOG.open("a") as log:
        print("$", *command, file=log, flush=True)
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode


def last_words() -> str:
    return "\n".join(f"  {line}" for line in LOG.read_text(errors="replace").splitlines()[-6:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
