"""Lists and the statement as CSV files, with the mark that Excel needs to read them right."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from attrs import evolve

from portal_core.domain.access import Permission
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.views.statement import read_statements
from portal_http.queries import read_query
from portal_http.spreadsheets import for_people
from portal_http.whole_lists import WholeList, csv_of, csv_of_statements


def download(listed: WholeList) -> Callable[[Asked], Awaitable[Answer]]:
    """Return the view that answers with a list; parameters that it does not know are passed over."""

    async def answer(asked: Asked) -> Answer:
        given = {name: text for name, text in asked.query.items() if name in listed.known}
        query = read_query(urlencode(given).encode(), listed.known)
        return _marked(await csv_of(listed, asked.read, asked.visit, query, asked.now))

    return answer


async def download_statement(asked: Asked) -> Answer:
    """Return the statement of a period."""
    asked.visit.grant.require(Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS, at=asked.now)
    return _marked(csv_of_statements(await read_statements(asked), asked.today))


def _marked(answer: Answer) -> Answer:
    return evolve(answer, body=for_people(answer.body))
