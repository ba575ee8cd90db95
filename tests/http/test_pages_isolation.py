"""No page shows what the link may not see, wherever a client clicks."""

import re

import pytest

from portal_core.domain.access import Permission
from tests.http.world import World

# What is withheld together, and the beginnings of the numbers that then stand on no page. A payment names the
# invoices it paid, and an order its deliveries, by its own permission.
WITHHELD = {
    "quotes": ((Permission.VIEW_QUOTES,), ("N-Q",)),
    "orders": ((Permission.VIEW_ORDERS, Permission.VIEW_DELIVERIES), ("N-O",)),
    "invoices": ((Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS), ("N-I", "N-C")),
    "payments": ((Permission.VIEW_PAYMENTS,), ("N-P", "N-R")),
    "deliveries": ((Permission.VIEW_DELIVERIES, Permission.VIEW_ORDERS), ("N-D",)),
}


def every_page(world: World, link: str) -> dict[str, str]:
    """Return the text of each page that can be clicked to from the first one, by its address."""
    first = link.rpartition("/view/")[2]
    waiting, pages = [f"/p/{first}"], dict[str, str]()
    while waiting:
        address = waiting.pop()
        if address not in pages:
            answer = world.http.get(address)
            assert answer.status_code == 200, address
            pages[address] = answer.text
            waiting += [each.partition("#")[0] for each in re.findall(r'href="(/p/cpt_[^"?]*)', answer.text)]
    return pages


@pytest.mark.parametrize("kind", WITHHELD)
def test_what_is_withheld_stands_on_no_page(world: World, kind: str) -> None:
    lacking, numbers = WITHHELD[kind]
    some_number = re.compile("|".join(rf"\b{number}[0-9A-Z]" for number in numbers))

    whole = "\n".join(every_page(world, world.link()).values())
    rest = every_page(world, world.link(without=lacking))

    assert some_number.search(whole)
    for address, text in rest.items():
        assert some_number.search(text) is None, address
