"""Staff: whose token it is, for which company, and what it is for."""

from collections.abc import Mapping, Sequence
from typing import cast

from attrs import frozen

from portal_core.domain.errors import InvalidInput
from portal_core.domain.ids import CompanyId, is_id
from portal_http.errors import ScopeMissing, Unauthorized
from portal_http.incoming import Incoming
from portal_http.outside import AdminTokens

READ = "portal:read"
ADMIN = "portal:admin"

_CHOICE = "X-Company-Id"


@frozen
class Staff:
    """Who asks, on behalf of which company."""

    subject: str
    company_id: CompanyId


def identify(request: Incoming, admins: AdminTokens) -> Staff:
    """Return who asks; refuse with Unauthorized without a right token, with ScopeMissing when it is for less."""
    claims = admins.claims(_bearer(request))
    if claims is None:
        raise _wrong()
    companies = _companies(claims)
    _require_scope(claims, request.method)
    return Staff(cast("str", claims["sub"]), _chosen(companies, request.field(b"x-company-id")))


def _bearer(request: Incoming) -> str:
    said = request.fields(b"authorization")
    scheme, _, token = said[0].partition(" ") if len(said) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("This needs `Authorization: Bearer` and a token of your company's.", sent=False)
    return token.strip()


def _wrong() -> Unauthorized:
    return Unauthorized("The bearer token is not right: malformed, expired, or not for this portal.", sent=True)


def _companies(claims: Mapping[str, object]) -> Sequence[str]:
    one, several = claims.get("company_id"), claims.get("company_ids")
    if isinstance(one, str) and several is None:
        companies: list[object] = [one]
    elif isinstance(several, list) and one is None:
        companies = cast("list[object]", several)
    else:
        raise _wrong()
    if not companies or not all(isinstance(each, str) and is_id(each) for each in companies):
        raise _wrong()
    return cast("list[str]", companies)


def _require_scope(claims: Mapping[str, object], method: str) -> None:
    scopes = str(claims.get("scope") or "").split()
    if ADMIN in scopes:
        return
    if method not in {"GET", "HEAD"}:
        raise ScopeMissing(ADMIN, f"This needs a token with the scope {ADMIN}.")
    if READ not in scopes:
        raise ScopeMissing(READ, f"This needs a token with the scope {READ} or {ADMIN}.")


def _chosen(companies: Sequence[str], choice: str | None) -> CompanyId:
    if choice is None and len(companies) > 1:
        raise InvalidInput.in_parameter(_CHOICE, f"must name one of the token's companies: {', '.join(companies)}")
    if choice is not None and choice not in companies:
        raise ScopeMissing("company_id", f"{_CHOICE} names a company that the token is not for.")
    return CompanyId(choice or companies[0])
