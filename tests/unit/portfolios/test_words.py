"""What was recorded, in words that people use."""

import pytest

from lrs.learners.acts import Voucher
from lrs.portfolios.words import choose, listed, score_of, span, tail, verb_of, vouched, what_of
from tests.unit.portfolios.builders import act


@pytest.mark.parametrize(
    ("languages", "text"),
    [(["es"], "tarde"), (["es-MX"], "tarde"), (["de"], "evening"), ([], "evening"), (["en-GB"], "evening")],
)
def test_the_readers_language_is_chosen_else_english(languages: list[str], text: str) -> None:
    assert choose({"es": "tarde", "en-US": "evening"}, languages) == text


def test_any_language_is_taken_when_there_is_neither_the_readers_nor_english() -> None:
    assert choose({"fi": "ilta"}, ["es"]) == "ilta"
    assert choose({}, ["es"]) == ""


@pytest.mark.parametrize(
    ("iri", "words"),
    [
        ("https://example.org/workshops/robot-fish", "robot fish"),
        ("https://example.org/x#built_it/", "built it"),
        ("urn:course:knots", "knots"),
        ("https://example.org/caf%C3%A9", "café"),
    ],
)
def test_the_last_part_of_an_iri_stands_for_what_has_no_name(iri: str, words: str) -> None:
    assert tail(iri) == words


def test_an_act_is_named_by_its_displays_and_by_iris_only_where_there_are_none() -> None:
    assert f"{verb_of(act())} {what_of(act(), ['es'])}" == "Attended Asamblea del lunes"
    bare = act(verb_name={}, object_name={})
    assert f"{verb_of(bare)} {what_of(bare)}" == "Attended assembly"
    assert what_of(act(object=None, object_name={})) == ""


def test_nothing_is_called_failed() -> None:
    assert verb_of(act(verb="http://adlnet.gov/expapi/verbs/failed", verb_name={"en": "failed"})) == "Tried"


def test_a_title_is_cut_when_it_is_as_long_as_a_page() -> None:
    assert len(what_of(act(object_name={"en": "x" * 5_000}))) == 160


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "under a minute"),
        (60, "1 minute"),
        (3_540, "59 minutes"),
        (3_600, "1 hour"),
        (4_800, "1 hour 20 minutes"),
        (36_000 + 1_799, "10 hours"),
        (36_000 + 1_800, "11 hours"),
        (360_000, "100 hours"),
    ],
)
def test_spans_are_written_as_people_say_them(seconds: int, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("voucher", "words"),
    [
        (Voucher("mentor", "Tamsin"), "confirmed by Tamsin (mentor)"),
        (Voucher("accreditor", "Ana"), "confirmed by Ana (outside accreditor)"),
        (Voucher("employer"), "confirmed by an employer"),
        (Voucher("machine", "Gate"), "recorded by Gate"),
        (Voucher("machine"), "recorded by a system"),
        (Voucher("learner", "Wren"), "in the learner's own words"),
    ],
)
def test_who_stands_for_a_record_is_said(voucher: Voucher, words: str) -> None:
    assert vouched(voucher) == words


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ({"raw": "34.0", "max": "40"}, "34 of 40"),
        ({"raw": "7"}, "7 points"),
        ({"scaled": "0.85"}, "0.85 of 1"),
        ({"raw": "1E+2", "max": "200"}, "1E+2 of 200"),
        ({}, ""),
    ],
)
def test_scores_are_written_as_they_were_given(score: dict[str, str], words: str) -> None:
    assert score_of(act(**score)) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")],
)
def test_names_stand_in_a_row(names: list[str], words: str) -> None:
    assert listed(names) == words


def test_what_is_too_many_is_counted() -> None:
    assert listed(["A", "B", "C", "D", "E"]) == "A, B, C and 2 more"
