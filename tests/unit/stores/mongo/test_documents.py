"""Changes of documents when the database's answers are lost."""

from typing import Any

import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout

from lrs.errors import StoreUnavailable
from lrs.xapi.ports.documents import Document, DocumentContent, DocumentKey, DocumentKind, DocumentStore
from tests.unit.stores.mongo.conftest import SCHOOL, collections_of
from tests.unit.stores.mongo.test_faults import fail_times

KEY = DocumentKey(DocumentKind.STATE, "bookmark", "http://a.example/quiz", "mbox mailto:a@b.example")
ACTS = ["insert_one", "replace_one", "delete_one"]


@pytest.fixture
def documents(stores: Any) -> DocumentStore:
    return stores.records.documents(SCHOOL)


def append(before: Document | None) -> DocumentContent:
    return DocumentContent("text/plain", (before.content if before else b"") + b".")


def remove(before: Document | None) -> None:
    return None


def content(documents: DocumentStore) -> bytes | None:
    found = documents.find_document(KEY)
    return found and found.content


@pytest.mark.parametrize("lands", [True, False])
@pytest.mark.parametrize("act", ACTS)
def test_change_happens_once_when_the_answer_was_lost(
    stores: Any, documents: DocumentStore, monkeypatch: pytest.MonkeyPatch, act: str, lands: bool
) -> None:
    if act != "insert_one":
        documents.change_document(KEY, append)
    collection = collections_of(stores).documents
    failing = fail_times(2, getattr(collection, act), NetworkTimeout("lost"), lands=lands)
    if lands and act == "insert_one":
        failing = fail_times(1, collection.insert_one, NetworkTimeout("lost"), lands=True)
    monkeypatch.setattr(collection, act, failing)
    documents.change_document(KEY, remove if act == "delete_one" else append)
    wanted = {"insert_one": b".", "replace_one": b"..", "delete_one": None}
    assert content(documents) == wanted[act]


def test_nothing_is_claimed_when_another_writer_came_behind_a_lost_answer(
    stores: Any, documents: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents.change_document(KEY, append)
    collection = collections_of(stores).documents
    replace = collection.replace_one

    lost: list[Any] = []

    def overtaken(condition: Any, new: Any) -> Any:
        done = replace(condition, new)
        if lost:
            return done
        lost.append(replace({"_id": new["_id"]}, {**new, "rev": "another"}))
        raise AutoReconnect("gone")

    monkeypatch.setattr(collection, "replace_one", overtaken)
    with pytest.raises(StoreUnavailable):
        documents.change_document(KEY, append)


def test_giving_up_is_said_when_the_database_never_answers(
    stores: Any, documents: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents.change_document(KEY, append)
    collection = collections_of(stores).documents
    with monkeypatch.context() as broken:
        never = fail_times(10_000, collection.replace_one, AutoReconnect("gone"), lands=False)
        broken.setattr(collection, "replace_one", never)
        with pytest.raises(StoreUnavailable):
            documents.change_document(KEY, append)
    assert content(documents) == b"."
    documents.change_document(KEY, append)
    assert content(documents) == b".."


def test_change_decides_again_when_the_document_was_deleted_and_made_anew_meanwhile(
    stores: Any, documents: DocumentStore
) -> None:
    """The new one bears another revision, so that an old decision does not fit it."""
    seen: list[bytes | None] = []
    collection = collections_of(stores).documents
    documents.change_document(KEY, append)

    def change(before: Document | None) -> DocumentContent:
        seen.append(before and before.content)
        if len(seen) == 1:
            row = collection.find_one({"_id": {"$exists": True}})
            collection.delete_one({"_id": row["_id"]})
            collection.insert_one({**row, "rev": "another", "z": 0, "b": b"anew"})
        return append(before)

    documents.change_document(KEY, change)
    assert seen == [b".", b"anew"]
    assert content(documents) == b"anew."
