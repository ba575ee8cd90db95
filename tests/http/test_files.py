"""Invoices as files: attached by staff, read by clients."""

import hashlib
from typing import Any

import pytest

from portal_adapters.contract.builders import OTHER_COMPANY
from portal_core.domain.access import DocumentType, Permission
from portal_http.options import Options
from tests.http.world import Reply, World, bearer, code, full_world, places

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 500 + b"\n%%EOF\n"
PATH = "/invoices/C1/pdf"


def put(world: World, content: bytes = PDF, *, path: str = PATH, **more: Any) -> Reply:
    return world.staff("PUT", path, content=content, headers={"Content-Type": "application/pdf"}, **more)


def test_what_staff_attach_is_what_the_client_reads(world: World) -> None:
    digest = hashlib.sha256(PDF).hexdigest()

    attached = put(world)

    assert attached.status_code == 200
    assert attached.json()["data"] == {
        "document": {"type": "invoice", "id": "C1"},
        "sha256": digest,
        "size": len(PDF),
        "attached_at": "2026-03-15T12:30:15.123456Z",
    }
    token = world.token()
    for address in (f"/api/v1/customer-portal/view/{token}{PATH}", f"/p/{token}{PATH}"):
        answer, head = world.http.get(address), world.http.head(address)
        assert answer.content == PDF
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == 'attachment; filename="credit-note-N-C1.pdf"'
        assert answer.headers["etag"] == f'"{digest}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-store"
        assert head.headers["content-length"] == str(len(PDF))
        assert head.content == b""
    assert world.staff("GET", PATH, token=bearer(scope="portal:read")).content == PDF


def test_the_page_of_an_invoice_leads_to_its_file_where_it_has_one(world: World) -> None:
    token = world.token()

    with_file, without = (world.http.get(f"/p/{token}/invoices/{each}").text for each in ("I1", "C1"))

    assert f'href="/p/{token}/invoices/I1/pdf" download' in with_file
    assert "/pdf" not in without
    assert world.http.get(f"/p/{token}/invoices/C1/pdf").status_code == 404


def test_a_file_that_is_taken_away_is_gone_for_everybody(world: World) -> None:
    put(world)

    assert world.staff("DELETE", PATH).status_code == 204

    assert code(world.staff("GET", PATH)) == "not_found"
    assert code(world.staff("DELETE", PATH)) == "not_found"
    assert code(world.http.get(world.link() + PATH)) == "not_found"


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%PDF-1.7 cut off", b"\n%PDF-1.7 %%EOF"])
def test_what_is_no_pdf_is_refused(world: World, content: bytes) -> None:
    answer = put(world, content)

    assert places(answer) == [""]
    assert code(world.staff("GET", PATH)) == "not_found"


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/html"}, {"Content-Type": "application/pdf", "Content-Encoding": "gzip"}, {}]
)
def test_a_file_must_say_that_it_is_a_pdf(world: World, headers: dict[str, str]) -> None:
    answer = world.staff("PUT", PATH, content=PDF, headers=headers)

    assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


def test_a_file_that_is_too_large_is_refused_and_one_larger_than_other_bodies_is_not() -> None:
    world = full_world(Options(largest_document=100_000))

    fits = put(world, b"%PDF-1.7".ljust(99_995) + b"%%EOF")
    too_large = put(world, b"%PDF-1.7".ljust(99_996) + b"%%EOF")

    assert fits.status_code == 200
    assert (too_large.status_code, code(too_large)) == (413, "payload_too_large")


def test_only_administrators_of_the_company_attach(world: World) -> None:
    stranger = put(world, token=bearer(OTHER_COMPANY))
    reader = put(world, token=bearer(scope="portal:read"))

    assert (stranger.status_code, code(stranger)) == (404, "not_found")
    assert (reader.status_code, code(reader)) == (403, "permission_denied")
    assert code(put(world, path="/invoices/none/pdf")) == "not_found"
    assert code(put(world, path="/invoices/a%20b/pdf")) == "not_found"
    assert code(world.http.get(world.link() + PATH)) == "not_found"


def test_a_narrowed_link_downloads_the_files_of_its_documents_alone(world: World) -> None:
    put(world)
    link = world.link(documents=[(DocumentType.INVOICE, "I1")])

    assert world.http.get(f"{link}/invoices/I1/pdf").status_code == 200
    assert code(world.http.get(link + PATH)) == "not_found"


def test_what_is_withheld_is_not_downloaded(world: World) -> None:
    token = world.token(without=[Permission.VIEW_INVOICES])

    assert code(world.http.get(f"/api/v1/customer-portal/view/{token}/invoices/I1/pdf")) == "permission_denied"
    assert world.http.get(f"/p/{token}/invoices/I1/pdf").status_code == 403


def test_a_draft_has_no_file_for_clients(world: World) -> None:
    put(world, path="/invoices/I-draft/pdf")

    assert code(world.http.get(f"{world.link()}/invoices/I-draft/pdf")) == "not_found"
