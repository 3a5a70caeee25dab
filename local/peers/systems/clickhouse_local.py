"""ClickHouse local, from its Python package, told the schema: its inference takes several times as long."""

import chdb

from local.peers.systems.task import task

TYPES = {
    "string": "String",
    "integer": "Int64",
    "number": "Float64",
    "boolean": "Bool",
    "nested": "String",
    "mixed": "String",
}

SQL = """
SELECT event, {columns}
FROM file({source}, JSONEachRow, {structure}, 'gzip')
INTO OUTFILE {target} FORMAT Parquet
SETTINGS max_threads = {threads}, input_format_parallel_parsing = {parallel},
    input_format_json_read_objects_as_strings = 1, input_format_json_read_numbers_as_strings = 1,
    input_format_json_read_bools_as_strings = 1, input_format_json_defaults_for_missing_elements_in_named_tuple = 1,
    output_format_parquet_compression_method = 'zstd'
"""


def main() -> None:
    told = task()
    kinds = told.schema()
    fields = ", ".join(f"{quote(name)} Nullable({TYPES[kind]})" for name, kind in kinds.items())
    statement = SQL.format(
        columns=", ".join(f"properties.{quote(name)} AS {quote(name)}" for name in kinds),
        source=literal(str(told.source)),
        structure=literal(f"event String, properties Tuple({fields})"),
        target=literal(str(told.target)),
        threads=told.threads,
        parallel=int(told.threads > 1),
    )
    chdb.query(statement)


def quote(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


if __name__ == "__main__":
    main()
