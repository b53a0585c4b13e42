"""What finished pathways earn: given once, kept or taken back by the stated policy."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lrs.access.handles import InstitutionHandle
from lrs.credentials.model import Award
from lrs.errors import InvalidImport, JobStopped
from lrs.pathways.kinds import PATHWAY
from tests.derivations import World, activity, identifier, keep
from tests.engines import mongomock_engine, sqlite_engine
from tests.unit.competencies.builders import FRAMEWORK


@pytest.fixture(params=["sqlite", "mongomock"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world with a framework, an alignment and a pathway, on each engine in turn."""
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    made = World.on(engine)
    made.framework()
    made.align()
    take(made)
    yield made
    engine.close()


def take(world: World, place: str = "Museum", times: int = 1, policy: str = "keep", **changes: Any) -> None:
    value = {
        "name": "tide",
        "title": "Tide Maker",
        "framework": FRAMEWORK,
        "steps": [
            {"id": "try", "title": "Try", "needs": {"activity": [activity("a1")], "times": times}},
            {"id": "know", "title": "Know", "required": False, "needs": {"item": "A2", "level": 2}},
        ],
        "award": {"title": "Tide Maker", "description": "D", "criteria": "C", "policy": policy},
        "opens": ["The yard"],
        **changes,
    }
    world.services.pathways.import_pathway(world.handle(place), json.dumps(value).encode())


def settle(world: World) -> tuple[int, int]:
    world.derive()
    done = world.services.awards.reconcile(keep)
    return done.given, done.revoked


def awards(world: World, who: str = "ada") -> list[Award]:
    found = world.services.learners.find(identifier(who))
    return list(world.services.awards.awards_of(found.identity_ids))


def test_award_is_given_once_for_what_was_finished_and_names_its_evidence(world: World) -> None:
    service = world.services.awards
    statement = world.say("School", "ada", "a1")
    world.say("School", "ben", "b1")
    assert not service.is_behind()
    world.derive()
    assert service.is_behind()
    assert (settle(world), settle(world)) == ((1, 0), (0, 0))
    assert not service.is_behind()
    (one,) = awards(world)
    museum = world.handle("Museum").institution_id
    assert (one.institution, one.pathway, one.version, one.state) == (museum, "tide", 1, "issued")
    assert (one.title, one.opens) == ("Tide Maker", ("The yard",))
    assert [ref[0] for ref in one.evidence] == [statement]
    assert awards(world, "ben") == []
    history = world.services.stores.recorded(world.handle("Museum")).read_entries(0, 99)
    assert [entry.kind for entry in history] == [PATHWAY, "award"]


def test_only_institutions_that_gave_an_award_are_asked_for_awards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.say("School", "ada", "a1")
    world.say("Employer", "ben", "b1")
    settle(world)
    asked: list[InstitutionHandle] = []
    opened = world.services.awards._open
    monkeypatch.setattr(world.services.awards, "_open", lambda handle: asked.append(handle) or opened(handle))
    assert len(awards(world)) == 1
    assert asked == [world.handle("Museum")]
    asked.clear()
    assert awards(world, "ben") == []
    assert asked == []


def test_completions_are_shown_and_equal_a_rebuild(world: World) -> None:
    world.say("School", "ada", "a2", 0.9)
    world.say("School", "ada", "a2", 0.9)
    world.derive()
    own = world.services.learners.own(identifier("ada"))
    (one,) = world.services.pathways.completions(own)
    assert (one.done, one.missing, [step.done for step in one.steps]) == (False, ("try",), [False, True])
    world.say("Employer", "ada", "a1")
    world.derive()
    assert world.services.pathways.completions(own)[0].done
    assert world.assert_equals_rebuild().completions == 1


def test_award_is_kept_when_its_ground_is_lost_and_the_policy_says_so(world: World) -> None:
    statement = world.say("School", "ada", "a1")
    world.say("School", "ada", "b1")
    settle(world)
    world.void("School", statement)
    assert settle(world) == (0, 0)
    assert [one.state for one in awards(world)] == ["issued"]


def test_award_is_revoked_and_given_again_when_the_policy_says_so(world: World) -> None:
    take(world, policy="revoke")
    statement = world.say("School", "ada", "a1")
    world.say("School", "ada", "b1")
    settle(world)
    world.void("School", statement)
    assert settle(world) == (0, 1)
    assert [one.state for one in awards(world)] == ["revoked"]
    assert settle(world) == (0, 0)
    again = world.say("School", "ada", "a1")
    assert settle(world) == (1, 0)
    assert [(one.state, [ref[0] for ref in one.evidence]) for one in awards(world)] == [("issued", [again])]


def test_changed_pathway_gives_to_those_who_finish_it_now_and_takes_by_its_policy(world: World) -> None:
    world.say("School", "ada", "a1")
    settle(world)
    take(world, times=2, policy="revoke")
    assert settle(world) == (0, 1)
    world.say("School", "ben", "a1")
    world.say("School", "ben", "a1")
    assert settle(world) == (1, 0)
    assert [one.version for one in awards(world, "ben")] == [2]


