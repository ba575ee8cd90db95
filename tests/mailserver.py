"""A mail server on loopback, which keeps what it takes and refuses what it is told to."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from attrs import define, field


@define(eq=False)
class Postbox:
    """What came in, and for which addresses nothing is taken: `refusals` are answers by address."""

    port: int
    refusals: dict[str, str] = field(factory=dict[str, str])
    goodbye: str = "221 Bye"
    taken: list[EmailMessage] = field(factory=list[EmailMessage])
    envelopes: list[tuple[str | None, list[str]]] = field(factory=list[tuple[str | None, list[str]]])

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        del server, session, rcpt_options
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        del server, session, envelope
        return self.goodbye

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        del server, session
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"


def closed_postbox() -> Postbox:
    """Return a box at a free port where nobody listens yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return Postbox(free.getsockname()[1])


@contextmanager
def opened(postbox: Postbox) -> Generator[Postbox]:
    """Take mail at the box's port."""
    controller = Controller(postbox, hostname="127.0.0.1", port=postbox.port)
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop()


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a message."""
    return part_of(message, "plain")


def html_of(message: EmailMessage) -> str:
    """Return the HTML of a message."""
    return part_of(message, "html")


def part_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content
