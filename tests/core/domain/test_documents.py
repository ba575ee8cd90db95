import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.documents import JSON, canonical_json, decimal_json, money_json, sha256_of
from tests.core.samples import EUR, JPY, money

texts = st.text(st.characters(exclude_categories=["Cs"]))
documents: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    max_leaves=20,
)


def written(document: JSON) -> str:
    """Write RFC 8785 out by hand: its section 3.2.2 and no library."""
    match document:
        case None:
            return "null"
        case bool():
            return "true" if document else "false"
        case int():
            return str(document)
        case str():
            return '"' + "".join(map(escaped, document)) + '"'
        case list():
            return "[" + ",".join(map(written, document)) + "]"
        case dict():
            ordered = sorted(document.items(), key=lambda member: member[0].encode("utf-16-be"))
            return "{" + ",".join(f"{written(key)}:{written(value)}" for key, value in ordered) + "}"


def escaped(character: str) -> str:
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return short.get(character) or (f"\\u{ord(character):04x}" if ord(character) < 0x20 else character)


@given(documents)
def test_the_canonical_form_is_that_of_rfc_8785(document: JSON) -> None:
    canonical = canonical_json(document)

    again = canonical_json(json.loads(canonical))

    assert canonical == written(document)
    assert again == canonical


def test_the_example_of_rfc_8785_comes_out_as_printed_there() -> None:
    document: JSON = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f", "literals": [None, True, False]}

    canonical = canonical_json(document)

    assert canonical == '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'


def test_a_digest_is_that_of_the_text_in_utf_8() -> None:
    text = "Grüße, 漢字"

    digest = sha256_of(text)

    assert digest == hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_money_and_numbers_are_decimal_strings() -> None:
    amounts = money(123450, EUR), money(359, JPY)

    shown = [money_json(amount) for amount in amounts]

    assert shown == [{"amount": "1234.50", "currency": "EUR"}, {"amount": "359", "currency": "JPY"}]
    assert (money_json(None), decimal_json(None)) == (None, None)
