"""Nothing crosses institutions but by the learner's word or a declared basis; each crossing is told once."""

import threading

import pytest

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.consent.awards import note_award
from lrs.consent.handles import Ground, Kind
from lrs.consent.kinds import AWARD
from lrs.consent.model import check_terms, day_of
from lrs.errors import Conflict, InvalidParameter, NotFound
from lrs.learners.handles import IdentityId
from lrs.learners.service import RosterOptions
from lrs.tables.recorded import Wish
from tests.unit.consent.conftest import ANA, BADGE, EMPLOYER, Place
from tests.unit.learners.people import MUSEUM, SCHOOL, rows

S, M, E = SCHOOL.institution_id, MUSEUM.institution_id, EMPLOYER.institution_id
DAY_US = 86_400_000_000
ALL = list(Kind)


def opened(place: Place, purpose: str = "transcript", day: str | None = None, viewer=SCHOOL) -> dict:  # type: ignore[no-untyped-def,type-arg]
    """Return what a viewer sees of others."""
    handle = place.consents.open(viewer, place.own().learner_id, purpose, "grade 10", day)
    assert handle.sources[viewer.institution_id] == dict.fromkeys(Kind, Ground.OWN)
    return {one: kinds for one, kinds in handle.sources.items() if one != viewer.institution_id}


def test_nothing_is_seen_of_others_and_nothing_told_when_nobody_agreed(place_on_each: Place) -> None:
    assert opened(place_on_each) == {}
    assert place_on_each.consents.disclosures(place_on_each.own()) == []


def test_what_was_agreed_to_is_seen_and_nothing_else(place_on_each: Place) -> None:
    place = place_on_each
    place.consents.grant(place.own(), S, "transcript", ["records"], [M], None)
    assert opened(place) == {M: {Kind.RECORDS: Ground.CONSENT}}
    assert opened(place, "portfolio") == {}
    assert opened(place, viewer=EMPLOYER) == {}
    handle = place.consents.open(SCHOOL, place.own().learner_id, "transcript", "grade 10")
    assert handle.institutions(Kind.RECORDS) == {S, M}
    assert handle.institutions(Kind.AWARDS) == {S}
    assert handle.identities == place.own().identities


def test_all_sources_are_meant_when_none_is_named(place: Place) -> None:
    place.consents.grant(place.own(), S, "transcript", ALL, None, None)
    assert set(opened(place)) == {M, E}


def test_withdrawn_consent_opens_nothing_and_leaves_its_history(place_on_each: Place) -> None:
    place = place_on_each
    place.consents.grant(place.own(), S, "transcript", ["records"], None, None)
    opened(place)
    place.consents.withdraw(place.own(), S, "transcript")
    place.consents.withdraw(place.own(), S, "transcript")
    assert opened(place) == {}
    (view,) = place.consents.list_for(place.own())
    assert (view.state, [event.event for event in view.consent.events]) == (
        "withdrawn",
        ["granted", "withdrawn"],
    )
    assert len(place.consents.disclosures(place.own())) == 1
    place.consents.grant(place.own(), S, "transcript", ["records"], None, None)
    assert set(opened(place)) == {M, E}
    with pytest.raises(NotFound):
        place.consents.withdraw(place.own(), M, "transcript")


def test_consent_ends_by_the_clock_and_by_the_recorded_day(place: Place) -> None:
    clock = place.town.engine.clock
    place.consents.grant(place.own(), S, "transcript", ["records"], [M], clock.now_us + 2 * DAY_US)
    today = day_of(clock.now_us)
    assert opened(place, day=today)
    assert not opened(place, day=day_of(clock.now_us + 3 * DAY_US))
    clock.move(2 * 86_400)
    assert not opened(place, day=today)
    assert place.consents.list_for(place.own())[0].state == "ended"
    with pytest.raises(InvalidParameter, match="ended already"):
        place.consents.grant(place.own(), S, "transcript", ["records"], None, clock.now_us)


