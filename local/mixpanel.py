"""The stand-in of Mixpanel: the project's own binary, serving files as its export and engage APIs do."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from local import names
from local.process import Process, clean_environment

LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


class MixpanelStandIn:
    """Serves the events of some files, and profiles, on a free loopback port.

    `profiles` has the profiles of users, `groups` those of groups by `data_group_id`.
    """

    def __init__(
        self,
        log: Path,
        *data: Path,
        profiles: Path | None = None,
        groups: Mapping[str, Path] | None = None,
        page_size: int = 1000,
    ) -> None:
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
        if profiles:
            command += ["--profiles", str(profiles)]
        for group, file in (groups or {}).items():
            command += ["--group", f"{group}={file}"]
        command += ["--page-size", str(page_size)]
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
