"""What stands on a printed document: words, already in the language and formats of who reads them."""

import re
from unicodedata import bidirectional

from attrs import frozen

from portal_core.domain.errors import InvalidInput, Problem

MOST_ROWS = 1_000
MOST_CHARACTERS = 200_000
"""So many rows, and characters in them, a paper has at most: they take a few seconds to set."""

_ENDLESS = re.compile(r"(\S{40})(?=\S)")
_BREAK = "\N{ZERO WIDTH SPACE}"
_ISOLATE, _POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_FOREIGN = {"ltr": frozenset({"R", "AL"}), "rtl": frozenset({"L"})}


class PaperTooLong(InvalidInput):
    """The document has more rows than are printed."""

    def __init__(self) -> None:
        detail = f"there are more than {MOST_ROWS:,} lines or much text, too much to print; ask for a shorter period"
        super().__init__([Problem(detail, parameter="from")])


@frozen(kw_only=True)
class Column:
    """A column: its heading, whether it takes the width that is left, and whether it holds numbers."""

    label: str
    wide: bool = False
    number: bool = False


@frozen
class Row:
    """A row. Its kind is `plain`, `strong`, or `whole` for one cell as wide as the table."""

    cells: tuple[str, ...]
    kind: str = "plain"


@frozen
class Table:
    """A table, which goes on from page to page with its head."""

    caption: str | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@frozen(kw_only=True)
class Attachment:
    """A file that travels inside the document, as it is."""

    name: str
    media_type: str
    content: str
    description: str


@frozen(kw_only=True)
class Letterhead:
    """Who issues the document; the accent is `#rrggbb`."""

    name: str
    accent: str
    contact: tuple[str, ...]


@frozen(kw_only=True)
class Paper:
    """A document. `totals` are label and amount, the last of them the greatest; `texts` are heading and prose."""

    language: str
    region: str | None
    direction: str
    company: Letterhead
    title: str
    short_title: str
    state: str | None = None
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    totals: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    footer: str = ""
    attachments: tuple[Attachment, ...] = ()


def as_written(text: str, direction: str) -> str:
    """Return somebody else's text for a paper that runs in a direction.

    What is in a script of the other direction is isolated line by line (UAX #9), so that its full stop stays at its
    end.
    """
    foreign = _FOREIGN[direction]
    lines = text.split("\n")
    own = (f"{_ISOLATE}{line}{_POP}" if foreign & set(map(bidirectional, line)) else line for line in lines)
    return breakable("\n".join(own))


def breakable(text: str) -> str:
    """Return text in which a word without an end can be broken, so that it stays on the paper."""
    return _ENDLESS.sub(rf"\1{_BREAK}", text)


def require_printable(paper: Paper) -> None:
    """Refuse with PaperTooLong what has too many rows, or too much in them."""
    rows = [row for table in paper.tables for row in table.rows]
    if len(rows) > MOST_ROWS or sum(len(cell) for row in rows for cell in row.cells) > MOST_CHARACTERS:
        raise PaperTooLong
