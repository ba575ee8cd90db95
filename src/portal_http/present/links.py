"""Links, as staff see them."""

from datetime import datetime

from portal_core.domain.access import DocumentRef, Grant
from portal_core.use_cases.access import IssuedLink
from portal_http.present.values import document, moment, permissions
from portal_http.shapes import DocumentShape, IssuedLinkShape, LinkShape


def link_row(grant: Grant, at: datetime) -> LinkShape:
    """Return a link without its secret."""
    return {
        "id": grant.id,
        "client_id": grant.client_id,
        "label": grant.label,
        "permissions": permissions(grant.permissions),
        "documents": None if grant.documents is None else _documents(grant.documents),
        "state": grant.state(at),
        "hint": grant.hint,
        "created_at": moment(grant.created_at),
        "expires_at": moment(grant.expires_at),
        "revoked_at": moment(grant.revoked_at),
        "last_used_at": moment(grant.last_used_at),
    }


def issued_link(issued: IssuedLink, public_url: str) -> IssuedLinkShape:
    """Return a link with its token and address."""
    grant = issued.grant
    shape: IssuedLinkShape = {
        "id": grant.id,
        "client_id": grant.client_id,
        "label": grant.label,
        "permissions": permissions(grant.permissions),
        "expires_at": moment(grant.expires_at),
        "created_at": moment(grant.created_at),
        "token": issued.token,
        "url": f"{public_url.rstrip('/')}/p/{issued.token}",
    }
    if grant.documents is not None:
        shape["documents"] = _documents(grant.documents)
    return shape


def _documents(documents: frozenset[DocumentRef]) -> list[DocumentShape]:
    return [document(each) for each in sorted(documents, key=lambda each: (each.type, each.id))]
