"""The catalogues hold every message of the pages, and none that is gone."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from portal_http import pages
from portal_http.pages.catalogue import gather
from portal_http.pages.languages import CATALOGUES

MESSAGES = gather(Path(pages.__file__).parent)
PLACES = re.compile(r"%\([a-z_]+\)s")


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, abort_invalid=True)


def ids(of: Catalog) -> set[tuple[str, ...]]:
    return {texts_of(message.id) for message in of if message.id}


def texts_of(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the forms of a message: one, or those of its plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_french_german_and_arabic_are_there() -> None:
    assert {"ar", "de", "fr"} <= {path.stem for path in CATALOGUES.glob("*.po")}


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*.po")), ids=lambda path: path.stem)
def test_no_message_is_missing_or_left_over(path: Path) -> None:
    assert ids(catalogue(path)) == ids(MESSAGES)


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*.po")), ids=lambda path: path.stem)
def test_every_message_is_translated_with_the_same_places_to_fill(path: Path) -> None:
    translated = catalogue(path)

    for message in translated:
        if message.id:
            texts = texts_of(message.string)
            wanted = set(PLACES.findall(texts_of(message.id)[-1]))
            assert len(texts) == (translated.num_plurals if message.pluralizable else 1)
            assert all(texts), message.id
            assert not message.fuzzy
            assert all(set(PLACES.findall(text)) <= wanted for text in texts), message.id
            assert wanted <= set(PLACES.findall(texts[-1])), message.id
