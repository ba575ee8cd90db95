"""The printer: data goes in as JSON and is never read as markup."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from attrs import frozen

if TYPE_CHECKING:
    from typst import Fonts

_HERE = Path(__file__).parent
_SIZE_OF_PNG = slice(16, 24)
_PNG = b"\x89PNG"
_MOST_PIXELS = 4_000_000
"""A picture of more is left out: a few kilobytes of PNG can unfold to gigabytes."""


def can_print() -> bool:
    """Tell whether typst is installed."""
    return find_spec("typst") is not None


@final
@frozen
class TypstPrinter:
    """Prints papers; in any thread, and in several at once."""

    def print(self, paper: Mapping[str, Any], logo: bytes | None) -> bytes:
        """Return a paper as PDF.

        A character that no font has makes a PDF that is not PDF/UA-1, and a picture that is none is left out.
        """
        from typst import Compiler, TypstError  # noqa: PLC0415 - an extra that not everybody has

        refused: TypstError | None = None
        for picture, standards in _attempts(logo):
            told = json.dumps({**paper, "logo": None if picture is None else list(picture)})
            compiler = Compiler(_template(), root=_HERE, font_paths=_fonts(), sys_inputs={"paper": told})
            try:
                return compiler.compile(format="pdf", pdf_standards=standards)  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - the bytes of one file, as there is no output path
            except TypstError as error:
                refused = error
        raise RuntimeError("typst cannot print a paper") from refused


def _attempts(logo: bytes | None) -> Iterator[tuple[bytes | None, list[Any]]]:
    for picture in (logo, None) if logo is not None and _is_modest(logo) else (None,):
        yield picture, ["ua-1"]
        yield picture, []


def _is_modest(picture: bytes) -> bool:
    if not picture.startswith(_PNG):
        return True
    size = picture[_SIZE_OF_PNG]
    return int.from_bytes(size[:4]) * int.from_bytes(size[4:]) <= _MOST_PIXELS


@cache
def _template() -> bytes:
    return (_HERE / "paper.typ").read_bytes()


@cache
def _fonts() -> "Fonts":
    """Return our font, which has Latin, Greek, Cyrillic, Hebrew and Arabic, and behind it those of the machine."""
    from typst import Fonts  # noqa: PLC0415 - as above

    return Fonts(include_embedded_fonts=False, font_paths=[_HERE / "fonts"])
