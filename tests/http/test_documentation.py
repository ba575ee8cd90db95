"""The documentation describes the server that there is: every answer conforms to it, whatever is asked."""

import re
import unicodedata
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from portal_core.domain.text import required_signed_text
from portal_http.api.table import CLIENT_ENDPOINTS, STAFF_ENDPOINTS
from portal_http.app import ENDPOINTS
from portal_http.documentation import DOCUMENTED
from portal_http.openapi import openapi_document
from tests.http.world import Reply, World, bearer, full_world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
]
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
KNOWN = {
    "quote_id": "Q1",
    "order_id": "O1",
    "invoice_id": "C1",
    "payment_id": "P1",
    "delivery_id": "D2",
    "feedback_id": "T1",
    "record_id": "D2",
}

DOCUMENT = openapi_document(DOCUMENTED, server="http://portal.example")
WORLD = full_world()
TOKEN = WORLD.token()

api = schemathesis.openapi.from_asgi("/openapi.json", WORLD.app)


@schemathesis.serializer("application/pdf", "application/x-ndjson", "application/jsonl")
def as_it_is(_: Reply, value: Reply) -> Reply:
    return value if isinstance(value, bytes) else str(value).encode()


@api.parametrize()
@settings(
    max_examples=12,
    suppress_health_check=SLOW,
    deadline=None,
    derandomize=True,
)
def test_whatever_is_asked_the_answer_conforms(case: Reply) -> None:
    if "token" in case.path_parameters and len(str(case.path_parameters["token"])) % 4:
        case.path_parameters["token"] = TOKEN
    for name, record in KNOWN.items():
        if name in case.path_parameters and len(str(case.path_parameters[name])) % 2:
            case.path_parameters[name] = record
    if "/view/" not in case.operation.path:
        case.headers["Authorization"] = f"Bearer {bearer()}"

    case.call_and_validate(checks=CHECKS)


def test_the_document_is_valid_and_lists_what_is_served() -> None:
    served = {(endpoint.path, endpoint.method.lower()) for endpoint in ENDPOINTS}
    documented = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}

    assert documented <= served
    assert {path for path, _ in served - documented} == {"/openapi.json", "/docs", "/docs/page.css", "/docs/page.js"}
    identifiers = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(set(identifiers)) == len(identifiers) == len(CLIENT_ENDPOINTS) + len(STAFF_ENDPOINTS) + 3
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere() -> None:
    def references(value: Reply) -> Reply:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    for reference in set(references(DOCUMENT)):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize("name", ["AcceptQuote", "IssueLink", "AmendLink", "SubmitFeedback", "NamedDocument"])
def test_requests_are_documented_as_strictly_as_they_are_taken(name: str) -> None:
    assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False


def test_what_is_hidden_in_a_signed_text_is_documented_as_it_is_refused() -> None:
    pattern = re.compile(DOCUMENT["components"]["schemas"]["AcceptQuote"]["properties"]["name"]["anyOf"][0]["pattern"])
    # JavaScript's patterns, which the description speaks in, have no short way to name what lies beyond; and marks of
    # direction are taken beside some letters.
    for character in map(chr, range(0x10000)):
        if character in "\r\u061c\u200e\u200f" or unicodedata.category(character) == "Cs":
            continue
        try:
            accepted = bool(required_signed_text(f"a{character}b"))
        except ValueError:
            accepted = False
        assert accepted == bool(pattern.search(f"a{character}b")), hex(ord(character))


def test_the_page_needs_no_other_host_and_no_inline_script(world: World) -> None:
    page, script, style = (world.http.get(path) for path in ("/docs", "/docs/page.js", "/docs/page.css"))

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.search(r"https?://|<style|style=|onclick|<script>", page.text)
    assert "http" not in script.text.replace("http://www.w3.org", "")
    assert (script.status_code, style.status_code) == (200, 200)
    assert world.http.get("/openapi.json").json()["servers"] == [{"url": "http://127.0.0.1:8000"}]
