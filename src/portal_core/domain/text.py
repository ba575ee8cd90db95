"""The rules for text that people type or systems send."""

import re
import unicodedata

NAME_LENGTH = 200
EMAIL_LENGTH = 254
COMMENT_LENGTH = 2_000
SUBJECT_LENGTH = 200
MESSAGE_LENGTH = 10_000
URL_LENGTH = 2_000

_URL = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@\\:\[\]]+)(?::[0-9]{0,5})?(?:[/?#][^\s\\]*)?")
_ATOM = r'[^\u0000- "(),.:;<>@\[-\]\u007f-\u00a0]+'
_LETTER, _LETTER_OR_HYPHEN = r"[^\u0000-/:-@\[-^`{-\u00a0\s]", r"[^\u0000-,./:-@\[-^`{-\u00a0\s]"
_LABEL = rf"{_LETTER}(?:{_LETTER_OR_HYPHEN}{{0,61}}{_LETTER})?"
_LITERAL = r"\[(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]"
EMAIL_PATTERN = rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}(?:\.{_LABEL})*|{_LITERAL})"
"""An address of e-mail (RFC 5322, RFC 6531): a dot-atom and a domain, both in any script, or a literal.

JavaScript reads it as Python does: it is a part of the API's description.
"""

_EMAIL = re.compile(EMAIL_PATTERN)
_FORBIDDEN = frozenset({"Cc", "Cs"})
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
_UNSEEN = _HIDDEN | {"Zs"}
# Persian and the languages of India are spelt with joiners. Keyboards of right-to-left scripts have keys for marks of
# direction, which move no letter; but where there is no such letter they move numbers. Embeddings, overrides and
# isolates move all: behind them a name reads as another one.
_JOINERS = frozenset("\u200c\u200d")
_DIRECTION = frozenset("\u061c\u200e\u200f")
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_MOST_MARKS = 30
_LONGEST_COMPOSITION = 4


def clean_text(text: str, *, longest: int) -> str:
    """Return the text trimmed and in Unicode's NFC.

    Line ends become newlines. Raises ValueError with a sentence for people when it holds control
    characters other than newline, lone surrogates, more than 30 combining marks in a row (UAX #15's
    stream-safe format, without which NFC takes seconds), or more than `longest` characters.
    """
    if not text.isprintable() or not text.isascii():
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        # NFC makes at most four characters one: what is too long even so is not looked at.
        if len(text.strip()) <= longest * _LONGEST_COMPOSITION:
            _require_plain(text)
            text = unicodedata.normalize("NFC", text)
    text = text.strip()
    if len(text) > longest:
        raise ValueError(f"must have at most {longest:,} characters; it has {len(text):,}")
    return text


def required_text(text: str, *, longest: int) -> str:
    """Return the clean text; raise ValueError when nothing that can be seen is left of it."""
    cleaned = clean_text(text, longest=longest)
    # Of a trimmed text in ASCII the first character is seen.
    if not (cleaned if cleaned.isascii() else any(map(_is_seen, cleaned))):
        raise ValueError("must not be empty")
    return cleaned


def required_signed_text(text: str) -> str:
    """Return a text as `signed_text` has it; raise ValueError when nothing of it is seen."""
    return required_text(signed_text(text), longest=NAME_LENGTH)


def signed_text(text: str) -> str:
    """Return what a signer says of themselves: clean text of at most 200 characters that reads as it is written.

    Raises ValueError, besides, at characters that are not seen (Unicode's category Cf, and so every override of
    direction), but for the joiners U+200C and U+200D and, beside letters of a right-to-left script, the marks U+061C,
    U+200E and U+200F.
    """
    cleaned = clean_text(text, longest=NAME_LENGTH)
    if cleaned.isascii():
        return cleaned  # All that is hidden in ASCII are control characters, which are refused by now.
    if any(map(_is_hidden, cleaned)) or (_DIRECTION & set(cleaned) and not any(map(_is_right_to_left, cleaned))):
        raise ValueError("must not contain hidden characters")
    return cleaned


def plain_line(text: str, *, longest: int) -> str:
    """Return what can be printed of the words of some other system, on one line, cut to `longest` characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def clean_url(text: str) -> str:
    """Return an http or https address without user information, at most 2,000 characters; else raise ValueError."""
    cleaned = required_text(text, longest=URL_LENGTH)
    if _URL.fullmatch(cleaned) is None:
        raise ValueError("must be an http or https address without a user name or spaces")
    return cleaned


def clean_email(text: str) -> str:
    """Return one e-mail address, at most 254 characters (RFC 5321); else raise ValueError."""
    cleaned = required_text(text, longest=EMAIL_LENGTH)
    if _EMAIL.fullmatch(cleaned) is None or any(map(_is_hidden, cleaned)):
        raise ValueError("must be one e-mail address, like name@example.com")
    return cleaned


def clean_mailable(text: str) -> str:
    """Return an address that every mail server takes: before the @ it is in ASCII; else raise ValueError."""
    cleaned = clean_email(text)
    if not cleaned.rpartition("@")[0].isascii():
        raise ValueError("must be in ASCII before the @: few mail servers take any other letter there")
    return cleaned


def _require_plain(text: str) -> None:
    marks = 0
    for character in text:
        if character != "\n" and unicodedata.category(character) in _FORBIDDEN:
            raise ValueError("must not contain control characters other than newline")
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            raise ValueError(f"must not heap more than {_MOST_MARKS} marks on one character")


def _is_hidden(character: str) -> bool:
    spelt_with = character in _JOINERS or character in _DIRECTION
    return unicodedata.category(character) in _HIDDEN and not spelt_with and character != "\n"


def _is_right_to_left(character: str) -> bool:
    # The marks themselves are of these classes too.
    return unicodedata.bidirectional(character) in _RIGHT_TO_LEFT and character not in _DIRECTION


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN and character not in _BLANK_LETTERS
