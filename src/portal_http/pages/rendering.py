"""Templates: a host's own first, ours behind them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from portal_http.pages import labels
from portal_http.pages.spoken import SpokenEnvironment
from portal_http.pages.voice import FILTERS, Voice

OURS = Path(__file__).parent / "templates"


@frozen(kw_only=True)
class Look:
    """What a page wears: its stylesheet and icon, a scheme if one was chosen, and the languages it could be in."""

    stylesheet: str
    icon: str
    scheme: str | None = None
    languages: Mapping[str, str] = field(factory=dict[str, str])


@frozen(eq=False)
class Templates:
    """The templates in folders that are searched in order; `added` come before ours and may extend them.

    A host's template replaces the one of the same name; to extend ours, it names it `ours/…`.
    """

    added: tuple[Path, ...] = ()

    def render(self, template: str, *, voice: Voice, **content: object) -> str:
        """Return a page."""
        return _environment(self.added, voice.messages).get_template(template).render(content, voice=voice)


@lru_cache
def _environment(added: tuple[Path, ...], messages: NullTranslations) -> Environment:
    ours = FileSystemLoader(OURS)
    environment = SpokenEnvironment(
        messages,
        loader=ChoiceLoader([*map(FileSystemLoader, added), ours, PrefixLoader({"ours": ours})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - the extension adds it
    filters = cast("dict[str, Callable[..., object]]", environment.filters)  # pyright: ignore[reportUnknownMemberType] - untyped in Jinja
    filters.update({method.__name__: _filter(method) for method in FILTERS}, tone=labels.tone, iso=_iso)
    return environment


@pass_context
def _gettext(context: Context, message: str) -> str:
    voice: Voice = context["voice"]
    return voice.messages.gettext(message)


@pass_context
def _ngettext(context: Context, one: str, many: str, count: int) -> str:
    voice: Voice = context["voice"]
    return voice.messages.ngettext(one, many, count)


def _filter(method: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    def apply(context: Context, value: object) -> str:
        return "" if value is None else method(context.parent["voice"], value)

    return apply


def _iso(value: date | datetime) -> str:
    return value.isoformat()
