"""MiniStack, the stand-in of AWS: on a free loopback port, its state in a folder."""

import json
import shutil
import sys
from pathlib import Path
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import Cloud
from local.process import Process, free_port

ARTIFACTS = "artifacts"
SECRET_NAME = "mixlake/mixpanel"
PROGRAM = Path(__file__).with_name("strict_ministack.py")
"""MiniStack with the refusals of S3 that it lacks."""


class MiniStack(Cloud):
    """One server. With `keep=True` it starts from the state that the last one left in `home`."""

    program = PROGRAM

    def __init__(self, home: Path, *, keep: bool = False) -> None:
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}")
        self.home = home
        if not keep:
            shutil.rmtree(home, ignore_errors=True)
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        self.record = home / "calls.jsonl"
        self.sessions = home / "sessions.jsonl"
        command = [sys.executable, "-P", str(self.program)]
        self.logs = home / "logs"
        self._process = Process("MiniStack", command, log=self.logs / "ministack.log", env=self._server_environment())

    def __enter__(self) -> Self:
        self._process.wait_until(self._answers)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def account(self, number: str) -> Cloud:
        """The same endpoint in another account. MiniStack takes a number of twelve digits for that account's root."""
        return Cloud(self.endpoint, access_key=number)

    def create_artifact_bucket(self) -> str:
        """Where `sam deploy` puts the zip files."""
        self.client("s3").create_bucket(Bucket=ARTIFACTS)
        return ARTIFACTS

    def create_secret(self, username: str, secret: str, name: str = SECRET_NAME) -> str:
        """The secret that a user makes by hand before deploying. Returns its ARN."""
        text = json.dumps({"username": username, "secret": secret})
        arn = self.client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"]
        return str(arn)

    def _server_environment(self) -> dict[str, str]:
        return self.client_environment(
            GATEWAY_PORT=str(self.port),
            BIND_HOST="127.0.0.1",
            MINISTACK_HOST="127.0.0.1",
            # Either of these would open a port on every interface.
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            # Roles count: what the template does not allow, the functions cannot do here either.
            AUTH="true",
            PERSIST_STATE="1",
            STATE_DIR=str(self.home / "state"),
            S3_PERSIST="1",
            S3_DATA_DIR=str(self.home / "s3"),
            # It unpacks the functions' code there.
            TMPDIR=str(self.home / "tmp"),
            PYTHONUNBUFFERED="1",
            # A backfill waits up to an hour. Here a minute of it takes 60 ms.
            SFN_WAIT_SCALE="0.001",
            # Which calls the roles made: local/rights/recorder.py.
            RECORD=str(self.record),
            SESSIONS=str(self.sessions),
        )

    def _answers(self) -> bool:
        try:
            self.client("s3").list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True
