"""Forged and malformed staff tokens: none is accepted, none makes the server fail, and they are counted."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import HMACAlgorithm

from portal_adapters.admin_jwt import AdminTokens, Algorithm, admin_tokens
from portal_adapters.rate_limits import rate_limits
from portal_http.app import create_app
from portal_http.options import Options
from portal_http.runners import InlineRunner
from tests.http.world import AUDIENCE, BASE, KEY, UNLIMITED, Reply, World, bearer, code, full_world

NOW = datetime.now(UTC)
RSA, EC, ED = (
    generate_rsa_key(public_exponent=65537, key_size=2048),
    generate_ec_key(SECP256R1()),
    Ed25519PrivateKey.generate(),
)
LARGE = '{"alg": 1e999}'
HS256 = {"alg": "HS256", "typ": "JWT"}
SIGNERS: dict[Algorithm, Any] = {"HS256": KEY, "RS256": RSA, "ES256": EC, "EdDSA": ED}
CLAIMS: dict[str, Any] = {
    "iss": "tests",
    "aud": AUDIENCE,
    "sub": "ada",
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + timedelta(hours=1)).timestamp()),
    "company_id": "acme",
    "scope": "portal:admin",
}


def pem(algorithm: Algorithm) -> str:
    if algorithm == "HS256":
        return KEY
    made: bytes = SIGNERS[algorithm].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made.decode()


def b64(content: bytes | str | dict[str, Any]) -> str:
    raw = json.dumps(content) if isinstance(content, dict) else content
    return base64.urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], claims: bytes | str | dict[str, Any], key: str | bytes = KEY) -> str:
    """Return what is signed with HS256, whatever its header says."""
    said = f"{b64(header)}.{b64(claims)}"
    secret = key.encode() if isinstance(key, str) else key
    return f"{said}.{b64(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"


def sign(algorithm: Algorithm, claims: dict[str, Any], **header: Any) -> str:
    """Return what `jwt.encode` would refuse to make of some claims."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), SIGNERS[algorithm], algorithm, headers=header or None)


