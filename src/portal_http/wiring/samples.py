"""The sample company in a database of its own."""

import io
from datetime import datetime
from pathlib import Path

from portal_adapters.randomness import new_key
from portal_adapters.records.importing import import_records
from portal_adapters.records.sample import CLIENT, COMPANY, sample_file
from portal_core.domain.audit import COMMAND_LINE
from portal_core.use_cases.access import IssuedLink, NewGrant, issue_link
from portal_http.settings import Settings
from portal_http.wiring.databases import database
from portal_http.wiring.links import life_of


def demo_settings(folder: Path, public_url: str) -> Settings:
    """Return settings for a portal that lasts as long as it is looked at, with a key that nobody has."""
    file = folder / "demo.sqlite3"
    return Settings(database_url=f"sqlite:///{file}", admin_jwt_key=new_key(), public_url=public_url)


def furnish(settings: Settings, *, at: datetime) -> IssuedLink:
    """Fill a database with the sample company and return a link of its busiest client's."""
    with database(settings) as transactions:
        import_records(transactions, [("sample", io.BytesIO(sample_file(at)))], by=COMMAND_LINE)
        with transactions.begin() as store:
            asked = NewGrant(client_id=CLIENT, label="Demonstration")
            return issue_link(store, COMPANY, asked, life_of(settings), now=at, by=COMMAND_LINE)
