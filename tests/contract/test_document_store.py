"""What every engine promises about documents (lrs.xapi.ports.documents.DocumentStore)."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.errors import PreconditionFailed, TooLarge
from lrs.xapi.ports.documents import (
    Change,
    Document,
    DocumentContent,
    DocumentKey,
    DocumentKind,
    DocumentSet,
    DocumentStore,
)
from tests.contract.builders import MUSEUM, SCHOOL
from tests.engines import Engine

STATE, ACTIVITY_PROFILE, AGENT_PROFILE = DocumentKind
QUIZ = "http://activities.example/quiz"
ANA = "mbox mailto:ana@school.example"
FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def store(engine: Engine) -> DocumentStore:
    return engine.open().records.documents(SCHOOL)


def state(name: str = "bookmark", registration: str | None = None, **changes: str) -> DocumentKey:
    about = {"activity": QUIZ, "agent": ANA, **changes}
    return DocumentKey(STATE, name, about["activity"], about["agent"], registration)


def states(registration: str | None = None, activity: str = QUIZ, agent: str = ANA) -> DocumentSet:
    return DocumentSet(STATE, activity, agent, registration)


def to(content: bytes, content_type: str = "text/plain") -> Change:
    return lambda _: DocumentContent(content_type, content)


def appending(more: bytes) -> Change:
    return lambda before: DocumentContent("text/plain", (before.content if before else b"") + more)


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def nothing(before: Document | None) -> None:
    return None


def names(store: DocumentStore, documents: DocumentSet, since_us: int | None = None) -> list[str]:
    return list(store.list_documents(documents, since_us).ids)


# --- one document -------------------------------------------------------------------------


def test_nothing_is_found_when_nothing_was_kept(store):
    assert store.find_document(state()) is None
    assert names(store, states()) == []
    assert store.delete_documents(states()) == 0


def test_document_comes_back_as_it_was_kept(engine, store):
    made = store.change_document(state(), to(b'{"page":3}', "application/json; charset=utf-8"))
    assert made == Document(
        "application/json; charset=utf-8",
        b'{"page":3}',
        sha1(b'{"page":3}'),
        engine.clock.now_us,
    )
    assert store.find_document(state()) == made


def test_change_sees_what_is_there_and_its_result_replaces_it(store):
    seen = []

    def change(before: Document | None) -> DocumentContent:
        seen.append(before)
        return DocumentContent("text/plain", b"second")

    first = store.change_document(state(), to(b"first", "image/png"))
    second = store.change_document(state(), change)
    assert seen == [first]
    assert (second.content, second.content_type) == (b"second", "text/plain")
    assert second.etag == sha1(b"second")
    assert store.find_document(state()) == second


def test_document_is_gone_when_a_change_says_so_and_may_be_made_again(store):
    store.change_document(state(), to(b"first"))
    assert store.change_document(state(), nothing) is None
    assert store.find_document(state()) is None
    assert names(store, states()) == []
    assert store.change_document(state(), nothing) is None
    again = store.change_document(state(), appending(b"again"))
    assert again.content == b"again"
    assert store.find_document(state()) == again


def test_everything_stays_as_it_was_when_the_change_raises(store):
    def refuse(before: Document | None) -> DocumentContent:
        raise PreconditionFailed("The ETag is another.", found=before and before.etag)

    with pytest.raises(PreconditionFailed):
        store.change_document(state(), refuse)
    assert store.find_document(state()) is None
    kept = store.change_document(state(), to(b"kept"))
    with pytest.raises(PreconditionFailed) as caught:
        store.change_document(state(), refuse)
    assert caught.value.found == kept.etag
    assert store.find_document(state()) == kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        bytes(range(256)) * 256,
        hashlib.shake_256(b"noise").digest(65_536),
        hashlib.shake_256(b"noise").digest(5_000_000),
        b"x" * 5_000_000,
    ],
    ids=["empty", "nul", "every byte, 65 kB", "noise, 65 kB", "noise, 5 MB", "repeating, 5 MB"],
)
def test_content_comes_back_whatever_its_bytes(engine, store, content):
    made = store.change_document(state(), to(content, "application/octet-stream"))
    assert made.content == content
    found = engine.open().records.documents(SCHOOL).find_document(state())
    assert found == made
    assert found.etag == sha1(content)


def test_document_that_is_too_large_is_refused_and_the_old_one_stays(store):
    largest = hashlib.shake_256(b"largest").digest(15_000_000)
    kept = store.change_document(state(), to(largest))
    with pytest.raises(TooLarge):
        store.change_document(state(), appending(b"."))
    assert store.find_document(state()) == kept


@pytest.mark.parametrize(
    "key",
    [
        state("", activity="", agent=""),
        state("ü «quoted» \u0000 $ . \U0001f600 '\"\\"),
        state("n" * 3000, activity=QUIZ + "/long" * 1000, agent="account " + "a" * 5000),
    ],
    ids=["empty", "strange", "long"],
)
def test_key_finds_its_document_whatever_its_text(store, key):
    made = store.change_document(key, to(b"here"))
    assert store.find_document(key) == made
    assert names(store, states(activity=key.activity, agent=key.agent)) == [key.document_id]


# --- what keeps documents apart -----------------------------------------------------------

EVERYWHERE = [
    state(),
    state("other"),
    state(registration=FIRST),
    state(registration=SECOND),
    state(activity=QUIZ + "/2"),
    state(agent="mbox mailto:ben@school.example"),
    DocumentKey(ACTIVITY_PROFILE, "bookmark", activity=QUIZ),
    DocumentKey(ACTIVITY_PROFILE, "bookmark", activity=QUIZ, agent=ANA),
    DocumentKey(AGENT_PROFILE, "bookmark", activity=QUIZ, agent=ANA),
    DocumentKey(AGENT_PROFILE, "bookmark", agent=ANA),
    DocumentKey(AGENT_PROFILE, QUIZ, agent=ANA),
]


def test_documents_are_apart_when_any_part_of_their_key_differs(store):
    for number, key in enumerate(EVERYWHERE):
        assert store.change_document(key, appending(b"%d" % number)).content == b"%d" % number
    for number, key in enumerate(EVERYWHERE):
        assert store.find_document(key).content == b"%d" % number
    store.change_document(EVERYWHERE[0], nothing)
    assert [store.find_document(key) is None for key in EVERYWHERE] == [True] + [False] * 10


def test_institutions_are_apart_when_their_documents_have_the_same_keys(engine):
    records = engine.open().records
    school, museum = records.documents(SCHOOL), records.documents(MUSEUM)
    for key in EVERYWHERE:
        school.change_document(key, to(b"school"))
        assert museum.find_document(key) is None
    assert names(museum, states()) == []
    assert museum.delete_documents(states()) == 0
    museum.change_document(state(), appending(b"museum"))
    museum.change_document(state("only here"), to(b"museum"))
    assert names(school, states()) == ["bookmark", "other"]
    assert museum.delete_documents(states()) == 2
    assert museum.find_document(state()) is None
    assert [school.find_document(key).content for key in EVERYWHERE] == [b"school"] * len(EVERYWHERE)


# --- sets ---------------------------------------------------------------------------------


def test_set_lists_each_id_once_and_sorted(store):
    for name in ("b", "a", "Z", "ä", "b"):
        store.change_document(state(name), to(b"."))
    for registration in (FIRST, SECOND):
        store.change_document(state("a", registration), to(b"."))
    assert names(store, states()) == ["Z", "a", "b", "ä"]


def test_registration_narrows_a_set_and_none_takes_all(store):
    store.change_document(state("none"), to(b"."))
    store.change_document(state("first", FIRST), to(b"."))
    store.change_document(state("second", SECOND), to(b"."))
    assert names(store, states()) == ["first", "none", "second"]
    assert names(store, states(FIRST)) == ["first"]
    assert store.find_document(state("first")) is None
    assert store.find_document(state("none", FIRST)) is None


@pytest.mark.parametrize(
    ("documents", "left"),
    [
        (states(), {4, 5, 6, 7, 8, 9, 10}),
        (states(FIRST), {0, 1, 3, 4, 5, 6, 7, 8, 9, 10}),
        (DocumentSet(ACTIVITY_PROFILE, QUIZ), {0, 1, 2, 3, 4, 5, 7, 8, 9, 10}),
        (DocumentSet(AGENT_PROFILE, agent=ANA), {0, 1, 2, 3, 4, 5, 6, 7, 8}),
    ],
    ids=["states", "states of a registration", "activity profiles", "agent profiles"],
)
def test_deleting_a_set_removes_all_of_it_and_nothing_else(store, documents, left):
    for key in EVERYWHERE:
        store.change_document(key, to(b"."))
    assert store.delete_documents(documents) == len(EVERYWHERE) - len(left)
    assert {n for n, key in enumerate(EVERYWHERE) if store.find_document(key)} == left
    assert names(store, documents) == []
    assert store.delete_documents(documents) == 0


def test_since_lists_only_what_was_changed_after_it(engine, store):
    instants = {}
    for name in ("a", "b", "c"):
        instants[name] = store.change_document(state(name), to(b"1")).updated_at_us
        engine.clock.move(1)
    assert names(store, states(), instants["a"] - 1) == ["a", "b", "c"]
    assert names(store, states(), instants["a"]) == ["b", "c"]
    assert names(store, states(), instants["c"]) == []
    again = store.change_document(state("a"), to(b"1")).updated_at_us
    assert again > instants["c"]
    assert names(store, states(), instants["b"]) == ["a", "c"]


def test_a_list_names_when_the_last_change_in_it_was(engine, store):
    assert store.list_documents(states(), None).updated_at_us is None
    store.change_document(state("a"), to(b"1"))
    engine.clock.move(1)
    first = store.change_document(state("b", FIRST), to(b"1")).updated_at_us
    engine.clock.move(1)
    last = store.change_document(state("a"), to(b"2")).updated_at_us
    assert store.list_documents(states(), None).updated_at_us == last
    assert store.list_documents(states(FIRST), None).updated_at_us == first
    assert store.list_documents(states(), last).updated_at_us is None


def test_since_and_registration_hold_together(engine, store):
    old = store.change_document(state("old", FIRST), to(b"1")).updated_at_us
    engine.clock.move(1)
    store.change_document(state("new", FIRST), to(b"1"))
    store.change_document(state("elsewhere", SECOND), to(b"1"))
    assert names(store, states(FIRST), old) == ["new"]


# --- time ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, -3600], ids=["stands", "is set back"])
def test_each_change_is_later_than_the_one_before_when_the_clock(engine, store, seconds):
    instants = []
    for _ in range(5):
        instants.append(store.change_document(state(), to(b"same")).updated_at_us)
        assert store.find_document(state()).updated_at_us == instants[-1]
        engine.clock.move(seconds)
    assert instants == [instants[0] + n for n in range(5)]


def test_change_bears_the_clocks_instant_when_the_clock_goes(engine, store):
    store.change_document(state(), to(b"1"))
    engine.clock.move(60)
    assert store.change_document(state(), to(b"2")).updated_at_us == engine.clock.now_us


# --- many at once -------------------------------------------------------------------------


def run_all(works: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own, all let go at the same moment; raise what one raised."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait()
        work()

    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(run, work) for work in works]:
            done.result()


def test_no_update_is_lost_when_twenty_threads_change_one_document(engine):
    stores = [engine.open().records.documents(SCHOOL) for _ in range(2)]

    def work(number: int) -> Callable[[], None]:
        def append() -> None:
            for turn in range(5):
                stores[number % 2].change_document(state(), appending(b"%d.%d;" % (number, turn)))

        return append

    run_all([work(number) for number in range(20)])
    entries = stores[0].find_document(state()).content.decode().split(";")[:-1]
    assert sorted(entries) == sorted(f"{number}.{turn}" for number in range(20) for turn in range(5))
    for number in range(20):
        mine = [entry for entry in entries if entry.startswith(f"{number}.")]
        assert mine == [f"{number}.{turn}" for turn in range(5)]


def test_exactly_one_finds_it_missing_when_twenty_threads_make_one_document(engine):
    stores = [engine.open().records.documents(SCHOOL) for _ in range(2)]
    refused = []

    def work(number: int) -> Callable[[], None]:
        def only_if_missing(before: Document | None) -> DocumentContent:
            if before is not None:
                raise PreconditionFailed("It is there.")
            return DocumentContent("text/plain", b"%d" % number)

        def make() -> None:
            try:
                stores[number % 2].change_document(state(), only_if_missing)
            except PreconditionFailed:
                refused.append(number)

        return make

    run_all([work(number) for number in range(20)])
    assert len(refused) == 19
    winner = int(store_content(stores[0]))
    assert sorted([*refused, winner]) == list(range(20))


def store_content(store: DocumentStore) -> bytes:
    return store.find_document(state()).content


def test_each_write_is_before_or_after_when_threads_make_delete_and_change(engine):
    """Every append is found by a deletion or at the end, exactly once."""
    stores = [engine.open().records.documents(SCHOOL) for _ in range(2)]
    taken: list[bytes] = []

    def append(number: int) -> Callable[[], None]:
        def work() -> None:
            for turn in range(5):
                stores[number % 2].change_document(state(), appending(b"%d.%d;" % (number, turn)))

        return work

    def take(number: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(5):
                last: list[bytes] = []

                def remove(before: Document | None, last: list[bytes] = last) -> None:
                    last[:] = [before.content if before else b""]

                stores[number % 2].change_document(state(), remove)
                taken.extend(last)

        return work

    run_all([append(number) for number in range(8)] + [take(number) for number in range(4)])
    rest = stores[0].find_document(state())
    everything = b"".join([*taken, rest.content if rest else b""]).decode().split(";")[:-1]
    assert sorted(everything) == sorted(f"{number}.{turn}" for number in range(8) for turn in range(5))
