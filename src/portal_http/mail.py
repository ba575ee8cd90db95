"""The way out by e-mail: what was queued is written at the last moment and handed to the mail server."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from typing import final

from attrs import field, frozen

from portal_core.domain.feedback import Party
from portal_core.domain.outbox import Attempt, Dispatch
from portal_core.ports import Runner, Store
from portal_core.use_cases.mail import Letter, LinkLetter, TicketLetter, Unsendable, write_letter
from portal_core.use_cases.outbox import Parcel
from portal_http.load import MOST_AT_ONCE
from portal_http.pages.letters import Scribe, Written

LEASE = timedelta(minutes=5)
"""Mail servers take their time: a conversation has several steps, and each may be slow."""


@final
@frozen(kw_only=True)
class MailCarrier:
    """Sends from the company's own address, or from `sender` where it has none.

    The token of a link is made here, in a transaction of its own; it is in the message and nowhere else.
    """

    runner: Runner
    scribe: Scribe
    send: Callable[[EmailMessage], Attempt]
    sender: str | None = None
    lease: timedelta = LEASE
    _threads: ThreadPoolExecutor = field(
        factory=partial(ThreadPoolExecutor, MOST_AT_ONCE, "mail"), init=False, eq=False, repr=False
    )
    """Those of the loop look up the names of others' receivers, for whom a mail server that hangs would leave none."""

    async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
        """Write a letter and hand it over; the conversation with the server is held in a thread."""
        try:
            message = await self.runner.write(lambda store: self._written(store, parcel.dispatch, now))
        except Unsendable as unsendable:
            return Attempt(arrived=False, problem=str(unsendable), final=True)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.send, message)

    def _written(self, store: Store, dispatch: Dispatch, now: datetime) -> EmailMessage:
        """Write all of a message: where any of it cannot be made, no secret is kept either."""
        return self._message(dispatch, write_letter(store, dispatch, now=now), now)

    def _message(self, dispatch: Dispatch, letter: Letter, now: datetime) -> EmailMessage:
        address = letter.company.email or self.sender
        if address is None:
            raise Unsendable("The company has no e-mail address, and PORTAL_MAIL_FROM is not set.")
        written = self.scribe.write(letter)
        message = EmailMessage(SMTP)
        message["Subject"] = written.subject
        message["From"] = sender = _named(letter.company.name, address)
        message["To"] = _named(_reader(letter), letter.to)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{dispatch.id}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        _fill(message, written)
        return message


def _fill(message: EmailMessage, written: Written) -> None:
    message.set_content(written.text)
    message.add_alternative(written.html, subtype="html")


def _reader(letter: Letter) -> str:
    to_client = isinstance(letter, LinkLetter) or (isinstance(letter, TicketLetter) and letter.by is Party.STAFF)
    return letter.client.name if to_client else letter.company.name


def _named(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        return Address(display_name=" ".join(name.split()), addr_spec=f"{local}@{_in_ascii(domain)}")
    except (ValueError, IndexError, MessageError) as problem:
        raise Unsendable(f"{address!r} cannot be written into a header: {problem}") from problem


def _in_ascii(domain: str) -> str:
    """Return a domain as every server takes it (IDNA), unless that would be another's: `ß` becomes `ss` in it."""
    try:
        encoded = domain.encode("idna")
        return encoded.decode() if encoded.decode("idna").lower() == domain.lower() else domain
    except UnicodeError:
        return domain
