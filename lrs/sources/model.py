"""Sources, their runs and what became of rows, as plain values. Instants are microseconds, UTC."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from lrs.access.handles import InstitutionHandle
from lrs.access.rules import clean_name
from lrs.errors import InvalidRequest

Json = dict[str, Any]

SOURCE, RUN, ROW, REJECTED = "source", "source.run", "source.row", "source.rejected"
CURSOR, LOCK = "source.cursor", "source.lock"
MOST_MINUTES = 366 * 24 * 60
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lrs:source")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN_DIGITS = 11
_MINUTE_US = 60_000_000


class Kind(StrEnum):
    """Kinds of source, by the connector that reads them."""

    CSV = "csv"
    XAPI = "xapi"


class State(StrEnum):
    """How a run stands. ``ABANDONED``: its process died; the next run of the source went on."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Act(StrEnum):
    """What a run did."""

    PULL = "run"
    REPLAY = "replay"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Source:
    """A connector set up for one institution.

    Attributes:
        place: A URL, or the absolute path of a file on this machine.
        every_minutes: How often the job ``pull`` reads it; None for only when asked.
        secret: Sealed credentials; None where it needs none.
    """

    name: str
    kind: Kind
    place: str
    config: Json
    every_minutes: int | None = None
    secret: str | None = None

    def value(self) -> Json:
        """Return what is recorded."""
        optional = {"everyMinutes": self.every_minutes, "secret": self.secret}
        kept = {name: one for name, one in optional.items() if one is not None}
        return {"kind": self.kind.value, "place": self.place, "config": self.config, **kept}

    @classmethod
    def read(cls, name: str, value: Mapping[str, Any]) -> "Source":
        """Read what was recorded."""
        kind = Kind(value["kind"])
        return cls(
            name, kind, value["place"], value["config"], value.get("everyMinutes"), value.get("secret")
        )

    @property
    def question(self) -> str:
        """What a cursor belongs to: another place or another question begins anew."""
        return digest_of(f"{self.kind} {self.place} {sorted(self.config.items(), key=str)}".encode())

    def is_due(self, started_at_us: int, now_us: int) -> bool:
        """Tell whether the schedule asks for a run."""
        return self.every_minutes is not None and now_us >= started_at_us + self.every_minutes * _MINUTE_US


@dataclass(slots=True)
class Counts:
    """What became of a run's rows.

    Attributes:
        read: Records of the source: lines of a file, statements of another store.
        stored: Statements that are new.
        already: Statements that were there before.
        rejected: Records with something wrong.
        kept_aside: Records that are good and not wanted, or not taken.
        voided: Statements that were replaced, deleted at the source, or undone.
    """

    read: int = 0
    stored: int = 0
    already: int = 0
    rejected: int = 0
    kept_aside: int = 0
    voided: int = 0

    def as_json(self) -> Json:
        """Return the counts by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a source.

    Attributes:
        reason: Why it failed; what it had to leave undone; empty where all is well.
        about: The run that was replayed or undone.
    """

    id: str
    source: str
    act: Act
    started_at_us: int
    state: State = State.RUNNING
    counts: Counts = field(default_factory=Counts)
    ended_at_us: int | None = None
    reason: str = ""
    about: str | None = None

    def value(self) -> Json:
        """Return what is noted."""
        return {
            "source": self.source,
            "act": self.act.value,
            "startedAt": self.started_at_us,
            "state": self.state.value,
            "counts": self.counts.as_json(),
            "endedAt": self.ended_at_us,
            "reason": self.reason,
            "about": self.about,
        }

    @classmethod
    def read(cls, id_: str, value: Mapping[str, Any]) -> "Run":
        """Read what was noted."""
        return cls(
            id_,
            value["source"],
            Act(value["act"]),
            value["startedAt"],
            State(value["state"]),
            Counts(**value["counts"]),
            value["endedAt"],
            value["reason"],
            value["about"],
        )


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row that was left out of a run, whole, so that it can be tried again.

    Attributes:
        content: See ``connectors.base.Row``; None where it was too long to keep.
        problems: JSON of each; none where nothing is wrong with it.
    """

    subject: str
    key: str
    place: str
    reason: str
    problems: Sequence[Json]
    content: Json | None
    count: int = 1

    @property
    def is_rejected(self) -> bool:
        """Whether something is wrong with it."""
        return bool(self.problems)


@dataclass(slots=True)
class RunResult:
    """What a run did, for whoever asked for it.

    Attributes:
        run: Empty id for a dry run, which leaves nothing behind.
        statements: The first ones that a dry run would store.
        kept: The first rows that a dry run would leave out.
    """

    run: Run
    statements: list[Json] = field(default_factory=list)
    kept: list[KeptRow] = field(default_factory=list)


def name_source(kind: Kind, place: str, config: Mapping[str, Any]) -> str:
    """Return a source's name: as configured, else made of its kind and its file's name or address.

    Raises:
        InvalidRequest: It is no name.
    """
    given = config.get("name")
    if isinstance(given, str):
        return clean_name(given)
    parts = urlsplit(place)
    where = f"{parts.netloc.rpartition('@')[2]}{parts.path}" if is_url(place) else PurePath(place).name
    return clean_name(f"{kind} {where.rstrip('/')}"[:100])


def is_url(place: str) -> bool:
    """Tell whether a place is another host's; anything else is a file."""
    return place.startswith(("http://", "https://"))


def check_place(place: str) -> None:
    """Refuse an address that holds a password: it would be kept and listed as it stands.

    Raises:
        InvalidRequest: It does.
    """
    if is_url(place) and "@" in urlsplit(place).netloc:
        raise InvalidRequest(
            "Leave user and password out of the address; --credentials takes and encrypts them."
        )


def check_minutes(minutes: int | None) -> None:
    """Refuse what is no period.

    Raises:
        InvalidRequest: It is not between a minute and a year.
    """
    if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
        raise InvalidRequest(f"A schedule is every 1 to {MOST_MINUTES:,} minutes.")


def digest_of(text: bytes) -> str:
    """Return what tells one mapped statement from another."""
    return hashlib.sha256(text).hexdigest()[:40]


def statement_id(handle: InstitutionHandle, source: str, key: str, digest: str, round_: int) -> str:
    """Return the id of a mapped statement: the same for the same content of the same row.

    Args:
        handle: The institution.
        source: Its source's name.
        key: The row's.
        digest: Of the mapped statement.
        round_: How often this content of this row was voided before; what is voided stays so.
    """
    space = uuid.uuid5(NAMESPACE, f"{handle.institution_id}/{source}")
    return str(uuid.uuid5(space, f"{key}\n{digest}\n{round_}"))


def voiding_id(handle: InstitutionHandle, target: str) -> str:
    """Return the id of the statement by which we void another: one for each target."""
    return str(uuid.uuid5(NAMESPACE, f"{handle.institution_id}/void/{target}"))


def run_id(now_us: int, chance: bytes) -> str:
    """Make a run's id: short, and in the order in which runs began."""
    digits = []
    for _ in range(_RUN_DIGITS):
        now_us, digit = divmod(now_us, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits)) + "".join(_ALPHABET[byte & 31] for byte in chance)
