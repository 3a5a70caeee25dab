"""Mixlake beside the tools that people would use instead: same file, same task, one run.

`make bench-peers` makes a gzip file of JSON lines and lets each system turn it into one flat, wide Parquet file,
in turn and several times. Each is a process of its own, ours too, so that processor time, memory and output are
taken in the same way; another process then looks for every value of the input in the output.

What it refuses: to know how a system works. A system is a command line with an input and an output.
"""
