"""The access store's contract: keys, found, used, rotated, changed and revoked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lrs.access.model import ClientId, Key, KeyChange, KeyId, Scope, Tolerance
from lrs.access.ports import AccessStore
from lrs.errors import AlreadyExists, Conflict, NotFound
from tests.contract.access.kept import GATE, KEY, MUSEUM, NOW, SCHOOL
from tests.engines import Engine

ADMIN_KEY = Key(KeyId("key-admin"), None, None, b"\x00" * 32, frozenset({Scope.ADMIN}), None, NOW)


def test_credential_holds_key_client_and_institution_when_found(school: AccessStore) -> None:
    school.add_key(KEY)
    found = school.find_credential(KEY.id)
    assert found is not None
    assert (found.key, found.client, found.institution) == (KEY, GATE, SCHOOL)


def test_credential_has_neither_client_nor_institution_when_it_is_an_administrators(
    access: AccessStore,
) -> None:
    access.add_key(ADMIN_KEY)
    found = access.find_credential(ADMIN_KEY.id)
    assert found is not None
    assert (found.key, found.client, found.institution) == (ADMIN_KEY, None, None)


def test_key_is_refused_when_its_id_is_taken(school: AccessStore) -> None:
    school.add_key(KEY)
    with pytest.raises(AlreadyExists):
        school.add_key(replace(KEY, secret_sha256=b"\xff" * 32))
    found = school.find_credential(KEY.id)
    assert found is not None
    assert found.key == KEY


def test_key_is_refused_when_its_client_is_unknown(school: AccessStore) -> None:
    with pytest.raises(NotFound):
        school.add_key(replace(KEY, client_id=ClientId("nobody")))
    assert school.find_credential(KEY.id) is None


def test_key_is_refused_when_its_client_is_of_another_institution(school: AccessStore) -> None:
    school.add_institution(MUSEUM)
    with pytest.raises(NotFound):
        school.add_key(replace(KEY, institution_id=MUSEUM.id))


def test_keys_are_listed_oldest_first_when_there_are_several(school: AccessStore) -> None:
    later = replace(KEY, id=KeyId("a-later"), created_at_us=NOW + 10)
    school.add_key(later)
    school.add_key(KEY)
    school.add_key(ADMIN_KEY)
    assert list(school.list_keys(SCHOOL.id)) == [KEY, later]
    assert list(school.list_keys(None)) == [ADMIN_KEY]


def test_revoked_key_is_seen_at_once_when_another_process_looks(engine: Engine) -> None:
    one, other = engine.open().access, engine.open().access
    one.add_institution(SCHOOL)
    one.add_client(GATE)
    one.add_key(KEY)
    before = other.find_credential(KEY.id)
    assert before is not None
    assert before.key.revoked_at_us is None
    assert one.revoke_key(KEY.id, NOW + 50) is True
    after = other.find_credential(KEY.id)
    assert after is not None
    assert after.key == replace(KEY, revoked_at_us=NOW + 50)


def test_first_moment_of_revoking_stays_when_a_key_is_revoked_again(school: AccessStore) -> None:
    school.add_key(KEY)
    assert school.revoke_key(KEY.id, NOW + 50) is True
    assert school.revoke_key(KEY.id, NOW + 10) is True
    assert school.revoke_key(KEY.id, NOW + 90) is True
    (kept,) = school.list_keys(SCHOOL.id)
    assert kept.revoked_at_us == NOW + 50


def test_revoking_says_no_when_the_key_is_unknown(school: AccessStore) -> None:
    assert school.revoke_key(KeyId("nobody"), NOW) is False


def test_last_use_only_rises_when_it_is_noted_out_of_order(school: AccessStore) -> None:
    school.add_key(KEY)
    for moment in (NOW + 60, NOW + 20, NOW + 40):
        school.note_key_used(KEY.id, moment)
    (kept,) = school.list_keys(SCHOOL.id)
    assert kept == replace(KEY, last_used_at_us=NOW + 60)


def test_noting_a_use_does_nothing_when_the_key_is_unknown(school: AccessStore) -> None:
    school.note_key_used(KeyId("nobody"), NOW)
    assert school.find_credential(KeyId("nobody")) is None


def test_key_keeps_its_rate_when_it_has_one(school: AccessStore) -> None:
    limited = [replace(KEY, id=KeyId(f"rate-{rate}"), rate_per_minute=rate) for rate in (None, 0, 90)]
    for key in limited:
        school.add_key(key)
    assert sorted(school.list_keys(SCHOOL.id), key=lambda key: key.id) == sorted(
        limited, key=lambda key: key.id
    )


LASTING = replace(KEY, expires_at_us=None)
SUCCESSOR = replace(LASTING, id=KeyId("key-2"), secret_sha256=b"\x02" * 32, created_at_us=NOW + 20)


def test_both_keys_are_there_and_linked_when_one_was_rotated(school: AccessStore) -> None:
    school.add_key(LASTING)
    school.rotate_key(LASTING.id, SUCCESSOR, NOW + 100)
    old, new = school.list_keys(SCHOOL.id)
    assert old == replace(LASTING, expires_at_us=NOW + 100, replaced_by=SUCCESSOR.id)
    assert new == SUCCESSOR
    found = school.find_credential(SUCCESSOR.id)
    assert found is not None
    assert (found.key, found.client, found.institution) == (SUCCESSOR, GATE, SCHOOL)


def test_nearer_end_stays_when_a_key_is_rotated(school: AccessStore) -> None:
    near = replace(KEY, expires_at_us=NOW + 60)
    school.add_key(near)
    school.rotate_key(near.id, SUCCESSOR, NOW + 100)
    assert school.list_keys(SCHOOL.id)[0].expires_at_us == NOW + 60


def test_administrators_key_is_rotated_too(access: AccessStore) -> None:
    access.add_key(ADMIN_KEY)
    successor = replace(ADMIN_KEY, id=KeyId("key-admin-2"), created_at_us=NOW + 1)
    access.rotate_key(ADMIN_KEY.id, successor, NOW + 9)
    replaced = replace(ADMIN_KEY, expires_at_us=NOW + 9, replaced_by=successor.id)
    assert list(access.list_keys(None)) == [replaced, successor]


def test_rotating_is_refused_when_the_key_is_unknown_revoked_or_rotated(school: AccessStore) -> None:
    with pytest.raises(NotFound):
        school.rotate_key(LASTING.id, SUCCESSOR, NOW + 100)
    school.add_key(LASTING)
    school.rotate_key(LASTING.id, SUCCESSOR, NOW + 100)
    third = replace(SUCCESSOR, id=KeyId("key-3"))
    with pytest.raises(Conflict):
        school.rotate_key(LASTING.id, third, NOW + 200)
    school.revoke_key(SUCCESSOR.id, NOW + 50)
    with pytest.raises(Conflict):
        school.rotate_key(SUCCESSOR.id, third, NOW + 200)
    assert [key.id for key in school.list_keys(SCHOOL.id)] == [LASTING.id, SUCCESSOR.id]


def test_what_is_given_changes_at_once_wherever_the_key_is_and_the_rest_stays(engine: Engine) -> None:
    one, other = engine.open().access, engine.open().access
    one.add_institution(SCHOOL)
    one.add_client(GATE)
    one.add_key(KEY)
    before = other.find_credential(KEY.id)
    assert before is not None
    changes: list[KeyChange] = [
        KeyChange(rate_per_minute=7),
        KeyChange(expires_at_us=None, tolerances=frozenset()),
        KeyChange(default_version=None, rate_per_minute=None, expires_at_us=NOW + 5),
        KeyChange(tolerances=frozenset({Tolerance.NULL_PROPERTY}), default_version="1.0.3"),
    ]
    wanted = KEY
    for change in changes:
        one.change_key(KEY.id, change)
        wanted = replace(wanted, **change.given())
        assert other.find_credential(KEY.id) == replace(before, key=wanted)
        assert list(other.list_keys(SCHOOL.id)) == [wanted]


def test_changing_is_refused_when_the_key_is_unknown_revoked_or_rotated(school: AccessStore) -> None:
    change = KeyChange(rate_per_minute=7)
    with pytest.raises(NotFound):
        school.change_key(LASTING.id, change)
    school.add_key(LASTING)
    school.rotate_key(LASTING.id, SUCCESSOR, NOW + 100)
    school.revoke_key(SUCCESSOR.id, NOW + 50)
    before = list(school.list_keys(SCHOOL.id))
    for key_id in (LASTING.id, SUCCESSOR.id):
        with pytest.raises(Conflict):
            school.change_key(key_id, change)
    assert list(school.list_keys(SCHOOL.id)) == before


def test_rotating_is_refused_when_the_successors_id_is_taken(school: AccessStore) -> None:
    school.add_key(LASTING)
    school.add_key(SUCCESSOR)
    with pytest.raises(AlreadyExists):
        school.rotate_key(LASTING.id, SUCCESSOR, NOW + 100)
    assert list(school.list_keys(SCHOOL.id)) == [LASTING, SUCCESSOR]


def test_exactly_one_successor_is_there_when_many_rotate_a_key_at_once(engine: Engine) -> None:
    stores = [engine.open().access for _ in range(4)]
    stores[0].add_institution(SCHOOL)
    stores[0].add_client(GATE)
    stores[0].add_key(LASTING)
    begin = threading.Barrier(8)

    def rotate(number: int) -> str | None:
        successor = replace(SUCCESSOR, id=KeyId(f"race-{number}"))
        begin.wait()
        try:
            stores[number % 4].rotate_key(LASTING.id, successor, NOW + 100)
        except Conflict:
            return None
        return successor.id

    with ThreadPoolExecutor(8) as pool:
        won = [id_ for id_ in pool.map(rotate, range(8)) if id_ is not None]
    old, *successors = stores[1].list_keys(SCHOOL.id)
    assert [key.id for key in successors] == won == [old.replaced_by]
