"""Tables as files for spreadsheet programs (RFC 4180), sent while they are made."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""By which spreadsheet programs know that letters are UTF-8."""
FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The file, line by line; ``rows`` begin with the headings."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def harmless(cell: str) -> str:
    """The cell, after an apostrophe where a program would take it for a formula (ATTACK 37)."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(FORMULA_BEGINS) or cell.startswith(FORMULA_BEGINS) else cell
