"""The keys of staff's tokens: one or several, each strong, and none that should be elsewhere."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt import InvalidKeyError
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

from portal_adapters.admin_jwt import Algorithm, WeakKey, admin_tokens, mint_admin_token
from portal_adapters.admin_keys import keys_of
from portal_http.settings import settings_of
from tests.http.world import Reply

NOW = datetime.now(UTC)
OLD, NEW, OTHER = "the old secret, which is long enough", "the new secret, which is long enough", "somebody else's" * 3
CLAIMS: dict[str, Any] = {
    "iss": "erp",
    "aud": "portal",
    "sub": "ada",
    "iat": NOW,
    "exp": NOW + timedelta(hours=1),
    "company_id": "acme",
}
RSA, OTHER_RSA = (generate_rsa_key(public_exponent=65537, key_size=2048) for _ in range(2))
WEAK_RSA = generate_rsa_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
EC, OTHER_CURVE = generate_ec_key(SECP256R1()), generate_ec_key(SECP384R1())
ED = Ed25519PrivateKey.generate()


def secret(text: str, **more: Any) -> dict[str, Any]:
    return {**HMACAlgorithm.to_jwk(text, as_dict=True), **more}


def rsa(key: Reply, **more: Any) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key, as_dict=True), **more}


def a_set(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})


def passes(key: str, signer: Reply, algorithm: Algorithm = "HS256", **header: Any) -> bool:
    token = jwt.encode(CLAIMS, signer, algorithm=algorithm, headers=header)
    return admin_tokens(key=key, algorithm=algorithm, audience="portal").claims(token) is not None


def test_while_one_key_follows_another_both_hold_and_each_by_its_id() -> None:
    both = a_set(secret(OLD, kid="old"), secret(NEW, kid="new"))

    assert passes(both, OLD, kid="old")
    assert passes(both, NEW, kid="new")
    assert not passes(both, OLD, kid="new")
    assert not passes(both, NEW, kid="old")
    assert not passes(both, OTHER, kid="old")
    for kid in ("", "older", "../old", "0", "x" * 5_000):
        assert not passes(both, OLD, kid=kid)
    assert not passes(both, OLD)
    assert not passes(a_set(secret(NEW, kid="new")), OLD, kid="old")


def test_the_only_key_answers_for_tokens_that_name_none() -> None:
    assert passes(a_set(secret(OLD, kid="old")), OLD)
    assert passes(a_set(secret(OLD)), OLD, kid="whatever")
    assert passes(json.dumps(secret(OLD)), OLD)
    assert passes(OLD, OLD, kid="whatever")


@pytest.mark.parametrize(
    "algorithm,private,stated",
    [
        ("RS256", RSA, rsa(RSA.public_key(), kid="a")),
        ("ES256", EC, {**ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": "a"}),
        ("EdDSA", ED, {**OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True), "kid": "a"}),
    ],
)
def test_a_set_may_hold_public_keys_beside_others_that_are_for_something_else(
    algorithm: Algorithm, private: Reply, stated: dict[str, Any]
) -> None:
    rest = (secret(OTHER, kid="b"), {**stated, "kid": "c", "use": "enc"}, {"kty": "??", "kid": "d"})

    assert passes(a_set(stated, *rest), private, algorithm, kid="a")
    assert not passes(a_set(stated, *rest), private, algorithm, kid="c")
    check = admin_tokens(key=a_set(stated, *rest), algorithm=algorithm, audience="portal")
    assert check.claims(jwt.encode(CLAIMS, OTHER, headers={"kid": "b"})) is None


def test_two_public_keys_hold_side_by_side() -> None:
    both = a_set(rsa(RSA.public_key(), kid="old", alg="RS256"), rsa(OTHER_RSA.public_key(), kid="new", use="sig"))

    assert passes(both, RSA, "RS256", kid="old")
    assert passes(both, OTHER_RSA, "RS256", kid="new")
    assert not passes(both, RSA, "RS256", kid="new")


PRIVATE_PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "algorithm,key,said",
    [
        ("HS256", "x" * 31, "at least 32 bytes; it has 31"),
        ("HS256", a_set(secret(OLD, kid="a"), secret("short", kid="b")), "at least 32 bytes; it has 5"),
        ("HS256", a_set(secret(OLD), secret(NEW, kid="b")), "`kid` of its own"),
        ("HS256", a_set(secret(OLD, kid="a"), secret(NEW, kid="a")), "`kid` of its own"),
        ("HS256", a_set(secret(OLD, kid=7)), "is a text"),
        ("HS256", a_set(), "holds no key"),
        ("HS256", a_set(rsa(RSA.public_key(), kid="a")), "holds no key"),
        ("HS256", '{"keys": 7}', "are a list"),
        ("HS256", '{"keys": [7]}', "are a list"),
        ("HS256", '{"keys": ', "is no JWK set"),
        ("HS256", '{"keys":' * 20_000, "is no JWK set"),
        ("HS256", a_set({"kty": "oct", "kid": "a"}), "none for HS256"),
        ("HS256", PUBLIC_PEM, "none for HS256"),
        ("RS256", a_set(rsa(WEAK_RSA.public_key())), "at least 2048 bits; it has 1024"),
        ("RS256", a_set(rsa(RSA, key_ops=["sign", "verify"])), "private key"),
        ("RS256", PRIVATE_PEM, "private key"),
        ("RS256", PUBLIC_PEM + PUBLIC_PEM, "one PEM text holds one key"),
        ("RS256", a_set({"kty": "RSA", "n": "AQ"}), "none for RS256"),
        ("ES256", a_set(ECAlgorithm.to_jwk(OTHER_CURVE.public_key(), as_dict=True)), "none for ES256"),
        ("EdDSA", a_set(OKPAlgorithm.to_jwk(ED, as_dict=True)), "private key"),
    ],
)
def test_a_key_that_cannot_protect_anything_is_refused_with_a_sentence(
    algorithm: Algorithm, key: str, said: str
) -> None:
    with pytest.raises(WeakKey, match=said):
        admin_tokens(key=key, algorithm=algorithm, audience="portal")


@pytest.mark.parametrize("text", [OLD, PUBLIC_PEM, a_set(secret(OLD, kid="a"), secret(NEW, kid="b"))])
def test_the_setting_holds_a_key_or_names_the_file_that_does(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(f"{text}\n")

    for value in (text, f"@{file}"):
        assert settings_of({}, {"PORTAL_ADMIN_JWT_KEY": value}).admin_jwt_key == text.strip()


def test_a_development_token_is_signed_with_the_first_key_of_a_set() -> None:
    both = a_set(secret(OLD, kid="old"), secret(NEW, kid="new"))
    token = mint_admin_token(
        key=both, audience="portal", issuer="erp", subject="ada", company_ids=["acme"], scope="portal:read", now=NOW
    )

    assert jwt.get_unverified_header(token)["kid"] == "old"
    assert admin_tokens(key=both, audience="portal").claims(token) is not None


def test_no_key_is_shown() -> None:
    check = admin_tokens(key=a_set(secret(OLD, kid="old"), secret(NEW, kid="new")), audience="portal")

    assert OLD not in repr(check)
    assert OLD not in repr(check.keys)


@given(
    st.one_of(
        st.from_regex(r"[A-Za-z0-9+/=_-]{32,100}", fullmatch=True),
        st.from_regex(r"(ssh-|ecdsa-|-----BEGIN |\{|\[|\")[!-~ ]{32,100}", fullmatch=True),
    )
)
def test_a_secret_is_taken_as_pyjwt_takes_it_or_not_at_all(text: str) -> None:
    try:
        prepared = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(text)
    except InvalidKeyError:
        with pytest.raises(WeakKey):
            keys_of(text, "HS256")
    else:
        assert text.lstrip().startswith("{") or keys_of(text, "HS256").first == (None, prepared)
