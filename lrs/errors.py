"""The whole error tree: what can go wrong, in our words, without HTTP.

The status of each class stands in one table in ``lrs/web/errors.py``. Every class has
a stable ``code``; ``transient`` says whether the same act may succeed later.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what was sent.

    Attributes:
        path: RFC 6901 pointer into the body as sent (a batch's begins with the index);
            for a parameter or header, its name.
        rule: Short stable name of the broken rule, such as ``agent.one-ifi``.
        message: What is wrong and what to do, in one or two sentences.
        spec: The section that asks for it, such as ``xAPI 1.0.3 Data 2.4.2``; may be
            empty where the rule is ours.
    """

    path: str
    rule: str
    message: str
    spec: str = ""


class LrsError(Exception):
    """Anything that this project raises on purpose.

    Args:
        detail: One sentence: what was wrong, where, and what to do.
        problems: The single ones behind it, up to 100; empty where the detail says it all.
        facts: Values that a caller or the log may need; they become attributes.
    """

    code = "error"
    transient = False

    def __init__(self, detail: str, problems: Sequence[Problem] = (), **facts: object) -> None:
        """Keep the detail and turn the facts into attributes."""
        super().__init__(detail)
        self.detail = detail
        self.facts = facts
        self._problems = tuple(problems)
        for name, value in facts.items():
            setattr(self, name, value)

    @property
    def problems(self) -> Sequence[Problem]:
        """The single problems behind this error; each has a pointer, or names a parameter or part."""
        return self._problems


class InvalidRequest(LrsError):
    """The request as a whole cannot be understood."""

    code = "invalid-request"


class InvalidBody(InvalidRequest):
    """The body is not what its content type says: not JSON, a duplicate key, too deep."""

    code = "invalid-body"


class InvalidImport(InvalidBody):
    """A file (framework, alignment, pathway, crosswalk) breaks its format; nothing of it is kept."""

    code = "invalid-import"


class InvalidStatement(InvalidRequest):
    """One or more statements break the standard.

    Args:
        detail: The summary.
        problems: Up to 100 problems, each with its pointer.
        bad_indexes: The index of *every* bad statement of a batch, in order; empty for
            a single statement.
    """

    code = "invalid-statement"

    def __init__(
        self,
        detail: str,
        problems: Sequence[Problem] = (),
        bad_indexes: Sequence[int] = (),
        **facts: object,
    ) -> None:
        """Keep the indexes beside the problems."""
        super().__init__(detail, problems, **facts)
        self.bad_indexes = tuple(bad_indexes)


class DuplicateIdInBatch(InvalidStatement):
    """Two statements of one batch carry the same id."""

    code = "duplicate-id-in-batch"


class InvalidParameter(InvalidRequest):
    """A query parameter or header is unknown, repeated, contradictory or malformed."""

    code = "invalid-parameter"


class InvalidAttachment(InvalidRequest):
    """Attachments are missing, in excess, contradict what names them, or their body is malformed.

    Args:
        detail: The summary.
        problems: Up to 100 problems; the path is a pointer into the statements, or names a
            part by its number (``part 1`` holds the statements).
        bad_indexes: The index of every statement of a batch that a problem is about.
    """

    code = "invalid-attachment"

    def __init__(
        self,
        detail: str,
        problems: Sequence[Problem] = (),
        bad_indexes: Sequence[int] = (),
        **facts: object,
    ) -> None:
        """Keep the indexes beside the problems."""
        super().__init__(detail, problems, **facts)
        self.bad_indexes = tuple(bad_indexes)


class UnsupportedVersion(InvalidRequest):
    """The version header is missing, malformed or names a version not spoken here."""

    code = "unsupported-version"


class UnsupportedMediaType(LrsError):
    """The body's content type is not one that this resource takes."""

    code = "unsupported-media-type"


class Unauthenticated(LrsError):
    """No credentials, or ones that are malformed, unknown, expired or revoked."""

    code = "unauthenticated"


class NotPermitted(LrsError):
    """The credentials are good, but their scopes do not allow this."""

    code = "not-permitted"


class QuotaExceeded(NotPermitted):
    """The institution would hold more statements than it may."""

    code = "quota-exceeded"

    @classmethod
    def of(cls, held: int, brought: int, quota: int) -> "QuotaExceeded":
        """Say how many it holds, how many new ones were sent, and how many it may hold."""
        return cls(
            f"This institution may hold {quota:,} statements and holds {held:,}; {brought:,} new ones do not"
            " fit, and none of them is stored. Keep them, and ask whoever runs this"
            " instance for a larger quota.",
            held=held,
            brought=brought,
            quota=quota,
        )


