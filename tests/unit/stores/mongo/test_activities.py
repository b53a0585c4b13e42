"""Merging activity definitions out of the log: again, late, beside others, and with segments missed."""

import json
import random
from typing import Any

import msgspec
import pytest

from lrs.stores.compression import BodyCodec
from lrs.stores.mongo.activities import Definitions, MongoActivityStore
from lrs.stores.mongo.segment import Segment
from tests.unit.stores.mongo.conftest import SCHOOL, collections_of

CODEC = BodyCodec()
QUIZ = "http://a.example/quiz"


def segment(n: int, *given: tuple[str, str]) -> Segment:
    """A segment that names activities, in order."""
    texts = [(activity, json.dumps({"name": {"en": word}}).encode()) for activity, word in given]
    packed = CODEC.compress(msgspec.msgpack.encode(texts)) if texts else None
    return Segment(n, "token", n, definitions=packed)


@pytest.fixture
def collections(stores: Any) -> Any:
    return collections_of(stores)


@pytest.fixture
def make(collections: Any) -> Any:
    return lambda: Definitions(collections, SCHOOL.institution_id, CODEC)


@pytest.fixture
def word(collections: Any) -> Any:
    found = MongoActivityStore(collections, SCHOOL.institution_id, CODEC)
    return lambda activity=QUIZ: (
        json.loads(found.find_definition(activity) or b"{}").get("name", {}).get("en")
    )


def test_older_word_wins_again_when_a_segment_between_was_missed(make: Any, word: Any) -> None:
    mine, other = make(), make()
    mine.project(segment(1, (QUIZ, "A")))
    other.project(segment(2, (QUIZ, "B")))
    mine.project(segment(3, (QUIZ, "A")))
    assert word() == "A"


def test_older_word_wins_again_when_another_projected_the_segment_between(make: Any, word: Any) -> None:
    mine, other = make(), make()
    mine.project(segment(1, (QUIZ, "A")))
    other.project(segment(2, (QUIZ, "B")))
    mine.pass_over(segment(2, (QUIZ, "B")))
    mine.project(segment(3, (QUIZ, "A")))
    assert word() == "A"


def test_older_word_wins_again_when_a_thinned_segment_was_passed(make: Any, word: Any) -> None:
    mine, other = make(), make()
    mine.project(segment(1, (QUIZ, "A")))
    other.project(segment(2, (QUIZ, "B")))
    mine.pass_over(Segment(2, "", 2, thinned=True))
    mine.project(segment(3, (QUIZ, "A")))
    assert word() == "A"


def test_nothing_changes_when_segments_are_projected_again(make: Any, word: Any, collections: Any) -> None:
    words = ["A", "B", "A", "A", "C", "B"]
    segments = [segment(n, (QUIZ, one), (f"{QUIZ}/{n}", one)) for n, one in enumerate(words, 1)]
    first = make()
    for one in segments:
        first.project(one)
    before = list(collections.activities.find().sort("_id", 1))
    for late in (segments, segments[:1], segments[2:4], reversed(segments)):
        again = make()
        for one in late:
            again.project(one)
        first.project(segments[1])
    assert list(collections.activities.find().sort("_id", 1)) == before
    assert word() == "B"


def test_outcome_is_that_of_the_log_when_projectors_overlap_lag_and_repeat(make: Any, word: Any) -> None:
    rng = random.Random(3)
    segments = [
        segment(n, *[(rng.choice("abc"), rng.choice("12")) for _ in range(rng.randrange(4))])
        for n in range(1, 200)
    ]
    projectors = [make() for _ in range(3)]
    wanted: dict[str, str] = {}
    for one in segments:
        for late in rng.sample(segments[: one.n], min(one.n, 2)):
            if late.n < one.n:
                rng.choice(projectors).project(late)
        working = rng.choice(projectors)
        working.project(one)
        for other in projectors:
            if other is not working and rng.random() < 0.7:
                rng.choice([other.project, other.pass_over])(one)
        for activity, text in projectors[0]._given(one).items():
            wanted[activity] = json.loads(text[-1])["name"]["en"]
        assert {activity: word(activity) for activity in wanted} == wanted


def test_known_definition_asks_nothing_of_the_database(
    make: Any, collections: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = make()
    mine.project(segment(1, (QUIZ, "A")))

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("The database was asked.")

    for act in ("find", "find_one", "insert_one", "insert_many", "replace_one"):
        monkeypatch.setattr(collections.activities, act, refuse)
    mine.project(segment(2, (QUIZ, "A"), (QUIZ, "A")))
    mine.project(segment(3))
