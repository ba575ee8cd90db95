"""Clients of whom nothing is kept: judged by their own records alone, so that no store need be asked while they are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Settle, Store
from portal_core.use_cases.settling import Changed, settling_of_newcomer

_CHUNK = 2_000
"""How many records are asked for at once."""


def judge_newcomer(changed: Changed, named: Iterable[RecordRef], settle: Settle) -> bytes | None:
    """Return what follows from the records of a client of whom nothing is kept; nothing where they break a rule.

    `named` are the documents that they refer to, but for allocations. It says nothing of what is wrong: `judge_records`
    does.
    """
    if changed.client not in changed.replaced or not all(ref in changed.replaced for ref in named):
        return None
    settling = settling_of_newcomer(changed)
    if next(settling.faults(), None) is not None:
        return None
    return settle(changed.company_id, changed.client_id, settling.after)


def newcomers_among(
    store: Store, company_id: CompanyId, records: Mapping[ClientId, Collection[RecordRef]]
) -> set[ClientId]:
    """Return those of some clients of whom nothing is kept: neither they themselves nor any of these records."""
    themselves = {client_id: RecordRef(RecordType.CLIENT, client_id) for client_id in records}
    kept = store.facts.kept(company_id, themselves.values())
    new = {client_id for client_id, ref in themselves.items() if ref not in kept}
    named = ((client_id, ref) for client_id in themselves if client_id in new for ref in records[client_id])
    for chunk in _chunks(named):
        kept = store.facts.kept(company_id, [ref for _, ref in chunk])
        new.difference_update(client_id for client_id, ref in chunk if ref in kept)
    return new


def _chunks(named: Iterator[tuple[ClientId, RecordRef]]) -> Iterator[list[tuple[ClientId, RecordRef]]]:
    while chunk := list(islice(named, _CHUNK)):
        yield chunk
