"""Staff's bearer tokens: JSON Web Tokens (RFC 7519), checked strictly (RFC 8725)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import final

from attrs import field, frozen

from portal_adapters import clock
from portal_adapters.admin_keys import Algorithm, Keys, WeakKey, keys_of

LEEWAY = timedelta(seconds=10)
"""How far the issuer's clock may be ahead of ours; a token that has expired by ours has expired."""

DEVELOPMENT_LIFE = timedelta(hours=12)

_REQUIRED = ("iss", "aud", "exp", "iat", "sub")
# An access token's may be shortened or not (RFC 9068, section 2.1; RFC 7515, section 4.1.9).
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LONGEST_NAME = 255
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
        if not all(map(_is_base64url, token.split("."))):
            return None
        import jwt  # noqa: PLC0415 - as for the keys: most starts do without

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
        right = _has_right_type(decoded["header"]) and _has_names(claims) and _is_in_time(claims)
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
    import jwt  # noqa: PLC0415 - as above

    kid, secret = keys_of(key, "HS256").first
    companies = {"company_id": company_ids[0]} if len(company_ids) == 1 else {"company_ids": list(company_ids)}
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + DEVELOPMENT_LIFE, "scope": scope}
    header = None if kid is None else {"kid": kid}
    return jwt.encode({**claims, **companies}, secret, algorithm="HS256", headers=header)


def _is_base64url(part: str) -> bool:
    """Tell whether a part is written as RFC 7515 wants it: in one way only, without padding or anything between.

    PyJWT passes over what does not belong there, so that one signature could be written in many ways.
    """
    try:
        content = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return False
    return urlsafe_b64encode(content).rstrip(b"=") == part.encode()


def _has_right_type(header: Mapping[str, object]) -> bool:
    stated = header.get("typ", "JWT")
    return isinstance(stated, str) and stated.lower() in _TYPES


def _is_in_time(claims: Mapping[str, object]) -> bool:
    # PyJWT reads a time from a string, too; RFC 7519 wants a number.
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    expires = claims["exp"]
    return (
        all(type(each) in {int, float} for each in times)
        and isinstance(expires, int | float)
        and clock.now().timestamp() < expires <= _END_OF_TIME
    )


def _has_names(claims: Mapping[str, object]) -> bool:
    # Where any issuer will do, PyJWT does not look at it.
    return all(_is_name(claims[each]) for each in ("iss", "sub"))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()
