"""The rules for text that people type or systems send."""

import re
import unicodedata

NAME_LENGTH = 200
EMAIL_LENGTH = 254
COMMENT_LENGTH = 2_000
SUBJECT_LENGTH = 200
MESSAGE_LENGTH = 10_000
URL_LENGTH = 2_000

_URL = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#][^\s\\]*)?", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@,;<>\"()]+@[^\s@,;<>\"()]+")
_FORBIDDEN = frozenset({"Cc", "Cs"})


def clean_text(text: str, *, longest: int) -> str:
    """Return the text trimmed and in Unicode's NFC.

    Line ends become newlines. Raises ValueError with a sentence for people when it holds control
    characters other than newline, lone surrogates, or more than `longest` characters.
    """
    if not text.isprintable() or not text.isascii():
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if any(unicodedata.category(character) in _FORBIDDEN for character in text if character != "\n"):
            raise ValueError("must not contain control characters other than newline")
        text = unicodedata.normalize("NFC", text)
    text = text.strip()
    if len(text) > longest:
        raise ValueError(f"must have at most {longest:,} characters; it has {len(text):,}")
    return text


def required_text(text: str, *, longest: int) -> str:
    """Return the clean text; raise ValueError when nothing is left of it."""
    cleaned = clean_text(text, longest=longest)
    if not cleaned:
        raise ValueError("must not be empty")
    return cleaned


def clean_url(text: str) -> str:
    """Return an http or https address without user information, at most 2,000 characters; else raise ValueError."""
    cleaned = required_text(text, longest=URL_LENGTH)
    if _URL.fullmatch(cleaned) is None:
        raise ValueError("must be an http or https address without a user name or spaces")
    return cleaned


def clean_email(text: str) -> str:
    """Return one e-mail address, at most 254 characters (RFC 5321); else raise ValueError."""
    cleaned = required_text(text, longest=EMAIL_LENGTH)
    if _EMAIL.fullmatch(cleaned) is None:
        raise ValueError("must be one e-mail address, like name@example.com")
    return cleaned
