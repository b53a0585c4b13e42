"""How each class of error is answered: one table of statuses and titles. Who reads it needs no web."""

from dataclasses import dataclass

from lrs.errors import (
    AlreadyExists,
    ConfigError,
    Conflict,
    CorruptRecord,
    DuplicateIdInBatch,
    InvalidArchive,
    InvalidAttachment,
    InvalidBody,
    InvalidImport,
    InvalidParameter,
    InvalidRequest,
    InvalidStatement,
    JobAlreadyRunning,
    JobError,
    JobStopped,
    JobTooLate,
    LrsError,
    MethodNotAllowed,
    NotFound,
    NotPermitted,
    OutboundError,
    OutboundRefused,
    OutboundTooLarge,
    OutboundUnavailable,
    OutboundUntrusted,
    PreconditionFailed,
    PreconditionMissing,
    ProcessLost,
    QuotaExceeded,
    RateLimited,
    ScanUnavailable,
    StatementConflict,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    StoreUnfinished,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
    UnsupportedVersion,
)


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """How one class of error is answered.

    Attributes:
        title: Names the kind in words; the same at each occurrence.
        public: Stands for the detail where that could tell something about the inside.
    """

    status: int
    title: str
    public: str = ""


FAILED = "Something went wrong here, not with you. Nothing of this request was kept; it may be sent again."
"""Stands for whatever could tell something about the inside."""

_AWAY = "The store is busy or cannot be reached. Nothing of this request was kept; send it again shortly."
_UNSCANNED = "Attachments cannot be scanned now. Nothing of this request was kept; send it again shortly."

KINDS: dict[type[LrsError], ErrorKind] = {
    LrsError: ErrorKind(500, "Something went wrong here", FAILED),
    InvalidRequest: ErrorKind(400, "The request cannot be understood"),
    InvalidBody: ErrorKind(400, "The body is not what its content type says"),
    InvalidImport: ErrorKind(400, "The file breaks its format"),
    InvalidStatement: ErrorKind(400, "One or more statements break the standard"),
    DuplicateIdInBatch: ErrorKind(400, "A statement id stands twice in one batch"),
    InvalidParameter: ErrorKind(400, "A parameter or header is wrong"),
    InvalidAttachment: ErrorKind(400, "Attachments are not as the standard asks"),
    UnsupportedVersion: ErrorKind(400, "The xAPI version is missing or not spoken here"),
    Unauthenticated: ErrorKind(401, "Credentials are missing or not good"),
    NotPermitted: ErrorKind(403, "These credentials do not allow this"),
    QuotaExceeded: ErrorKind(403, "The institution's quota is used up"),
    NotFound: ErrorKind(404, "Not here, or not for you"),
    MethodNotAllowed: ErrorKind(405, "This address does not take that method"),
    Conflict: ErrorKind(409, "This contradicts what is kept"),
    StatementConflict: ErrorKind(409, "A statement of that id is kept with other content"),
    PreconditionMissing: ErrorKind(409, "Something would be overwritten unseen"),
    AlreadyExists: ErrorKind(409, "That name or id is taken"),
    PreconditionFailed: ErrorKind(412, "A precondition did not hold"),
    TooLarge: ErrorKind(413, "Larger than this instance takes"),
    UnsupportedMediaType: ErrorKind(415, "That content type is not taken here"),
    RateLimited: ErrorKind(429, "Too many requests"),
    OutboundError: ErrorKind(502, "Another system did not give what was needed"),
    OutboundRefused: ErrorKind(502, "This instance does not go to that address"),
    OutboundUntrusted: ErrorKind(502, "Another system could not prove its name"),
    OutboundTooLarge: ErrorKind(502, "Another system answered more than is taken"),
    OutboundUnavailable: ErrorKind(502, "Another system cannot be reached"),
    ScanUnavailable: ErrorKind(500, "An attachment could not be scanned", _UNSCANNED),
    StoreError: ErrorKind(500, "The store failed", FAILED),
    StoreUnavailable: ErrorKind(500, "The store is busy or away", _AWAY),
    CorruptRecord: ErrorKind(500, "Something kept cannot be read back", FAILED),
    StoreTooNew: ErrorKind(500, "The store was written by a newer version", FAILED),
    StoreUnfinished: ErrorKind(500, "A restore into the store was broken off", FAILED),
    InvalidArchive: ErrorKind(400, "The backup cannot be restored"),
    JobError: ErrorKind(409, "The job cannot be run as asked"),
    JobAlreadyRunning: ErrorKind(409, "The job is running already"),
    JobTooLate: ErrorKind(409, "The job's lease went to another process"),
    JobStopped: ErrorKind(409, "The job was stopped with its process"),
    ProcessLost: ErrorKind(500, "A process of this instance was lost", FAILED),
    ConfigError: ErrorKind(500, "This instance is set up wrongly", FAILED),
}
"""Class to status and title. A class that is not listed is answered as its nearest listed parent."""


def kind_of(error: LrsError) -> ErrorKind:
    """Return how an error is answered: its own line of the table, or its nearest parent's."""
    return next(KINDS[cls] for cls in type(error).__mro__ if cls in KINDS)
