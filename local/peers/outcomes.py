"""What can become of a value of the input."""

KEPT = "kept"
"""The same value in the same type; for a nested one also its JSON as text."""

TEXT = "became text"
"""A number or a boolean as text."""

QUOTED = "became JSON text"
"""A text in quotes, with its escapes."""

CHANGED = "changed"
LOST = "lost"

SAMPLE = 5_000
"""About so many events of an input are looked for in an output."""
