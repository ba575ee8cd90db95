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
`single_threaded = True` in the class. Whose adapter answers to some ports alone, and mixes them with another store's,
subclasses the groups that those ports are in. `portal_adapters.contract.machine` drives a store side by side with the
memory store; `builders`, `feeding` and `strategies` are for tests of one's own.
"""

from pkgutil import iter_modules

import pytest

# So that a failed promise shows the values it was about, as a failed test of one's own does.
pytest.register_assert_rewrite(*(module.name for module in iter_modules(__path__, f"{__name__}.")))

from portal_adapters.contract.accounts import AccountsContract  # noqa: E402 - assertions are rewritten at import
from portal_adapters.contract.decisions import DecisionsContract  # noqa: E402
from portal_adapters.contract.documents import DocumentsContract  # noqa: E402
from portal_adapters.contract.facts import FactsContract  # noqa: E402
from portal_adapters.contract.filters import FiltersContract  # noqa: E402
from portal_adapters.contract.grants import GrantsContract  # noqa: E402
from portal_adapters.contract.happenings import HappeningsContract  # noqa: E402
from portal_adapters.contract.paging import PagingContract  # noqa: E402
from portal_adapters.contract.races import RacesContract  # noqa: E402
from portal_adapters.contract.scoping import ScopingContract  # noqa: E402
from portal_adapters.contract.tickets import TicketsContract  # noqa: E402
from portal_adapters.contract.transactions import TransactionsContract  # noqa: E402
from portal_adapters.contract.values import ValuesContract  # noqa: E402

__all__ = [
    "AccountsContract",
    "DecisionsContract",
    "DocumentsContract",
    "FactsContract",
    "FiltersContract",
    "GrantsContract",
    "HappeningsContract",
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
    HappeningsContract,
    FactsContract,
    TransactionsContract,
    RacesContract,
):
    """Everything that a store promises."""
