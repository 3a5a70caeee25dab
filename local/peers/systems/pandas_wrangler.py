"""pandas as awswrangler is fed: `json_normalize`, one type for each column, `to_parquet` (PyArrow's writer)."""

import pandas as pd
import pyarrow as pa

from local.peers.systems.task import as_text, task


def main() -> None:
    told = task()
    pa.set_cpu_count(told.threads)
    events = [event for batch in told.batches(100_000) for event in batch]
    frame = pd.json_normalize(events, max_level=1)
    frame.columns = [name.removeprefix("properties.") for name in frame.columns]
    # Both writers refuse columns of several types.
    mixed = [name for name, kind in told.schema().items() if kind in {"mixed", "nested"}]
    frame[mixed] = frame[mixed].map(as_text, na_action="ignore")
    frame.to_parquet(told.target, compression="zstd", index=False)


if __name__ == "__main__":
    main()
