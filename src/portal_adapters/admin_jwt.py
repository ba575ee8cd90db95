"""Staff's bearer tokens: JSON Web Tokens (RFC 7519), checked strictly (RFC 8725)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import final

import jwt
from attrs import field, frozen

from portal_adapters import clock
from portal_adapters.admin_keys import Algorithm, Keys, WeakKey, keys_of

LEEWAY = timedelta(seconds=10)
"""How far the issuer's clock may be ahead of ours; a token that has expired by ours has expired."""

DEVELOPMENT_LIFE = timedelta(hours=12)

_REQUIRED = ("iss", "aud", "exp", "iat", "sub")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LONGEST_SUBJECT = 255
_END_OF_TIME = datetime.max.replace(tzinfo=UTC).timestamp()

__all__ = ["AdminTokens", "Algorithm", "WeakKey", "admin_tokens", "mint_admin_token"]


@final
@frozen(kw_only=True)
class AdminTokens:
    """Checks tokens of one issuer for one audience, signed with one algorithm by one of some keys.

    Without an issuer any is accepted, though one must be named. Make it with `admin_tokens`, which checks the keys.
    """

    keys: Keys = field(repr=False)
    algorithm: Algorithm
    audience: str
    issuer: str | None = None

    def claims(self, token: str) -> Mapping[str, object] | None:
        """Return the claims of a token that is right in every way, else nothing."""
        try:
            decoded = jwt.decode_complete(
                token,
                self.keys.of(token),
                algorithms=[self.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return None
        claims: dict[str, object] = decoded["payload"]
        right = _has_right_type(decoded["header"]) and _has_subject(claims) and _is_in_time(claims)
        return claims if right else None


def admin_tokens(*, key: str, algorithm: Algorithm = "HS256", audience: str, issuer: str | None = None) -> AdminTokens:
    """Return the check of tokens signed with a key: a secret for HS256, a public key in PEM for the others.

    The key may also be a JWK set (RFC 7517), which is how several keys hold while one follows another. Raises WeakKey,
    with a sentence for people, when a key is too short, is private, or none is of that algorithm.
    """
    return AdminTokens(keys=keys_of(key, algorithm), algorithm=algorithm, audience=audience, issuer=issuer)


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
    """Return a token for development, signed with an HS256 secret, the first where there are several."""
    kid, secret = keys_of(key, "HS256").first
    companies = {"company_id": company_ids[0]} if len(company_ids) == 1 else {"company_ids": list(company_ids)}
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + DEVELOPMENT_LIFE, "scope": scope}
    header = None if kid is None else {"kid": kid}
    return jwt.encode({**claims, **companies}, secret, algorithm="HS256", headers=header)


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
        and clock.now().timestamp() < expires <= _END_OF_TIME
    )


def _has_subject(claims: Mapping[str, object]) -> bool:
    subject = claims["sub"]
    return isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()
