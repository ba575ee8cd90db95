"""Staff's bearer tokens: JSON Web Tokens (RFC 7519), checked strictly (RFC 8725)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias, final, get_args

import jwt
from attrs import field, frozen
from jwt.algorithms import get_default_algorithms

from portal_adapters import clock

Algorithm: TypeAlias = Literal["HS256", "RS256", "ES256", "EdDSA"]

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
SHORTEST_SECRET = 32
"""The fewest bytes of an HS256 secret (RFC 7518, section 3.2)."""

SHORTEST_RSA_KEY = 2048
LEEWAY = timedelta(seconds=10)
"""How far the issuer's clock may be ahead of ours; a token that has expired by ours has expired."""

DEVELOPMENT_LIFE = timedelta(hours=12)

_REQUIRED = ("iss", "aud", "exp", "iat", "sub")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LONGEST_SUBJECT = 255


class WeakKey(ValueError):
    """The key cannot protect staff's access; the message says what is needed."""


@final
@frozen(kw_only=True)
class AdminTokens:
    """Checks tokens of one issuer for one audience, signed by one key with one algorithm.

    Without an issuer any is accepted, though one must be named. Make it with `admin_tokens`, which checks the key.
    """

    key: Any = field(repr=False)
    algorithm: Algorithm
    audience: str
    issuer: str | None = None

    def claims(self, token: str) -> Mapping[str, object] | None:
        """Return the claims of a token that is right in every way, else nothing."""
        try:
            decoded = jwt.decode_complete(
                token,
                self.key,
                algorithms=[self.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError):
            return None
        claims: dict[str, object] = decoded["payload"]
        right = _has_right_type(decoded["header"]) and _has_subject(claims) and _is_in_time(claims)
        return claims if right else None


def admin_tokens(*, key: str, algorithm: Algorithm = "HS256", audience: str, issuer: str | None = None) -> AdminTokens:
    """Return the check of tokens signed with a key: a secret for HS256, a public key in PEM for the others.

    Raises WeakKey, with a sentence for people, when the key is too short or is none of that algorithm.
    """
    return AdminTokens(key=_prepared(key, algorithm), algorithm=algorithm, audience=audience, issuer=issuer)


def mint_admin_token(
    *,
    key: str,
    audience: str,
    issuer: str,
    subject: str,
    company_ids: Sequence[str],
    scope: str,
    now: datetime,
) -> str:
    """Return a token for development, signed with an HS256 secret."""
    _prepared(key, "HS256")
    companies = {"company_id": company_ids[0]} if len(company_ids) == 1 else {"company_ids": list(company_ids)}
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + DEVELOPMENT_LIFE, "scope": scope}
    return jwt.encode({**claims, **companies}, key, algorithm="HS256")


def _prepared(key: str, algorithm: Algorithm) -> Any:  # noqa: ANN401 - what it is, the algorithm decides
    if algorithm == "HS256" and len(key.encode()) < SHORTEST_SECRET:
        raise WeakKey(f"the key for HS256 must have at least {SHORTEST_SECRET} bytes; it has {len(key.encode())}")
    try:
        prepared = get_default_algorithms()[algorithm].prepare_key(key)
    except (jwt.InvalidKeyError, ValueError, TypeError) as problem:
        raise WeakKey(f"the key is none for {algorithm}: {problem}") from None
    if algorithm == "RS256" and prepared.key_size < SHORTEST_RSA_KEY:
        raise WeakKey(f"the key for RS256 must have at least {SHORTEST_RSA_KEY} bits; it has {prepared.key_size}")
    return prepared


def _has_right_type(header: Mapping[str, object]) -> bool:
    stated = header.get("typ")
    return stated is None or (isinstance(stated, str) and stated.lower() in _TYPES)


def _is_in_time(claims: Mapping[str, object]) -> bool:
    # PyJWT reads a time from a string, too; RFC 7519 wants a number.
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    expires = claims["exp"]
    return (
        all(type(each) in {int, float} for each in times)
        and isinstance(expires, int | float)
        and expires > clock.now().timestamp()
    )


def _has_subject(claims: Mapping[str, object]) -> bool:
    subject = claims["sub"]
    return isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()
