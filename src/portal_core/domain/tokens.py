"""The secret in a link: 32 random bytes in a recognisable, checkable form."""

import hashlib
import re
import zlib

PREFIX = "cpt_"
RANDOM_BYTES = 32
HINT_LENGTH = 4
PATTERN = r"cpt_[0-9A-Za-z]{49}"
"""A regular expression that finds tokens in text, for scanners of leaked secrets."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_ALPHABET)}
_BODY_LENGTH = 43
_CHECKSUM_LENGTH = 6
_TOKEN = re.compile(PATTERN)


def token_of(random_bytes: bytes) -> str:
    """Return the token of 32 random bytes: prefix, 43 base62 characters, CRC32 of those as 6 more."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"a token is made of {RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    body = _base62(int.from_bytes(random_bytes), _BODY_LENGTH)
    return PREFIX + body + _checksum(body)


def is_token(text: str) -> bool:
    """Tell whether a text has the form and the checksum of a token, without asking any store."""
    if _TOKEN.fullmatch(text) is None:
        return False
    checksum = 0
    for digit in text[-_CHECKSUM_LENGTH:]:
        checksum = checksum * len(_ALPHABET) + _VALUES[digit]
    return checksum == zlib.crc32(text[len(PREFIX) : -_CHECKSUM_LENGTH].encode())


def digest_of(token: str) -> bytes:
    """Return what is kept of a token: its SHA-256, 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def hint_of(token: str) -> str:
    """Return the last four characters, by which staff tell links apart."""
    return token[-HINT_LENGTH:]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
