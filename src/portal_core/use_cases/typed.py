"""What people typed, by the domain's rules for text: who calls a use case need not have checked it before."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from attrs import evolve

from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.quotes import Evidence
from portal_core.domain.text import (
    COMMENT_LENGTH,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    SUBJECT_LENGTH,
    clean_email,
    clean_text,
    required_signed_text,
    required_text,
)
from portal_core.domain.webhooks import clean_url_of_webhook

Rule: TypeAlias = Callable[[str], str]

LABEL: Rule = partial(required_text, longest=NAME_LENGTH)
SUBJECT: Rule = partial(required_text, longest=SUBJECT_LENGTH)
MESSAGE: Rule = partial(required_text, longest=MESSAGE_LENGTH)
COMMENT: Rule = partial(clean_text, longest=COMMENT_LENGTH)


def cleaned(typed: Mapping[str, tuple[str | None, Rule]]) -> dict[str, str | None]:
    """Return the texts as their rules leave them, None for nothing; refuse with InvalidInput at every broken one."""
    texts: dict[str, str | None] = {}
    problems: list[Problem] = []
    for name, (text, rule) in typed.items():
        try:
            texts[name] = None if text is None else rule(text) or None
        except ValueError as broken:
            problems.append(Problem(str(broken), pointer=f"/{name}"))
    if problems:
        raise InvalidInput(problems)
    return texts


def clean_label(label: str | None) -> str | None:
    """Return a link's label; refuse with InvalidInput when it is no name."""
    return cleaned({"label": (label, LABEL)})["label"]


def clean_description(description: str | None) -> str | None:
    """Return what a webhook is for; refuse with InvalidInput when it is too long."""
    return cleaned({"description": (description, COMMENT)})["description"]


def clean_webhook_url(url: str) -> str:
    """Return the address of a webhook; refuse with InvalidInput when it is none of http or https."""
    return cleaned({"url": (url, clean_url_of_webhook)})["url"] or ""


def clean_message(message: str) -> str:
    """Return a message; refuse with InvalidInput when it is empty or too long."""
    return cleaned({"message": (message, MESSAGE)})["message"] or ""


def clean_evidence(evidence: Evidence) -> Evidence:
    """Return the evidence with what was typed cleaned; refuse with InvalidInput."""
    texts = cleaned(
        {
            "name": (evidence.name, required_signed_text),
            "title": (evidence.title, required_signed_text),
            "email": (evidence.email, clean_email),
            "purchase_order": (evidence.purchase_order, required_signed_text),
            "comment": (evidence.comment, COMMENT),
            "reason": (evidence.reason, COMMENT),
        }
    )
    return evolve(
        evidence,
        name=texts["name"],
        title=texts["title"],
        email=texts["email"],
        purchase_order=texts["purchase_order"],
        comment=texts["comment"],
        reason=texts["reason"],
    )
