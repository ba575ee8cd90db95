"""The stylesheet in a company's colour, with the contrast that WCAG 2.2 asks for, by computation."""

import colorsys
import hashlib
import re
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

PLAIN_ACCENT = "1f5fbf"
"""The accent of a company that has not chosen one, and of pages that belong to nobody."""

TEXT_CONTRAST = 4.5
"""What WCAG 2.2 asks of text on its background at level AA (success criterion 1.4.3)."""

Colour: TypeAlias = tuple[float, float, float]

_STATIC = Path(__file__).parent / "static"
_HEX = re.compile(r"[0-9a-f]{6}")
_BETWEEN_RULES = re.compile(rb"\s*\n\s*(?:/\*.*?\*/\s*)?")
_STEPS = 200
_TINT = 0.1


@frozen
class Ground:
    """A scheme's backgrounds: the page's and a card's."""

    page: str
    surface: str


LIGHT = Ground("f5f6f8", "ffffff")
DARK = Ground("101317", "191d23")
"""The grounds of portal.css."""


@frozen
class Shade:
    """An accent as one scheme can show it, and a tint of it to put it on."""

    accent: str
    tint: str
    on_accent: str


def accent_of(colour: str | None) -> str:
    """Return a company's accent (`#rrggbb`) as six lower-case digits."""
    digits = (colour or "").removeprefix("#").lower()
    return digits if _HEX.fullmatch(digits) else PLAIN_ACCENT


@lru_cache
def shade(accent: str, ground: Ground) -> Shade:
    """Return the nearest lightness of an accent at which it can be read on every ground of the scheme."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(accent))
    darker = _luminance(_rgb(ground.page)) > 0.5  # noqa: PLR2004 - the middle
    on_accent = "ffffff" if darker else ground.page
    farthest = 0.0 if darker else 1.0

    def at(step: int) -> Shade:
        colour = colorsys.hls_to_rgb(hue, lightness + (farthest - lightness) * step / _STEPS, saturation)
        return Shade(_hex(colour), _hex(_mixed(_rgb(ground.surface), colour, _TINT)), on_accent)

    def can_be_read(step: int) -> bool:
        found = at(step)
        grounds = (ground.page, ground.surface, found.tint, on_accent)
        return all(contrast(found.accent, each) >= TEXT_CONTRAST for each in grounds)

    return at(bisect_left(range(_STEPS), True, key=can_be_read))  # noqa: FBT003 - false before it, true from there on


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours of six digits each (WCAG 2.2), from 1 to 21."""
    dark, light = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))))
    return (light + 0.05) / (dark + 0.05)


@lru_cache
def stylesheet(accent: str) -> bytes:
    """Return the stylesheet in an accent."""
    light, dark = shade(accent, LIGHT), shade(accent, DARK)
    variables = "".join(
        f"--{name}:#{getattr(light, key)};--dark-{name}:#{getattr(dark, key)};"
        for name, key in (("accent", "accent"), ("tint", "tint"), ("on-accent", "on_accent"))
    )
    return f":root{{{variables}}}\n".encode() + _BETWEEN_RULES.sub(b"\n", _source("portal.css"))


@lru_cache
def icon(accent: str) -> bytes:
    """Return the sign for a browser's tab in an accent."""
    return _source("icon.svg").replace(b"ACCENT", f"#{shade(accent, LIGHT).accent}".encode())


@lru_cache
def address(kind: str, accent: str) -> str:
    """Return a static file's name, `kind` being css or svg: it changes with the content, and holds the accent."""
    content = stylesheet(accent) if kind == "css" else icon(accent)
    return f"{hashlib.sha256(content).hexdigest()[:16]}-{accent}.{kind}"


@lru_cache
def _source(name: str) -> bytes:
    return (_STATIC / name).read_bytes()


def _rgb(digits: str) -> Colour:
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "".join(f"{round(part * 255):02x}" for part in colour)


def _mixed(ground: Colour, colour: Colour, share: float) -> Colour:
    red, green, blue = (under + (over - under) * share for under, over in zip(ground, colour, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]  # noqa: PLR2004 - sRGB
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
