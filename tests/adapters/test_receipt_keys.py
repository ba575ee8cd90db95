"""Receipts are what was signed and nothing else, as other libraries find too."""

import base64
import json
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.jwk import KeySet

from portal_adapters.receipt_keys import (
    TYPE,
    ForgedReceipt,
    ReceiptKeys,
    UnfitKey,
    derived_receipt_keys,
    published_keys,
    receipt_keys,
)

# RFC 9864 would rather have "Ed25519" as the algorithm's name, which few libraries know yet.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

STATEMENT = '{"answer":"accepted","name":"Zoë 😀","decided_at":"2026-01-31T12:00:00Z"}'
KEYS = derived_receipt_keys("a secret of thirty-two bytes, or more")
RECEIPT = KEYS.sign(STATEMENT)


def pem(key: Ed25519PrivateKey | RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def kid(keys: ReceiptKeys) -> str:
    return keys.jwks()["keys"][0]["kid"]


def flipped(receipt: str, bit: int) -> bytes:
    content = bytearray(receipt.encode())
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


def is_taken(keys: ReceiptKeys, receipt: bytes) -> bool:
    try:
        keys.checked(receipt.decode("utf-8", errors="replace"))
    except ForgedReceipt:
        return False
    return True


def test_what_was_signed_is_read_back_and_is_the_same_each_time() -> None:
    assert KEYS.checked(RECEIPT) == (STATEMENT, kid(KEYS))
    assert KEYS.sign(STATEMENT) == RECEIPT


def test_another_library_checks_it_with_the_published_keys() -> None:
    published = KeySet.import_key_set(json.loads(json.dumps(KEYS.jwks())))

    read = jws.deserialize_compact(RECEIPT, published, algorithms=["EdDSA"])

    assert read.payload.decode() == STATEMENT
    assert read.headers() == {"alg": "EdDSA", "typ": TYPE, "kid": kid(KEYS)}


def test_a_key_is_known_by_its_thumbprint() -> None:
    published = KeySet.import_key_set(json.loads(json.dumps(KEYS.jwks())))

    assert [key.thumbprint() for key in published.keys] == [kid(KEYS)]


def test_every_single_bit_counts() -> None:
    bits = len(RECEIPT) * 8

    assert [bit for bit in range(bits) if is_taken(KEYS, flipped(RECEIPT, bit))] == []


@pytest.mark.long
def test_ten_thousand_receipts_with_a_bit_flipped_are_refused() -> None:
    chance = random.Random(7)  # noqa: S311 - a test that can be repeated

    for number in range(10_000):
        receipt = KEYS.sign(STATEMENT.replace("Zoë", f"Zoë {number}"))
        assert is_taken(KEYS, receipt.encode())
        assert not is_taken(KEYS, flipped(receipt, chance.randrange(len(receipt) * 8)))


@pytest.mark.parametrize(
    "receipt",
    [
        "",
        "a.b",
        f"{RECEIPT}\n",
        f"{RECEIPT}=",
        f" {RECEIPT}",
        f"{RECEIPT}.x",
        RECEIPT.replace(".", ". ", 1),
        RECEIPT.replace(".", "==.", 1),
        f"{RECEIPT.rpartition('.')[0]}.",
        "W10.e30.AAAA",
        "bnVsbA.e30.AAAA",
        "e30.e30.AAAA",
        "ew.e30.AAAA",
        "A.e30.AAAA",
    ],
)
def test_it_is_written_in_one_way_only(receipt: str) -> None:
    with pytest.raises(ForgedReceipt):
        KEYS.checked(receipt)


@pytest.mark.parametrize(
    "change",
    [{"alg": "none"}, {"alg": "HS256"}, {"typ": "JWT"}, {"crit": ["x"]}, {"kid": 7}, {"kid": "unknown"}, {"jku": "x"}],
)
def test_another_header_is_refused_whoever_signed_it(change: dict[str, object]) -> None:
    header = {"alg": "EdDSA", "typ": TYPE, "kid": kid(KEYS)} | change
    assert KEYS.signing is not None
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    said = f"{head}.{RECEIPT.split('.')[1]}"
    signature = base64.urlsafe_b64encode(KEYS.signing.sign(said.encode())).rstrip(b"=").decode()

    with pytest.raises(ForgedReceipt):
        KEYS.checked(f"{said}.{signature}")


def test_another_key_of_the_same_form_does_not_do() -> None:
    with pytest.raises(ForgedReceipt, match="not known here"):
        derived_receipt_keys("another secret").checked(RECEIPT)


def test_earlier_receipts_are_still_right_when_keys_follow_one_another() -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    earlier = receipt_keys(pem(old)).sign(STATEMENT)

    rotated = receipt_keys(f"{pem(new)}\n{public_pem(old)}")

    assert rotated.checked(earlier)[0] == rotated.checked(rotated.sign(STATEMENT))[0] == STATEMENT
    assert rotated.sign(STATEMENT) == receipt_keys(pem(new)).sign(STATEMENT)
    assert len(rotated.jwks()["keys"]) == 2


def test_the_published_keys_check_and_sign_nothing() -> None:
    keys = published_keys(json.dumps(KEYS.jwks()))

    assert keys.checked(RECEIPT)[0] == STATEMENT
    with pytest.raises(UnfitKey):
        keys.sign(STATEMENT)


def test_no_private_part_is_published_or_shown() -> None:
    assert [set(key) for key in KEYS.jwks()["keys"]] == [{"kty", "crv", "x", "kid", "use", "alg"}]
    assert "PrivateKey" not in repr(KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "a word",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        pem(generate_private_key(65537, 2048)),
    ],
)
def test_a_key_that_cannot_sign_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UnfitKey):
        receipt_keys(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [{}]}', '{"keys": [7]}', '{"keys": []}'])
def test_what_is_no_set_of_keys_is_refused(text: str) -> None:
    with pytest.raises(UnfitKey):
        published_keys(text)
