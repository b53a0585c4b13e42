"""At a glance: what is said of what there is."""

from dataclasses import replace

from lrs.portfolios.glance import make_glance, next_steps
from lrs.portfolios.model import Award
from tests.unit.portfolios.builders import act, at, competency, framework, pathway, portfolio, step


def test_what_was_done_is_counted_with_its_places_and_hours() -> None:
    acts = [act(at=at("2026-09-01"), seconds=36_000), act(institution="museum", seconds=7_200)]
    glance = make_glance(portfolio(acts))
    assert glance.done == "2 records at 2 places, 12 hours in all, since September 2026."
    assert glance.more[0] == "Most of the time written down was at Hill School: 10 hours."


def test_one_place_is_called_by_its_name_and_no_hours_are_made_up() -> None:
    glance = make_glance(portfolio([act(seconds=None)]))
    assert glance.done == "1 record at Hill School, since November 2026."
    assert glance.more == []


def test_the_highest_level_is_what_one_is_good_at() -> None:
    group = framework(
        competency("A", 1), competency("B", 2, "2026-10-01"), competency("C", 2), competency("D", 0)
    )
    assert make_glance(portfolio([act()], frameworks=[group])).good_at == "Secure in C and B."


def test_coverage_is_said_when_there_is_no_level() -> None:
    group = framework(competency("A", None, levels=0), met=3, of=9)
    good_at = make_glance(portfolio([act()], frameworks=[group])).good_at
    assert good_at == "Met with 3 of 9 parts of Sea Spine."


def test_an_award_is_said_when_there_is_no_competency() -> None:
    award = Award("knots", "Knot Friend", "", "Harbour Museum", at("2026-11-01"), "issued", (), ())
    glance = make_glance(portfolio([act()], awards=[award]))
    assert glance.good_at == "“Knot Friend”, earned from Harbour Museum."
    revoked = make_glance(portfolio([act()], awards=[replace(award, state="revoked")]))
    assert not any("Knot Friend" in sentence for sentence in [revoked.good_at, *revoked.more])


def test_the_path_that_is_nearest_to_its_end_comes_first_and_says_why() -> None:
    far = pathway("Far", step("a", done=True), step("b"), step("c"))
    near = pathway("Near", step("x", done=True), step("y"))
    shown = portfolio([act()], pathways=[far, near])
    assert [(one.title, one.pathway) for one in next_steps(shown)] == [
        ("y", "Near"),
        ("b", "Far"),
        ("c", "Far"),
    ]
    assert make_glance(shown).next == "y. It is the last step of “Near” and earns “Near”."
    assert next_steps(shown)[1].why == "“Far” needs it: 1 step is done, 2 to go."


def test_optional_steps_are_named_only_as_long_as_some_are_needed() -> None:
    open_choice = pathway("P", step("a", done=True), step("b", required=False), missing_optional=1)
    enough = pathway("Q", step("a"), step("b", required=False))
    shown = next_steps(portfolio([act()], pathways=[open_choice, enough]))
    assert [(one.pathway, one.title) for one in shown] == [("P", "b"), ("Q", "a")]


def test_whoever_finished_everything_is_told_so() -> None:
    done = pathway("Done", step("a", done=True), done=True)
    assert "“Done”" in make_glance(portfolio([act()], pathways=[done])).next


def test_nobody_is_told_anything_that_is_not_there() -> None:
    glance = make_glance(portfolio())
    assert glance.done == "Nothing is recorded here yet."
    assert glance.good_at == "This fills when the first records come."
    assert glance.more == []
