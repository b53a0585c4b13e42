"""What every engine promises about attachments (Batch.attachments and AttachmentStore)."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.errors import StatementConflict
from lrs.stores import Stores
from lrs.xapi.ports import Batch, BatchOutcome, PreparedStatement
from lrs.xapi.ports.attachments import AttachmentContent
from tests.contract.builders import MUSEUM, SCHOOL, log, make_statement, sid, verb
from tests.engines import Engine

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))
ESSAY = b"Once upon a time there was a museum. " * 100


@pytest.fixture
def stores(engine: Engine) -> Stores:
    return engine.open()


def attach(content: bytes, hashed: Callable[..., "hashlib._Hash"] = hashlib.sha256) -> AttachmentContent:
    return AttachmentContent(hashed(content).hexdigest(), content)


def noise(size: int, seed: bytes = b"noise") -> bytes:
    return hashlib.shake_256(seed).digest(size)


def add(stores: Stores, statement: PreparedStatement, *contents: bytes, handle=SCHOOL) -> BatchOutcome:
    batch = Batch([statement], "key", [attach(content) for content in contents])
    return stores.records.statements(handle).add_statements(batch)


def found(stores: Stores, *contents: bytes, handle=SCHOOL) -> list[bool]:
    """Which contents are kept; those that are come back as they were."""
    asked = [attach(content) for content in contents]
    kept = stores.records.attachments(handle).find_attachments([one.sha2 for one in asked])
    assert all(kept.get(one.sha2, one.content) == one.content for one in asked)
    assert set(kept) <= {one.sha2 for one in asked}
    return [one.sha2 in kept for one in asked]


def test_nothing_is_found_when_nothing_was_kept(stores):
    attachments = stores.records.attachments(SCHOOL)
    assert dict(attachments.find_attachments([])) == {}
    assert dict(attachments.find_attachments([attach(JPEG).sha2])) == {}


def test_attachments_are_found_by_hash_when_their_batch_was_kept(engine, stores):
    assert add(stores, make_statement("a", verb()), JPEG, ESSAY) == BatchOutcome((0,), ())
    kept = engine.open().records.attachments(SCHOOL).find_attachments({attach(JPEG).sha2, attach(ESSAY).sha2})
    assert kept == {attach(JPEG).sha2: JPEG, attach(ESSAY).sha2: ESSAY}


def test_unknown_hashes_are_left_out_and_a_hash_may_be_asked_twice(stores):
    add(stores, make_statement("a"), JPEG)
    sha2 = attach(JPEG).sha2
    asked = [sha2, "0" * 64, sha2, "", f"{sha2}:1"]
    assert stores.records.attachments(SCHOOL).find_attachments(asked) == {sha2: JPEG}


@pytest.mark.parametrize(
    "hashed", [hashlib.sha224, hashlib.sha256, hashlib.sha384, hashlib.sha512], ids=lambda one: one().name
)
def test_hash_may_be_of_any_kind_of_sha2(stores, hashed):
    batch = Batch([make_statement("a")], "key", [attach(JPEG, hashed)])
    stores.records.statements(SCHOOL).add_statements(batch)
    sha2 = hashed(JPEG).hexdigest()
    assert stores.records.attachments(SCHOOL).find_attachments([sha2]) == {sha2: JPEG}


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", bytes(range(256)) * 10, noise(65_536), b"x" * 20_000_000, noise(20_000_000)],
    ids=["empty", "nul", "every byte", "noise, 65 kB", "repeating, 20 MB", "noise, 20 MB"],
)
def test_content_comes_back_whatever_its_bytes(stores, content):
    add(stores, make_statement("a"), content)
    assert found(stores, content) == [True]


def test_three_hundred_are_found_at_once(stores):
    contents = [b"attachment %d" % number for number in range(300)]
    add(stores, make_statement("a"), *contents)
    assert found(stores, *contents, b"another") == [True] * 300 + [False]


def test_attachment_may_come_again_when_it_is_already_there(stores):
    add(stores, make_statement("a"), JPEG)
    assert add(stores, make_statement("b"), JPEG, ESSAY) == BatchOutcome((0,), ())
    assert found(stores, JPEG, ESSAY) == [True, True]


def test_attachment_is_kept_when_its_statement_was_already_there(stores):
    add(stores, make_statement("a"))
    assert add(stores, make_statement("a"), JPEG) == BatchOutcome((), (0,))
    assert found(stores, JPEG) == [True]


def test_refused_batch_leaves_nothing_that_is_found_through_a_statement(engine, stores):
    """SQLite keeps no byte of it; on MongoDB the bytes may stay, with no statement to name them."""
    add(stores, make_statement("a", content="1"), JPEG)
    with pytest.raises(StatementConflict):
        add(stores, make_statement("a", content="2"), ESSAY)
    assert [one.id for one in log(stores.records.statements(SCHOOL))] == [sid("a")]
    assert found(stores, JPEG) == [True]
    if engine.name == "sqlite":
        assert found(stores, ESSAY) == [False]
    add(stores, make_statement("b"), ESSAY)
    assert found(stores, ESSAY) == [True]


def test_institutions_are_apart_when_they_keep_the_same_bytes(stores):
    add(stores, make_statement("a"), JPEG, ESSAY)
    assert found(stores, JPEG, ESSAY, handle=MUSEUM) == [False, False]
    add(stores, make_statement("a"), JPEG, handle=MUSEUM)
    assert found(stores, JPEG, ESSAY, handle=MUSEUM) == [True, False]
    assert found(stores, JPEG, ESSAY) == [True, True]


def test_attachments_are_there_when_their_statement_is_while_eight_threads_post(engine):
    opened = [engine.open() for _ in range(2)]
    contents = [noise(30_000, b"%d" % number) for number in range(8)]

    def post(number: int) -> None:
        for turn in range(5):
            one = opened[number % 2]
            shared = contents[(number + turn) % 8]
            add(one, make_statement(f"{number}.{turn}"), shared, b"%d.%d" % (number, turn))
            assert found(opened[(number + 1) % 2], shared, b"%d.%d" % (number, turn)) == [True, True]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(post, range(8)))
    assert found(opened[0], *contents) == [True] * 8
