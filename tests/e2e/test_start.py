"""What keeps the start of the functions short, as far as it can be told without a clock."""

import sys

import pytest

from local import names

ELF = b"\x7fELF"
FIXED = 2
"""What an ELF header says of a program for a fixed address; of one for any address it says 3."""


@pytest.mark.skipif(sys.platform != "linux", reason="only for Linux are the functions linked so")
@pytest.mark.parametrize("function", names.FUNCTIONS)
def test_functions_lie_at_a_fixed_address(function: str) -> None:
    with names.binary(function).open("rb") as program:
        header = program.read(18)
    assert header.startswith(ELF)
    assert int.from_bytes(header[16:18], sys.byteorder) == FIXED, "see crates/runtime/fixed_address.rs"
