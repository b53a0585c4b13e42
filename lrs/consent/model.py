"""Consents, legal bases and disclosures as values, and what each of them opens. Pure.

Spec: the fields and events follow ISO/IEC TS 27560:2023 (consent records) in spirit;
disclosures follow FERPA, 34 CFR 99.32 (a record of each disclosure).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lrs.access.handles import InstitutionId
from lrs.clock import from_datetime, to_datetime
from lrs.consent.handles import Ground, Kind
from lrs.errors import InvalidParameter, NotFound, Problem
from lrs.learners.handles import IdentityId

GRANTED, WITHDRAWN, ENDED = "granted", "withdrawn", "ended"
"""What state a consent is in; ``ended`` is never recorded: it follows from ``until``."""

_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed to, or allowed.

    Attributes:
        purpose: A short word, such as ``transcript``.
        sources: Whose records; None for everybody's.
        until_us: From this instant on it opens nothing; None for no end.
    """

    purpose: str
    kinds: frozenset[Kind]
    sources: frozenset[InstitutionId] | None
    until_us: int | None

    def opens(self, source: InstitutionId, purpose: str, now_us: int) -> bool:
        """Tell whether it says anything of a source's records now, for a purpose."""
        return (
            self.purpose == purpose
            and (self.sources is None or source in self.sources)
            and (self.until_us is None or now_us < self.until_us)
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a consent: given, renewed or withdrawn."""

    event: str
    at_us: int
    by: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What a learner agreed to with one institution.

    Attributes:
        identity: Under which it was made; it belongs to whoever that identity belongs to.
        covers: The identities that were the learner's when it was given or confirmed. What is
            joined to the learner later is not opened until the learner confirms.
        state: ``granted`` or ``withdrawn``.
    """

    identity: IdentityId
    institution: InstitutionId
    terms: Terms
    covers: frozenset[IdentityId]
    state: str
    events: tuple[Event, ...]

    @property
    def subject(self) -> str:
        """By what it is recorded."""
        return f"{self.identity}/{self.institution}/{self.terms.purpose}"

    def opens(self, source: InstitutionId, held: Collection[IdentityId], purpose: str, now_us: int) -> bool:
        """Tell whether it opens what a source holds under some identities of the learner.

        All of it or nothing: one identity that it does not cover keeps the source closed until
        the learner confirms.
        """
        is_open = self.state == GRANTED and self.terms.opens(source, purpose, now_us)
        return is_open and self.covers.issuperset(held)


@dataclass(frozen=True, slots=True)
class Basis:
    """A law or contract by which an institution sees records of learners of its own roster.

    Attributes:
        groups: Only learners who are in one of these groups of the roster; None for all.
        text: Which law or contract, in words.
    """

    name: str
    terms: Terms
    groups: frozenset[str] | None
    text: str


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one institution saw of others' records, for one purpose, on one day."""

    identity: IdentityId
    to: InstitutionId
    sources: tuple[InstitutionId, ...]
    kinds: tuple[Kind, ...]
    purpose: str
    about: str
    ground: Ground
    day: str

    @property
    def subject(self) -> str:
        """By what it is recorded, so that the same is recorded once."""
        return f"{self.identity}/{self.to}/{self.purpose}/{self.about}/{self.day}/{self.ground}"


def check_terms(
    purpose: str, kinds: Collection[str], sources: Collection[InstitutionId] | None, until_us: int | None
) -> Terms:
    """Make terms of what was asked for.

    Raises:
        InvalidParameter: With each thing that is wrong.
    """
    problems = []
    if not _PURPOSE.fullmatch(purpose):
        message = "A purpose is one word of lower-case letters, digits and hyphens, up to 40, as transcript."
        problems.append(Problem("purpose", "consent.purpose", message))
    if not kinds or not set(kinds) <= set(Kind):
        message = f"Name at least one of {', '.join(Kind)}, and nothing else."
        problems.append(Problem("kinds", "consent.kinds", message))
    if sources is not None and not sources:
        message = "Name at least one institution whose records are meant, or leave it out for all."
        problems.append(Problem("sources", "consent.sources", message))
    if problems:
        raise InvalidParameter("This cannot be agreed to.", problems)
    return Terms(
        purpose,
        frozenset(Kind(kind) for kind in kinds),
        None if sources is None else frozenset(sources),
        until_us,
    )


def check_institutions(named: Iterable[InstitutionId], known: Collection[InstitutionId]) -> None:
    """Return when all that are named are known.

    Raises:
        NotFound: One is not.
    """
    if not set(named) <= set(known):
        raise NotFound("There is no such institution.")


def day_of(instant_us: int) -> str:
    """Return the day of an instant, UTC: ``YYYY-MM-DD``."""
    return to_datetime(instant_us).date().isoformat()


def begin_of(day: str) -> int:
    """Return the instant at which a day begins, UTC.

    Raises:
        InvalidParameter: It is no day.
    """
    try:
        if _DAY.fullmatch(day):
            return from_datetime(datetime.fromisoformat(f"{day}T00:00:00+00:00"))
    except ValueError:
        pass
    raise InvalidParameter(f'"{day}" is no day; write it as 2026-11-22.')


def consent_value(one: Consent) -> dict[str, Any]:
    """Write a consent as it is recorded."""
    return {
        "identity": one.identity,
        "institution": one.institution,
        **_terms_value(one.terms),
        "covers": sorted(one.covers),
        "state": one.state,
        "events": [{"event": e.event, "at": e.at_us, "by": e.by} for e in one.events],
    }


def consent_from(value: Mapping[str, Any]) -> Consent:
    """Read a consent as it was recorded."""
    return Consent(
        value["identity"],
        value["institution"],
        _terms_from(value),
        frozenset(value["covers"]),
        value["state"],
        tuple(Event(e["event"], e["at"], e["by"]) for e in value["events"]),
    )


def basis_value(one: Basis) -> dict[str, Any]:
    """Write a legal basis as it is recorded."""
    groups = None if one.groups is None else sorted(one.groups)
    return {"name": one.name, **_terms_value(one.terms), "groups": groups, "text": one.text}


def basis_from(value: Mapping[str, Any]) -> Basis:
    """Read a legal basis as it was recorded."""
    groups = None if value["groups"] is None else frozenset(value["groups"])
    return Basis(value["name"], _terms_from(value), groups, value["text"])


def disclosure_value(one: Disclosure) -> dict[str, Any]:
    """Write a disclosure as it is recorded."""
    return {
        "identity": one.identity,
        "to": one.to,
        "from": list(one.sources),
        "kinds": list(one.kinds),
        "purpose": one.purpose,
        "about": one.about,
        "ground": one.ground,
        "day": one.day,
    }


def disclosure_from(value: Mapping[str, Any]) -> Disclosure:
    """Read a disclosure as it was recorded."""
    return Disclosure(
        value["identity"],
        value["to"],
        tuple(value["from"]),
        tuple(Kind(kind) for kind in value["kinds"]),
        value["purpose"],
        value["about"],
        Ground(value["ground"]),
        value["day"],
    )


def merge_disclosures(there: Disclosure | None, more: Disclosure) -> Disclosure:
    """Return one entry for what was seen before on the day and what is seen now."""
    if there is None:
        return more
    return Disclosure(
        there.identity,
        there.to,
        tuple(sorted({*there.sources, *more.sources})),
        tuple(sorted({*there.kinds, *more.kinds})),
        there.purpose,
        there.about,
        there.ground,
        there.day,
    )


def grounds_for(
    consents: Sequence[Consent],
    bases: Sequence[Basis],
    source: InstitutionId,
    held: Collection[IdentityId],
    asked: tuple[str, int],
) -> Mapping[Kind, Ground]:
    """Work out what may be seen of what a source holds, and why; the learner's word comes first.

    Args:
        consents: Of the learner with the viewer.
        bases: Of the viewer, that cover the learner.
        source: Whose records.
        held: The learner's identities under which the source has something.
        asked: The purpose, and the instant at which ends are judged.
    """
    found = {
        kind: Ground.BASIS for one in bases if one.terms.opens(source, *asked) for kind in one.terms.kinds
    }
    found |= {
        kind: Ground.CONSENT
        for one in consents
        if one.opens(source, held, *asked)
        for kind in one.terms.kinds
    }
    return dict(sorted(found.items()))


def _terms_value(terms: Terms) -> dict[str, Any]:
    return {
        "purpose": terms.purpose,
        "kinds": sorted(terms.kinds),
        "sources": None if terms.sources is None else sorted(terms.sources),
        "until": terms.until_us,
    }


def _terms_from(value: Mapping[str, Any]) -> Terms:
    sources = value["sources"]
    return Terms(
        value["purpose"],
        frozenset(Kind(kind) for kind in value["kinds"]),
        None if sources is None else frozenset(sources),
        value["until"],
    )
