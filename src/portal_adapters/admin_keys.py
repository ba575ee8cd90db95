"""The keys that staff's tokens are checked with: one, or several while one follows another (RFC 7517).

PyJWT brings a large library of cryptography with it, which a start with a plain secret does without.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast, final

from attrs import field, frozen

Algorithm: TypeAlias = Literal["HS256", "RS256", "ES256", "EdDSA"]

SHORTEST_SECRET = 32
"""The fewest bytes of an HS256 secret (RFC 7518, section 3.2)."""

SHORTEST_RSA_KEY = 2048
"""The fewest bits of an RSA key (RFC 7518, section 3.3)."""

# What PyJWT takes for a secret without a doubt: it is no key in PEM, DER or SSH's form, and no JSON.
_PLAIN_SECRET = re.compile(rf"(?!ssh-|ecdsa-)[A-Za-z0-9+/=_-]{{{SHORTEST_SECRET},}}")

_KINDS: Mapping[Algorithm, str] = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class WeakKey(ValueError):
    """The key cannot protect staff's access; the message says what is needed."""


@final
@frozen
class Keys:
    """Keys by their id (`kid`); one that has none answers for every token, and then it is the only one."""

    by_kid: Mapping[str | None, Any] = field(repr=False)

    @property
    def first(self) -> tuple[str | None, Any]:
        """The first of them, with its id."""
        return next(iter(self.by_kid.items()))

    def of(self, token: str) -> Any:  # noqa: ANN401 - what a key is, the algorithm decides
        """Return the key that a token names, or the only one if it names none; raise LookupError for an unknown one."""
        if None in self.by_kid:
            return self.by_kid[None]
        import jwt  # noqa: PLC0415 - see above

        kid = jwt.get_unverified_header(token).get("kid")
        return self.first[1] if kid is None and len(self.by_kid) == 1 else self.by_kid[cast("str", kid)]


def keys_of(text: str, algorithm: Algorithm) -> Keys:
    """Return the keys in a text: a secret for HS256, a public key in PEM for the others, or a JWK set in JSON.

    Of a set those are taken that are for checking signatures with the algorithm. Raises WeakKey.
    """
    if text.lstrip().startswith("{"):
        return Keys(_set_of(text, algorithm))
    if text.count("-----BEGIN ") > 1:
        raise WeakKey("one PEM text holds one key; put several into a JWK set, each with a `kid`")
    if algorithm == "HS256" and _PLAIN_SECRET.fullmatch(text):
        return Keys({None: text.encode()})
    return Keys({None: _prepared(text, algorithm)})


def _set_of(text: str, algorithm: Algorithm) -> Mapping[str | None, Any]:
    stated = [each for each in _jwks(text) if _is_for(each, algorithm)]
    if not stated:
        raise WeakKey(f"the JWK set holds no key that checks signatures with {algorithm}")
    kids = [each.get("kid") for each in stated]
    if len(stated) > 1 and (None in kids or len({*map(str, kids)}) < len(kids)):
        raise WeakKey("of several keys in a JWK set, each needs a `kid` of its own")
    if not all(kid is None or isinstance(kid, str) for kid in kids):
        raise WeakKey("the `kid` of a key is a text")
    return {kid: _of_jwk(each, algorithm) for kid, each in zip(kids, stated, strict=True)}


def _jwks(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise WeakKey("the key starts like JSON, and is no JWK set") from None
    listed = document.get("keys", [document])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in cast("list[object]", listed)):
        raise WeakKey("the `keys` of a JWK set are a list of keys")
    return cast("list[Mapping[str, Any]]", listed)


def _is_for(key: Mapping[str, Any], algorithm: Algorithm) -> bool:
    return (
        key.get("kty") == _KINDS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and "verify" in (key.get("key_ops") or ("verify",))
    )


def _of_jwk(key: Mapping[str, Any], algorithm: Algorithm) -> Any:  # noqa: ANN401 - as above
    from jwt import PyJWK  # noqa: PLC0415 - see above

    made = _checked(lambda: PyJWK(dict(key), algorithm).key, algorithm)
    # PyJWT takes a key on another curve from a set; in PEM it would not.
    return _prepared(made, algorithm)


def _prepared(key: Any, algorithm: Algorithm) -> Any:  # noqa: ANN401 - as above
    from jwt.algorithms import get_default_algorithms  # noqa: PLC0415 - see above

    return _checked(lambda: get_default_algorithms()[algorithm].prepare_key(key), algorithm)


def _checked(load: Any, algorithm: Algorithm) -> Any:  # noqa: ANN401 - as above
    from jwt import PyJWTError  # noqa: PLC0415 - see above

    try:
        key = load()
    except (PyJWTError, ValueError, TypeError, LookupError) as problem:
        raise WeakKey(f"the key is none for {algorithm}: {problem}") from None
    if algorithm == "HS256" and len(key) < SHORTEST_SECRET:
        raise WeakKey(f"the key for HS256 must have at least {SHORTEST_SECRET} bytes; it has {len(key)}")
    if hasattr(key, "private_bytes"):
        raise WeakKey("this is a private key; checking needs the public one, and only whoever signs should have this")
    if algorithm == "RS256" and key.key_size < SHORTEST_RSA_KEY:
        raise WeakKey(f"the key for RS256 must have at least {SHORTEST_RSA_KEY} bits; it has {key.key_size}")
    return key
