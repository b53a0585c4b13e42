"""Attachments of a request and of an answer: their bytes, matched with what statements say of them.

Bytes are matched by their hash alone. Decided here, where the standard leaves room:

- A part's ``Content-Type`` and ``Content-Length`` are compared with the attachment's
  ``contentType`` (type and subtype) and ``length``, since the standard asks that header and property
  match; both headers may be missing. A ``length`` that only the bytes contradict is kept as
  sent: the bytes are known by their hash.
- The same bytes sent in several parts are taken once.
- An attachment of a SubStatement is one of the statement's.

Spec: xAPI 1.0.3 Data 2.4.11, Communication 1.5; xAPI 2.0 4.2.2.6, 4.1.3.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from lrs.errors import InvalidAttachment, Problem
from lrs.xapi.attachment import is_media_type
from lrs.xapi.multipart import Part, read_multipart, write_multipart
from lrs.xapi.ports.attachments import AttachmentContent, AttachmentStore
from lrs.xapi.reader import ReadBody, ReadLimits
from lrs.xapi.rules import MAX_PROBLEMS, make_problem
from lrs.xapi.scanning import Scan
from lrs.xapi.signature import SignatureChecker, is_signature
from lrs.xapi.versions import Version

JSON = "application/json"
_HASH = "x-experience-api-hash"
_ENCODING = "content-transfer-encoding"
_TYPE = "content-type"
_LENGTH = "content-length"
_SIGNATURE_TYPE = "application/octet-stream"
_BY_DIGITS = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(frozen=True, slots=True)
class SentBody:
    """A request's body.

    Attributes:
        boundary: That of multipart/mixed, empty where the Content-Type names none; None where
            the body is application/json.
    """

    content: bytes
    boundary: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A request's statements, as JSON, and the parts behind them."""

    statements: bytes
    parts: Sequence[Part] = ()


class _Named(NamedTuple):
    """An attachment that a statement names: its metadata, and where that stands."""

    statement: int
    path: str
    value: Mapping[str, Any]

    @property
    def sha2(self) -> str:
        return str(self.value["sha2"]).lower()


def open_body(sent: SentBody, version: Version, max_parts: int) -> OpenedBody:
    """Part the statements of a request from its attachments.

    Raises:
        InvalidAttachment: The multipart body is malformed, or its first part is not JSON.
        TooLarge: It has too many parts.

    Spec: xAPI 1.0.3 Communication 1.5.2
    """
    if sent.boundary is None:
        return OpenedBody(sent.content)
    first, *others = read_multipart(sent.content, sent.boundary, max_parts)
    if _essence(first.headers.get(_TYPE, "")) != JSON:
        message = "The first part must hold the statements, with Content-Type: application/json."
        raise InvalidAttachment(message, [make_problem(version, "part 1", "part.statements", message)])
    return OpenedBody(first.content, others)


def match_attachments(
    read: ReadBody,
    parts: Sequence[Part],
    version: Version,
    limits: ReadLimits,
    statement_id: str | None = None,
) -> tuple[AttachmentContent, ...]:
    """Match the parts of a request with what its valid statements say, signatures checked.

    Args:
        read: The statements; each found valid.
        parts: What came behind the statements; none where the request was JSON alone.
        version: The version in use.
        limits: What a body may hold; the payload of a signature too.
        statement_id: The id of a single statement that has none itself.

    Returns:
        What is to be kept, each hash once.

    Raises:
        InvalidAttachment: With every problem: a pointer into the statements, or a part's number.

    Spec: xAPI 1.0.3 Communication 1.5.2, Data 2.6
    """
    named = list(_name_attachments(read))
    if not named and not parts:
        return ()
    matching = _Matching(named, version)
    for number, part in enumerate(parts, 2):
        matching.take(number, part)
    matching.find_missing()
    checker = SignatureChecker(version, limits)
    for one in named:
        if "/object/" not in one.path and is_signature(one.value):
            statement: Any = read.statements[one.statement].value
            if statement_id is not None:
                statement = {"id": statement_id, **statement}
            matching.check_signature(checker, one, statement)
    matching.raise_if_wrong(is_batch=read.is_batch)
    return tuple(AttachmentContent(sha2, content) for sha2, content in matching.contents.items())


