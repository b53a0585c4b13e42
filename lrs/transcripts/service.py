"""Use cases of transcripts: take crosswalks, and make a learner's transcript for a school.

A transcript holds the school's own records and what ``ConsentService.open`` opened of others;
opening it wrote the learner's disclosure log. Spec: docs/transcripts.md
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.service import AccessService
from lrs.clock import Clock
from lrs.competencies.service import FrameworkService
from lrs.competencies.shapes import read_file
from lrs.consent.handles import GrantedHandle, Ground, Kind
from lrs.consent.service import ConsentService
from lrs.credentials.service import AwardService
from lrs.errors import InvalidParameter, NotFound
from lrs.learners.handles import IdentityId, LearnerHandle
from lrs.learners.reading import Learner
from lrs.learners.service import LearnerService
from lrs.pathways.service import PathwayService
from lrs.portfolios.freshness import Freshness
from lrs.tables.recorded import OpenRecorded, Recorded, RecordedTables, Wish
from lrs.transcripts.crosswalk import read_crosswalk
from lrs.transcripts.document import Access, Holder, Setting, to_document
from lrs.transcripts.listing import Candidates, Listing
from lrs.transcripts.model import ByItems, ByPathway, Crosswalk
from lrs.transcripts.paths import awarding, owners_of, walk
from lrs.transcripts.records import Reading, attained_by
from lrs.transcripts.seen import Attained, Seen, Walked
from lrs.transcripts.sessions import day_of
from lrs.transcripts.sources import Known, owner_of
from lrs.transcripts.translating import translate

CROSSWALK = "crosswalk"
"""Recorded, in the school's institution; the subject is its name."""

PURPOSE = "transcript"
"""What consents and legal bases must be for."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class CrosswalkImport:
    """What came of a crosswalk; ``changed`` is False where the same was there."""

    crosswalk: Crosswalk
    changed: bool


@dataclass(frozen=True, slots=True)
class OwnedCrosswalk:
    """A crosswalk and whose it is."""

    institution: InstitutionId
    owner: str
    crosswalk: Crosswalk


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms that a transcript is made from."""

    access: AccessService
    learners: LearnerService
    consents: ConsentService
    frameworks: FrameworkService
    pathways: PathwayService
    awards: AwardService
    freshness: Freshness


