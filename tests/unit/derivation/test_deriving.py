"""From what was recorded to what is shown: every kind of change is followed, and equals a rebuild."""

from typing import Any

import pytest

from lrs.derivation import reading
from lrs.derivation.names import OWNER, PENDING
from lrs.errors import JobTooLate
from lrs.learners.acts import acts_of
from lrs.tables.derived import Derivation, Row
from tests.derivations import World, all_rows, keep
from tests.unit.competencies.builders import FRAMEWORK


def test_posted_statements_become_a_level_when_the_job_has_run(world: World) -> None:
    world.say("School", "ada", "a1", 0.9)
    assert world.deriver.is_behind()
    world.derive()
    assert not world.deriver.is_behind()
    assert world.levels("ada") == {"a": 0, "a1": 0}
    world.say("Museum", "ada", "a1", 0.9)
    world.derive()
    assert world.levels("ada")["a1"] == 3
    assert world.assert_equals_rebuild().statements == 2


def test_everybody_in_a_group_has_the_act(world: World) -> None:
    world.say("School", ["ada", "ben", "@cyd"], "a1")
    world.derive()
    assert set(world.levels("ada")) == set(world.levels("ben")) == set(world.levels("@cyd")) == {"a", "a1"}
    world.assert_equals_rebuild()


@pytest.mark.parametrize("derive_between", [True, False])
def test_voided_statement_counts_no_more_whichever_came_first(world: World, derive_between: bool) -> None:
    first, second = world.say("School", "ada", "a1", 0.9), world.say("School", "ada", "a1", 0.9)
    world.void("School", "00000000-0000-4000-8000-0000000003e7")
    if derive_between:
        world.derive()
        assert world.levels("ada")["a1"] == 3
    world.void("School", second)
    world.say("School", "ada", "b1", 0.9, number=999)
    world.derive()
    assert world.levels("ada") == {"a": 0, "a1": 0}
    world.void("School", first)
    world.derive()
    assert world.levels("ada") == {}
    world.assert_equals_rebuild()


def test_statement_that_nothing_can_be_made_of_stops_nobody_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = world.say("School", "ada", "a1", 0.9)

    def fail_on_one(statement: Any, institution: str) -> Any:
        if statement["id"] == broken:
            raise OverflowError("what it quotes is nobody's business")
        return acts_of(statement, institution)

    monkeypatch.setattr(reading, "acts_of", fail_on_one)
    world.say("School", "ben", "a1", 0.9)
    world.epoch += 1
    told = world.deriver.run(world.epoch, keep).problems
    assert len(told) == 1
    assert broken in told[0]
    assert "OverflowError" in told[0]
    assert "nobody's" not in told[0]
    assert world.levels("ada") == {}
    assert set(world.levels("ben")) == {"a", "a1"}
    world.void("School", broken)
    world.derive()
    world.assert_equals_rebuild()


def test_voiding_in_one_institution_leaves_the_same_statement_of_another(world: World) -> None:
    statement = world.say("School", "ada", number=500)
    world.say("Museum", "ada", number=500)
    world.void("School", statement)
    world.derive()
    assert set(world.levels("ada")) == {"a", "a1"}
    world.assert_equals_rebuild()


def test_nobody_is_left_when_all_that_was_said_of_them_is_voided(world: World) -> None:
    for name in ("ada", "#ada"):
        statement = world.say("School", name)
        world.derive()
        world.void("School", statement)
        world.derive()
        world.assert_equals_rebuild()
    assert world.derived.count("learners") == 0


def test_mailbox_and_its_hash_part_when_the_mailbox_is_voided(world: World) -> None:
    world.say("School", "#ada", "a1")
    statement = world.say("Museum", "ada", "a2")
    world.derive()
    assert set(world.levels("#ada")) == {"a", "a1", "a2"}
    world.void("Museum", statement)
    world.derive()
    assert set(world.levels("#ada")) == {"a", "a1"}
    world.assert_equals_rebuild()


def test_link_joins_and_unlink_parts_evidence_of_two_identifiers(world: World) -> None:
    world.say("School", "ada", "a1", 0.9)
    world.say("Museum", "@ada", "a1", 0.9)
    world.derive()
    world.link("ada", "@ada")
    world.derive()
    assert world.levels("ada") == world.levels("@ada")
    assert world.levels("ada")["a1"] == 3
    world.assert_equals_rebuild()
    world.unlink("ada", "@ada")
    world.derive()
    assert world.levels("ada")["a1"] == world.levels("@ada")["a1"] == 0
    world.assert_equals_rebuild()


def test_roster_joins_and_its_change_parts(world: World) -> None:
    world.say("School", "ada", "a1", 0.9)
    world.say("Museum", "@ada", "a1", 0.9)
    world.roster("School", ("1", "Ada", ("ada", "@ada")), ("2", "Ben", ("ben",)))
    world.derive()
    assert world.levels("ada")["a1"] == 3
    world.assert_equals_rebuild()
    world.roster("School", ("1", "Ada", ("ada",)), ("2", "Ben", ("ben", "@ada")))
    world.derive()
    assert world.levels("ada")["a1"] == 0
    assert world.levels("ben") == world.levels("@ada")
    world.assert_equals_rebuild()
    world.roster("School")
    world.derive()
    assert world.levels("ben") == {}
    world.assert_equals_rebuild()