def scan_attachments(
    read: ReadBody, attachments: Sequence[AttachmentContent], version: Version, scan: Scan
) -> None:
    """Have the matched attachments of a request scanned, each hash once.

    Raises:
        InvalidAttachment: One or more are refused; each is named where a statement names it.
        ScanUnavailable: One could not be scanned.
    """
    reasons = {one.sha2: scan(one.content) for one in attachments}
    problems: list[Problem] = []
    bad: set[int] = set()
    for named in _name_attachments(read):
        reason = reasons.get(named.sha2)
        if reason is not None:
            message = f"This attachment is refused by the scan of this instance: {reason}."
            problems.append(make_problem(version, named.path, "attachment.refused", message))
            bad.add(named.statement)
    if problems:
        detail = f"{problems[0].message} Nothing is stored."
        raise InvalidAttachment(detail, problems[:MAX_PROBLEMS], sorted(bad) if read.is_batch else ())


def _name_attachments(read: ReadBody) -> Iterator[_Named]:
    for index, raw in enumerate(read.statements):
        value: Any = raw.value
        start = f"/{index}" if read.is_batch else ""
        for path, attachment in _metadata(value):
            yield _Named(index, start + path, attachment)


def _metadata(statement: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the attachments that a valid statement names, its SubStatement's included."""
    for number, attachment in enumerate(statement.get("attachments", ())):
        yield f"/attachments/{number}", attachment
    inner = statement["object"]
    if inner.get("objectType") == "SubStatement":
        for number, attachment in enumerate(inner.get("attachments", ())):
            yield f"/object/attachments/{number}", attachment


class _Matching:
    """Matches parts with attachments, and collects what is wrong."""

    def __init__(self, named: Sequence[_Named], version: Version) -> None:
        self._named = named
        self._version = version
        self._types: dict[str, set[str]] = {}
        self._lengths: dict[str, set[str]] = {}
        for one in named:
            self._types.setdefault(one.sha2, set()).add(_essence(one.value["contentType"]))
            self._lengths.setdefault(one.sha2, set()).add(str(one.value["length"]))
        self._sent: set[str] = set()
        self._bad: set[int] = set()
        self._problems: list[Problem] = []
        self.contents: dict[str, bytes] = {}

    def take(self, number: int, part: Part) -> None:
        """Take one part behind the statements."""
        where = f"part {number}"
        encoding = part.headers.get(_ENCODING, "")
        if encoding.lower() != "binary":
            self._refuse(where, "part.encoding", f"Part {number} must say Content-Transfer-Encoding: binary.")
        sha2 = part.headers.get(_HASH, "").lower()
        if not sha2:
            self._refuse(where, "part.hash", f"Part {number} has no X-Experience-API-Hash.")
            return
        self._sent.add(sha2)
        if sha2 not in self._types:
            message = f"The X-Experience-API-Hash of part {number} is the sha2 of no attachment."
            self._refuse(where, "part.excess", message)
        elif hashlib.new(_BY_DIGITS[len(sha2)], part.content).hexdigest() != sha2:
            message = f"The bytes of part {number} do not have the hash that its X-Experience-API-Hash names."
            self._refuse(where, "part.hash", message)
        else:
            self._compare_headers(number, part, sha2)
            self.contents[sha2] = part.content

    def _compare_headers(self, number: int, part: Part, sha2: str) -> None:
        type_, length = part.headers.get(_TYPE), part.headers.get(_LENGTH)
        if type_ is not None and _essence(type_) not in self._types[sha2]:
            message = f"The Content-Type of part {number} is not the contentType of its attachment."
            self._refuse(f"part {number}", "part.content-type", message)
        if length is None:
            return
        if length != str(len(part.content)) or length not in self._lengths[sha2]:
            message = f"The Content-Length of part {number} is not that of its bytes and of its attachment."
            self._refuse(f"part {number}", "part.length", message)

    def find_missing(self) -> None:
        """Find the attachments whose bytes are neither here nor anywhere."""
        for one in self._named:
            if "fileUrl" not in one.value and one.sha2 not in self._sent:
                message = (
                    "This attachment has no data: send it as a part of multipart/mixed, or give a fileUrl."
                )
                self._refuse(one.path, "attachment.data", message, one.statement)

    def check_signature(self, checker: SignatureChecker, one: _Named, statement: Mapping[str, Any]) -> None:
        """Check one signature; where its bytes are not here, its metadata alone."""
        if _essence(one.value["contentType"]) != _SIGNATURE_TYPE:
            message = "The contentType of a signature must be application/octet-stream."
            self._refuse(f"{one.path}/contentType", "signature.content-type", message, one.statement)
        elif one.sha2 in self.contents:
            fault = checker.check(one.sha2, self.contents[one.sha2], one.statement, statement)
            if fault is not None:
                self._refuse(one.path, fault.rule, fault.message, one.statement)

    def _refuse(self, path: str, rule: str, message: str, index: int | None = None) -> None:
        self._problems.append(make_problem(self._version, path, rule, message))
        if index is not None:
            self._bad.add(index)

    def raise_if_wrong(self, *, is_batch: bool) -> None:
        """Raise what was found, if anything was."""
        if not self._problems:
            return
        count = len(self._problems)
        detail = (
            self._problems[0].message if count == 1 else f"{count} things are wrong with the attachments."
        )
        bad = sorted(self._bad) if is_batch else ()
        raise InvalidAttachment(f"{detail} Nothing is stored.", self._problems[:MAX_PROBLEMS], bad)


def _essence(media_type: str) -> str:
    """Return type and subtype, without parameters."""
    return media_type.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Gathered:
    """Attachments of served statements.

    Attributes:
        statements: Of how many statements, from the first; less than all where more would be too much.
        parts: Each attachment once, in the order of the statements.
    """

    statements: int
    parts: Sequence[Part]


def gather_attachments(store: AttachmentStore, served: Iterable[bytes], max_bytes: int) -> Gathered:
    """Fetch the attachments of served statements, as far as they are kept.

    Stops before the statement whose attachments would make more than the limit; never before
    the first.

    Raises:
        StoreError: The store failed.
    """
    parts: dict[str, Part] = {}
    total = count = 0
    for text in served:
        wanted: dict[str, Mapping[str, Any]] = {}
        for _, one in _metadata(orjson.loads(text)):
            if one["sha2"].lower() not in parts:
                wanted.setdefault(one["sha2"].lower(), one)
        found = store.find_attachments(wanted.keys()) if wanted else {}
        total += sum(map(len, found.values()))
        if count and total > max_bytes:
            break
        count += 1
        parts.update({sha2: _part(one, found[sha2]) for sha2, one in wanted.items() if sha2 in found})
    return Gathered(count, tuple(parts.values()))


def _part(attachment: Mapping[str, Any], content: bytes) -> Part:
    # What a store of an earlier version kept may hold a contentType that is no header.
    type_ = attachment["contentType"] if is_media_type(attachment["contentType"]) else _SIGNATURE_TYPE
    headers = {
        "Content-Type": type_,
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": attachment["sha2"],
    }
    return Part(headers, content)


def write_answer(text: bytes, parts: Sequence[Part], new_boundary: Callable[[], str]) -> tuple[bytes, str]:
    """Write an answer with attachments.

    Args:
        text: The statements' JSON.
        parts: The attachments; may be none.
        new_boundary: Gives another random boundary at each call.

    Returns:
        The body and its content type.

    Spec: xAPI 1.0.3 Communication 2.1.3
    """
    body, boundary = write_multipart([Part({"Content-Type": JSON}, text), *parts], new_boundary)
    return body, f"multipart/mixed; boundary={boundary}"