def test_granting_the_same_again_writes_nothing_and_a_change_is_told(place: Place) -> None:
    place.consents.grant(place.own(), S, "transcript", ["records"], [M], None)
    before = len(place.town.commons.read_entries(0, 99))
    place.town.engine.clock.move(5)
    place.consents.grant(place.own(), S, "transcript", ["records"], [M], None)
    assert len(place.town.commons.read_entries(0, 99)) == before
    view = place.consents.grant(place.own(), S, "transcript", ["awards"], [M], None)
    assert [event.event for event in view.consent.events] == ["granted", "renewed"]


@pytest.mark.parametrize(
    ("purpose", "kinds", "sources"),
    [
        ("", ["records"], None),
        ("A b", ["records"], None),
        ("t", [], None),
        ("t", ["grades"], None),
        ("t", ["awards"], []),
    ],
)
def test_consent_is_refused_when_it_says_nothing(
    place: Place, purpose: str, kinds: list[str], sources: list[InstitutionId] | None
) -> None:
    with pytest.raises(InvalidParameter):
        place.consents.grant(place.own(), S, purpose, kinds, sources, None)


def test_consent_is_refused_when_an_institution_is_unknown(place: Place) -> None:
    for institution, sources in ((InstitutionId("nobody"), None), (S, [InstitutionId("nobody")])):
        with pytest.raises(NotFound):
            place.consents.grant(place.own(), institution, "transcript", ["records"], sources, None)


def test_merge_does_not_widen_a_consent_until_the_learner_confirms(place_on_each: Place) -> None:
    place = place_on_each
    place.consents.grant(place.own(), S, "transcript", ["records"], None, None)
    place.town.act(BADGE, MUSEUM, 7)
    assert set(opened(place)) == {M, E}
    place.town.service.link(ANA, BADGE, "operator")
    place.town.catch_up()
    assert set(opened(place)) == {E}
    assert [view.to_confirm for view in place.consents.list_for(place.own())] == [True]
    place.consents.grant(place.own(), S, "transcript", ["records"], None, None)
    assert set(opened(place)) == {M, E}
    assert [view.to_confirm for view in place.consents.list_for(place.own())] == [False]
    assert len(place.consents.list_for(place.own())) == 1


def test_consent_and_log_go_with_their_identity_through_merge_and_split(place: Place) -> None:
    place.town.act(BADGE, MUSEUM, 7)
    place.consents.grant(place.own(BADGE), S, "transcript", ["records"], None, None)
    place.town.service.link(ANA, BADGE, "operator")
    place.town.catch_up()
    assert len(place.consents.list_for(place.own(ANA))) == 1
    place.consents.grant(place.own(ANA), S, "transcript", ["records"], None, None)
    assert set(opened(place)) == {M, E}
    place.town.service.unlink(ANA, BADGE, "operator")
    place.town.catch_up()
    assert place.consents.list_for(place.own(ANA)) == []
    assert [view.state for view in place.consents.list_for(place.own(BADGE))] == ["granted"]
    assert opened(place) == {}
    for identifier in (ANA, BADGE):
        assert len(place.consents.disclosures(place.own(identifier))) == 1


def test_consent_of_two_who_were_taken_for_one_opens_neither_until_confirmed(place_on_each: Place) -> None:
    """One of them agreed to little, the other, signed in as both, to everything: who of them is not known."""
    place = place_on_each
    place.town.act(BADGE, MUSEUM, 7)
    place.town.act(BADGE, SCHOOL, 8)
    for one in (ANA, BADGE):
        place.consents.grant(place.own(one), S, "transcript", ["awards"], [M], None)
    place.town.service.link(ANA, BADGE, "operator")
    place.town.catch_up()
    place.consents.grant(place.own(), S, "transcript", ALL, None, None)
    place.town.service.unlink(ANA, BADGE, "operator")
    place.town.catch_up()
    seen = {}
    for one in (ANA, BADGE):
        handle = place.consents.open(SCHOOL, place.own(one).learner_id, "transcript", "grade 10")
        assert set(handle.sources) == {S}
        seen |= {(view.state, view.to_confirm): one for view in place.consents.list_for(place.own(one))}
    assert set(seen) == {("granted", True), ("withdrawn", False)}
    confirmed = place.own(seen["granted", True])
    assert not place.consents.grant(confirmed, S, "transcript", ["awards"], [M], None).to_confirm
    handle = place.consents.open(SCHOOL, confirmed.learner_id, "transcript", "grade 10")
    assert handle.sources[M] == {Kind.AWARDS: Ground.CONSENT}


