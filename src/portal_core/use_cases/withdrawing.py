"""When a record may be deleted: a quote that nobody decided, and nothing that something still refers to."""

from collections.abc import Iterator

from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.paging import MOMENT_SORTS, Listing
from portal_core.domain.records import RecordType
from portal_core.ports import Store
from portal_core.use_cases.settling import Changed, RecordFault


def faults_of_deletions(store: Store, changed: Changed) -> Iterator[RecordFault]:
    """Yield why records cannot be deleted, once all the client's changes are made.

    What is itself deleted refers to nothing any more; what is replaced is judged by what it says now.
    """
    words = {f"{ref.type.value} {ref.id}" for ref in (*changed.replaced, *changed.deleted)} if changed.deleted else ()
    for ref in changed.deleted:
        if ref.type is RecordType.QUOTE and _is_decided(store, changed, QuoteId(ref.id)):
            yield RecordFault(ref, "", "cannot be deleted: the client has decided on it")
        left = next((each for each in store.facts.referrers(changed.company_id, ref) if each not in words), None)
        if left is not None:
            yield RecordFault(ref, "", f"cannot be deleted: {left} still refers to it")


def _is_decided(store: Store, changed: Changed, quote_id: QuoteId) -> bool:
    listing = Listing(sort=MOMENT_SORTS[0], limit=1, total=0)
    return bool(store.decisions.page(changed.company_id, listing, DecisionFilter(quote_id=quote_id)).items)
