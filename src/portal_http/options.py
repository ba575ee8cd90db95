"""What whoever wires the portal decides about its HTTP side."""

from pathlib import Path

from attrs import field, frozen

from portal_core.use_cases.access import LinkLife
from portal_http.seen import Watcher

KEYS_PATH = "/.well-known/jwks.json"


@frozen(kw_only=True)
class Options:
    """The HTTP side's settings, apart from the ports.

    `public_url` is what links in answers start with. `allowed_hosts` are names that `Host` may hold, `*.name` for
    those below it; none means any. `trusted_proxies` are addresses or networks whose `X-Forwarded-For` is believed.
    A limit of 0 is counted and never refused. `largest_document` is how many bytes a file that staff attach may have,
    `largest_records` how many may be pushed as records at once.
    `support_text` is for the page of a dead link. `templates` are folders that are searched for the pages' templates,
    and in `locales` below them for catalogues, before our own. `mail` tells whether a courier sends e-mail. `watchers`
    are told of every request that was answered, for a log say; `metrics` counts them and shows the figures at
    `/metrics`.
    """

    public_url: str = "http://127.0.0.1:8000"
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    link_life: LinkLife = field(factory=LinkLife)
    reads_per_minute: int = 30
    writes_per_minute: int = 10
    guesses_per_minute: int = 60
    largest_document: int = 10 * 1024 * 1024
    largest_records: int = 4 * 1024 * 1024
    support_text: str | None = None
    templates: tuple[Path, ...] = ()
    mail: bool = False
    watchers: tuple[Watcher, ...] = ()
    metrics: bool = False

    @property
    def keys_address(self) -> str:
        """Where the keys are published that receipts are checked with."""
        return f"{self.public_url.rstrip('/')}{KEYS_PATH}"
