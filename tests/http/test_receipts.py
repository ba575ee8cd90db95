"""The receipt of a decision, as a client gets it and as anybody checks it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.jwk import KeySet
from pypdf import PdfReader

from portal_adapters.contract.builders import NOW, a_client
from portal_http.doctor import examine
from portal_http.settings import Settings
from tests.http.test_cli import KEY, Run, run
from tests.http.world import Reply, World, code, full_world

__all__ = ["run"]

# RFC 9864 would rather have "Ed25519" as the algorithm's name, which few libraries know yet.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")


def accepted(world: World) -> Reply:
    """Accept a quote and return the answer with its receipt."""
    link = world.link()
    assert world.http.post(f"{link}/quotes/Q1/accept", json={"name": "Zoë Quist"}).status_code == 200
    return world.http.get(f"{link}/quotes/Q1/receipt")


def test_a_receipt_is_checked_with_the_published_keys(world: World) -> None:
    answer = accepted(world)

    published = KeySet.import_key_set(world.http.get("/.well-known/jwks.json").json())
    said = json.loads(jws.deserialize_compact(answer.text, published, algorithms=["EdDSA"]).payload)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jose")
    assert answer.headers["cache-control"] == "private, no-store"
    decision = world.staff("GET", "/decisions").json()["data"][0]
    assert said["decision_id"] == decision["id"]
    shared = set(said) & set(decision)
    assert {name: said[name] for name in shared} == {name: decision[name] for name in shared}
    assert {"document_sha256", "name", "decided_at", "ip", "user_agent", "consent_text", "token_id"} <= shared


def test_an_open_quote_has_no_receipt(world: World) -> None:
    answer = world.http.get(f"{world.link()}/quotes/Q1/receipt")

    assert (answer.status_code, code(answer)) == (404, "not_found")


def test_the_decided_quote_links_to_its_receipt_in_the_clients_language(world: World) -> None:
    receipt = accepted(world).text
    page = f"/p/{world.token()}/quotes/Q1"
    words = {
        "en": "Download the signed receipt",
        "fr": "Télécharger le reçu signé",
        "de": "Unterschriebene Quittung herunterladen",
        "ar": "تنزيل الإيصال الموقّع",
    }

    for language, text in words.items():
        world.feed(a_client(locale=language))
        assert f'<a href="{page}/receipt" download="receipt.jose">{text}</a>' in world.http.get(page).text
    file = world.http.get(f"{page}/receipt")

    assert file.text == receipt
    assert file.headers["content-disposition"] == 'attachment; filename="receipt.jose"'


def test_without_a_key_there_are_no_receipts_and_no_link_to_one() -> None:
    world = World(receipts=None)

    assert world.http.get("/.well-known/jwks.json").json() == {"keys": []}


def test_without_a_key_the_decided_quote_offers_none() -> None:
    world = full_world()
    bare = World(receipts=None, transactions=world.transactions)
    accepted(world)

    answer = bare.http.get(f"{bare.link()}/quotes/Q1/receipt")
    page = bare.http.get(f"/p/{bare.token()}/quotes/Q1")
    file = bare.http.get(f"/p/{bare.token()}/quotes/Q1/receipt")

    assert (answer.status_code, code(answer), file.status_code) == (404, "not_found", 404)
    assert "receipt" not in page.text


def test_verify_tells_a_genuine_receipt_from_any_other(run: Run, tmp_path: Path, world: World) -> None:
    receipt = accepted(world).text
    published = tmp_path / "jwks.json"
    published.write_text(world.http.get("/.well-known/jwks.json").text)
    file = tmp_path / "receipt.jose"
    file.write_text(receipt)

    right = run("verify", str(file), "--keys", str(published))
    with_newline = run("verify", "-", "--keys", str(published), given=f"{receipt}\n".encode())
    wrong = run("verify", "-", "--keys", str(published), given=receipt[:-1].encode())
    by_another = run("verify", str(file), PORTAL_ADMIN_JWT_KEY=KEY)

    assert (right.exit_code, with_newline.exit_code) == (0, 0)
    assert json.loads(right.stdout)["name"] == "Zoë Quist"
    assert "is genuine" in right.stderr
    assert (wrong.exit_code, by_another.exit_code) == (1, 1)
    assert wrong.stdout == by_another.stdout == ""
    assert "is not genuine" in wrong.stderr


def test_verify_takes_the_key_of_the_settings(run: Run, tmp_path: Path) -> None:
    world = full_world()
    file = tmp_path / "receipt.jose"
    file.write_text(accepted(world).text)

    assert run("verify", str(file), PORTAL_ADMIN_JWT_KEY="a secret for tests, long enough for HS256").exit_code == 0
    assert run("verify", str(file)).exit_code == 2
    assert run("verify", str(file), PORTAL_RECEIPT_KEY="no key").exit_code == 2


@pytest.mark.parametrize(
    "settings, fine, words",
    [
        (Settings(admin_jwt_key=KEY), True, "derived from PORTAL_ADMIN_JWT_KEY"),
        (Settings(admin_jwt_key=KEY, admin_jwt_algorithm="EdDSA"), True, "are not signed"),
        (Settings(admin_jwt_key='{"keys": []}'), True, "are not signed"),
        (Settings(receipt_key="a word"), False, "PORTAL_RECEIPT_KEY"),
    ],
)
def test_doctor_says_how_receipts_are_signed(settings: Settings, fine: bool, words: str) -> None:  # noqa: FBT001 - a parameter of the test
    findings = {each.subject: each for each in examine(lambda: settings, NOW)}

    assert findings["receipts"].fine == fine
    assert words in findings["receipts"].detail


def test_a_key_of_its_own_signs_and_a_public_one_alone_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    findings = [
        {each.subject: each for each in examine(lambda: Settings(receipt_key=text), NOW)}["receipts"]  # noqa: B023 - called at once
        for text in (private, public)
    ]

    assert [each.fine for each in findings] == [True, False]


def printed(answer: Reply) -> tuple[str, dict[str, list[bytes]]]:
    """Return the text of a receipt on paper, and the files in it."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    return "\n".join(page.extract_text() for page in reader.pages), dict(reader.attachments)


