"""The stand-in of Mixpanel: the project's own binary, serving files as the export API does."""

import re
from pathlib import Path
from typing import Self

from local import names
from local.process import Process, clean_environment

LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


class MixpanelStandIn:
    """Serves the events of some files on a free loopback port."""

    def __init__(self, log: Path, *data: Path) -> None:
        command = [
            str(names.binary(names.STAND_IN)),
            "--port",
            "0",
            "--project-id",
            names.PROJECT_ID,
            "--username",
            names.USERNAME,
            "--secret",
            names.SECRET,
        ]
        for file in data:
            command += ["--data", str(file)]
        self.log = log
        self.endpoint = ""
        self._process = Process(names.STAND_IN, command, log=log, env=clean_environment())

    def __enter__(self) -> Self:
        self._process.wait_until(self._listens, seconds=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def _listens(self) -> bool:
        found = LISTENING.search(self.log.read_text(errors="replace"))
        self.endpoint = found[1] if found else ""
        return bool(self.endpoint)
