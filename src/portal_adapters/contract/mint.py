"""Ids and tokens that come in the same order every time, for tests that compare two stores."""

from collections.abc import Iterator
from itertools import count
from typing import final

from attrs import field, frozen

from portal_core.domain.tokens import token_of
from portal_core.ports import Mint


@final
@frozen(eq=False)
class CountingMint(Mint):
    """A mint that counts: never for a store that anybody relies on, since its tokens can be guessed."""

    _ids: Iterator[int] = field(factory=count, init=False)
    _tokens: Iterator[int] = field(factory=count, init=False)
    _keys: Iterator[int] = field(factory=count, init=False)

    def new_id(self) -> str:
        """Return a UUIDv7 of the epoch's first moment, with a counter where it is random."""
        return f"00000000-0000-7000-8000-{next(self._ids):012x}"

    def new_token(self) -> str:
        """Return the token of the next number."""
        return token_of(next(self._tokens).to_bytes(32))

    def new_key(self) -> bytes:
        """Return the next number."""
        return next(self._keys).to_bytes(32)
