"""The functions as Lambda takes them: each binary zipped as `bootstrap`, beside the template.

`sam` resolves the template's paths from the template's folder. A copy of the template with debug
zips in its own `target/lambda` therefore deploys unchanged, and never overwrites the release zips
that somebody built for AWS.
"""

import os
import shutil
import zipfile
from pathlib import Path

from local import names
from local.failure import Failure

FOLDER = names.HOME / "deploy"


def prepare() -> Path:
    """Returns the template to deploy."""
    for name in names.FUNCTIONS:
        zip_function(names.binary(name), FOLDER / names.ZIPS / name / "bootstrap.zip")
    FOLDER.mkdir(parents=True, exist_ok=True)
    template = FOLDER / names.TEMPLATE.name
    shutil.copyfile(names.TEMPLATE, template)
    return template


def zip_function(program: Path, archive: Path) -> None:
    """Does nothing when the zip is newer than the program. Renamed into place, so never half there."""
    if not program.is_file():
        raise Failure(f"{program} is not there", advice="build it with: cargo build --workspace --bins")
    if archive.is_file() and archive.stat().st_mtime_ns > program.stat().st_mtime_ns:
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.write(program, "bootstrap")
    partial.rename(archive)