def test_nothing_is_revoked_while_what_was_derived_is_not_whole(world: World) -> None:
    """The file of derived rows was removed: completions are missing until it is made again."""
    take(world, policy="revoke")
    world.say("School", "ada", "a1")
    settle(world)
    world.epoch += 1
    assert world.derived.begin(world.epoch)
    assert world.derived.clear(world.epoch)
    assert not world.services.awards.is_behind()
    assert world.services.awards.reconcile(keep).revoked == 0
    assert settle(world) == (0, 0)
    assert [one.state for one in awards(world)] == ["issued"]


def test_merged_learners_have_one_award_and_each_keeps_theirs_when_split(world: World) -> None:
    for who in ("ada", "@card"):
        world.say("School", who, "a1")
    assert settle(world) == (2, 0)
    world.link("ada", "@card")
    assert settle(world) == (0, 0)
    assert len(awards(world)) == 1
    world.unlink("ada", "@card")
    assert settle(world) == (0, 0)
    assert [len(awards(world, who)) for who in ("ada", "@card")] == [1, 1]


def test_merge_that_finishes_a_pathway_gives_one_award(world: World) -> None:
    take(world, times=2)
    for who in ("ada", "@card"):
        world.say("School", who, "a1")
    assert settle(world) == (0, 0)
    world.link("ada", "@card")
    assert (settle(world), settle(world)) == ((1, 0), (0, 0))
    assert len(awards(world, "@card")) == 1


def test_award_stays_one_when_the_learners_id_changes(world: World) -> None:
    world.say("School", "ada", "a1")
    settle(world)
    names = [f"@card{number}" for number in range(6)]
    for name in names:
        world.say("School", name, "b1")
        world.link("ada", name)
        assert settle(world) == (0, 0)
    assert len(awards(world)) == 1


def test_shared_mailbox_earns_nothing_until_a_person_decides(world: World) -> None:
    world.share("ada")
    world.say("School", "ada", "a1")
    assert settle(world) == (0, 0)
    world.share("ada", "decided")
    assert settle(world) == (1, 0)


def test_two_workers_at_once_give_each_award_once(world: World) -> None:
    people = [f"p{number}" for number in range(12)]
    for who in people:
        world.say("School", who, "a1")
    world.derive()
    start = threading.Barrier(3)
    given: list[int] = []

    def work() -> None:
        start.wait()
        given.append(world.services.awards.reconcile(keep).given)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 3
    history = world.services.stores.recorded(world.handle("Museum")).read_entries(0, 999)
    assert len([entry for entry in history if entry.kind == "award"]) == len(people)
    assert [len(awards(world, who)) for who in people] == [1] * len(people)


def test_run_that_is_stopped_anywhere_is_finished_by_the_next(world: World) -> None:
    people = [f"p{number}" for number in range(5)]
    for who in people:
        world.say("School", who, "a1")
    world.derive()
    for steps in range(7):
        left = iter(range(steps))

        def count() -> None:
            if next(left, None) is None:  # noqa: B023 - called at once
                raise JobStopped("Enough.")

        try:
            world.services.awards.reconcile(count)
        except JobStopped:
            world.derive()
            assert world.services.awards.is_behind()
    assert settle(world) == (0, 0)
    assert not world.services.awards.is_behind()
    history = world.services.stores.recorded(world.handle("Museum")).read_entries(0, 999)
    assert len([entry for entry in history if entry.kind == "award"]) == len(people)


def test_awards_are_read_only_of_institutions_that_are_opened(world: World) -> None:
    take(world, place="School", name="other")
    world.say("School", "ada", "a1")
    assert settle(world) == (2, 0)
    found = world.services.learners.find(identifier("ada"))
    school = frozenset([world.handle("School").institution_id])
    assert [one.pathway for one in world.services.awards.awards_of(found.identity_ids, school)] == ["other"]
    assert world.services.awards.awards_of(found.identity_ids, frozenset()) == []


def test_awards_go_with_the_institution_that_gave_them(world: World) -> None:
    world.say("School", "ada", "a1")
    settle(world)
    world.drop("Museum")
    settle(world)
    assert awards(world) == []
    assert world.assert_equals_rebuild().completions == 0


def test_pathway_is_kept_as_it_was_when_its_next_version_is_refused(world: World) -> None:
    with pytest.raises(InvalidImport) as refused:
        take(world, minOptional=2)
    assert [problem.path for problem in refused.value.problems] == ["/minOptional"]
    (one,) = world.services.pathways.list(world.handle("Museum"))
    assert (one.version, one.min_optional) == (1, 0)


def test_the_same_file_again_changes_nothing_and_says_what_nothing_leads_to(world: World) -> None:
    value = {
        "name": "way",
        "title": "Way",
        "framework": FRAMEWORK,
        "steps": [
            {
                "id": "x",
                "title": "X",
                "needs": {"k": 1, "of": [{"item": "B2"}, {"item": "B1"}, {"item": "b"}]},
            }
        ],
    }
    take = world.services.pathways.import_pathway
    first, again = (take(world.handle("School"), json.dumps(value).encode()) for _ in range(2))
    assert (first.changed, again.changed, again.pathway.version) == (True, False, 1)
    assert list(first.unaligned) == ["B2 Can do b2"]
