"""Documents: what a PUT, POST or DELETE makes of what is there, as pure rules.

Spec: xAPI 1.0.3 Communication 2.2 (merge), 3.1 (concurrency); xAPI 2.0 4.1.4, 4.2.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from lrs.errors import InvalidBody, InvalidRequest, LrsError, PreconditionFailed, PreconditionMissing, Problem
from lrs.xapi.ports.documents import Document, DocumentContent, DocumentKind
from lrs.xapi.reader import ReadLimits, read_json
from lrs.xapi.versions import Version

ANY = "*"
_SPEC = "xAPI 1.0.3 Communication 3.1"
_MERGE_SPEC = "xAPI 1.0.3 Communication 2.2"
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What a request demands of what is there: entity tags without quotes, or ``*``; None demands nothing."""

    if_match: Sequence[str] | None = None
    if_none_match: Sequence[str] | None = None

    def check(self, current: Document | None) -> None:
        """Hold the demands against what is there.

        Raises:
            PreconditionFailed: One does not hold.
        """
        if self.if_match is not None and not _matches(self.if_match, current):
            raise PreconditionFailed(
                "The document is not the one that If-Match names; read it again, and change that."
            )
        if self.if_none_match is not None and _matches(self.if_none_match, current):
            raise PreconditionFailed("There is a document already, which If-None-Match rules out.")

    @property
    def absent(self) -> bool:
        """Tell whether nothing is demanded."""
        return self.if_match is None and self.if_none_match is None


def _matches(tags: Sequence[str], current: Document | None) -> bool:
    return current is not None and (ANY in tags or current.etag in tags)


@dataclass(frozen=True, slots=True)
class Rules:
    """Which version's rules hold for which kind of document."""

    kind: DocumentKind
    version: Version

    def check_presence(self, preconditions: Preconditions, current: Document | None) -> None:
        """Refuse a PUT without If-Match and If-None-Match where the standard wants one.

        In 1.0.3 it is asked of the two profiles only, also for a new document, so that
        content that puts its State blindly goes on working; in 2.0 it is asked wherever
        something would be overwritten.

        Raises:
            PreconditionMissing: There is a document, and nothing says that it was seen.
            InvalidRequest: There is none, and 1.0.3 wants to be told so.

        Spec: xAPI 1.0.3 Communication 3.1; xAPI 2.0 4.1.4.
        """
        if not preconditions.absent:
            return
        is_profile = self.kind is not DocumentKind.STATE
        if current is not None and (is_profile or self.version is Version.V2_0_0):
            raise PreconditionMissing(
                "There is a document already. Send If-Match with the ETag that GET gave, to say which one"
                " you mean to replace."
            )
        if current is None and is_profile and self.version is Version.V1_0_3:
            raise InvalidRequest(
                "PUT of a profile needs If-Match or If-None-Match; send If-None-Match: * for a new one."
            )


def replaced(
    current: Document | None, sent: DocumentContent, preconditions: Preconditions, rules: Rules
) -> DocumentContent:
    """Say what a PUT leaves.

    Raises:
        PreconditionFailed: A precondition does not hold.
        PreconditionMissing: One is needed.
        InvalidRequest: One is needed (1.0.3, a new profile).
    """
    preconditions.check(current)
    rules.check_presence(preconditions, current)
    return sent


def merged(
    current: Document | None, sent: DocumentContent, preconditions: Preconditions, limits: ReadLimits
) -> DocumentContent:
    """Say what a POST leaves: what was sent, or both merged one level deep, the sent one winning.

    Raises:
        PreconditionFailed: A precondition does not hold.
        InvalidBody: What was sent says that it is JSON and is not; or there is a document, and
            one of the two is not a JSON object.

    Spec: xAPI 1.0.3 Communication 2.2.
    """
    preconditions.check(current)
    sent_value = _parsed(sent, limits, "what was sent") if _is_json(sent.content_type) else None
    if current is None:
        return sent
    if not (_is_json(sent.content_type) and _is_json(current.content_type)):
        raise _unmergeable("both must be application/json")
    if not isinstance(sent_value, dict):
        raise _unmergeable("what was sent is not a JSON object")
    kept = DocumentContent(current.content_type, current.content)
    if not isinstance(_parsed(kept, limits, "the document that is there"), dict):
        raise _unmergeable("the document that is there is not a JSON object")
    parts = {**_raw_object(kept.content), **_raw_object(sent.content)}
    return DocumentContent(current.content_type, msgspec.json.encode(parts))


def removed(current: Document | None, preconditions: Preconditions) -> None:
    """Say what a DELETE leaves: nothing.

    Raises:
        PreconditionFailed: A precondition does not hold.
    """
    preconditions.check(current)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _parsed(document: DocumentContent, limits: ReadLimits, what: str) -> object:
    """Read JSON strictly.

    Raises:
        InvalidBody: It is none.
    """
    try:
        return read_json(document.content, limits)
    except LrsError as error:
        raise InvalidBody(
            f"The documents cannot be merged: {what} is not JSON. {error.detail}", error.problems
        ) from error


def _unmergeable(why: str) -> InvalidBody:
    message = f"POST merges JSON objects: {why}. Use PUT to replace the document."
    return InvalidBody(message, [Problem("", "document.merge", message, _MERGE_SPEC)])