class NotFound(LrsError):
    """What was asked for is not here, or not for this caller."""

    code = "not-found"


class MethodNotAllowed(LrsError):
    """The resource exists and does not take this method."""

    code = "method-not-allowed"


class Conflict(LrsError):
    """What was sent contradicts what is kept."""

    code = "conflict"


class StatementConflict(Conflict):
    """A statement id is already kept with other content.

    Args:
        detail: The summary.
        indexes: Index in the batch of each conflicting statement.
        ids: Their ids, in the same order.
    """

    code = "statement-conflict"

    def __init__(self, detail: str, indexes: Sequence[int] = (), ids: Sequence[str] = ()) -> None:
        """Keep which statements of the batch conflict."""
        super().__init__(detail)
        self.indexes = tuple(indexes)
        self.ids = tuple(ids)

    @property
    def problems(self) -> Sequence[Problem]:
        """One problem for each conflicting statement."""
        return tuple(
            Problem(
                f"/{index}/id",
                "statement.immutable",
                f"Statement {id_} is already stored with other content.",
                "xAPI 1.0.3 Communication 2.1.1",
            )
            for index, id_ in zip(self.indexes, self.ids, strict=True)
        )


class PreconditionMissing(Conflict):
    """Something would be overwritten, and nothing says that the sender has seen it."""

    code = "precondition-missing"


class AlreadyExists(Conflict):
    """A name or id that must be unique is taken."""

    code = "already-exists"


class PreconditionFailed(LrsError):
    """If-Match or If-None-Match did not hold."""

    code = "precondition-failed"


class TooLarge(LrsError):
    """The body, a batch or a URL passes a documented limit."""

    code = "too-large"


class ScanUnavailable(LrsError):
    """An attachment could not be scanned, so nothing is kept; try again."""

    code = "scan-unavailable"
    transient = True


class RateLimited(LrsError):
    """Too many requests; try again later."""

    code = "rate-limited"
    transient = True


class OutboundError(LrsError):
    """Another system that was asked from here did not give what was needed."""

    code = "outbound-error"


class OutboundRefused(OutboundError):
    """This instance does not go there: a private address, another scheme, a forbidden redirect."""

    code = "outbound-refused"


class OutboundUntrusted(OutboundError):
    """The other system could not prove its name: its certificate is not good."""

    code = "outbound-untrusted"


class OutboundTooLarge(OutboundError):
    """The other system's answer passes the limit."""

    code = "outbound-too-large"


class OutboundUnavailable(OutboundError):
    """The other system cannot be reached, is too slow, or broke off; try again."""

    code = "outbound-unavailable"
    transient = True


class StoreError(LrsError):
    """The store failed; nothing that was asked for has been acknowledged."""

    code = "store-error"


class StoreUnavailable(StoreError):
    """The store cannot be reached or is busy beyond patience; try again."""

    code = "store-unavailable"
    transient = True


class CorruptRecord(StoreError):
    """Something kept cannot be read back."""

    code = "corrupt-record"


class StoreTooNew(StoreError):
    """The store was written by a newer version of this project."""

    code = "store-too-new"


class StoreUnfinished(StoreError):
    """A restore into the store was broken off; it serves nobody until one has succeeded."""

    code = "store-unfinished"


class InvalidArchive(LrsError):
    """A backup cannot be restored: it is damaged, cut off, or a newer program's."""

    code = "invalid-archive"


class JobError(LrsError):
    """A job cannot be run as asked."""

    code = "job-error"


class JobAlreadyRunning(JobError):
    """Another process is running the job; it may be started again when that run has ended."""

    code = "job-already-running"
    transient = True


class JobTooLate(JobError):
    """The job's lease went to another process; what this one would still write is refused."""

    code = "job-too-late"


class JobStopped(JobError):
    """The process that runs the job was asked to end."""

    code = "job-stopped"
    transient = True


class ProcessLost(LrsError):
    """A process that worked for this one ended before its work was done, such as one that was killed."""

    code = "process-lost"
    transient = True


class ConfigError(LrsError):
    """A setting is missing or wrong; raised at start-up only."""

    code = "config-error"
