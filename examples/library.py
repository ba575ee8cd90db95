"""The portal as a library: a quote is sent, a link is opened, the quote is accepted. Nothing is served or kept.

Run it with `python examples/library.py`. It needs no more than `pip install customer-portal`.
"""

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from portal_adapters.clock import now
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_core import (
    AlreadyDecided,
    Client,
    ClientId,
    Company,
    CompanyId,
    Evidence,
    Line,
    LineKind,
    LinkLife,
    Money,
    NewGrant,
    Quote,
    QuoteId,
    QuoteState,
    Transactions,
    accept_quote,
    currency,
    decline_quote,
    issue_link,
    open_link,
)

ACME = Company(id=CompanyId("acme"), name="Acme Ltd", timezone=ZoneInfo("Europe/Dublin"), currency=currency("EUR"))
BYTE = Client(company_id=ACME.id, id=ClientId("C-7"), name="Byte & Sons")


def a_quote() -> Quote:
    """Return a quote over two tables, sent today and good for a month."""
    today = ACME.today(now())
    net, tax, total = (Money.parse(amount, "EUR") for amount in ("770.00", "177.10", "947.10"))
    table = Line(id="1", kind=LineKind.ITEM, description="Oak table", quantity=Decimal(2), subtotal=net, total=total)
    return Quote(
        company_id=ACME.id,
        client_id=BYTE.id,
        id=QuoteId("Q-1"),
        number="Q-2026-001",
        recorded_state=QuoteState.SENT,
        issued_on=today,
        valid_until=today + timedelta(days=30),
        lines=(table,),
        subtotal=net,
        tax=tax,
        total=total,
    )


def send(transactions: Transactions, quote: Quote) -> str:
    """Put a quote into the store and return the token of a link for its client."""
    with transactions.begin() as store:
        store.intake.save([ACME, BYTE, quote])
        return issue_link(store, ACME.id, NewGrant(client_id=BYTE.id), LinkLife(), now=now()).token


def accept(transactions: Transactions, token: str, quote: Quote) -> Quote:
    """Do what a client does who has read the quote and signs it."""
    with transactions.begin() as store:
        visit = open_link(store, token, now=now())
        return accept_quote(store, visit, quote.id, Evidence(name="Grace Hopper"), seen=quote.revision, now=now())


def think_better_of_it(transactions: Transactions, token: str, quote: Quote) -> str:
    """Try to decline what was accepted, and return what the portal says to that."""
    try:
        with transactions.begin() as store:
            visit = open_link(store, token, now=now())
            decline_quote(store, visit, quote.id, Evidence(), seen=quote.revision, now=now())
    except AlreadyDecided as refusal:
        return str(refusal)
    return "Declined."


def main() -> None:
    """Tell the story."""
    transactions, quote = MemoryTransactions(RandomMint()), a_quote()
    token = send(transactions, quote)
    accepted = accept(transactions, token, quote)
    print(f"{quote.number} over {quote.total} is {accepted.state(ACME.today(now()))}.")
    print(think_better_of_it(transactions, token, quote))


if __name__ == "__main__":
    main()
