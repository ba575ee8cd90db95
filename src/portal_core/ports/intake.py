"""Ports for the facts of the system of record: reading them back, and taking them in."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from attrs import frozen

from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import Fact, RecordRef, client_of
from portal_core.domain.room import Moved, moved_by

Pack: TypeAlias = Callable[[Fact], bytes]
"""Makes of a fact the form in which a store keeps it."""

Settle: TypeAlias = Callable[[CompanyId, ClientId, Ledger], bytes]
"""Makes of a client's whole ledger the form in which a store keeps what follows from it."""


@frozen
class Kept:
    """Whose a kept record is, and the checksum that it came with, as long as all that it said still holds."""

    client_id: ClientId | None
    checksum: str | None = None


@frozen(kw_only=True)
class Packed:
    """A fact in the form in which a store keeps it, with the checksum of its record; new if there was none such."""

    ref: RecordRef
    form: bytes
    checksum: str
    is_new: bool


@frozen(kw_only=True)
class Newcomer:
    """A client of whom nothing is kept: all of its facts packed, and what follows from them in the store's form."""

    client_id: ClientId
    facts: Sequence[Packed]
    settled: bytes


class Facts(Protocol):
    """Everything that the system of record said, drafts included: for imports and exports, not for clients.

    Quotes carry the decision on their revision.
    """

    __slots__ = ()

    @abstractmethod
    def find(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Fact]:
        """Return those of the records that exist, whosever they are."""

    def kept(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Kept]:
        """Return those of the records that exist, without reading them where a store can tell so."""
        return {ref: Kept(client_of(fact)) for ref, fact in self.find(company_id, refs).items()}

    def hold(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Kept]:
        """Return those of the records that exist, which nobody else removes until the transaction ends.

        For who is about to refer to them; this is `kept` where one transaction comes after the other.
        """
        return self.kept(company_id, refs)

    @abstractmethod
    def referrers(self, company_id: CompanyId, ref: RecordRef) -> Iterator[str]:
        """Yield what refers to a record, in words: "delivery 12", "feedback …", "token …".

        Documents, tickets and links narrowed to it refer to a document; documents, tickets and unrevoked links
        to a client; clients to a company.
        """

    def moved(self, company_id: CompanyId, client_id: ClientId) -> Moved:
        """Return how many minor units moved on a client's account, without reading all of it where a store can."""
        return moved_by(Ledger.of(self.each(company_id, client_id)).movements())

    @abstractmethod
    def each(self, company_id: CompanyId | None = None, client_id: ClientId | None = None) -> Iterator[Fact]:
        """Yield all facts, or one company's, or one client's with its company: by company, then type, then id."""


class PackedIntake(Protocol):
    """The way in for facts whose form was made ahead, before their transaction and perhaps in another process."""

    __slots__ = ()

    @property
    @abstractmethod
    def pack(self) -> Pack:
        """The function that makes the form; it can be sent to another process."""

    @property
    @abstractmethod
    def settle(self) -> Settle:
        """The function that makes the form of what follows from a ledger; it can be sent to another process, too."""

    @abstractmethod
    def save(self, company_id: CompanyId, packed: Iterable[Packed]) -> None:
        """Insert or replace facts, each with its checksum; raises Busy as `Intake.save` does."""

    @abstractmethod
    def let_in(self, company_id: CompanyId, newcomers: Collection[Newcomer]) -> None:
        """Insert clients with all that is known of them; raises Busy where any of it has come to be kept meanwhile."""


class Intake(Protocol):
    """The one way in which facts change. Decisions are not facts and are never touched by it."""

    __slots__ = ()

    @abstractmethod
    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        """Return a ledger that is right about these invoices and payments and about all that they settle.

        It holds them, what they allocate to and what allocates to any of those; more does no harm. Lines may
        be missing: a ledger has no use for them. Until the transaction ends nobody else who may write is told this
        client's ledger, not even of nothing: that is how two who take in records of one client come one after the
        other. A transaction that only reads waits for nobody, and nobody for it.
        """

    def ledgers(
        self, company_id: CompanyId, around: Mapping[ClientId, Collection[RecordRef]]
    ) -> Mapping[ClientId, Ledger]:
        """Return such ledgers of some clients, whose turns are taken in this order; at once where a store can."""
        return {client_id: self.ledger(company_id, client_id, refs) for client_id, refs in around.items()}

    @abstractmethod
    def save(self, facts: Iterable[Fact]) -> None:
        """Insert or replace facts of one company; they have no checksum any more.

        Raises Busy where a document has become another client's since it was judged: nothing may be committed then.
        """

    def packed(self) -> PackedIntake | None:
        """Return the way in for packed facts, or nothing where there is no such."""
        return None

    @abstractmethod
    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        """Wait for whoever relies on these facts, and let nobody else do so until the transaction ends.

        Who answers a quote relies on it, and who refers to what they hold (`Clients.hold`, `Facts.hold`). What is asked
        about a claimed fact stays true: ask afterwards whether it may be removed. There is nothing to do where one
        transaction comes after the other.
        """

    @abstractmethod
    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        """Remove facts; unknown ones are passed over."""

    @abstractmethod
    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        """Bring what is derived from allocations up to date, after facts were saved and removed.

        `before` and `after` are right about every document that changed and every one it settles or settled.
        A document whose figures change although it was not saved loses its checksum.
        """

    def settle_all(self, company_id: CompanyId, ledgers: Mapping[ClientId, tuple[Ledger, Ledger]]) -> None:
        """Do so for some clients, each with the ledgers before and after; at once where a store can."""
        for client_id, (before, after) in ledgers.items():
            self.settle(company_id, client_id, before=before, after=after)
