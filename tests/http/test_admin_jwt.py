"""Staff's bearer tokens are checked in every way."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal_adapters.admin_jwt import Algorithm, WeakKey, admin_tokens, mint_admin_token
from tests.http.world import Reply

KEY = "0123456789abcdef" * 4
NOW = datetime.now(UTC)
CLAIMS: dict[str, Any] = {
    "iss": "erp",
    "aud": "portal",
    "sub": "ada",
    "iat": NOW,
    "exp": NOW + timedelta(hours=12),
    "company_id": "acme",
    "scope": "portal:read",
}

CHECK = admin_tokens(key=KEY, audience="portal", issuer="erp")


def signed(claims: dict[str, Any], *, key: Reply = KEY, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=header)


def without(name: str) -> dict[str, Any]:
    return {each: value for each, value in CLAIMS.items() if each != name}


def test_a_right_token_tells_its_claims() -> None:
    claims = CHECK.claims(signed({**CLAIMS, "aud": ["other", "portal"]}))

    assert claims is not None
    assert (claims["sub"], claims["company_id"], claims["scope"]) == ("ada", "acme", "portal:read")


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_the_type_is_left_out_or_one_of_an_access_token(kind: str | None) -> None:
    assert CHECK.claims(signed(CLAIMS, typ=kind)) is not None


@pytest.mark.parametrize(
    "token",
    [
        *(signed(without(name)) for name in ("iss", "aud", "sub", "iat", "exp")),
        signed({**CLAIMS, "iss": "else"}),
        signed({**CLAIMS, "aud": "else"}),
        signed({**CLAIMS, "exp": NOW - timedelta(minutes=1)}),
        signed({**CLAIMS, "exp": "soon"}),
        signed({**CLAIMS, "iat": NOW + timedelta(hours=5)}),
        signed({**CLAIMS, "nbf": NOW + timedelta(hours=5)}),
        signed({**CLAIMS, "sub": ""}),
        signed({**CLAIMS, "sub": "x" * 256}),
        signed({**CLAIMS, "sub": "a\0b"}),
        signed(CLAIMS, typ="id+jwt"),
        signed(CLAIMS, key=KEY[::-1]),
        signed(CLAIMS, algorithm="HS384"),
        jwt.encode(CLAIMS, "", algorithm="none"),
        signed(CLAIMS) + "x",
        signed(CLAIMS).rpartition(".")[0] + ".",
        "",
        "a.b.c",
        "é",
        "." * 5_000,
    ],
)
def test_a_token_that_is_wrong_in_any_way_is_none(token: str) -> None:
    assert CHECK.claims(token) is None


@pytest.mark.parametrize("issuer", [7, True, None, ["erp"], {"erp": 1}, "", "a\0b", "x" * 256])
def test_an_issuer_is_a_name_even_where_any_will_do(issuer: object) -> None:
    anybody = admin_tokens(key=KEY, audience="portal")
    claims = {**CLAIMS, "iss": issuer, "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60}

    token = jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, "HS256")

    assert anybody.claims(signed(CLAIMS)) is not None
    assert anybody.claims(token) is None


@pytest.mark.parametrize(
    "algorithm,private",
    [
        ("RS256", generate_rsa_key(public_exponent=65537, key_size=2048)),
        ("ES256", generate_private_key(SECP256R1())),
        ("EdDSA", Ed25519PrivateKey.generate()),
    ],
)
def test_public_keys_check_what_private_keys_signed(algorithm: Algorithm, private: Reply) -> None:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    check = admin_tokens(key=pem, algorithm=algorithm, audience="portal")

    assert check.claims(signed(CLAIMS, key=private, algorithm=algorithm)) is not None
    assert check.claims(signed(CLAIMS)) is None
    with pytest.raises(WeakKey):
        admin_tokens(key=pem, audience="portal")


def test_a_key_that_is_weak_or_of_another_kind_is_refused() -> None:
    weak = generate_rsa_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505 - that is the point
    other = generate_private_key(SECP384R1()).public_key()
    pems = [each.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for each in (weak, other)]

    for key, algorithm in ((KEY[:31], "HS256"), (pems[0], "RS256"), (pems[1], "ES256"), (KEY, "RS256"), (KEY, "EdDSA")):
        with pytest.raises(WeakKey):
            admin_tokens(key=key, algorithm=algorithm, audience="portal")  # type: ignore[arg-type] # any text


def test_a_development_token_passes_the_check() -> None:
    told: dict[str, Any] = {
        "audience": "portal",
        "issuer": "erp",
        "subject": "ada",
        "scope": "portal:admin",
        "now": NOW,
    }

    one = CHECK.claims(mint_admin_token(key=KEY, company_ids=["acme"], **told))
    two = CHECK.claims(mint_admin_token(key=KEY, company_ids=["acme", "umbrella"], **told))

    assert one is not None
    assert two is not None
    assert (one["company_id"], two["company_ids"]) == ("acme", ["acme", "umbrella"])


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(CHECK)
