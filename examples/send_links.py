"""A task that sends a client their link by e-mail: as a script, or as `send_link` in a queue of tasks.

Run it with `python examples/send_links.py portal.sqlite3 acme C-7 C-8`. It needs `pip install
'customer-portal[sqlalchemy]'`. It queues the e-mails, and `portal serve` or `portal deliver` sends them.
"""

import sys
from datetime import datetime

from portal_adapters.clock import now
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, open_sqlite
from portal_core import (
    LARGEST_LIMIT,
    MOMENT_SORTS,
    ClientId,
    CompanyId,
    GrantFilter,
    GrantId,
    GrantState,
    LinkLife,
    Listing,
    NewGrant,
    Refusal,
    Store,
    issue_link,
    list_links,
    queue_link,
)

LABEL = "Sent by the shop"


def send_link(database: str, company_id: str, client_id: str) -> str:
    """Queue an e-mail with a link for a client, and return the address that it goes to.

    All is text, as queues of tasks want it, and a task that is run twice issues one link. Refuses with InvalidInput
    where there is no such client, or no address in the client's record, and with Busy: then try again later.
    """
    engine = open_sqlite(database)
    try:
        with SqlTransactions(engine, RandomMint()).begin() as store:
            return _queued(store, CompanyId(company_id), ClientId(client_id), now())
    finally:
        engine.dispose()


def _queued(store: Store, company_id: CompanyId, client_id: ClientId, at: datetime) -> str:
    grant_id = _sent_before(store, company_id, client_id, at)
    if grant_id is None:
        asked = NewGrant(client_id=client_id, label=LABEL)
        # Its token is thrown away: a fresh one is made when the letter is written, so that no secret waits in a queue.
        grant_id = issue_link(store, company_id, asked, LinkLife(), now=at).grant.id
    return queue_link(store, company_id, grant_id, send_to=None, now=at).target


def _sent_before(store: Store, company_id: CompanyId, client_id: ClientId, at: datetime) -> GrantId | None:
    alive = GrantFilter(client_id=client_id, states=frozenset({GrantState.ACTIVE}))
    listing = Listing(sort=MOMENT_SORTS[0], limit=LARGEST_LIMIT)
    links = list_links(store, company_id, listing, alive, now=at).items
    return next((each.id for each in links if each.label == LABEL), None)


def main(database: str, company_id: str, *client_ids: str) -> None:
    """Send each client their link, and tell what came of it."""
    for each in client_ids:
        try:
            print(f"{each}: to {send_link(database, company_id, each)}")
        except Refusal as refusal:
            print(f"{each}: {refusal}")


if __name__ == "__main__":
    main(*sys.argv[1:])
