"""The audit log."""

from portal_core.domain.audit import AuditEntry
from portal_http.present.values import moment
from portal_http.shapes import AuditEntryShape


def audit_entry(entry: AuditEntry) -> AuditEntryShape:
    """Return an act, who did it, when and from where."""
    act, actor = entry.act, entry.actor
    return {
        "id": entry.id,
        "created_at": moment(entry.created_at),
        "action": act.action,
        "actor": {"type": actor.type, "id": actor.id, "token_hint": actor.token_hint},
        "ip": actor.ip,
        "user_agent": actor.user_agent,
        "client_id": act.client_id,
        "target": {"type": act.target.type, "id": act.target.id},
        "details": dict(act.details),
    }
