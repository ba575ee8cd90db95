"""The promises every adapter keeps, as tests to subclass.

An adapter author proves a new store with one class and one fixture, in a test file of their own:

```python
import pytest

from portal_adapters.contract import StoreContract
from portal_core.ports import Transactions


class TestMyStore(StoreContract):
    @pytest.fixture
    def transactions(self, tmp_path) -> Transactions:
        return MyTransactions(tmp_path / "store")
```

`transactions` is asked for once a test and returns an empty store. A store that may be used by one thread only says
`single_threaded = True` in the class. Whose adapter answers to some ports alone mixes them with the memory store, and
proves the mixture.

`pytest -m portal_race --portal-races 1000 --portal-workers 32` runs the races alone, each a thousand times with 32
threads. `portal_adapters.contract.machine` drives a store side by side with the memory store; `builders`, `feeding` and
`strategies` are for tests of one's own.
"""

from portal_adapters.contract.accounts import AccountsContract
from portal_adapters.contract.decisions import DecisionsContract
from portal_adapters.contract.documents import DocumentsContract
from portal_adapters.contract.facts import FactsContract
from portal_adapters.contract.files import FilesContract
from portal_adapters.contract.filters import FiltersContract
from portal_adapters.contract.grants import GrantsContract
from portal_adapters.contract.happenings import HappeningsContract
from portal_adapters.contract.outbox import OutboxContract
from portal_adapters.contract.paging import PagingContract
from portal_adapters.contract.races import RacesContract
from portal_adapters.contract.scoping import ScopingContract
from portal_adapters.contract.tickets import TicketsContract
from portal_adapters.contract.transactions import TransactionsContract
from portal_adapters.contract.values import ValuesContract

__all__ = [
    "AccountsContract",
    "DecisionsContract",
    "DocumentsContract",
    "FactsContract",
    "FilesContract",
    "FiltersContract",
    "GrantsContract",
    "HappeningsContract",
    "OutboxContract",
    "PagingContract",
    "RacesContract",
    "ScopingContract",
    "StoreContract",
    "TicketsContract",
    "TransactionsContract",
    "ValuesContract",
]


class StoreContract(
    ScopingContract,
    PagingContract,
    FiltersContract,
    ValuesContract,
    DocumentsContract,
    AccountsContract,
    DecisionsContract,
    GrantsContract,
    TicketsContract,
    FilesContract,
    HappeningsContract,
    OutboxContract,
    FactsContract,
    TransactionsContract,
    RacesContract,
):
    """Everything that a store promises."""
