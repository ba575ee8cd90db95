"""Documents as PDF: printed when they are asked for, unless the system of record has a file of them."""

from typing import TYPE_CHECKING

from portal_http.answers import Answer
from portal_http.api.statement import FROM, TO
from portal_http.calls import ClientCall
from portal_http.queries import CURRENCY

if TYPE_CHECKING:
    from portal_http.pages.desk import Desk


async def quote(call: ClientCall) -> Answer:
    """Return a quote."""
    return await _desk(call).quote(call.record_id)


async def receipt(call: ClientCall) -> Answer:
    """Return the receipt of the decision on a quote."""
    services = call.services
    return await _desk(call).receipt(call.record_id, services.signer(), services.options.keys_address)


async def order(call: ClientCall) -> Answer:
    """Return an order."""
    return await _desk(call).order(call.record_id)


async def delivery(call: ClientCall) -> Answer:
    """Return a delivery note."""
    return await _desk(call).delivery(call.record_id)


async def statement(call: ClientCall) -> Answer:
    """Return the statement of account."""
    return await _desk(call).statement(call.query.get(CURRENCY), call.query.get(FROM), call.query.get(TO))


def _desk(call: ClientCall) -> "Desk":
    from portal_http.pages.desk import Desk  # noqa: PLC0415 - as the pages, on which an application does not wait
    from portal_http.pages.languages import languages_of  # noqa: PLC0415 - as above
    from portal_http.pages.voice import voice_of  # noqa: PLC0415 - as above

    accepted = ",".join(call.request.fields(b"accept-language"))
    languages = languages_of(call.options.templates)
    return Desk(
        read=call.read,
        visit=call.visit,
        now=call.now,
        voice=voice_of(languages, call.visit, accepted, call.visit.company.timezone),
        shop=call.services.shop,
    )
