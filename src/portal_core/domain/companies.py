"""The business that shares its documents, and the client it shares them with."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from attrs import frozen

from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.money import Currency


@frozen(kw_only=True)
class Company:
    """A business.

    `timezone` (IANA) decides which day it is; `accent_colour` is `#rrggbb`; `logo` is the bytes of a PNG or JPEG.
    """

    id: CompanyId
    name: str
    timezone: ZoneInfo
    currency: Currency
    locale: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    address: str | None = None
    payment_instructions: str | None = None
    accent_colour: str | None = None
    logo: bytes | None = None
    footer: str | None = None

    def today(self, now: datetime) -> date:
        """Return the day it is for the company at a moment."""
        return now.astimezone(self.timezone).date()


@frozen(kw_only=True)
class Client:
    """A company's customer: a business or a person that documents are addressed to."""

    company_id: CompanyId
    id: ClientId
    name: str
    email: str | None = None
    locale: str | None = None
