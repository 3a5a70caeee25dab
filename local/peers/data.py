"""The input files. Generated once for a shape and kept: the same shape gives the same bytes."""

import gzip
import json
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from local.failure import Failure, tail
from local.peers.place import BENCH, DATA, LOGS

USUAL = 388
"""Properties of the data that systems are compared on."""

NARROW, WIDE = 400, 4_000

KINDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "dict": "nested", "list": "nested"}


def events(rows: int, properties: int) -> Path:
    """A file is renamed when it is whole: an interrupted run leaves none that looks so."""
    stamp = int(BENCH.stat().st_mtime)
    path = DATA / f"{rows}-rows-{properties}-properties-{stamp}.jsonl.gz"
    if path.exists():
        return path
    DATA.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    part, log = path.with_name(f"part-{path.name}"), LOGS / "generate.log"
    command = [str(BENCH), "generate", "--rows", str(rows), "--properties", str(properties), str(part)]
    with log.open("wb") as out:
        if subprocess.run(command, stdout=out, stderr=out, check=False).returncode:
            raise Failure(f"the events could not be generated:\n{tail(log)}", log=log)
    return part.rename(path)


def share(source: Path, rows: int) -> Path:
    """The first rows of a file, as a file."""
    path = source.with_name(f"first-{rows}-of-{source.name}")
    if not path.exists():
        part = path.with_name(f"part-{path.name}")
        with gzip.open(source, "rb") as lines, gzip.open(part, "wb", compresslevel=6) as out:
            out.writelines(islice(lines, rows))
        part.rename(path)
    return path


def schema(source: Path) -> Path:
    """The types of each property in the file, for systems that are told them; found outside of their time."""
    path = source.with_name(source.name.replace(".jsonl.gz", ".schema.json"))
    if not path.exists():
        kinds: dict[str, set[str]] = {}
        for event in read(source):
            for name, value in event["properties"].items():
                kinds.setdefault(name, set()).add(type(value).__name__)
        path.write_text(json.dumps({name: kind(found - {"NoneType"}) for name, found in kinds.items()}))
    return path


def read(source: Path, one_in: int = 1) -> Iterator[dict]:
    """Every so-manieth event."""
    with gzip.open(source, "rb") as lines:
        for line in islice(lines, 0, None, one_in):
            yield json.loads(line)


def kind(found: set[str]) -> str:
    kinds = {KINDS[name] for name in found}
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "mixed"
