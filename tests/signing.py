"""Makes JSON Web Signatures by RFC 7515, with real keys and self-signed certificates."""

import base64
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
HASHES = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@cache
def rsa_key(number: int = 1) -> rsa.RSAPrivateKey:
    """A key, another one for each number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A self-signed certificate, long expired, as ``x5c`` holds one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example School")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2001, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2002, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def sign(
    payload: Any, algorithm: str = "RS256", key: rsa.RSAPrivateKey | None = None, **header: Any
) -> bytes:
    """A JWS in compact serialization; a payload of bytes is signed as it is."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head = json.dumps({"alg": algorithm, **header}).encode()
    text = f"{base64url(head)}.{base64url(content)}"
    hash_ = HASHES.get(algorithm, hashes.SHA256())
    return f"{text}.{base64url((key or rsa_key()).sign(text.encode(), padding.PKCS1v15(), hash_))}".encode()


def sign_with_certificate(payload: Any, algorithm: str = "RS256", **header: Any) -> bytes:
    """The same, with the certificate of the key."""
    return sign(payload, algorithm, x5c=[certificate(rsa_key())], **header)
