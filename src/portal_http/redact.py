"""Keeps links' tokens and staff's bearer tokens out of logs.

`logging.getLogger().handlers[0].addFilter(portal_http.redact)` works, and so does an instance of `TokenFilter`, which
`logging.config` can make: `{"()": "portal_http.redact.TokenFilter"}`. Put it on handlers, where the records of every
logger come by.
"""

import logging
import re
from collections.abc import Mapping

_TOKEN = re.compile(r"cpt(?:_|%5[Ff])[0-9A-Za-z]+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_SAFE = (int, float, bool, type(None))
_formatter = logging.Formatter()


def redacted(text: str) -> str:
    """Return the text with "[token]" for every token in it, even a mistyped or shortened one."""
    return _TOKEN.sub("[token]", text)


class TokenFilter(logging.Filter):
    """A logging filter that takes tokens out of a record: its message, arguments, traceback and stack."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without tokens."""
        return filter(record)


def filter(record: logging.LogRecord) -> bool:  # noqa: A001 - the name that logging looks for
    """Let every record pass, without tokens."""
    record.msg = _value(record.msg)
    if isinstance(record.args, Mapping):
        record.args = {name: _value(value) for name, value in record.args.items()}
    elif record.args:
        record.args = tuple(_value(value) for value in record.args)
    if record.exc_info:
        record.exc_text = redacted(record.exc_text or _formatter.formatException(record.exc_info))
        record.exc_info = None
    if record.stack_info:
        record.stack_info = redacted(record.stack_info)
    return True


def _value(value: object) -> object:
    if isinstance(value, _SAFE):
        return value
    text = str(value)
    clean = redacted(text)
    return value if clean == text else clean
