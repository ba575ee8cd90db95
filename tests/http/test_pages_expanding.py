"""Macros are put in the place of their calls when a template is compiled, and print the same there."""

from enum import StrEnum
from gettext import NullTranslations

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from portal_http.pages.spoken import SpokenEnvironment

MACROS = """
{% macro badge(state, tone="quiet") %}<i class="{{ tone }}">{{ state }}</i>{% endmacro %}
{% macro row(state) %}<li>{{ badge(state, tone=asked.tone) }}</li>{% endmacro %}
{% macro rows(states) %}{% for state in states %}{{ row(state) }}{% endfor %}{% endmacro %}
{% macro framed() %}<p>{{ caller() }}</p>{% endmacro %}
{% macro looking() %}{{ elsewhere }}{% endmacro %}
{% macro down(number) %}{{ number }}{% if number %}{{ down(number - 1) }}{% endif %}{% endmacro %}
"""
IMPORT = '{% from "macros" import badge, row, rows, framed, looking, down with context %}'


class Kind(StrEnum):
    ITALIC = "<i>"


class Drawn:
    def __html__(self) -> str:
        return "<u>"


def environments(template: str) -> list[Environment]:
    loader = DictLoader({"macros": MACROS, "base": "<{% block body %}{% endblock %}>", "page": template})
    ours = SpokenEnvironment(
        NullTranslations(), loader=loader, autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"]
    )
    return [ours, Environment(loader=loader, autoescape=True, undefined=StrictUndefined)]


def printed(template: str, **content: object) -> list[str]:
    """Return what the template prints with its macros expanded, and what Jinja itself prints."""
    given = {"asked": {"tone": "loud"}, **content}
    return [each.get_template("page").render(given) for each in environments(template)]


@pytest.mark.parametrize(
    "body, expected",
    [
        ("{{ badge('<b>') }}", '<i class="quiet">&lt;b&gt;</i>'),
        ("{{ badge(tone='busy', state=1) }}, {{ badge(2) }}", '<i class="busy">1</i>, <i class="quiet">2</i>'),
        ("{{ row('sent') }}", '<li><i class="loud">sent</i></li>'),
        ("{{ rows(states) }}", '<li><i class="loud">a</i></li><li><i class="loud">b</i></li>'),
        ("{% call framed() %}{{ badge(1) }}{% endcall %}", '<p><i class="quiet">1</i></p>'),
        ("{{ down(2) }}", "210"),
        ("{{ looking() }}", "here"),
        ("{% set text = badge('x') %}{{ text }}", '<i class="quiet">x</i>'),
        ("{% macro own(state) %}{{ row(state) }}!{% endmacro %}{{ own('a') }}", '<li><i class="loud">a</i></li>!'),
        ("{% macro badge(state) %}[{{ state }}]{% endmacro %}{{ badge('a') }}", "[a]"),
        ("{% for badge in states %}{{ badge }}{% endfor %}", "ab"),
        ("{{ 'a'.upper() }}{{ '{}-{}'.format(1, '<') }}", "A1-&lt;"),
        ("{{ (5).bit_length() }}{{ words.upper() }}{{ functions.import() }}", "3&lt;B&gt;!"),
        ("{% autoescape false %}{{ badge(words) }}{% endautoescape %}", '<i class="quiet">&lt;b&gt;</i>'),
        ("{% import 'macros' as macros %}{% call macros.framed() %}x{% endcall %}", "<p>x</p>"),
        ("{% block own %}x{% endblock %}{{ self.own() }}", "xx"),
        ("{{ functions.other() }}{{ asked.tone }}{{ asked.nothing is defined }}", "?loudFalse"),
        ("{{ 7 }}{{ none }}{{ number }}{{ kind }}{{ marked }}{{ drawn }}", "7None12&lt;i&gt;<b><u>"),
    ],
)
def test_a_macro_prints_the_same_in_the_place_of_its_call(body: str, expected: str) -> None:
    functions = {"import": lambda: "!", "other": lambda: "?"}
    printables = {"number": 12, "kind": Kind.ITALIC, "marked": Markup("<b>"), "drawn": Drawn()}
    content = {"states": ["a", "b"], "elsewhere": "here", "words": "<b>", "functions": functions, **printables}

    assert printed(IMPORT + body, **content) == [expected] * 2
    inherited = f'{{% extends "base" %}}{IMPORT}{{% block body %}}{body}{{% endblock %}}'
    assert printed(inherited, **content) == [f"<{expected}>"] * 2


def test_what_a_macro_looks_at_is_what_the_page_was_given_and_no_variable_of_the_caller() -> None:
    body = "{% for asked in [1] %}{{ row('a') }}{% endfor %}"

    assert printed(IMPORT + body) == ['<li><i class="loud">a</i></li>'] * 2


@pytest.mark.parametrize("call", ["badge()", "badge(1, 2, 3)", "badge(1, loud=2)", "badge(1, state=2)"])
def test_a_call_that_does_not_fit_is_refused_as_ever(call: str) -> None:
    for each in environments(f"{IMPORT}{{{{ {call} }}}}"):
        with pytest.raises((TypeError, UndefinedError)):
            each.get_template("page").render(asked={})


def test_what_is_not_there_is_refused() -> None:
    for each in environments("{{ asked.nothing }}"):
        with pytest.raises(UndefinedError):
            each.get_template("page").render(asked={})


def test_a_method_that_is_not_there_is_refused_as_ever() -> None:
    for each in environments("{{ words.nothing() }}"):
        with pytest.raises(UndefinedError, match="nothing"):
            each.get_template("page").render(words="a")


def test_an_error_within_what_a_template_calls_is_told_as_it_is() -> None:
    def fail() -> str:
        raise AttributeError("within")

    for each in environments("{{ fail() }}"):
        with pytest.raises(AttributeError, match="within"):
            each.get_template("page").render(fail=fail)


def test_a_template_that_only_calls_macros_makes_none() -> None:
    ours, jinjas = (each.compile(IMPORT + "{{ row('a') }}", "page", raw=True) for each in environments(""))

    assert ("Macro(" in ours, "get_template" in ours) == (False, False)
    assert "get_template" in jinjas
