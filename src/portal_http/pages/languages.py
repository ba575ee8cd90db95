"""Which language a page is in.

One that was chosen on a page; else the client's own, what the browser asks for, the company's, English.
"""

import gettext
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

from attrs import frozen
from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
"""The language that the messages themselves are written in; it needs no catalogue."""

CATALOGUES = Path(__file__).parent / "locales"
LONGEST_FIELD = 500
"""So many characters of `Accept-Language` are read."""
LONGEST_TAG = 35

_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3})\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


@frozen
class Languages:
    """The languages that there are catalogues for: ours, and those in folders that a host adds, which come first."""

    folders: tuple[Path, ...] = (CATALOGUES,)

    def choose(self, *wishes: str | None, accepted: str = "", chosen: str | None = None) -> Locale:
        """Return the first locale spoken here: of the first wish, then of `Accept-Language`, then of the others.

        Where a language was chosen, the first of that language, so that its formats stay those of the country.
        """
        only = chosen if chosen and self.speaks(chosen) else None
        first, *others = wishes or (None,)
        for wish in (first, *_ranges(accepted[:LONGEST_FIELD]), *others):
            locale = _locale(wish)
            if locale is not None and (locale.language == only if only else self.speaks(locale.language)):
                return locale
        return _known(only or SOURCE) or Locale(SOURCE)

    def speaks(self, language: str) -> bool:
        """Tell whether there is a catalogue, or no need for one."""
        return language == SOURCE or language in _catalogues(self.folders)

    def spoken(self) -> Mapping[str, str]:
        """Return the languages that there are, by code, each called as it calls itself."""
        locales = (_known(code) for code in sorted({SOURCE, *_catalogues(self.folders)}))
        return {each.language: _own_name(each) for each in locales if each is not None}

    def translations(self, language: str) -> gettext.NullTranslations:
        """Return the messages in a language; what a host's catalogue lacks comes from ours, else stays English."""
        chain: gettext.NullTranslations | None = None
        for folder in reversed(self.folders):
            path = folder / f"{language}.po"
            if path.is_file():
                found = _compiled(path)
                if chain is not None:
                    found.add_fallback(chain)
                chain = found
        return chain or gettext.NullTranslations()


def _compiled(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as source:
        catalogue = read_po(source, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def translations_of(languages: Languages, language: str) -> gettext.NullTranslations:
    """Return the messages in a language, read once."""
    return languages.translations(language)


@cache
def spoken_in(languages: Languages) -> Mapping[str, str]:
    """Return the languages that there are and their own names, looked up once."""
    return languages.spoken()


def languages_of(added: Iterable[Path]) -> Languages:
    """Return our languages and those in the `locales` folders of a host."""
    return Languages((*(folder / "locales" for folder in added), CATALOGUES))


@cache
def _catalogues(folders: Iterable[Path]) -> Collection[str]:
    """Return the languages that there are catalogues for, looked up once."""
    return frozenset(path.stem for folder in folders for path in folder.glob("*.po"))


def _own_name(locale: Locale) -> str:
    name = locale.get_language_name() or locale.language
    return name[:1].upper() + name[1:]


def _ranges(field: str) -> Sequence[str]:
    """Return the language ranges of `Accept-Language` (RFC 9110), the most wanted first."""
    return [tag for _, tag in sorted(_weighted(field), key=lambda pair: -pair[0])]


def _weighted(field: str) -> Iterator[tuple[float, str]]:
    for part in field.split(","):
        found = _RANGE.fullmatch(part)
        if found is not None and (weight := float(found[2] or 1)) > 0:
            yield weight, found[1]


@lru_cache
def _known(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None


def _locale(tag: str | None) -> Locale | None:
    return _known(tag) if tag and tag.isascii() and len(tag) <= LONGEST_TAG else None
