"""What templates say is translated when they are compiled."""

from gettext import NullTranslations

from jinja2 import DictLoader

from portal_http.pages.spoken import SpokenEnvironment

MESSAGES = {
    "Menu": "Menü",
    "%(number)s of %(total)s": "%(total)s, davon %(number)s",
    "All of it": "Zu 100%%",
    "%(share)s more": "%(share)s%% mehr",
    "Hello, %(name)s": "Guten Tag",
}


class German(NullTranslations):
    def gettext(self, message: str) -> str:
        return MESSAGES.get(message, message)


def spoken(template: str, **content: object) -> str:
    environment = SpokenEnvironment(
        German(), loader=DictLoader({"page": template}), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    environment.install_gettext_translations(German(), newstyle=True)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - the extension adds it
    return environment.get_template("page").render(content)


def test_a_message_is_said_in_the_language_of_the_environment() -> None:
    assert spoken('<a title="{{ _("Menu") }}">{{ _("Menu") }}</a>') == '<a title="Menü">Menü</a>'


def test_a_message_without_a_translation_is_said_as_it_is() -> None:
    assert spoken('{{ _("Search") }}') == "Search"


def test_what_a_message_speaks_of_stands_where_the_translation_has_it_and_is_escaped() -> None:
    said = spoken('{{ _("%(number)s of %(total)s", number=number, total=total) }}', number="<3>", total=7)

    assert said == "7, davon &lt;3&gt;"


def test_a_translation_may_leave_out_what_it_could_speak_of() -> None:
    assert spoken('{{ _("Hello, %(name)s", name=name) }}', name="Ada") == "Guten Tag"


def test_two_percent_signs_are_one() -> None:
    assert spoken('{{ _("All of it") }}, {{ _("%(share)s more", share=5) }}') == "Zu 100%, 5% mehr"


def test_a_message_can_be_a_value_and_can_be_known_only_later() -> None:
    assert spoken('{% set word = _("Menu") %}{{ word }} {{ _(later) }}', later="Menu") == "Menü Menü"


def test_other_calls_are_left_as_they_are() -> None:
    macro = '{% macro field(name, words, hint="") %}{{ name }} {{ words }} {{ hint }}{% endmacro %}'

    assert spoken(f'{macro}{{{{ field("a", _("Menu"), hint=_("Menu")) }}}}') == "a Menü Menü"


def test_a_message_that_speaks_of_something_can_be_a_value_in_which_that_is_escaped() -> None:
    said = spoken(
        '{% set words = _("%(number)s of %(total)s", number=number, total=_("Menu")) %}{{ words }}{{ words|length }}'
        '{% set hello = _("Hello, %(name)s", name=number) %}{{ hello }}',
        number="<3>",
    )

    assert said == "Menü, davon &lt;3&gt;21Guten Tag"


def test_what_is_known_only_when_it_is_said_is_put_in_then() -> None:
    said = spoken('{{ _("%(number)s of %(total)s", **about) }}', about={"number": "<3>", "total": 7})

    assert said == "7, davon &lt;3&gt;"


def test_a_message_with_a_lone_percent_sign_spoils_no_page_that_does_not_say_it() -> None:
    assert spoken('{% if false %}{{ _("20% off") }}{% endif %}{{ _("Menu") }}') == "Menü"