@pytest.mark.lasting
def test_changed_rules_are_carried_out_for_everybody(world: World) -> None:
    for number in range(30):
        world.say("School", f"learner{number}", "a1", 0.9)
    world.derive()
    world.align(items=("b1",))
    world.derive()
    assert world.derived.count("evidence") == 0
    assert world.levels("learner7") == {}
    world.align(items=("a1", "b1"), score={"fixed": "0.5"})
    world.derive()
    assert world.derived.count("evidence") == 30
    world.assert_equals_rebuild()


def test_changed_model_changes_levels(world: World) -> None:
    world.say("School", "ada", "a1", 0.9)
    world.say("School", "ada", "a1", 0.9)
    world.derive()
    world.framework(levels=False)
    world.derive()
    assert world.levels("ada") == {"a": None, "a1": None}
    world.assert_equals_rebuild()


def test_dropped_institution_takes_along_what_came_of_it(world: World) -> None:
    world.say("School", "ada", "a1", 0.9)
    world.say("Museum", "ada", "a1", 0.9)
    world.say("Museum", "ben", "a1", 0.9)
    world.roster("Museum", ("1", "Cyd", ("cyd", "ada")))
    world.derive()
    assert world.levels("ada")["a1"] == 3
    world.drop("Museum")
    assert world.deriver.is_behind()
    world.derive()
    assert not world.deriver.is_behind()
    assert world.levels("ada")["a1"] == 0
    assert world.levels("ben") == {}
    assert world.derived.count("learners") == 1
    world.assert_equals_rebuild()


def test_dropped_institution_takes_its_framework_along(world: World) -> None:
    world.say("Museum", "ada", "a1", 0.9)
    world.derive()
    world.drop("School")
    world.derive()
    assert world.levels("ada") == {}
    assert world.derived.count("acts") == 1
    world.assert_equals_rebuild()


def test_institution_that_is_dropped_between_two_halves_of_a_step_leaves_nothing(world: World) -> None:
    """Its acts are there and their people only marked when it goes."""
    world.say("Museum", "ben", "a1", 0.9)
    assert not world.derive(most_steps=4)
    assert world.derived.count("acts") == 1
    world.drop("Museum")
    world.derive()
    assert world.derived.count("acts") == 0
    world.assert_equals_rebuild()


def test_run_that_is_stopped_anywhere_is_taken_up_by_the_next(world: World) -> None:
    """Each run gets one step more than the one before, so that runs end at every place where one can."""
    for number in range(6):
        world.say("School", ["ada", "#ben"], "a1", number / 6)
        world.say("Museum", "ben", "a2", number / 6)
    world.link("ada", "@ada")
    world.roster("School", ("1", "Cyd", ("cyd", "@ada")))
    steps = 1
    while not world.derive(most_steps=steps):
        steps += 1
    assert steps > 3
    world.assert_equals_rebuild()


def test_run_with_an_older_epoch_writes_nothing(world: World) -> None:
    world.say("School", "ada")
    assert world.derived.begin(7)
    with pytest.raises(JobTooLate):
        world.deriver.run(6, keep)
    assert all_rows(world.derived) == []
    world.deriver.run(7, keep)
    world.epoch = 7
    world.assert_equals_rebuild()


def test_run_ends_when_a_later_epoch_begins_meanwhile(world: World) -> None:
    for number in range(5):
        world.say("School", f"learner{number}")
    steps = [0]

    def overtaken() -> None:
        steps[0] += 1
        if steps[0] == 5:
            assert world.derived.begin(9)

    with pytest.raises(JobTooLate):
        world.deriver.run(8, overtaken)
    world.epoch = 9
    world.derive()
    world.assert_equals_rebuild()


def test_rows_are_the_same_bytes_when_they_are_made_again(world: World) -> None:
    world.say("School", ["ada", "ben"], "a1", 0.9)
    world.link("ada", "ben")
    world.derive()
    before = all_rows(world.derived)
    world.epoch += 1
    assert world.derived.begin(world.epoch)
    assert world.derived.clear(world.epoch)
    world.derive()
    assert all_rows(world.derived) == before
    assert before


def test_every_difference_is_counted_and_the_first_are_named(world: World) -> None:
    world.say("School", "ada", "a1")
    world.derive()
    evidence = next(iter(world.derived.iter_rows("evidence")))
    member = next(iter(world.derived.iter_rows("members")))
    strange = [
        evidence._replace(content=b'{"score":"1"}'),
        *(Row("progress", "nobody", f"{FRAMEWORK} {number}", b"{}") for number in range(12)),
    ]
    assert world.derived.save(world.epoch, Derivation(strange, [member.name]))
    found = world.verify()
    assert found.differences == 14
    assert len(found.named) == 10
    assert f"members {member.owner}  is made and does not stand" in found.named
    assert any(one.startswith("evidence") and one.endswith("has another content") for one in found.named)


def test_verification_sees_what_nobody_has_derived_yet(world: World) -> None:
    world.say("School", "ada", "a1")
    rebuilt = world.verify()
    assert (rebuilt.statements, rebuilt.evidence, rebuilt.differences) == (1, 1, 0)
    assert world.levels("ada")


def test_marks_are_gone_when_a_run_has_ended(world: World) -> None:
    world.say("School", "ada", "a1")
    world.derive()
    assert list(world.derived.rows(PENDING, OWNER)) == []
