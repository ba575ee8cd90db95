"""The keys of staff's tokens and of receipts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, cast, final

from attrs import field, frozen

from portal_adapters.admin_jwt import AdminTokens, Algorithm, WeakKey, admin_tokens, mint_admin_token
from portal_http.outside import Receipts
from portal_http.settings import Settings
from portal_http.wiring import WiringRefused

if TYPE_CHECKING:
    from portal_adapters.receipt_keys import ReceiptKeys

__all__ = ["admins_of", "checked_receipt", "development_token", "receipts_of", "served_receipts_of"]

DEVELOPMENT_ISSUER = "portal-development"

_NEEDS_KEY = (
    "PORTAL_ADMIN_JWT_KEY is not set, so that staff's tokens cannot be checked. "
    "Set it to a random secret, for example: export PORTAL_ADMIN_JWT_KEY=$(openssl rand -hex 32)"
)


def admins_of(settings: Settings) -> AdminTokens:
    """Return the check of staff's tokens; refuse with WiringRefused to do without a strong key."""
    if settings.admin_jwt_key is None:
        raise WiringRefused(_NEEDS_KEY)
    try:
        return admin_tokens(
            key=settings.admin_jwt_key,
            algorithm=cast("Algorithm", settings.admin_jwt_algorithm),
            audience=settings.admin_jwt_audience,
            issuer=settings.admin_jwt_issuer,
        )
    except WeakKey as weak:
        raise WiringRefused(f"PORTAL_ADMIN_JWT_KEY: {weak}.") from None


@final
@frozen
class _Derived(Receipts):
    """Receipts signed with a key that is derived when it is asked for: loading the library for it takes a while."""

    secret: str = field(repr=False)

    def sign(self, statement: str) -> str:
        return self._keys.sign(statement)

    def jwks(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        return self._keys.jwks()

    @cached_property
    def _keys(self) -> "ReceiptKeys":
        from portal_adapters.receipt_keys import derived_receipt_keys  # noqa: PLC0415 - see above

        return derived_receipt_keys(self.secret)


def served_receipts_of(settings: Settings) -> Receipts | None:
    """Return what signs receipts while the portal is served, as `receipts_of` does; a key is derived later."""
    secret = _secret_of(settings)
    return receipts_of(settings) if secret is None else _Derived(secret)


def receipts_of(settings: Settings) -> "ReceiptKeys | None":
    """Return the keys of receipts; none where no key was given and staff's key is not one secret to derive it from.

    Refuses with WiringRefused a key that cannot sign.
    """
    from portal_adapters.receipt_keys import UnfitKey, derived_receipt_keys, receipt_keys  # noqa: PLC0415 - see above

    if settings.receipt_key is None:
        secret = _secret_of(settings)
        return None if secret is None else derived_receipt_keys(secret)
    try:
        keys = receipt_keys(settings.receipt_key)
    except UnfitKey as unfit:
        raise WiringRefused(f"PORTAL_RECEIPT_KEY: {unfit}.") from None
    if keys.signing is None:
        raise WiringRefused("PORTAL_RECEIPT_KEY: there is no private key, so nothing can be signed.")
    return keys


def _secret_of(settings: Settings) -> str | None:
    """Return the secret that a key of receipts is derived from, where none was given."""
    secret = settings.admin_jwt_key or ""
    derivable = settings.receipt_key is None and settings.admin_jwt_algorithm == "HS256"
    return secret if derivable and secret and not secret.startswith("{") else None


def checked_receipt(settings: Settings, receipt: str, *, published: str | None) -> tuple[str, str]:
    """Return what a receipt says and the id of the key that signed it, checked with our keys or published ones.

    Refuses with ForgedReceipt one that is not right, with WiringRefused when there is no key to check it with.
    """
    from portal_adapters.receipt_keys import UnfitKey, published_keys  # noqa: PLC0415 - see above

    try:
        keys = receipts_of(settings) if published is None else published_keys(published)
    except UnfitKey as unfit:
        raise WiringRefused(f"--keys: {unfit}.") from None
    if keys is None:
        raise WiringRefused("There is no key to check with: give --keys, or set PORTAL_RECEIPT_KEY.")
    return keys.checked(receipt)


def development_token(settings: Settings, company_ids: Sequence[str], *, scope: str, subject: str, at: datetime) -> str:
    """Return a token of staff's for trying the API; refuse with WiringRefused unless the key is an HS256 secret."""
    admins_of(settings)
    if settings.admin_jwt_algorithm != "HS256":
        raise WiringRefused("Tokens for development are signed with HS256 only: ask your identity provider for one.")
    return mint_admin_token(
        key=settings.admin_jwt_key or "",
        audience=settings.admin_jwt_audience,
        issuer=settings.admin_jwt_issuer or DEVELOPMENT_ISSUER,
        subject=subject,
        company_ids=company_ids,
        scope=scope,
        now=at,
    )
