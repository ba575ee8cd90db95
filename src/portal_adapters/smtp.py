"""Handing e-mail to a server, by the standard library's SMTP (RFC 5321), over TLS wherever there is any."""

import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Final, final
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from portal_core.domain.outbox import Attempt

PATIENCE_SECONDS: Final = 20.0
"""How long each step of a conversation may take."""

_PORTS = {"smtps": 465, "smtp": 587, "smtp+starttls": 587}
_PERMANENT = 500


class NoTls(Exception):
    """The server offers no TLS, and without it nothing is said that is secret."""


@final
@frozen(kw_only=True)
class SmtpServer:
    """A server that takes mail for everybody.

    `smtps` speaks TLS from the start, `smtp+starttls` insists on it, `smtp` takes it where it is offered and says no
    password without it, but on this machine.
    """

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    patience_seconds: float = PATIENCE_SECONDS

    def send(self, message: EmailMessage) -> Attempt:
        """Hand over a message and return what came of it; a refused address is not tried again."""
        try:
            with self._conversation() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            return _failed(f"The address was refused: {code} {_text(words)}", final=code >= _PERMANENT)
        except smtplib.SMTPResponseException as refused:
            return _failed(f"The mail server answered {refused.smtp_code} {_text(refused.smtp_error)}")
        except smtplib.SMTPNotSupportedError as problem:
            return _failed(f"The mail server cannot take this: {problem}", final=True)
        except (smtplib.SMTPException, OSError, NoTls) as problem:
            return _failed(f"There is no mail server: {problem}")
        return Attempt(arrived=True)

    @contextmanager
    def _conversation(self) -> Generator[smtplib.SMTP]:
        server = self._connected()
        try:
            if self.scheme != "smtps":
                self._secure(server)
            if self.user is not None:
                server.login(self.user, self.password or "")
            yield server
        finally:
            # What was taken is taken, however the server says goodbye.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _connected(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.patience_seconds, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.patience_seconds)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self.scheme == "smtp+starttls" or (self.user is not None and not _is_here(self.host)):
            raise NoTls("it offers no TLS")


def smtp_server(url: str) -> SmtpServer:
    """Return the server of an address like `smtp://user:password@mail.example.com:587`."""
    parts = urlsplit(url)
    return SmtpServer(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _failed(problem: str, *, final: bool = False) -> Attempt:
    return Attempt(arrived=False, problem=problem, final=final)


def _text(words: bytes | str) -> str:
    return words if isinstance(words, str) else words.decode(errors="replace")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
