"""Forms: read within bounds, judged field by field, and given back with what was typed."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from attrs import define, field

from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.text import EMAIL_LENGTH, NAME_LENGTH, clean_email, clean_text, required_text, signed_text
from portal_http.errors import UnsupportedMediaType
from portal_http.incoming import Incoming
from portal_http.pages.labels import N_
from portal_http.pages.voice import Said

MOST_FIELDS = 20
LARGEST_MESSAGE = 192 * 1024
"""The bytes of a form with a message: each of its 10,000 characters takes up to twelve as a form is encoded."""

MEDIA_TYPE = "application/x-www-form-urlencoded"

T = TypeVar("T")

_FORM = re.compile(rf"{re.escape(MEDIA_TYPE)}\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?", re.IGNORECASE)
_REVISION = re.compile(r"[1-9][0-9]{0,8}")


@define
class Form:
    """What was typed, by field, and what is wrong with it."""

    values: Mapping[str, str] = field(factory=dict[str, str])
    errors: dict[str, Said] = field(factory=dict[str, Said])

    def text(self, name: str, *, longest: int) -> str | None:
        """Return a text that may be left out."""
        return self._clean(name, lambda typed: clean_text(typed, longest=longest), longest) or None

    def needed(self, name: str, missing: str, *, longest: int) -> str:
        """Return a text that may not be left out."""
        return self._seen(name, self.text(name, longest=longest), missing)

    def signed(self, name: str) -> str | None:
        """Return what somebody who signs says of themselves, which may be left out."""
        return self._clean(name, signed_text, NAME_LENGTH) or None

    def signature(self, name: str, missing: str) -> str:
        """Return the name of somebody who signs."""
        return self._seen(name, self.signed(name), missing)

    def email(self, name: str) -> str | None:
        """Return an e-mail address that may be left out."""
        typed = self.text(name, longest=EMAIL_LENGTH)
        try:
            return None if typed is None else clean_email(typed)
        except ValueError:
            self.refuse(name, N_("Write one e-mail address, like name@example.com."))
            return None

    def ticked(self, name: str, missing: str) -> None:
        """Ask that a box is ticked."""
        if not self.values.get(name):
            self.refuse(name, missing)

    def choice(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return one of several values, or nothing when none was chosen."""
        typed = self.values.get(name)
        try:
            return read(typed) if typed else None
        except (ValueError, KeyError):
            self.refuse(name, N_("Choose one of those offered."))
            return None

    def revision(self) -> int:
        """Return the revision that the page had shown."""
        typed = self.values.get("revision", "")
        if _REVISION.fullmatch(typed) is None:
            self.refuse("revision", N_("This form is not complete. Open the page again."))
            return 0
        return int(typed)

    def refuse(self, name: str, message: str, **about: int) -> None:
        """Note what is wrong with a field."""
        self.errors[name] = Said(message, tuple(about.items()))

    def check(self) -> None:
        """Refuse with InvalidInput when anything is wrong."""
        if self.errors:
            raise InvalidInput([Problem(said.message, pointer=f"/{name}") for name, said in self.errors.items()])

    def _seen(self, name: str, text: str | None, missing: str) -> str:
        if name not in self.errors and not _can_be_seen(text or ""):
            self.refuse(name, missing)
        return text or ""

    def _clean(self, name: str, read: Callable[[str], str], longest: int) -> str:
        typed = self.values.get(name, "")
        try:
            return read(typed)
        except ValueError:
            length = len(typed.replace("\r\n", "\n").strip())
            if length > longest:
                message = N_("Write at most %(most)s characters; there are %(count)s.")
                self.refuse(name, message, most=longest, count=length)
            else:
                self.refuse(name, N_("Remove the characters that cannot be shown."))
            return ""


def _can_be_seen(text: str) -> bool:
    try:
        required_text(text, longest=len(text))
    except ValueError:
        return False
    return True


class BrokenForm(InvalidInput):
    """What was sent is no form that a page has."""


async def read_body(request: Incoming, *, most: int) -> bytes:
    """Return the body of a form; refuse with UnsupportedMediaType, or with PayloadTooLarge beyond `most` bytes."""
    body = await request.read(most)
    said = request.fields(b"content-type")
    if len(said) != 1 or _FORM.fullmatch(said[0]) is None or request.fields(b"content-encoding"):
        raise UnsupportedMediaType(f"The form must be sent as {MEDIA_TYPE}.")
    return body


def read_form(body: bytes) -> Form:
    """Return the fields of a body (application/x-www-form-urlencoded, UTF-8); refuse with BrokenForm."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
            strict_parsing=False,
        )
    except ValueError:
        raise BrokenForm.at("", "the body is not a form of at most 20 fields in UTF-8") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise BrokenForm.at("", "each field is sent once")
    return Form(values)