class TranscriptService:
    """What can be done with crosswalks and transcripts.

    Args:
        rooms: Where everything comes from.
        open_recorded: Opens the crosswalks of an institution.
        clock: Now.
    """

    def __init__(self, rooms: Rooms, open_recorded: OpenRecorded, clock: Clock) -> None:
        """Keep what was handed in."""
        self._rooms = rooms
        self._open = open_recorded
        self._clock = clock
        self._listing = Listing(rooms.learners, rooms.consents, open_recorded, PURPOSE)

    # Crosswalks

    def import_crosswalk(self, handle: InstitutionHandle, body: bytes) -> CrosswalkImport:
        """Take a crosswalk as a school's, whole or not at all; its next version where one is there.

        Raises:
            InvalidBody: The file is no JSON.
            InvalidImport: It breaks its format or names what is not known; every problem with its place.
            TooLarge: There is more of it than a recorded value may have.
        """
        value = read_file(body)
        read = read_crosswalk(value, self._known(handle, value))
        content = value if isinstance(value, dict) else {}
        tables = self._open(handle)
        before = tables.find(CROSSWALK, read.name)
        after = tables.change(CROSSWALK, read.name, lambda there: _wish(there, content), self._clock())
        if after is None:
            raise AssertionError("A value that was wished for is there.")
        changed = before is None or before.value["version"] != after.value["version"]
        return CrosswalkImport(_read(after), changed)

    def crosswalks(self, handle: InstitutionHandle) -> list[Crosswalk]:
        """Return a school's crosswalks, by name."""
        return [_read(one) for one in _iter(self._open(handle))]

    def all_crosswalks(self) -> list[OwnedCrosswalk]:
        """Return every school's crosswalks, by the school's name and theirs."""
        return [
            OwnedCrosswalk(one.id, one.name, crosswalk)
            for one in self._rooms.access.list_institutions()
            for crosswalk in self.crosswalks(InstitutionHandle(one.id))
        ]

    def find_crosswalk(self, name: str) -> OwnedCrosswalk:
        """Return the crosswalk that ``NAME``, or ``INSTITUTION/NAME``, means.

        Raises:
            NotFound: There is none.
            InvalidParameter: Several schools have one of this name.
        """
        owner, _, own_name = name.rpartition("/")
        found = [
            one
            for one in self.all_crosswalks()
            if one.crosswalk.name == own_name and owner in {"", one.owner}
        ]
        if not found:
            raise NotFound(f"There is no crosswalk {name}; lrs crosswalk list shows all.")
        if len(found) > 1:
            which = ", ".join(f"{one.owner}/{one.crosswalk.name}" for one in found[:5])
            raise InvalidParameter(f"Several schools have a crosswalk {name}; name one of {which}.")
        return found[0]

    def get_crosswalk(self, handle: InstitutionHandle, name: str) -> Crosswalk:
        """Return a school's own crosswalk.

        Raises:
            NotFound: The school has none of this name.
        """
        found = self._open(handle).find(CROSSWALK, name)
        if found is None:
            raise NotFound(f"This school has no crosswalk {name}.")
        return _read(found)

    # Transcripts

    def make(
        self,
        handle: InstitutionHandle,
        learner_id: str,
        crosswalk_name: str,
        within: frozenset[IdentityId] | None = None,
    ) -> dict[str, Any]:
        """Make a learner's transcript for a school; what is another's goes into the learner's log.

        Args:
            handle: The school's.
            learner_id: The id of the learner, or of an identity that the school itself knows.
            crosswalk_name: Of the school's own crosswalk.
            within: Only these identities of the learner, as a share link opens them; None for all.

        Returns:
            The document of ``lrs.transcripts.document``; the same for the same records, rules,
            grants and day.

        Raises:
            NotFound: The school has no such crosswalk, or may see nothing of such a learner.
        """
        crosswalk = self.get_crosswalk(handle, crosswalk_name)
        learner = self._rooms.learners.reader.learner(learner_id)
        if learner is None or not _is_known_by(learner, learner_id, handle.institution_id):
            raise _nobody()
        day = day_of(self._clock(), crosswalk.calendar)
        about = f"{crosswalk.name}@{crosswalk.version}"
        opened = self._rooms.consents.open(handle, learner.id, PURPOSE, about, day.isoformat())
        if handle.institution_id not in learner.institutions and len(opened.sources) == 1:
            raise _nobody()
        if within is not None:
            learner = replace(
                learner, identities=tuple(one for one in learner.identities if one.id in within)
            )
            opened = replace(opened, identities=tuple(one for one in opened.identities if one in within))
        names: dict[str, str] = {one.id: one.name for one in self._rooms.access.list_institutions()}
        seen = self._seen(opened, crosswalk, names)
        setting = Setting(
            school=(handle.institution_id, names[handle.institution_id]),
            holder=self._holder(handle, learner),
            crosswalk=crosswalk,
            access=self._access(opened, names),
            day=day,
        )
        return to_document(setting, translate(crosswalk, seen))

    def candidates(
        self, handle: InstitutionHandle, wanted: str = "", page: int = 1, limit: int = 50
    ) -> Candidates:
        """List whose transcripts a school can make, as ``Listing.page`` does."""
        return self._listing.page(handle, wanted, page, limit)

    def is_behind(self, handle: InstitutionHandle, learner_id: str) -> bool:
        """Tell whether records of the school's own about a learner have still to be worked in.

        Nothing is asked of other institutions, whose records the school may not even know of.
        """
        learner = self._rooms.learners.reader.learner(learner_id)
        if learner is None:
            return False
        own = [one.identifier for one in learner.identities if handle.institution_id in one.names]
        return self._rooms.freshness.is_behind(LearnerHandle(learner.id, ()), own, [handle.institution_id])

    def _seen(self, opened: GrantedHandle, crosswalk: Crosswalk, names: Mapping[str, str]) -> Seen:
        """Read what was opened, and nothing else."""
        frameworks, reader = self._rooms.frameworks, self._rooms.learners.reader
        competencies = opened.institutions(Kind.COMPETENCIES)
        reading = Reading(
            reader.acts(opened.identities, opened.institutions(Kind.RECORDS)),
            frameworks.evidence(opened.identities, competencies),
            frameworks.progress(opened.identities, competencies),
            names,
        )
        return Seen(
            school=opened.viewer.institution_id,
            records=reading.records,
            items=self._items(crosswalk, reading),
            pathways=self._pathways(opened, crosswalk, reading),
        )

    def _items(self, crosswalk: Crosswalk, reading: Reading) -> dict[str, Attained]:
        framework = (
            self._rooms.frameworks.find_framework(crosswalk.framework) if crosswalk.framework else None
        )
        if framework is None:
            return {}
        named = [
            name for rule in crosswalk.rules if isinstance(rule.source, ByItems) for name in rule.source.items
        ]
        return attained_by(named, framework, reading)

    def _pathways(
        self, opened: GrantedHandle, crosswalk: Crosswalk, reading: Reading
    ) -> dict[tuple[str, str], Walked]:
        """Say how far the learner is on each pathway that a rule names."""
        wanted = {
            (rule.source.institution, rule.source.pathway)
            for rule in crosswalk.rules
            if isinstance(rule.source, ByPathway)
        }
        if not wanted:
            return {}
        pathways, names = self._rooms.pathways.list(), reading.names
        owners = owners_of(pathways, names)
        by_owner = {(names.get(one.institution, ""), one.name): one for one in pathways}
        awards = self._rooms.awards.awards_of(opened.identities, opened.institutions(Kind.AWARDS))
        found = {}
        for whose, name in sorted(wanted):
            owner = owner_of(owners.get(name, ()), whose, names[opened.viewer.institution_id])
            if owner is not None:
                found[whose, name] = walk(by_owner[owner, name], reading, awards)
        return found

    def _holder(self, handle: InstitutionHandle, learner: Learner) -> Holder:
        """Say whose transcript it is, by what the school itself knows."""
        rows = self._rooms.learners.roster_rows(handle, learner)
        own_names = [one.names.get(handle.institution_id) for one in learner.identities]
        name = next((row.name for row in rows if row.name), None) or next(filter(None, own_names), "")
        birth_date = next((row.birth_date for row in rows if row.birth_date), "")
        return Holder(learner.id, name or "", birth_date or "", on_roster=bool(rows))

    def _access(self, opened: GrantedHandle, names: Mapping[str, str]) -> tuple[Access, ...]:
        """List what was opened and why: the school's own first, then by name."""
        own = opened.viewer.institution_id
        found = [
            Access(
                institution=source,
                name=names.get(source, source),
                kinds=tuple(kind.value for kind in Kind if kind in kinds),
                grounds=tuple(
                    text
                    for ground, texts in self._ground_texts(opened, source).items()
                    if ground in kinds.values()
                    for text in texts
                ),
            )
            for source, kinds in opened.sources.items()
        ]
        return tuple(sorted(found, key=lambda one: (one.institution != own, one.name)))

    def _ground_texts(self, opened: GrantedHandle, source: InstitutionId) -> dict[Ground, list[str]]:
        """Say what each ground is, for one institution's records."""
        now = self._clock()
        bases = [
            one
            for one in self._rooms.consents.bases.list(opened.viewer)
            if one.terms.opens(source, PURPOSE, now)
        ]
        return {
            Ground.OWN: ["the school's own records"],
            Ground.CONSENT: ["the learner's consent"],
            Ground.BASIS: [f"legal basis: {one.text}" for one in bases] or ["a legal basis"],
        }

    # What a crosswalk may name

    def _known(self, handle: InstitutionHandle, value: object) -> Known:
        identifier = value.get("framework") if isinstance(value, dict) else None
        framework = self._rooms.frameworks.find_framework(identifier) if isinstance(identifier, str) else None
        institutions = self._rooms.access.list_institutions()
        school = next(one.name for one in institutions if one.id == handle.institution_id)
        pathways, names = self._rooms.pathways.list(), {str(one.id): one.name for one in institutions}
        known = Known(
            pathways=owners_of(pathways, names),
            awarding=awarding(pathways, names),
            institutions=[one.name for one in institutions],
            school=school,
        )
        if framework is None:
            return known
        return replace(
            known,
            items={**framework.codes, **{one: (one,) for one in framework.items}},
            levels=[one.level for one in framework.model.levels],
            has_framework=True,
        )


def _nobody() -> NotFound:
    return NotFound("This school has no learner of this id, and none has shared anything with it.")


def _is_known_by(learner: Learner, learner_id: str, institution: InstitutionId) -> bool:
    """Tell whether an id tells the asker nothing new; another place's id would tell of a link."""
    own = [one.id for one in learner.identities if institution in one.names]
    return learner_id in {learner.id, *own}


def _wish(there: Recorded | None, content: Mapping[str, Any]) -> Wish | None:
    """Wish for a crosswalk as the next version; None where it is there already."""
    version = there.value["version"] if there else 0
    if there is not None and there.value == {**content, "version": version}:
        return None
    return Wish({**content, "version": version + 1})


def _read(recorded: Recorded) -> Crosswalk:
    content = {name: one for name, one in recorded.value.items() if name != "version"}
    return read_crosswalk(content, version=recorded.value["version"])


def _iter(tables: RecordedTables) -> Iterable[Recorded]:
    after = ""
    while page := tables.list(CROSSWALK, after, _PAGE):
        yield from page
        after = page[-1].subject
