"""Lines made ready to be staged: read and judged by themselves, outlined, and packed for the store."""

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

from portal_adapters.records.outlines import dump_outline
from portal_adapters.records.reading import Line, Units, read_line
from portal_core.domain.companies import Company
from portal_core.domain.errors import InvalidInput
from portal_core.domain.invoices import Invoice
from portal_core.domain.records import RecordType
from portal_core.ports import Pack
from portal_core.use_cases.records import Deletion, Upsert

Fault: TypeAlias = tuple[str, str]
"""The JSON pointer of a field, and what is wrong with it."""

Ready: TypeAlias = tuple[str, str | None, int, str, bool, str | None, bool, str, bytes | None, bytes | None]
"""Company, client, type, id; whether it is a deletion; an invoice's currency; whether it waits for those of others;
its checksum, its outline and its fact packed."""

PLACES = {kind: place for place, kind in enumerate(RecordType)}
"""The types by number."""

# Raised when a rule becomes stricter, so that what was taken in under the earlier one is judged anew.
_RULES = b"portal records 1"


def prepare(texts: Iterable[bytes], pack: Pack | None) -> list[Ready | list[Fault]]:
    """Return each line ready to be staged, or everything that is wrong with it."""
    return [_prepare_line(each, pack) for each in texts]


def checksum_of(text: bytes) -> str:
    """Return the checksum of a line, under the rules that it is read by."""
    return hashlib.blake2b(text, digest_size=16, person=_RULES).hexdigest()


def forms_of(text: bytes, units: Units, pack: Pack | None) -> tuple[Line, bytes | None, bytes | None]:
    """Return a line that was read, its outline and its fact packed."""
    line = read_line(text, units)
    change = line.change
    if isinstance(change, Deletion):
        return line, None, None
    packed = None if pack is None or isinstance(change.fact, Company) else pack(change.fact)
    return line, dump_outline(change), packed


def _prepare_line(text: bytes, pack: Pack | None) -> Ready | list[Fault]:
    try:
        line, outline, form = forms_of(text, {}, pack)
    except InvalidInput as wrong:
        return [(each.pointer or "", each.detail) for each in wrong.problems]
    ref = line.change.ref
    return (
        line.company_id,
        ref.id if ref.type is RecordType.CLIENT else line.client_id,
        PLACES[ref.type],
        ref.id,
        isinstance(line.change, Deletion),
        _unit_of(line),
        bool(line.waits_for),
        checksum_of(text),
        outline,
        form,
    )


def _unit_of(line: Line) -> str | None:
    change = line.change
    if isinstance(change, Upsert) and isinstance(change.fact, Invoice):
        return change.fact.total.currency.code
    return None
