"""Lines of records that are kept just as they are: known by their checksums, so that nobody has to read them again."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import orjson

from portal_adapters.records.preparing import PLACES, Ready, checksum_of
from portal_core.domain.ids import CompanyId, is_id
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Kept, Store

Named: TypeAlias = tuple[CompanyId, RecordRef]
AllKept: TypeAlias = Mapping[CompanyId, Mapping[RecordRef, Kept]]

Ask: TypeAlias = Callable[[Callable[[Store], AllKept]], AllKept]
"""Asks a question of a store, in a transaction that only reads."""

_KINDS: Mapping[object, RecordType] = {kind.value: kind for kind in RecordType}


def recognised(ask: Ask, texts: Sequence[bytes]) -> list[Ready | None]:
    """Return those of some lines ready to be staged, but for outline and form, that are kept just as they are."""
    named = [_named_in(text) for text in texts]
    wanted: dict[CompanyId, list[RecordRef]] = defaultdict(list)
    for company_id, ref in filter(None, named):
        wanted[company_id].append(ref)

    def question(store: Store) -> AllKept:
        return {company_id: store.facts.kept(company_id, refs) for company_id, refs in wanted.items()}

    kept = ask(question)
    return [None if each is None else _known(text, *each, kept) for text, each in zip(texts, named, strict=True)]


def _named_in(text: bytes) -> Named | None:
    """Return the record that a line is of, if it is one at all; no deletion, and nothing that waits for currencies."""
    try:
        given: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(given, dict):
        return None
    fields = cast("dict[str, Any]", given)
    company_id, own_id, kind = fields.get("company_id"), fields.get("id"), fields.get("type")
    if not (isinstance(company_id, str) and isinstance(own_id, str) and isinstance(kind, str)):
        return None
    if kind not in _KINDS or not (is_id(company_id) and is_id(own_id)) or "deleted" in fields or _may_wait(fields):
        return None
    return CompanyId(company_id), RecordRef(_KINDS[kind], own_id)


def _may_wait(fields: Mapping[str, Any]) -> bool:
    """Tell whether a record gives an amount in the currency of another."""
    parts = fields.get("allocations")
    return isinstance(parts, list) and any(
        isinstance(each, dict) and cast("dict[str, object]", each).get("payment_amount") is not None
        for each in cast("list[object]", parts)
    )


def _known(text: bytes, company_id: CompanyId, ref: RecordRef, kept: AllKept) -> Ready | None:
    found = kept[company_id].get(ref)
    if found is None or found.checksum is None or found.checksum != checksum_of(text):
        return None
    return company_id, found.client_id, PLACES[ref.type], ref.id, False, None, False, found.checksum, None, None
