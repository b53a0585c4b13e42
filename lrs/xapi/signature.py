"""Signed statements: the JSON Web Signature that comes as an attachment is checked, as the standard asks.

What is checked shows mistakes, not who signed: nothing is asked of the certificate itself
(its dates, its chain, its issuer). Without a certificate there is no key, so only the form
and the payload are checked.

Spec: xAPI 1.0.3 Data 2.6 (signatures), 2.3.1 (comparison); RFC 7515.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from lrs.errors import LrsError
from lrs.xapi.fingerprint import digest_properties
from lrs.xapi.reader import ReadLimits, read_json
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
"""The usageType of an attachment that is a signature."""

_COMPACT = re.compile(rb"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
_ALGORITHMS: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}
)
_MAX_HEADER_DEPTH = 16

Json = Mapping[str, Any]


class Fault(NamedTuple):
    """What is wrong with a signature: the rule that it breaks, and how."""

    rule: str
    message: str


class _Refused(Exception):
    """One step found the signature wanting."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(rule, message)


def is_signature(attachment: Json) -> bool:
    """Tell whether an attachment's metadata says that it is a signature."""
    return bool(attachment["usageType"] == SIGNATURE)


@dataclass(frozen=True, slots=True)
class _Comparable:
    """What of a statement counts when it is compared with a signed one."""

    id: str | None
    properties: Mapping[str, bytes]


class SignatureChecker:
    """Checks the signatures of one request.

    Each is read once, and each statement is made comparable once, however many of the one name
    the other: so the work stays in proportion to the body.
    """

    def __init__(self, version: Version, limits: ReadLimits) -> None:
        """Take whose rules a payload is held to, and what it may hold."""
        self._version = version
        self._limits = limits
        self._signed: dict[str, _Comparable | Fault] = {}
        self._statements: dict[int, _Comparable] = {}

    def check(self, sha2: str, jws: bytes, index: int, statement: Json) -> Fault | None:
        """Find what is wrong with a statement's signature.

        Args:
            sha2: What tells the signature from the request's others.
            jws: The attachment's bytes.
            index: What tells the statement from the request's others.
            statement: The valid statement that carries it, its signatures included.

        Returns:
            The first fault; None where the signature is good.

        Spec: xAPI 1.0.3 Data 2.6
        """
        if sha2 not in self._signed:
            self._signed[sha2] = self._read(jws)
        if index not in self._statements:
            self._statements[index] = _comparable(statement)
        signed = self._signed[sha2]
        if isinstance(signed, Fault):
            return signed
        return _find_difference(signed, self._statements[index])

    def _read(self, jws: bytes) -> _Comparable | Fault:
        """Return the signed statement of a good signature."""
        try:
            header, payload = _open(jws, self._limits)
            signed = _read_payload(payload, self._version, self._limits)
            _verify(jws, header)
        except _Refused as refused:
            return refused.fault
        return _comparable(signed)


def _open(jws: bytes, limits: ReadLimits) -> tuple[dict[str, Any], bytes]:
    """Return the header and the payload of a JWS in compact serialization."""
    match = _COMPACT.fullmatch(jws)
    if match is None:
        raise _Refused(
            "signature.form", "This is not a JWS in compact serialization: three parts in base64url, by dots."
        )
    try:
        header = read_json(_decode(match[1]), _header_limits(limits))
    except LrsError as error:
        raise _Refused("signature.form", f"The header of the JWS cannot be read: {error.detail}") from error
    if not isinstance(header, dict):
        raise _Refused("signature.form", "The header of the JWS is not a JSON object.")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise _Refused(
            "signature.algorithm",
            "The algorithm of the JWS must be RS256, RS384 or RS512, in its header's alg.",
        )
    if "crit" in header:
        raise _Refused("signature.form", "The JWS demands extensions (crit) that are not spoken here.")
    _decode(match[3])
    return header, _decode(match[2])


def _header_limits(limits: ReadLimits) -> ReadLimits:
    return ReadLimits(limits.max_body_bytes, _MAX_HEADER_DEPTH, 1)


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise _Refused("signature.form", "A part of the JWS is not base64url.") from error


def _read_payload(payload: bytes, version: Version, limits: ReadLimits) -> Json:
    try:
        signed = read_json(payload, limits)
    except LrsError as error:
        raise _Refused(
            "signature.payload", f"The payload of the JWS cannot be read: {error.detail}"
        ) from error
    problems = validate_statement(signed, version)
    if problems or not isinstance(signed, dict):
        where = f" at {problems[0].path}" if problems[0].path else ""
        raise _Refused(
            "signature.payload", f"The signed statement is not valid{where}: {problems[0].message}"
        )
    return signed


def _comparable(statement: Json) -> _Comparable:
    return _Comparable(statement.get("id"), digest_properties(_bare(statement)))


def _find_difference(signed: _Comparable, statement: _Comparable) -> Fault | None:
    """Compare by what makes two statements the same.

    What the store may have set counts only where both have it: the id, and the timestamp.

    Spec: xAPI 1.0.3 Data 2.3.1
    """
    left, right = signed.properties, statement.properties
    names = [name for name in sorted(left.keys() | right.keys()) if left.get(name) != right.get(name)]
    if "timestamp" in names and not ("timestamp" in left and "timestamp" in right):
        names.remove("timestamp")
    if signed.id and statement.id and signed.id.lower() != statement.id.lower():
        names.insert(0, "id")
    if not names:
        return None
    message = f"The signed statement is not this one; they differ in {', '.join(names)}."
    return Fault("signature.same-statement", message)


def _bare(statement: Json) -> dict[str, Any]:
    """Return a statement without its signatures: of several, each may have been made before the others."""
    bare = dict(statement)
    rest = [attachment for attachment in bare.pop("attachments", []) if not is_signature(attachment)]
    return {**bare, "attachments": rest} if rest else bare


def _verify(jws: bytes, header: dict[str, Any]) -> None:
    """Verify the signature by its first certificate, where there is one."""
    if "x5c" not in header:
        return
    key = _load_key(header["x5c"])
    text, _, signature = jws.rpartition(b".")
    try:
        key.verify(_decode(signature), text, padding.PKCS1v15(), _ALGORITHMS[header["alg"]])
    except (InvalidSignature, ValueError) as error:
        raise _Refused(
            "signature.verified", "The signature is not good by the first certificate of its x5c."
        ) from error


def _load_key(chain: object) -> rsa.RSAPublicKey:
    fault = "x5c must be a list of X.509 certificates, DER in base64; the first one's key must be RSA"
    if not isinstance(chain, list) or not chain or not all(isinstance(one, str) for one in chain):
        raise _Refused("signature.certificate", f"{fault}.")
    try:
        der = base64.b64decode(chain[0], validate=True)
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise _Refused("signature.certificate", f"{fault}; this one cannot be read.") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise _Refused("signature.certificate", f"{fault}.")
    return key
