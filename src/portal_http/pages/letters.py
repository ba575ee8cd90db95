"""Letters: what clients and staff are sent by e-mail, in their language, as text and as HTML."""

from collections.abc import Sequence
from typing import assert_never
from zoneinfo import ZoneInfo

from attrs import frozen

from portal_core.domain.companies import Client, Company
from portal_core.domain.feedback import Party
from portal_core.domain.quotes import Answer
from portal_core.use_cases.mail import DecisionLetter, Letter, LinkLetter, TicketLetter
from portal_http.pages.languages import Languages, translations_of
from portal_http.pages.rendering import Templates
from portal_http.pages.theme import accent_of
from portal_http.pages.voice import Voice


@frozen(kw_only=True)
class Content:
    """What a letter says; `quoted` are words of somebody else's, `address` is where its button leads."""

    subject: str
    paragraphs: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()
    quoted: str | None = None
    address: str | None = None
    button: str | None = None
    closing: Sequence[str] = ()


@frozen(kw_only=True)
class Written:
    """A letter that is ready to be sent."""

    subject: str
    text: str
    html: str


@frozen(kw_only=True)
class Scribe:
    """Writes letters; a host's templates and catalogues come before ours, as for pages."""

    templates: Templates
    languages: Languages
    public_url: str

    def write(self, letter: Letter) -> Written:
        """Write a letter in its reader's language."""
        voice = self._voice(*_wishes(letter), zone=letter.company.timezone)
        content = self._content(letter, voice)
        accent = accent_of(letter.company.accent_colour)
        page = self.templates.render("letter.html", content=content, voice=voice, company=letter.company, accent=accent)
        return Written(subject=" ".join(content.subject.split()), text=_plain(content, letter.company), html=page)

    def _voice(self, *wishes: str | None, zone: ZoneInfo) -> Voice:
        locale = self.languages.choose(*wishes)
        return Voice(locale, translations_of(self.languages, locale.language), zone)

    def _content(self, letter: Letter, voice: Voice) -> Content:
        match letter:
            case LinkLetter():
                return _link(letter, voice, f"{self.public_url.rstrip('/')}/p/{letter.link.token}")
            case DecisionLetter():
                return _decision(letter, voice)
            case TicketLetter():
                return _for_staff(letter, voice) if letter.by is Party.CLIENT else _for_client(letter, voice)
            case _:
                assert_never(letter)


def _wishes(letter: Letter) -> tuple[str | None, str | None]:
    to_staff = isinstance(letter, DecisionLetter) or (isinstance(letter, TicketLetter) and letter.by is Party.CLIENT)
    return (letter.company.locale, None) if to_staff else (letter.client.locale, letter.company.locale)


def _link(letter: LinkLetter, voice: Voice, address: str) -> Content:
    company, until = letter.company.name, voice.moment(letter.link.grant.expires_at)
    return Content(
        subject=voice.say("%(company)s shares documents with you", company=company),
        paragraphs=[
            _greeting(letter.client, voice),
            voice.say("%(company)s shares its documents with you on a page of your own.", company=company),
        ],
        address=address,
        button=voice.say("Open your documents"),
        closing=[
            voice.say("The link works until %(until)s.", until=until),
            voice.say("Whoever has it sees what you see. Do not pass it on."),
        ],
    )


def _decision(letter: DecisionLetter, voice: Voice) -> Content:
    decision, evidence = letter.decision, letter.decision.evidence
    about = {"client": letter.client.name, "number": decision.quote_number}
    accepted = decision.answer is Answer.ACCEPTED
    headline = (
        voice.say("%(client)s accepted quote %(number)s", **about)
        if accepted
        else voice.say("%(client)s declined quote %(number)s", **about)
    )
    facts = [
        (voice.say("When"), voice.moment(decision.decided_at)),
        (voice.say("Revision"), str(decision.revision)),
        (voice.say("Name"), evidence.name),
        (voice.say("E-mail"), evidence.email),
        (voice.say("Order number"), evidence.purchase_order),
    ]
    return Content(
        subject=headline,
        paragraphs=[headline + "."],
        facts=[(name, value) for name, value in facts if value],
        quoted=evidence.reason or evidence.comment,
    )


def _for_staff(letter: TicketLetter, voice: Voice) -> Content:
    about = {"client": letter.client.name, "subject": letter.ticket.subject}
    return Content(
        subject=voice.say("%(client)s wrote: %(subject)s", **about),
        paragraphs=[voice.say("%(client)s wrote: %(subject)s", **about)],
        quoted=letter.said,
    )


def _for_client(letter: TicketLetter, voice: Voice) -> Content:
    return Content(
        subject=voice.say("%(company)s has answered you", company=letter.company.name),
        paragraphs=[
            _greeting(letter.client, voice),
            voice.say("There is an answer to your message “%(subject)s”.", subject=letter.ticket.subject),
            voice.say("To read it, open the link that you have."),
        ],
    )


def _greeting(client: Client, voice: Voice) -> str:
    return voice.say("Hello %(name)s,", name=client.name)


def _plain(content: Content, company: Company) -> str:
    facts = "\n".join(f"{name}: {value}" for name, value in content.facts)
    quoted = "\n".join(f"> {line}" for line in (content.quoted or "").splitlines())
    link = f"{content.button}:\n{content.address}" if content.address else ""
    parts = (*content.paragraphs, facts, quoted, link, *content.closing, f"-- \n{company.name}")
    return "\n\n".join(part for part in parts if part) + "\n"
