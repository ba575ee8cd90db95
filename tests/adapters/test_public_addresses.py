"""Nothing that is not a host on the public Internet is taken for one, however it is written."""

from ipaddress import ip_address, ip_network

import pytest

from portal_adapters.public_addresses import is_public, permitted

REFUSED = (
    "0.0.0.0",  # noqa: S104 - nobody listens there
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ffff::1",
)

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]


@pytest.mark.parametrize("address", REFUSED)
def test_it_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_it_is_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_network_that_is_allowed_lets_its_own_addresses_through_and_no_others() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]

    found = permitted(["10.1.2.3", "10.2.0.1", "fd12::1", "8.8.8.8", "::ffff:10.1.2.3"], allowed)

    assert list(map(str, found)) == ["10.1.2.3", "fd12::1", "8.8.8.8"]
