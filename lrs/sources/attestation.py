"""Attestations: somebody who has no system confirms what a learner did, by a private link.

What is asked and what is answered is recorded under the SHA-256 of the link's token. The answer
is claimed first, in one atomic step; the statement is a pure function of what was recorded then,
with an id that follows from the link, so that it is stored once, whatever dies.

Spec: xAPI 1.0.3 Data 2.4.6.2 (instructor), 2.4.5 (result).
"""

import hashlib
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.csv.values import duration_text, plain, read_duration
from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.rules import clean_name
from lrs.clock import to_datetime
from lrs.errors import InvalidParameter, LrsError, NotFound, Problem
from lrs.learners.identifiers import mailbox_of, parse_identifier
from lrs.sources.model import NAMESPACE, Json
from lrs.sources.parts import Parts
from lrs.tables.recorded import Recorded, Wish
from lrs.vouchers import VOUCHER, VOUCHERS

KIND = "attestation"
CLIENT = "attestation"
LEVEL = "https://w3id.org/lrs/level"
"""The extension of a result that names the level which was chosen."""

LEVELS = ("Began", "With help", "Alone", "Could teach it")
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
MOST_DAYS = 90
LONGEST_NARRATIVE = 2_000
_MOST_LEVELS = 8
_TOKEN = re.compile(r"([0-9a-hjkmnp-tv-z]{10})([0-9a-f]{64})")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}\\^`|]+")
_DAY_US = 86_400_000_000
_UNSTORED = "unstored"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AttestationWish:
    """What somebody is asked to confirm.

    Attributes:
        learner: ``mailto:…``, ``HOMEPAGE NAME`` of an account, or another identifier.
        mentor_email: None for a mentor who is only named.
        hours: As text, ``2.5`` or ``2:30``; None where nothing is said of time.
        day: ``YYYY-MM-DD``; None for today.
        asker: Who asks, for the mentor; None for the institution's name.
        levels: Names, from the lowest; none where nothing is to be rated.
        voucher: What the mentor is to the learner.
        days: For so long the link is good.
    """

    learner: str
    learner_name: str
    mentor_name: str
    activity: str
    activity_name: str
    mentor_email: str | None = None
    hours: str | None = None
    day: str | None = None
    asker: str | None = None
    levels: Sequence[str] = LEVELS
    voucher: str = "mentor"
    verb: str = COMPLETED
    days: int = 14


@dataclass(frozen=True, slots=True)
class Attestation:
    """What is asked, as the page shows it, and how it stands.

    Attributes:
        subject: By what it is recorded.
        asked: See ``_asked``.
        state: ``asked``, ``confirmed`` or ``declined``.
    """

    subject: str
    asked: Mapping[str, Any]
    state: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mentor says.

    Attributes:
        hours: As text; empty where nothing was asked of time.
        level: Its number from 1; None where none was chosen.
        is_declined: The mentor cannot confirm it; nothing else counts then.
    """

    hours: str = ""
    level: int | None = None
    narrative: str = ""
    is_declined: bool = False


class AttestationService:
    """Asks, shows, and takes answers."""

    def __init__(self, parts: Parts) -> None:
        """Keep what was handed in."""
        self._parts = parts

    def ask(self, handle: InstitutionHandle, wish: AttestationWish) -> str:
        """Record what is asked; return the token of the link, which is kept nowhere.

        Raises:
            InvalidParameter: With everything that is wrong.
        """
        now = self._parts.clock()
        institution = self._parts.access.get_institution(handle.institution_id)
        asked = _asked(wish, institution.name, to_datetime(now).date())
        until = now + wish.days * _DAY_US
        token = handle.institution_id + self._parts.random_bytes(32).hex()
        value: Json = {"asked": asked, "until": until, "state": "asked"}
        self._parts.recorded(handle).change(KIND, _subject(token), lambda _: Wish(value), now)
        return token

    def find(self, token: str) -> Attestation:
        """Return what a link asks.

        Raises:
            NotFound: It is forged, used or too old; the message does not say which, nor whose it was.
        """
        return self._open(token)[1]

    def list(self, handle: InstitutionHandle) -> Sequence[Attestation]:
        """Return everything that was asked, and how it stands."""
        return [_read(one) for one in self._all(handle)]

    def answer(self, token: str, answer: Answer) -> str | None:
        """Take an answer; return the id of its statement, None where it was declined.

        Raises:
            NotFound: As ``find``; also where another answer was faster.
            InvalidParameter: The answer cannot be taken as it is; the link stays good.
            StoreError: The store failed before anything was kept.
        """
        handle, shown = self._open(token)
        said = _said(answer, shown.asked)
        now = self._parts.clock()
        state = "declined" if said is None else "confirmed"

        def decide(found: Recorded | None) -> Wish:
            if found is None or not _is_open(found, now):
                raise _no_longer_good()
            value = {**found.value, "state": state, "answeredAt": now}
            if said is None:
                return Wish(value)
            return Wish({**value, "answer": said}, [_UNSTORED])

        claimed = self._parts.recorded(handle).change(KIND, shown.subject, decide, now)
        if claimed is None or said is None:
            return None
        return self._store(handle, claimed)

    def store_unstored(self, keep: Callable[[], None]) -> int:
        """Store what was confirmed and could not be stored then; return how many.

        Args:
            keep: Called at every step; raises where the job is to end.
        """
        count = 0
        for institution in self._parts.access.list_institutions():
            handle = InstitutionHandle(institution.id)
            for one in self._parts.recorded(handle).find_by(KIND, _UNSTORED):
                keep()
                self._store(handle, one)
                count += 1
        return count

    def _open(self, token: str) -> tuple[InstitutionHandle, Attestation]:
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise _no_longer_good()
        handle = InstitutionHandle(InstitutionId(match[1]))
        found = self._parts.recorded(handle).find(KIND, _subject(token))
        if found is None or not _is_open(found, self._parts.clock()):
            raise _no_longer_good()
        return handle, _read(found)

    def _all(self, handle: InstitutionHandle) -> Iterator[Recorded]:
        after = ""
        while found := self._parts.recorded(handle).list(KIND, after):
            after = found[-1].subject
            yield from found

    def _store(self, handle: InstitutionHandle, confirmed: Recorded) -> str:
        """Store the statement of a confirmation; where that fails, the job does it later."""
        id_, text = make_statement(handle, confirmed.subject, confirmed.value)
        try:
            written = self._parts.writer(handle, CLIENT).store([(id_, text)])
        except LrsError as error:
            _log.warning("a confirmation is kept and not stored yet: %s", error.code)
            return id_
        for refused in written.refused.values():
            _log.error("a confirmation was refused as a statement: %s", refused.detail)
        value = {**confirmed.value, "statement": id_}
        now = self._parts.clock()
        self._parts.recorded(handle).change(KIND, confirmed.subject, lambda _: Wish(value), now)
        return id_


def make_statement(handle: InstitutionHandle, subject: str, value: Mapping[str, Any]) -> tuple[str, bytes]:
    """Make the statement of a confirmation from what is recorded of it: its id and its text."""
    asked, said = value["asked"], value["answer"]
    result: Json = {"completion": True}
    if said.get("level"):
        count, level = len(asked["levels"]), said["level"]
        result["score"] = {"raw": level, "min": 1, "max": count}
        if count > 1:
            result["score"]["scaled"] = plain(round(Decimal(level - 1) / (count - 1), 4))
        result["extensions"] = {LEVEL: asked["levels"][level - 1]}
    if said.get("narrative"):
        result["response"] = said["narrative"]
    if said.get("seconds") is not None:
        result["duration"] = duration_text(Decimal(said["seconds"]))
    id_ = str(uuid.uuid5(NAMESPACE, f"{handle.institution_id}/{KIND}/{subject}"))
    statement = {
        "id": id_,
        "actor": {**_agent(asked["learner"]), "name": asked["learnerName"]},
        "verb": {"id": asked["verb"]},
        "object": {
            "objectType": "Activity",
            "id": asked["activity"],
            "definition": {"name": {"en": asked["activityName"]}},
        },
        "result": result,
        "context": {"instructor": _mentor(asked, subject), "extensions": {VOUCHER: asked["voucher"]}},
        "timestamp": f"{asked['day']}T12:00:00Z",
    }
    return id_, json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()


def _mentor(asked: Mapping[str, Any], subject: str) -> Json:
    """Say who vouches; whoever has no address is known by this one link."""
    if asked["mentorEmail"]:
        return {"objectType": "Agent", "name": asked["mentorName"], "mbox": f"mailto:{asked['mentorEmail']}"}
    account = {"homePage": "https://w3id.org/lrs/attestation", "name": subject[:32]}
    return {"objectType": "Agent", "name": asked["mentorName"], "account": account}


def _agent(identifier: str) -> Json:
    """Write the Agent that an identifier means (``lrs.xapi.facts.agent_key``)."""
    kind, _, rest = identifier.partition(" ")
    if kind == "account":
        home_page, _, name = rest.partition(" ")
        return {"objectType": "Agent", "account": {"homePage": home_page, "name": name}}
    return {"objectType": "Agent", kind: rest}


class _Checks:
    """Gathers what is wrong with fields, by their names."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, name: str, message: str) -> None:
        self.problems.append(Problem(name, f"attestation.{name}", message))

    def name(self, name: str, text: str) -> str:
        try:
            return clean_name(text)
        except LrsError as error:
            self.wrong(name, error.detail)
            return ""

    def iri(self, name: str, text: str) -> str:
        if not _IRI.fullmatch(text) or len(text) > LONGEST_NARRATIVE:
            self.wrong(name, "Write an IRI, such as https://museum.example.org/workshops/7.")
        return text

    def seconds(self, text: str | None, name: str = "hours") -> str | None:
        """Read hours; return seconds as text."""
        if text is None or not text.strip():
            return None
        try:
            seconds = read_duration(text.strip(), "hours", "")
        except ValueError:
            self.wrong(name, "Write the hours as a number, such as 2.5, or as 2:30.")
            return None
        return str(seconds)

    def raise_if_any(self, detail: str) -> None:
        if self.problems:
            raise InvalidParameter(detail, self.problems)


def _asked(wish: AttestationWish, institution: str, today: date) -> Json:
    """Check what is to be asked, and return it as it is recorded."""
    checks = _Checks()
    learner = parse_identifier(wish.learner)
    if learner is None:
        checks.wrong("learner", "Write mailto:…, or HOMEPAGE NAME of an account.")
    email = mailbox_of(f"mailto:{wish.mentor_email}") if wish.mentor_email else None
    if wish.mentor_email and email is None:
        checks.wrong("mentorEmail", "This is no e-mail address.")
    if wish.voucher not in VOUCHERS:
        checks.wrong("voucher", f"Write one of {', '.join(VOUCHERS)}.")
    if not 1 <= wish.days <= MOST_DAYS:
        checks.wrong("days", f"A link is good for 1 to {MOST_DAYS} days.")
    if len(wish.levels) > _MOST_LEVELS or len(set(wish.levels)) < len(wish.levels):
        checks.wrong("levels", f"Name each level once, and {_MOST_LEVELS} at most.")
    asked = {
        "learner": learner,
        "learnerName": checks.name("learnerName", wish.learner_name),
        "mentorName": checks.name("mentorName", wish.mentor_name),
        "mentorEmail": (wish.mentor_email or "").removeprefix("mailto:"),
        "activity": checks.iri("activity", wish.activity),
        "activityName": checks.name("activityName", wish.activity_name),
        "seconds": checks.seconds(wish.hours),
        "day": _day(checks, wish.day, today),
        "asker": checks.name("asker", wish.asker or institution),
        "levels": [checks.name("levels", one) for one in wish.levels],
        "voucher": wish.voucher,
        "verb": checks.iri("verb", wish.verb),
    }
    checks.raise_if_any("This cannot be asked as it stands.")
    return asked


def _day(checks: _Checks, text: str | None, today: date) -> str:
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        checks.wrong("day", "Write the day as YYYY-MM-DD.")
        return ""
    if day > today:
        checks.wrong("day", "What is to be confirmed must have been.")
    return day.isoformat()


def _said(answer: Answer, asked: Mapping[str, Any]) -> Json | None:
    """Check an answer, and return it as it is recorded; None where it was declined."""
    if answer.is_declined:
        return None
    checks = _Checks()
    said: Json = {}
    if asked["seconds"] is not None:
        said["seconds"] = checks.seconds(answer.hours)
        if not answer.hours.strip():
            checks.wrong("hours", "Say how many hours it were.")
    if asked["levels"]:
        said["level"] = answer.level
        if answer.level is None or not 1 <= answer.level <= len(asked["levels"]):
            checks.wrong("level", "Choose how it went.")
    narrative = "".join(char for char in answer.narrative.strip() if char.isprintable() or char in "\n\t")
    if len(narrative) > LONGEST_NARRATIVE:
        checks.wrong("narrative", f"Write at most {LONGEST_NARRATIVE:,} characters.")
    said["narrative"] = narrative
    checks.raise_if_any("One thing is still missing or cannot be read.")
    return said


def _subject(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_open(found: Recorded, now_us: int) -> bool:
    return bool(found.value["state"] == "asked" and now_us < found.value["until"])


def _read(found: Recorded) -> Attestation:
    return Attestation(found.subject, found.value["asked"], found.value["state"], found.value["until"])


def _no_longer_good() -> NotFound:
    return NotFound(
        "Such a link works once, until its last day. If you still want to say something, ask whoever"
        " sent it to you for a new one.",
        heading="This link is no longer good",
    )
