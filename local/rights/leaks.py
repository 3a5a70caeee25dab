"""Looks for secrets in what the runs wrote: plain, percent-encoded, in base64 of any kind, in gzip and in Parquet."""

import base64
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pyarrow.parquet as pq

SHORTEST = 8
"""A shorter secret would be found by chance."""


@dataclass(frozen=True)
class Secret:
    name: str
    value: str

    def __post_init__(self) -> None:
        if len(self.value) < SHORTEST:
            raise ValueError(f"{self.name} is too short to look for")

    def forms(self) -> set[bytes]:
        raw = self.value.encode()
        return {raw, quote(self.value, safe="").encode(), *in_base64(raw)}


def in_base64(raw: bytes) -> Iterator[bytes]:
    """What any base64 text has that has these bytes somewhere, such as an Authorization header behind a user name.

    Three bytes are four characters, so the text depends on where the bytes begin. The characters that also depend on
    the neighbours are left out.
    """
    for before in range(3):
        padded = b"\0" * before + raw
        whole = base64.b64encode(padded[: len(padded) // 3 * 3])
        inside = whole[4:] if before else whole
        yield inside
        yield inside.replace(b"+", b"-").replace(b"/", b"_")


def leaks(secrets: list[Secret], written: Iterator[tuple[str, bytes]]) -> list[str]:
    """Which secret is where, without the secret itself."""
    forms = [(secret.name, form) for secret in secrets for form in secret.forms()]
    found = set()
    for place, content in written:
        layers = list(unpacked(content))
        found |= {f"{name} is in {place}" for name, form in forms if any(form in layer for layer in layers)}
    return sorted(found)


def unpacked(content: bytes) -> Iterator[bytes]:
    """The content, and what is inside of it."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from unpacked(gzip.decompress(content))
    elif content.startswith(b"PAR1"):
        file = pq.ParquetFile(io.BytesIO(content))
        yield repr(file.schema_arrow.metadata).encode() + repr(file.metadata.metadata).encode()
        for column in file.read().itercolumns():
            yield "\n".join(map(str, column.to_pylist())).encode()