def forged(algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    """Yield what each forgery is, and the forgery: of a server that takes one algorithm."""
    yield from forged_algorithms(algorithm)
    yield from forged_headers(algorithm)
    yield from forged_claims(algorithm)
    yield from broken(algorithm)


def forged_algorithms(algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    public = pem(algorithm)
    _, body, signature = sign(algorithm, CLAIMS).split(".")
    for spelling in ("none", "None", "NONE", "nOnE"):
        yield f"alg {spelling}", f"{b64({'alg': spelling, 'typ': 'JWT'})}.{body}."
        yield f"alg {spelling}, signed", f"{b64({'alg': spelling})}.{body}.{signature}"
    yield "the public key as a secret", by_hand(HS256, CLAIMS, public if algorithm != "HS256" else "public")
    yield "the public key with a line end as a secret", by_hand(HS256, CLAIMS, public + "\n")
    yield "an empty secret", by_hand(HS256, CLAIMS, b"")
    yield "a zero byte as a secret", by_hand(HS256, CLAIMS, b"\0")
    for other, key in SIGNERS.items():
        if other != algorithm:
            yield f"another algorithm: {other}", jwt.encode(CLAIMS, key, algorithm=other)
    yield "a longer hash", by_hand({"alg": "HS512"}, CLAIMS)
    yield "no algorithm", f"{b64({'typ': 'JWT'})}.{body}.{signature}"
    yield "an algorithm that is a number", f"{b64({'alg': 1})}.{body}.{signature}"
    yield "an algorithm that is a list", f"{b64({'alg': [algorithm]})}.{body}.{signature}"
    yield "an algorithm that is an object", f"{b64({'alg': {}})}.{body}.{signature}"
    yield "an algorithm in lower case", f"{b64({'alg': algorithm.lower()})}.{body}.{signature}"


def forged_headers(algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    _, body, signature = sign(algorithm, CLAIMS).split(".")
    mine = "a secret of the forger's, long enough for HS256"
    stated = HMACAlgorithm.to_jwk(mine, as_dict=True)
    yield "a key of its own in the header", by_hand({**HS256, "jwk": stated}, CLAIMS, mine)
    yield "a key at an address", by_hand({**HS256, "jku": "https://evil.example/keys"}, CLAIMS, mine)
    yield "a certificate at an address", by_hand({**HS256, "x5u": "https://evil.example/cert"}, CLAIMS, mine)
    for kid in ("../../dev/null", "' OR 1=1 --", "\0", 7, ["a"], {"a": 1}):
        yield f"a key id of {kid!r}", by_hand({**HS256, "kid": kid}, CLAIMS, b"\0" * 32)
    yield "another secret", by_hand(HS256, CLAIMS, mine)
    yield "another type", sign(algorithm, CLAIMS, typ="id+jwt")
    yield "a type that is a number", sign(algorithm, CLAIMS, typ=7)
    yield "a type of nothing", by_hand({"alg": "HS256", "typ": None}, CLAIMS)
    yield "something critical that is unknown", sign(algorithm, CLAIMS, crit=["exp"], exp=1)
    yield "an empty critical list", sign(algorithm, CLAIMS, crit=[])
    yield "a payload apart", f"{b64({'alg': algorithm, 'b64': False, 'crit': ['b64']})}..{signature}"
    yield "a header that is a list", f"{b64('[]')}.{body}.{signature}"
    yield "a header that is deep", f"{b64('[' * 5_000)}.{body}.{signature}"
    yield "a header with a number too large", f"{b64(LARGE)}.{body}.{signature}"


def broken(algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    good = sign(algorithm, CLAIMS)
    head, body, signature = good.split(".")
    yield "no signature", f"{head}.{body}."
    yield "a signature cut short", good[:-4]
    yield "a signature of something else", f"{head}.{b64({**CLAIMS, 'sub': 'root'})}.{signature}"
    yield "a signature of zeros", f"{head}.{body}.{b64(bytes(64))}"
    yield "one part", "eyJhbGciOiJIUzI1NiJ9"
    yield "four parts", f"{good}.{signature}"
    yield "five parts", f"{good}.{head}.{body}"
    yield "dots alone", "." * 2_000
    yield "something long", "a" * 20_000
    yield "no base64", f"{head}.!!!.{signature}"
    yield "a space within", f"{head}. {body}.{signature}"
    yield "padding", f"{good}="
    yield "padding within", by_parts(f"{head}=", f"{body}=") if algorithm == "HS256" else f"{head}=.{body}.{signature}"
    yield "something passed over in the signature", f"{head}.{body}.{signature[:9]}!{signature[9:]}"
    yield "a line end in the signature", f"{head}.{body}.{signature[:9]}\n{signature[9:]}"
    yield "plain base64", f"{head}.{body}.{signature[:9]}+/{signature[9:]}"
    yield "a last character with bits to spare", respelled(good)


def forged_claims(algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    head, _, signature = sign(algorithm, CLAIMS).split(".")

    def change(**claims: Any) -> str:
        return sign(algorithm, {**CLAIMS, **claims})

    for name in ("iss", "aud", "sub", "iat", "exp", "company_id"):
        yield f"no {name}", sign(algorithm, {each: value for each, value in CLAIMS.items() if each != name})
    yield "another issuer", change(iss="else")
    yield "an issuer that is a list", change(iss=["tests"])
    yield "an issuer that is nothing", change(iss=None)
    yield "another audience", change(aud="else")
    yield "an audience that is an object", change(aud={"portal": 1})
    yield "expired", change(exp=int(NOW.timestamp()) - 60)
    yield "never expiring", change(exp=None)
    yield "expiring at a text", change(exp=str(CLAIMS["exp"]))
    yield "expiring at infinity", f"{head}.{b64(json.dumps({**CLAIMS, 'exp': float('inf')}))}.{signature}"
    yield "expiring too far to count", change(exp=10**400)
    yield "issued in the future", change(iat=int(NOW.timestamp()) + 600)
    yield "not valid yet", change(nbf=int(NOW.timestamp()) + 600)
    yield "valid from a list on", change(nbf=[])
    yield "a subject that is empty", change(sub="")
    yield "a subject that is a number", change(sub=7)
    yield "a subject with a line end", change(sub="ada\nroot")
    yield "a subject that is endless", change(sub="x" * 256)
    yield "a company that cannot be one", change(company_id="../acme")
    yield "a company that is an object", change(company_id={"id": "acme"})
    yield "no companies", change(company_ids=[])
    yield "companies with one that cannot be", change(company_ids=["acme", 7])
    yield "claims that are a list", by_hand(HS256, "[]")
    yield "claims that are no JSON", by_hand(HS256, "{")


def by_parts(head: str, body: str) -> str:
    """Return what is rightly signed, with parts that are written wrongly."""
    said = f"{head}.{body}"
    return f"{said}.{b64(hmac.new(KEY.encode(), said.encode(), hashlib.sha256).digest())}"


def respelled(token: str) -> str:
    """Return a token whose last character differs in bits that a lax reader passes over."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def world_of(admins: AdminTokens) -> World:
    world = full_world()
    world.app = create_app(
        InlineRunner(world.transactions),
        clock=world.clock,
        admins=admins,
        limits=rate_limits("memory://"),
        options=UNLIMITED,
    )
    world.http = type(world.http)(world.app, raise_server_exceptions=False)
    return world


@pytest.mark.parametrize("algorithm", list(SIGNERS))
def test_no_forgery_is_accepted_and_none_makes_the_server_fail(algorithm: Algorithm) -> None:
    world = world_of(admin_tokens(key=pem(algorithm), algorithm=algorithm, audience=AUDIENCE, issuer="tests"))
    corpus = list(forged(algorithm))
    right = jwt.encode(CLAIMS, SIGNERS[algorithm], algorithm=algorithm)

    def ask(token: str) -> Reply:
        return world.http.get(f"{BASE}/tokens", headers={b"Authorization": f"Bearer {token}".encode()})

    assert len(corpus) >= 60
    assert ask(right).status_code == 200
    for name, token in corpus:
        answer = ask(token)
        assert (answer.status_code, code(answer)) == (401, "unauthorized"), name
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert token not in answer.text


@pytest.mark.parametrize(
    "field",
    ["", "Bearer", "Bearer ", "Basic YTpi", "bearer", "Token x", "Bearer\tx", "Bearer x y", "é", "Bearer é"],
)
def test_a_field_without_a_bearer_token_is_refused(world: World, field: str) -> None:
    answer = world.http.get(f"{BASE}/tokens", headers={b"Authorization": field.encode()})

    assert (answer.status_code, code(answer)) == (401, "unauthorized")


def test_a_field_that_came_twice_is_refused(world: World) -> None:
    fields = [("Authorization", f"Bearer {bearer()}")] * 2

    assert world.http.get(f"{BASE}/tokens", headers=fields).status_code == 401


def test_failed_calls_of_staff_are_counted_by_address_and_right_ones_still_served() -> None:
    world = full_world(Options(guesses_per_minute=3, trusted_proxies=("192.0.2.0/24",)))
    world.http = type(world.http)(world.app, client=("192.0.2.1", 4000))

    def ask(token: str, address: str) -> Reply:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        return world.http.get(f"{BASE}/tokens", headers=headers)

    assert [ask("x", "2001:db8::1").status_code for _ in range(3)] == [401, 401, 401]
    refused = ask("x", "2001:db8::2")
    assert (refused.status_code, code(refused)) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) >= 1
    assert "x-ratelimit-limit" not in refused.headers
    assert "www-authenticate" not in refused.headers
    assert ask("x", "203.0.113.9").status_code == 401
    assert ask(bearer(), "2001:db8::2").status_code == 200
    assert ask(bearer(scope="other"), "2001:db8::2").status_code == 403
    guess = world.http.get(f"{BASE}/view/x", headers={"X-Forwarded-For": "2001:db8::1"})
    assert guess.status_code == 404
