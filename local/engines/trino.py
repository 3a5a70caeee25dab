"""Trino, with its Hive connector on the local Glue and its S3 file system on the local S3."""

import shutil
from pathlib import Path
from typing import Self

import requests
import trino

from local import names
from local.cloud import ACCESS_KEY, SECRET_KEY, Cloud
from local.engines import LOGS, Quoted, Row, java, needs, server, work_folder
from local.lake import Table
from local.process import Process, clean_environment, free_port

CATALOG = "awsdatacatalog"
"""As Athena calls it: views name the catalog of their tables."""
JVM = """\
-server
-Xmx2G
-XX:+ExitOnOutOfMemoryError
-Djdk.attach.allowAttachSelf=true
-Duser.timezone=UTC
--add-modules=jdk.incubator.vector
"""


class Trino:
    """A server on a free loopback port, for as long as the `with` lasts."""

    name = "Trino"
    quote = Quoted('"')

    def __init__(self, cloud: Cloud) -> None:
        home = java.find(needs.TRINO)
        launcher = server.install() / "bin" / "launcher"
        self.port = free_port()
        folder = work_folder("trino")
        shutil.rmtree(folder)
        write_configuration(folder / "etc", self.port, folder / "data", cloud.endpoint)
        command = [str(launcher), "run", "--etc-dir", str(folder / "etc")]
        environment = clean_environment(**java.environment(home))
        self._process = Process("Trino", command, log=LOGS / "trino.log", env=environment)
        self._connection = trino.dbapi.connect(host="127.0.0.1", port=self.port, user="engines", catalog=CATALOG)

    def __enter__(self) -> Self:
        self._process.wait_until(self._answers, seconds=180)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def rows(self, sql: str) -> list[Row]:
        cursor = self._connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    def every_column(self, table: Table) -> list[Row]:
        return self.rows(f"SELECT {self.quote.listed(table)} FROM {table.database}.{self.quote(table.name)}")

    def _answers(self) -> bool:
        try:
            info = requests.get(f"http://127.0.0.1:{self.port}/v1/info", timeout=5).json()
            return not info["starting"] and self.rows("SELECT 1") == [(1,)]
        except (OSError, ValueError, trino.exceptions.Error):
            return False


def write_configuration(etc: Path, port: int, data: Path, endpoint: str) -> None:
    here = f"http://127.0.0.1:{port}"
    files = {
        "node.properties": {
            "node.environment": "test",
            "node.id": "one",
            "node.data-dir": data,
            "node.bind-ip": "127.0.0.1",
        },
        "config.properties": {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": port,
            "node.internal-address": "127.0.0.1",
            "discovery.uri": here,
            "catalog.management": "static",
        },
        f"catalog/{CATALOG}.properties": {
            "connector.name": "hive",
            "hive.metastore": "glue",
            "hive.metastore.glue.region": names.REGION,
            "hive.metastore.glue.endpoint-url": endpoint,
            "hive.metastore.glue.aws-access-key": ACCESS_KEY,
            "hive.metastore.glue.aws-secret-key": SECRET_KEY,
            "fs.native-s3.enabled": "true",
            "s3.endpoint": endpoint,
            "s3.region": names.REGION,
            "s3.path-style-access": "true",
            "s3.aws-access-key": ACCESS_KEY,
            "s3.aws-secret-key": SECRET_KEY,
        },
    }
    for name, settings in files.items():
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    (etc / "jvm.config").write_text(JVM)
