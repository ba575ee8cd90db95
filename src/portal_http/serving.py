"""Serving by uvicorn: no access log (it would print tokens), no trust in proxies but our own, an orderly end."""

import gc
import json
import logging
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from logging.config import dictConfig
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from portal_http.collecting import nothing_to_collect
from portal_http.connections import Connection
from portal_http.main import build
from portal_http.settings import Settings, hand_down
from portal_http.wiring import WiringRefused
from portal_http.wiring.keys import admins_of
from portal_http.wiring.links import public_url_of

PATIENCE_SECONDS = 10
"""How long requests under way may take to end when the server is told to stop."""

_BACKLOG = 2048

SHARES = 16
"""By how many descriptors a socket is listened at.

In one turn of its loop uvloop takes one new connection by each, and answers all requests that have come in by then. By
one alone the last of a crowd would be taken after as many turns as it has members, which can be seconds.
"""

_log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """A log record as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's moment, level, logger and message, and the traceback where there is one."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            told["traceback"] = record.exc_text
        return json.dumps(told, ensure_ascii=False)


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; refuse with WiringRefused or SchemaOutdated what is not fit to be served."""
    admins_of(settings)
    end_in_order()
    dictConfig(_log_config(settings.log_format))
    if workers == 1:
        with nothing_to_collect():
            application = build(settings, public_url=public_url_of(settings, port=port))
        serve_on(application, _listen_aloud(host, port), settings)
        return
    if settings.rate_limit_url.startswith("memory"):
        raise WiringRefused(
            "Several workers need rate limits that they share: set PORTAL_RATE_LIMIT_URL=redis://127.0.0.1:6379/0, "
            "or serve with --workers 1."
        )
    build(settings)
    hand_down(public_url=public_url_of(settings, port=port))
    config = uvicorn.Config("portal_http.main:app", factory=True, workers=workers, **_manners(settings))
    Multiprocess(config, sockets=shares_of(_listen_aloud(host, port))).run()


def serve_on(application: Starlette, listening: socket.socket, settings: Settings) -> None:
    """Serve on a socket that listens already, in this process."""
    server = uvicorn.Server(uvicorn.Config(application, **_manners(settings)))
    # What there is now stays: it need not be searched for what nobody needs.
    gc.freeze()
    with suppress(KeyboardInterrupt):
        server.run(sockets=shares_of(listening))
    if not server.started:
        sys.exit(1)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; refuse with WiringRefused an address that cannot be had."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # Whoever asks before the server has started waits in line instead of being refused.
        listening.listen(_BACKLOG)
    except OSError as taken:
        listening.close()
        reason = f"Port {port} of {host} cannot be used: {taken.strerror}."
        raise WiringRefused(f"{reason} Try another --port or --host.") from None
    return listening


def _listen_aloud(host: str, port: int) -> socket.socket:
    listening = listen(host, port)
    _log.info("Listening at http://%s:%d", f"[{host}]" if ":" in host else host, listening.getsockname()[1])
    return listening


def shares_of(listening: socket.socket) -> list[socket.socket]:
    """Return a socket with as many descriptors as it is to be listened at by."""
    return [listening, *(listening.dup() for _ in range(SHARES - 1))]


def end_in_order() -> None:
    """Let the signal that ends a service unwind the program, as Ctrl+C does: uvicorn sends it on when it is done."""
    signal.signal(signal.SIGTERM, _end)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _manners(settings: Settings) -> dict[str, Any]:
    return {
        "access_log": False,
        "http": Connection,
        "proxy_headers": False,
        "server_header": False,
        "lifespan": "on",
        "timeout_graceful_shutdown": PATIENCE_SECONDS,
        "log_config": _log_config(settings.log_format),
    }


def _log_config(form: str) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"tokens": {"()": "portal_http.redact.TokenFilter"}},
        "formatters": {
            "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
            "json": {"()": "portal_http.serving.JsonLines"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["tokens"],
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {"uvicorn": {"level": "INFO"}, "uvicorn.access": {"level": "CRITICAL"}},
    }