def test_each_crossing_is_told_once_a_day_however_often_it_happens(place_on_each: Place) -> None:
    place = place_on_each
    place.consents.grant(place.own(), S, "transcript", ["records", "awards"], [M], None)
    for _ in range(3):
        opened(place)
    (one,) = place.consents.disclosures(place.own())
    assert (one.to, one.sources, one.kinds) == (S, (M,), (Kind.AWARDS, Kind.RECORDS))
    assert (one.purpose, one.about, one.ground) == ("transcript", "grade 10", Ground.CONSENT)
    assert one.day == day_of(place.town.engine.clock.now_us)
    place.consents.grant(place.own(), S, "transcript", ["records", "awards"], [M, E], None)
    opened(place)
    (one,) = place.consents.disclosures(place.own())
    assert one.sources == (E, M)
    place.town.engine.clock.move(86_400)
    opened(place)
    assert [one.day for one in place.consents.disclosures(place.own())] == ["2023-11-15", "2023-11-14"]


def test_many_at_once_tell_a_crossing_once(place_on_each: Place) -> None:
    place = place_on_each
    place.consents.grant(place.own(), S, "transcript", ["records"], [M], None)
    learner = place.own().learner_id
    before = len(place.town.commons.read_entries(0, 99))
    start = threading.Barrier(6)
    failures: list[Exception] = []

    def look() -> None:
        try:
            start.wait()
            for _ in range(4):
                place.consents.open(SCHOOL, learner, "transcript", "grade 10")
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(place.consents.disclosures(place.own())) == 1
    assert len(place.town.commons.read_entries(0, 99)) == before + 1


def test_institution_that_holds_nothing_is_not_named_and_one_that_gave_an_award_is(place: Place) -> None:
    place.town.acts.clear()
    place.town.act("mbox mailto:bo@example.org", SCHOOL, 9)
    own = place.own("mbox mailto:bo@example.org")
    place.consents.grant(own, S, "transcript", ALL, None, None)
    assert set(place.consents.open(SCHOOL, own.learner_id, "transcript", "x").sources) == {S}
    award = Wish({"identity": own.learner_id}, [f"identity:{own.learner_id}"])
    note_award(place.town.commons, IdentityId(own.learner_id), M, 1)
    place.town.stores.recorded(MUSEUM).change(AWARD, "x", lambda _: award, 1)
    assert set(place.consents.open(SCHOOL, own.learner_id, "transcript", "x").sources) == {S, M}


def test_basis_opens_only_learners_of_the_own_roster_and_only_its_groups(place_on_each: Place) -> None:
    place = place_on_each
    terms = check_terms("transcript", ["records"], [M], None)
    place.consents.bases.declare(SCHOOL, "contract", terms, ["8A"], "Contract with the museum of 2026")
    assert opened(place) == {}
    person = {"sourcedId": "17", "email": "ana@example.org", "groups": "8A"}
    place.town.service.import_roster(MUSEUM, "visitors", rows(person))
    place.town.service.import_roster(SCHOOL, "pupils", rows({**person, "groups": "8B"}))
    place.town.catch_up()
    assert opened(place) == {}
    place.town.service.import_roster(SCHOOL, "pupils", rows(person))
    place.town.catch_up()
    assert opened(place) == {M: {Kind.RECORDS: Ground.BASIS}}
    assert opened(place, viewer=EMPLOYER) == {}
    assert [one.ground for one in place.consents.disclosures(place.own())] == [Ground.BASIS]
    assert [one.name for one in place.consents.bases.list(SCHOOL)] == ["contract"]
    place.consents.bases.remove(SCHOOL, "contract")
    assert opened(place) == {}
    with pytest.raises(NotFound):
        place.consents.bases.remove(SCHOOL, "contract")


def test_basis_opens_nobody_by_a_mailbox_that_is_shared(place: Place) -> None:
    terms = check_terms("transcript", ["records"], None, None)
    place.consents.bases.declare(SCHOOL, "law", terms, None, "School Act 12")
    two = rows(*({"sourcedId": one, "email": "ana@example.org"} for one in ("17", "18")))
    place.town.service.import_roster(SCHOOL, "pupils", two, RosterOptions("https://school.example"))
    place.town.catch_up()
    assert opened(place) == {}


