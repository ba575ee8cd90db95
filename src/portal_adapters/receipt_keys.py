"""Receipts as compact JWS (RFC 7515) signed with Ed25519 (RFC 8037), and their check, which forgives nothing."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast, final

import jwt
from attrs import field, frozen
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from portal_core.ports import Signer

ALGORITHM: Final = "EdDSA"

TYPE: Final = "decision-receipt+jws"
"""The `typ` of a receipt, so that no other signed thing is taken for one (RFC 8725, section 3.11)."""

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_PART = re.compile(r"[A-Za-z0-9_-]+")
_PURPOSE = b"customer-portal: receipts of decisions"
_SEED_BYTES = 32


class UnfitKey(ValueError):
    """A key cannot sign or check receipts; the message says what is needed."""


class ForgedReceipt(ValueError):
    """A receipt is not as it was signed, or was not signed by a known key; the message says which."""


@final
@frozen
class ReceiptKeys(Signer):
    """Signs with one key, if there is one, and checks with several, each known by its thumbprint (RFC 7638)."""

    signing: Ed25519PrivateKey | None = field(repr=False)
    known: Mapping[str, Ed25519PublicKey]

    def sign(self, statement: str) -> str:
        """Return the statement as a compact JWS."""
        if self.signing is None:
            raise UnfitKey("there is no private key among these, so they check receipts only")
        kid = thumbprint(self.signing.public_key())
        return jwt.PyJWS().encode(statement.encode(), self.signing, ALGORITHM, {"typ": TYPE, "kid": kid})

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set (RFC 7517)."""
        return {"keys": [{**_jwk(key), "kid": kid, "use": "sig", "alg": ALGORITHM} for kid, key in self.known.items()]}

    def checked(self, receipt: str) -> tuple[str, str]:
        """Return the statement of a receipt and the id of the key that signed it; else raise ForgedReceipt."""
        parts = receipt.split(".")
        if len(parts) != 3:  # noqa: PLR2004 - header, payload and signature
            raise ForgedReceipt("it is no compact JWS")
        header, payload, signature = map(_strictly_decoded, parts)
        kid = self._kid_of(header)
        try:
            self.known[kid].verify(signature, receipt.rpartition(".")[0].encode())
        except InvalidSignature:
            raise ForgedReceipt("it was changed after it was signed") from None
        return payload.decode(), kid

    def _kid_of(self, header: bytes) -> str:
        try:
            said: object = json.loads(header)
        except (ValueError, RecursionError):
            raise ForgedReceipt("its header is no JSON") from None
        kid = cast("dict[str, object]", said).get("kid") if isinstance(said, dict) else None
        if said != {"alg": ALGORITHM, "typ": TYPE, "kid": kid} or not isinstance(kid, str):
            raise ForgedReceipt("its header is not that of a receipt")
        if kid not in self.known:
            raise ForgedReceipt(f"it was signed by a key that is not known here: {kid!r}")
        return kid


def receipt_keys(text: str) -> ReceiptKeys:
    """Return the keys in one or several PEM texts: the first private one signs, all of them check. Raises UnfitKey."""
    keys = [_of_pem(found[0], found[1]) for found in _PEM.finditer(text)]
    if not keys:
        raise UnfitKey("there is no key in PEM")
    return _keys(keys)


def derived_receipt_keys(secret: str) -> ReceiptKeys:
    """Return a key made out of another secret, of which it tells nothing: always the same one (HKDF, RFC 5869)."""
    seed = HKDF(SHA256(), _SEED_BYTES, salt=None, info=_PURPOSE).derive(secret.encode())
    return _keys([Ed25519PrivateKey.from_private_bytes(seed)])


def published_keys(text: str) -> ReceiptKeys:
    """Return the keys of a JWK set, as `/.well-known/jwks.json` shows it, to check receipts with. Raises UnfitKey."""
    try:
        listed = cast("dict[str, Any]", json.loads(text))["keys"]
        keys = [Ed25519PublicKey.from_public_bytes(_strictly_decoded(each["x"])) for each in listed if _is_ours(each)]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise UnfitKey("this is no JWK set") from None
    if not keys:
        raise UnfitKey("the JWK set holds no Ed25519 key")
    return _keys(keys)


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return what a key is known by: the SHA-256 of its required members in their order (RFC 7638, RFC 8037)."""
    members = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    return _encoded(hashlib.sha256(members.encode()).digest())


def _keys(keys: Sequence[Ed25519PrivateKey | Ed25519PublicKey]) -> ReceiptKeys:
    signing = next((key for key in keys if isinstance(key, Ed25519PrivateKey)), None)
    return ReceiptKeys(signing, {thumbprint(key): key for key in _public(keys)})


def _public(keys: Iterable[Ed25519PrivateKey | Ed25519PublicKey]) -> Iterable[Ed25519PublicKey]:
    return (key.public_key() if isinstance(key, Ed25519PrivateKey) else key for key in keys)


def _of_pem(pem: str, kind: str) -> Ed25519PrivateKey | Ed25519PublicKey:
    try:
        key: object = (
            load_pem_private_key(pem.encode(), password=None)
            if "PRIVATE" in kind
            else load_pem_public_key(pem.encode())
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise UnfitKey(f"a key in PEM cannot be read: {problem}") from None
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise UnfitKey("receipts are signed with Ed25519; make a key by `openssl genpkey -algorithm ed25519`")
    return key


def _is_ours(key: object) -> bool:
    members = cast("dict[str, object]", key) if isinstance(key, dict) else {}
    return (members.get("kty"), members.get("crv")) == ("OKP", "Ed25519")


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _encoded(key.public_bytes_raw())}


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _strictly_decoded(part: str) -> bytes:
    """Return the bytes of base64url without padding; there is one way to write them, and no other is taken."""
    if _PART.fullmatch(part) is None:
        raise ForgedReceipt("it holds what is not base64url")
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise ForgedReceipt("it holds what is not base64url") from None
    if _encoded(content) != part:
        raise ForgedReceipt("it is written in another way than it was signed")
    return content
