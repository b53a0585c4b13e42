"""Driver errors in our words: the table is complete."""

import inspect

import bson.errors
import pymongo.errors
import pytest

from lrs.errors import ConfigError, LrsError, StoreError, StoreUnavailable, TooLarge
from lrs.stores.mongo.errors import is_transient, only_duplicates, translate, translated

EXPECTED: dict[str, type[LrsError]] = {
    "AutoReconnect": StoreUnavailable,
    "BulkWriteError": StoreError,
    "ClientBulkWriteException": StoreError,
    "CollectionInvalid": StoreError,
    "ConfigurationError": ConfigError,
    "ConnectionFailure": StoreUnavailable,
    "CursorNotFound": StoreUnavailable,
    "DocumentTooLarge": TooLarge,
    "DuplicateKeyError": StoreError,
    "EncryptedCollectionError": StoreError,
    "EncryptionError": StoreError,
    "ExecutionTimeout": StoreUnavailable,
    "InvalidName": ConfigError,
    "InvalidOperation": StoreError,
    "InvalidURI": ConfigError,
    "NetworkTimeout": StoreUnavailable,
    "NotPrimaryError": StoreUnavailable,
    "OperationFailure": StoreError,
    "ProtocolError": StoreError,
    "PyMongoError": StoreError,
    "ServerSelectionTimeoutError": StoreUnavailable,
    "WTimeoutError": StoreUnavailable,
    "WaitQueueTimeoutError": StoreUnavailable,
    "WriteConcernError": StoreUnavailable,
    "WriteError": StoreError,
    "_OperationCancelled": StoreUnavailable,
}
"""What each class of the driver becomes; a class that the driver gains must be put here."""


def driver_classes() -> dict[str, type[Exception]]:
    """Every error class that the driver defines."""
    found = inspect.getmembers(pymongo.errors, inspect.isclass)
    return {
        name: kind
        for name, kind in found
        if issubclass(kind, pymongo.errors.PyMongoError | pymongo.errors.DocumentTooLarge)
    }


def make(kind: type[Exception]) -> Exception:
    """An instance, whatever its constructor wants."""
    error = kind.__new__(kind)
    Exception.__init__(error, "made by a test")
    return error


def test_expectations_name_every_driver_error_when_the_driver_changes() -> None:
    assert set(driver_classes()) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_driver_error_becomes_ours_when_it_leaves_a_block(name: str) -> None:
    error = make(driver_classes()[name])
    error.__dict__.setdefault("_OperationFailure__code", None)
    error.__dict__.setdefault("_OperationFailure__details", None)
    with pytest.raises(LrsError) as caught, translated():
        raise error
    assert type(caught.value) is EXPECTED[name]
    assert caught.value.__cause__ is error


def test_encoding_error_becomes_ours_when_a_document_cannot_be_written() -> None:
    assert type(translate(bson.errors.InvalidDocument("made by a test"))) is StoreError
    assert type(translate(bson.errors.InvalidBSON("made by a test"))) is StoreError


@pytest.mark.parametrize(
    ("code", "kind"), [(10107, StoreUnavailable), (91, StoreUnavailable), (13, StoreError)]
)
def test_server_failure_is_told_apart_when_its_code_says_so(code: int, kind: type[LrsError]) -> None:
    error = pymongo.errors.OperationFailure("made by a test", code)
    assert type(translate(error)) is kind
    assert is_transient(error) is (kind is StoreUnavailable)


def test_other_errors_pass_when_they_are_not_the_drivers() -> None:
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError


def test_bulk_error_counts_as_duplicates_when_it_has_nothing_else() -> None:
    duplicate, other = {"code": 11000}, {"code": 121}
    assert only_duplicates(pymongo.errors.BulkWriteError({"writeErrors": [duplicate, duplicate]}))
    assert not only_duplicates(pymongo.errors.BulkWriteError({"writeErrors": [duplicate, other]}))
    with_concern = {"writeErrors": [duplicate], "writeConcernErrors": [{"code": 64}]}
    assert not only_duplicates(pymongo.errors.BulkWriteError(with_concern))


def test_bulk_error_is_transient_when_all_of_it_may_pass() -> None:
    def bulk(*codes: int, concerns: int = 0) -> pymongo.errors.BulkWriteError:
        problems = [{"code": code} for code in codes]
        return pymongo.errors.BulkWriteError(
            {"writeErrors": problems, "writeConcernErrors": [{"code": 64}] * concerns}
        )

    passing, lasting = [bulk(189), bulk(11000, 91), bulk(concerns=1)], [bulk(11000), bulk(189, 121), bulk()]
    assert all(is_transient(error) and type(translate(error)) is StoreUnavailable for error in passing)
    assert all(not is_transient(error) and type(translate(error)) is StoreError for error in lasting)