def test_a_receipt_on_paper_holds_the_signed_one_and_says_what_it_proves(world: World) -> None:
    receipt = accepted(world).text
    token = world.token()

    ours, page = (
        world.http.get(f"{base}/{token}/quotes/Q1/receipt/pdf") for base in ("/api/v1/customer-portal/view", "/p")
    )

    text, files = printed(ours)
    decision = world.staff("GET", "/decisions").json()["data"][0]
    assert ours.content == page.content
    assert files == {"receipt.jose": [receipt.encode()]}
    assert b"/ModDate" not in ours.content
    assert all(decision[name] in text for name in ("name", "document_sha256", "consent_text", "user_agent"))
    assert decision["decided_at"].removesuffix("Z")[:19] in text
    assert "A simple electronic signature and nothing more" in text
    assert "/.well-known/jwks.json" in text
    assert "portal verify" in text


def test_a_receipt_on_paper_is_pdf_ua_in_every_language(world: World) -> None:
    accepted(world)

    for language, words in {"en": "Receipt for", "fr": "Reçu du", "de": "Quittung zu", "ar": "إيصال"}.items():
        world.feed(a_client(locale=language))
        reader = PdfReader(io.BytesIO(world.http.get(f"{world.link()}/quotes/Q1/receipt/pdf").content))
        root: Any = reader.trailer["/Root"]
        assert reader.metadata is not None
        assert words in (reader.metadata.title or "")
        assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()


def test_a_declined_quote_has_a_receipt_on_paper_with_its_reason(world: World) -> None:
    link = world.link()
    world.http.post(f"{link}/quotes/Q1/decline", json={"reason": "Too late for us"})

    text, _ = printed(world.http.get(f"{link}/quotes/Q1/receipt/pdf"))

    assert "Declined" in text
    assert "Too late for us" in text
    assert "Agreed to" not in text


def test_there_is_no_receipt_on_paper_without_a_decision_a_key_or_a_printer(world: World) -> None:
    path = "quotes/Q1/receipt/pdf"
    assert code(world.http.get(f"{world.link()}/{path}")) == "not_found"
    assert world.http.get(f"/p/{world.token()}/{path}").status_code == 404
    accepted(world)

    for bare in (
        World(receipts=None, transactions=world.transactions),
        World(printing=False, transactions=world.transactions),
    ):
        assert code(bare.http.get(f"{bare.link()}/{path}")) == "not_found"
        assert bare.http.get(f"/p/{bare.token()}/{path}").status_code == 404
        assert path not in bare.http.get(f"/p/{bare.token()}/quotes/Q1").text


def test_the_decided_quote_links_to_its_receipt_on_paper(world: World) -> None:
    accepted(world)
    page = f"/p/{world.token()}/quotes/Q1"

    assert f'<a href="{page}/receipt/pdf" download>Download the receipt as PDF</a>' in world.http.get(page).text
