"""Clients of whom nothing is kept, judged by the outlines of their records: in any process, beside no store."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from portal_adapters.records.outlines import load_outline
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Settle, Store
from portal_core.use_cases.newcomers import judge_newcomer, newcomers_among
from portal_core.use_cases.settling import Changed

Outlined: TypeAlias = tuple[int, str, bytes | None]
"""A record's type by number, its id and its outline."""

Account: TypeAlias = tuple[CompanyId, ClientId, Sequence[Outlined]]
"""A company, a client of it, and all of the client's records."""

_TYPES = tuple(RecordType)


def newcomers_of(store: Store, accounts: Iterable[Account]) -> Iterator[Account]:
    """Yield those of some accounts, company by company, of which nothing is kept."""
    for company_id, some in groupby(accounts, key=itemgetter(0)):
        of_company = list(some)
        named = {client_id: [_ref(*record) for record in records] for _, client_id, records in of_company}
        new = newcomers_among(store, company_id, named)
        yield from (account for account in of_company if account[1] in new)


def judge_newcomers(accounts: Iterable[Account], settle: Settle) -> list[bytes | None]:
    """Return what follows from each client's records; nothing of one whose records break a rule."""
    return [_judge(*account, settle) for account in accounts]


def _judge(company_id: CompanyId, client_id: ClientId, records: Sequence[Outlined], settle: Settle) -> bytes | None:
    changed = Changed(company_id=company_id, client_id=client_id)
    named: set[RecordRef] = set()
    for place, record_id, outline in records:
        ref = _ref(place, record_id)
        references, settling, claim = load_outline(outline, ref.type, record_id, (company_id, client_id))
        changed.replace(ref, settling, claim)
        named.update(target for _, target in references)
    return judge_newcomer(changed, named, settle)


def _ref(place: int, record_id: str, _: bytes | None = None) -> RecordRef:
    return RecordRef(_TYPES[place], record_id)
