"""Lists and the statement as files."""

from collections.abc import Awaitable, Callable

from portal_core.use_cases.statement import read_statement
from portal_http.answers import Answer
from portal_http.api.statement import FROM, TO
from portal_http.calls import ClientCall
from portal_http.queries import CURRENCY
from portal_http.whole_lists import WholeList, csv_of, csv_of_statements


def download(listed: WholeList) -> Callable[[ClientCall], Awaitable[Answer]]:
    """Return the endpoint that answers with a list as CSV."""

    async def answer(call: ClientCall) -> Answer:
        return await csv_of(listed, call.read, call.visit, call.query, call.now)

    return answer


async def download_statement(call: ClientCall) -> Answer:
    """Return the statement as CSV, in one currency or in each that ever moved."""
    unit, since, until = call.query.get(CURRENCY), call.query.get(FROM), call.query.get(TO)
    found = await call.read(
        lambda store: read_statement(store, call.visit, unit=unit, since=since, until=until, now=call.now)
    )
    return csv_of_statements(found, call.today)
