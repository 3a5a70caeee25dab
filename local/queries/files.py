"""The parts of a Parquet file: which bytes belong to column chunks, bloom filters, page indexes and the footer."""

import io
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from local.lake import Lake
from local.queries.traffic import Request

ASKED, OTHER, BLOOM, INDEX, FOOTER = "asked columns", "other columns", "bloom filters", "page indexes", "footers"
PARTS = (ASKED, OTHER, BLOOM, INDEX, FOOTER)
TAIL = 8
"""The length of the footer, and the sign that ends a file."""


@dataclass(frozen=True)
class Part:
    name: str
    """A column, or one of BLOOM and FOOTER."""
    start: int
    end: int


@dataclass
class File:
    """One file, and where its parts are. What lies between them are page indexes."""

    size: int
    row_groups: int
    columns: int
    parts: list[Part] = field(default_factory=list)

    @classmethod
    def of(cls, body: bytes) -> "File":
        footer = struct.unpack("<I", body[-TAIL : 4 - TAIL])[0] + TAIL
        metadata = pq.read_metadata(io.BytesIO(body))
        file = cls(len(body), metadata.num_row_groups, metadata.num_columns, list(chunks(metadata)))
        file.parts.append(Part(FOOTER, len(body) - footer, len(body)))
        return file

    def footer(self) -> int:
        return self._bytes_of(FOOTER)

    def bloom(self) -> int:
        return self._bytes_of(BLOOM)

    def indexes(self) -> int:
        return self.read(0, self.size, ())[INDEX]

    def _bytes_of(self, name: str) -> int:
        return sum(part.end - part.start for part in self.parts if part.name == name)

    def chunks_of(self, asked: tuple[str, ...]) -> list[Part]:
        """The column chunks that a question asks for."""
        return [part for part in self.parts if kind(part.name, asked) == ASKED]

    def read(self, start: int, end: int, asked: tuple[str, ...]) -> Counter[str]:
        """How many bytes of a range belong to what."""
        found: Counter[str] = Counter()
        for part in self.parts:
            common = min(end, part.end) - max(start, part.start)
            if common > 0:
                found[kind(part.name, asked)] += common
        found[INDEX] += end - start - found.total()
        return found


def kind(name: str, asked: tuple[str, ...]) -> str:
    if name in (BLOOM, FOOTER):
        return name
    return ASKED if not asked or name in asked else OTHER


def chunks(metadata: pq.FileMetaData) -> Iterator[Part]:
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for number in range(row_group.num_columns):
            chunk = row_group.column(number)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            yield Part(chunk.path_in_schema, start, start + chunk.total_compressed_size)
            if chunk.bloom_filter_offset:
                # Without a length the filter cannot be told from a page index.
                start = chunk.bloom_filter_offset
                yield Part(BLOOM, start, start + (chunk.bloom_filter_length or 0))


class Files:
    """The files of a lake by key, each looked at once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._known: dict[str, File] = {}

    def of(self, key: str) -> File:
        if key not in self._known:
            self._known[key] = File.of(self._lake.read(key))
        return self._known[key]

    def read(self, requests: Iterable[Request], asked: tuple[str, ...]) -> Counter[str]:
        """The bytes of all answers, by what they belong to."""
        found: Counter[str] = Counter()
        for request in requests:
            if request.of_object and request.length:
                end = request.start + request.length
                found += self.of(request.key).read(request.start, end, asked)
        return found

    def of_dates(self, table: str, dates: Iterable[str]) -> list[File]:
        """The live files of some days."""
        wanted = set(dates)
        partitions = [p for p in self._lake.tables()[table].partitions if p.value in wanted]
        prefixes = [p.location.rstrip("/").removeprefix(f"s3://{self._lake.bucket}/") + "/" for p in partitions]
        keys = [o["Key"] for prefix in prefixes for o in self._lake.objects(prefix.removeprefix(self._lake.folder))]
        return [self.of(key) for key in keys if key.endswith(".parquet")]
