"""How much may be under way at a time by one way out, so that whoever hangs does not hold up the others."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Self, final

from attrs import frozen

from portal_core.domain.ids import CompanyId
from portal_core.domain.outbox import Dispatch, Receiver

MOST_AT_ONCE: Final = 32
"""So many attempts are under way by each way out: none takes the room of another."""

MOST_OF_ONE_COMPANY: Final = 8
MOST_TO_ONE: Final = 4
"""So many attempts are under way to one receiver."""


@final
@frozen
class Load:
    """What is under way by one way out."""

    companies: Counter[CompanyId]
    receivers: Counter[Receiver]

    @classmethod
    def of(cls, dispatches: Iterable[Dispatch]) -> Self:
        """Return the load of what is under way."""
        receivers = Counter(dispatch.receiver for dispatch in dispatches)
        companies = Counter[CompanyId]()
        for (company_id, _), count in receivers.items():
            companies[company_id] += count
        return cls(companies, receivers)

    @property
    def full_receivers(self) -> list[Receiver]:
        """Those who get nothing more for now."""
        return [receiver for receiver, count in self.receivers.items() if count >= MOST_TO_ONE]

    @property
    def full_companies(self) -> list[CompanyId]:
        """Those of whose nothing more is sent for now."""
        return [company_id for company_id, count in self.companies.items() if count >= MOST_OF_ONE_COMPANY]

    @property
    def room(self) -> int:
        """How many more attempts keep every bound, whomever they are for that is not full."""
        return min(
            MOST_AT_ONCE - self.companies.total(),
            MOST_TO_ONE,
            *(MOST_TO_ONE - count for count in self.receivers.values() if count < MOST_TO_ONE),
            *(MOST_OF_ONE_COMPANY - count for count in self.companies.values() if count < MOST_OF_ONE_COMPANY),
        )