def test_nobody_agrees_for_a_shared_mailbox_and_it_opens_nothing(place: Place) -> None:
    place.consents.grant(place.own(), S, "transcript", ["records"], None, None)
    two = rows(*({"sourcedId": one, "email": "ana@example.org"} for one in ("17", "18")))
    place.town.service.import_roster(SCHOOL, "pupils", two, RosterOptions("https://school.example"))
    place.town.catch_up()
    assert opened(place) == {}
    with pytest.raises(Conflict):
        place.consents.grant(place.own(), S, "transcript", ["awards"], None, None)
    place.town.service.link(ANA, "https://school.example 17", "operator", "asked at home")
    place.town.catch_up()
    assert set(opened(place)) == {M, E}


def test_the_learners_word_comes_before_a_basis(place: Place) -> None:
    terms = check_terms("transcript", ["records", "awards"], None, None)
    place.consents.bases.declare(SCHOOL, "law", terms, None, "School Act 12")
    place.town.service.import_roster(SCHOOL, "pupils", rows({"sourcedId": "17", "email": "ana@example.org"}))
    place.consents.grant(place.own(), S, "transcript", ["records"], [M], None)
    place.town.catch_up()
    both = {Kind.RECORDS: Ground.CONSENT, Kind.AWARDS: Ground.BASIS}
    assert opened(place)[M] == both
    by_ground = {one.ground: one for one in place.consents.disclosures(place.own())}
    assert (by_ground[Ground.CONSENT].kinds, by_ground[Ground.CONSENT].sources) == ((Kind.RECORDS,), (M,))
    assert by_ground[Ground.BASIS].sources == (E, M)


@pytest.mark.parametrize(("name", "text"), [("", "law"), ("x" * 101, "law"), ("a\nb", "law"), ("law", " ")])
def test_basis_is_refused_when_it_has_no_name_or_says_no_law(place: Place, name: str, text: str) -> None:
    with pytest.raises(InvalidParameter):
        place.consents.bases.declare(SCHOOL, name, check_terms("t", ["records"], None, None), None, text)


def test_institution_sees_only_consents_that_were_given_to_it(place: Place) -> None:
    place.consents.grant(place.own(), S, "transcript", ["records"], None, None)
    place.consents.grant(place.own(), E, "hiring", ["awards"], None, None)
    (given,) = place.consents.list_given(SCHOOL)
    assert (given.consent.terms.purpose, given.learner) == ("transcript", place.own().learner_id)
    assert place.consents.list_given(MUSEUM) == []
    assert len(place.consents.list_given(InstitutionHandle(E))) == 1


def test_nobody_is_opened_when_the_id_is_nobodys(place: Place) -> None:
    with pytest.raises(NotFound):
        place.consents.open(SCHOOL, "000000000000", "transcript", "x")
    with pytest.raises(InvalidParameter):
        place.consents.open(SCHOOL, place.own().learner_id, "transcript", "x", "tomorrow")


def test_all_that_was_decided_of_a_learner_is_taken_away_and_nothing_of_others(place: Place) -> None:
    place.town.act(BADGE, MUSEUM, 7)
    place.town.act("mbox mailto:bo@example.org", MUSEUM, 8)
    other = place.own("mbox mailto:bo@example.org")
    place.town.service.link(ANA, BADGE, "operator")
    place.town.catch_up()
    for handle in (place.own(), other):
        place.consents.grant(handle, S, "transcript", ["records"], None, None)
        place.consents.open(SCHOOL, handle.learner_id, "transcript", "x")
    whole = place.own()
    assert (place.consents.forget(whole), place.town.service.forget(whole)) == (2, 1)
    assert (place.consents.forget(whole), place.town.service.forget(whole)) == (0, 0)
    place.town.catch_up()
    assert place.own(ANA) != place.own(BADGE)
    assert (place.consents.list_for(whole), place.consents.disclosures(whole)) == ([], [])
    assert (len(place.consents.list_for(other)), len(place.consents.disclosures(other))) == (1, 1)
