"""Builds the CDK package: `python -m local.cdk`. Does nothing that is up to date.

Node comes from PyPI, and package-lock.json pins the npm packages.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from local import cdk_package, names
from local.cdk_package import FOLDER
from local.failure import Failure, exit_code, tail

LOG = names.HOME / "cdk.log"
NODE = names.HOME / "cdk" / "bin"
"""The folder of the programs node, npm and npx."""
MODULES = FOLDER / "node_modules"
QUIET = {"NPM_CONFIG_UPDATE_NOTIFIER": "false", "CDK_DISABLE_CLI_TELEMETRY": "true"}


def main() -> None:
    cdk_package.write_settings()
    build()
    print(f"The package is in {FOLDER.relative_to(names.ROOT)}. There, `npm pack` makes its archive.")


def build() -> None:
    """Makes the package from what is in the repository."""
    set_up()
    cdk_package.write_files()
    sources = [*sorted((FOLDER / "src").glob("*.ts")), FOLDER / "package.json", FOLDER / "package-lock.json"]
    once(FOLDER / "lib" / ".sha256", sources, [str(NODE / "node"), "node_modules/jsii/bin/jsii", "--fail-on-warnings"])


def set_up() -> None:
    """Installs Node and the npm packages."""
    run([sys.executable, "local/setup_venv.py", "--venv", "cdk", "requirements-cdk.txt"], names.ROOT)
    lock = [FOLDER / "package-lock.json"]
    once(MODULES / ".sha256", lock, [str(NODE / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"])


def once(stamp: Path, sources: list[Path], command: list[str]) -> None:
    """Runs a command whose sources have changed. The stamp is written last: what was interrupted leaves none."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    run(command)
    stamp.write_text(digest)


def run(command: list[str], folder: Path = FOLDER) -> None:
    """Its output goes to the log, and into the error if it fails."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("wb") as log:
        done = subprocess.run(command, cwd=folder, env=environment(), stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:2])} failed:\n{tail(LOG, 30)}", log=LOG)


def environment(**more: str) -> dict[str, str]:
    """With our Node first: npm and the CDK start it by its name."""
    return os.environ | QUIET | {"PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"} | more


if __name__ == "__main__":
    sys.exit(exit_code(main))
