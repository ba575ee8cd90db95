"""Who acts, as the audit log names them."""

from portal_core.domain.audit import COMMAND_LINE, PROGRAM, AuditAction
from portal_core.domain.events import EventType


def test_who_acts_without_a_name_is_told_apart_from_who_has_one() -> None:
    assert (COMMAND_LINE.type, COMMAND_LINE.id) == ("command_line", "command line")
    assert (PROGRAM.type, PROGRAM.id) == ("program", "program")
    assert {each.token_hint for each in (COMMAND_LINE, PROGRAM)} == {None}


def test_an_action_that_is_an_event_too_has_its_name() -> None:
    shared = {each.value for each in AuditAction} & {each.value for each in EventType}

    assert shared == {"token.issued", "token.revoked", "feedback.replied", "quote.accepted", "quote.declined"}
