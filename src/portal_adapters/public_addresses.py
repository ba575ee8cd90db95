"""Where a server may be sent to by somebody who is not trusted: to the public Internet and nowhere else."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out for the public Internet so far."""

_SPECIAL = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)


def is_public(address: Address) -> bool:
    """Tell whether an address is a single host's on the public Internet, and hides no other (RFC 6890, RFC 6052)."""
    if any(address in network for network in _SPECIAL if network.version == address.version):
        return False
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        # Here are loopback, link-local, unique local and multicast, and IPv4 behind ::ffff:0:0/96 and 64:ff9b::/96.
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def permitted(addresses: Iterable[str], allowed: Iterable[Network]) -> list[Address]:
    """Return those of some addresses that are public, or in a network that is allowed."""
    networks = tuple(allowed)
    found = [ip_address(each) for each in addresses]
    return [each for each in found if is_public(each) or any(each in network for network in networks)]
