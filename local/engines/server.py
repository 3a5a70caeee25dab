"""Trino's server: an archive that is no Python package, fetched once and unpacked."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from local import names
from local.engines import HOME, LOGS
from local.failure import Failure, tail

VERSION = "476"
"""The last one whose server is published as an artifact of Maven."""

SERVER = HOME / f"trino-server-{VERSION}"
DONE = SERVER / ".complete"
ARTIFACT = f"io.trino:trino-server:tar.gz:{VERSION}"
ARCHIVE = HOME / "downloads" / f"trino-server-{VERSION}.tar.gz"
GIVEN = "TRINO_SERVER_ARCHIVE"
FETCH = (sys.executable, "-m", "local.engines.fetch")


def check() -> None:
    """Fails where the archive is said to be given, and is not."""
    given = os.environ.get(GIVEN)
    if given and not DONE.is_file() and not Path(given).is_file():
        raise Failure(f"{GIVEN}={given} is no file", advice=f"set it to the file of {ARTIFACT}, or leave it out")


def install() -> Path:
    """Where the server lies, unpacked. The archive has 0.8 GB; only the Hive connector is kept."""
    if DONE.is_file():
        return SERVER
    packed_in = archive()
    shutil.rmtree(SERVER, ignore_errors=True)
    print(f"\nUnpacking Trino {VERSION} into {SERVER} (once) ...", flush=True)
    try:
        with tarfile.open(packed_in) as packed:
            packed.extractall(HOME, filter="tar")
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise Failure(f"{packed_in} cannot be unpacked: {problem}", advice="delete it and run this again") from problem
    # Unpacked whole first: plugins share files by hard links.
    for plugin in (SERVER / "plugin").iterdir():
        if plugin.name != "hive":
            shutil.rmtree(plugin)
    DONE.touch()
    return SERVER


def archive() -> Path:
    """The server's archive: given, there already, or fetched."""
    given = os.environ.get(GIVEN)
    if given:
        return Path(given)
    if not ARCHIVE.is_file():
        fetch()
    return ARCHIVE


def fetch() -> None:
    """Beside its place first: what is under its own name is whole."""
    ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "fetch.log"
    print(f"\nFetching {ARTIFACT} (once, 0.8 GB) ...", flush=True)
    with tempfile.TemporaryDirectory(dir=ARCHIVE.parent, prefix=".fetching-") as folder:
        fetched = Path(folder) / ARCHIVE.name
        command = [*FETCH, ARTIFACT, str(fetched)]
        with log.open("w") as out:
            code = subprocess.run(command, cwd=names.ROOT, stdout=out, stderr=out, check=False).returncode
        if code != 0 or not fetched.is_file():
            raise Failure(
                f"{ARTIFACT} could not be fetched:\n{tail(log)}",
                advice=f"fetch it in another way, and set {GIVEN} to the file",
                log=log,
            )
        fetched.rename(ARCHIVE)
