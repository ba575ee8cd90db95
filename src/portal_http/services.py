"""What every request needs: the ports, the settings, and what is worked out of them once."""

from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

from portal_core.domain.errors import NotFound
from portal_core.ports import Glances, Runner, Signer
from portal_http.incoming import Network, networks
from portal_http.metrics import Metrics
from portal_http.options import Options
from portal_http.outside import AdminTokens, RateLimits, Receipts, StageRecords
from portal_http.printing import PrintShop
from portal_http.seen import Watcher
from portal_http.uses import Uses


@frozen(kw_only=True)
class Services:
    """What whoever wires the portal gave it."""

    runner: Runner
    clock: Callable[[], datetime]
    admins: AdminTokens
    limits: RateLimits
    options: Options
    shop: PrintShop | None = None
    receipts: Receipts | None = None
    stage_records: StageRecords | None = None
    glances: Glances | None = None
    uses: Uses = field(init=False)
    trusted: tuple[Network, ...] = field(init=False)
    metrics: Metrics | None = field(init=False)
    watchers: tuple[Watcher, ...] = field(init=False)

    def signer(self) -> Signer:
        """Return what signs receipts; refuse with NotFound where there is no key for that."""
        if self.receipts is None:
            raise NotFound("No receipts are signed here.")
        return self.receipts

    def way_in(self) -> StageRecords:
        """Return what reads records that are pushed; refuse with NotFound where none are taken."""
        if self.stage_records is None:
            raise NotFound("No records are taken in here.")
        return self.stage_records

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "uses", Uses(self.runner))
        object.__setattr__(self, "trusted", networks(self.options.trusted_proxies))
        metrics = Metrics() if self.options.metrics else None
        object.__setattr__(self, "metrics", metrics)
        object.__setattr__(self, "watchers", (*self.options.watchers, *filter(None, [metrics])))
