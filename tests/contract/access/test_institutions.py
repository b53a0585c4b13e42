"""The access store's contract: institutions, their clients and quotas."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lrs.access.handles import InstitutionId
from lrs.access.model import ClientId, Institution, KeyId
from lrs.access.ports import AccessStore
from lrs.errors import AlreadyExists, NotFound
from tests.contract.access.kept import GATE, KEY, MUSEUM, NOW, SCHOOL
from tests.engines import Engine


def test_institution_is_found_as_it_was_kept_when_asked_by_id_or_name(access: AccessStore) -> None:
    access.add_institution(SCHOOL)
    assert access.find_institution(SCHOOL.id) == SCHOOL
    assert access.find_institution_named("Harbour School") == SCHOOL


def test_nothing_is_found_when_the_store_is_empty(access: AccessStore) -> None:
    assert access.find_institution(SCHOOL.id) is None
    assert access.find_institution_named("Harbour School") is None
    assert list(access.list_institutions()) == []
    assert access.find_client(GATE.id) is None
    assert access.find_client_named(SCHOOL.id, "gate") is None
    assert list(access.list_clients(SCHOOL.id)) == []
    assert access.find_credential(KEY.id) is None
    assert list(access.list_keys(SCHOOL.id)) == []
    assert list(access.list_keys(None)) == []


def test_institution_is_refused_when_its_id_or_its_name_is_taken(access: AccessStore) -> None:
    access.add_institution(SCHOOL)
    with pytest.raises(AlreadyExists):
        access.add_institution(replace(SCHOOL, name="Another"))
    with pytest.raises(AlreadyExists):
        access.add_institution(replace(MUSEUM, name=SCHOOL.name))
    assert list(access.list_institutions()) == [SCHOOL]


def test_name_is_compared_exactly_when_case_or_blanks_differ(access: AccessStore) -> None:
    access.add_institution(SCHOOL)
    assert access.find_institution_named("harbour school") is None
    assert access.find_institution_named("Harbour School ") is None
    access.add_institution(replace(MUSEUM, name="harbour school"))
    assert access.find_institution_named("harbour school") == replace(MUSEUM, name="harbour school")


def test_institutions_are_listed_by_name_when_there_are_several(access: AccessStore) -> None:
    access.add_institution(MUSEUM)
    access.add_institution(SCHOOL)
    assert list(access.list_institutions()) == [SCHOOL, MUSEUM]


def test_names_come_back_as_given_when_they_hold_any_character(access: AccessStore) -> None:
    odd = replace(SCHOOL, name='Escola d\'Art «Nau» 🎨 a.b $c \\ "quoted"')
    access.add_institution(odd)
    assert access.find_institution_named(odd.name) == odd


def test_exactly_one_institution_is_kept_when_many_threads_race_for_its_name(engine: Engine) -> None:
    stores = [engine.open().access for _ in range(4)]
    begin = threading.Barrier(8)

    def add(number: int) -> bool:
        begin.wait()
        try:
            stores[number % 4].add_institution(Institution(InstitutionId(f"race{number}"), "Same", NOW))
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(8))) == 1
    assert len(stores[0].list_institutions()) == 1


def test_client_is_found_as_it_was_kept_when_asked_by_id_or_name(school: AccessStore) -> None:
    assert school.find_client(GATE.id) == GATE
    assert school.find_client_named(SCHOOL.id, "gate") == GATE
    assert list(school.list_clients(SCHOOL.id)) == [GATE]


def test_client_is_refused_when_its_institution_is_unknown(access: AccessStore) -> None:
    with pytest.raises(NotFound):
        access.add_client(GATE)
    assert access.find_client(GATE.id) is None


def test_client_is_refused_when_its_id_or_its_name_in_the_institution_is_taken(school: AccessStore) -> None:
    with pytest.raises(AlreadyExists):
        school.add_client(replace(GATE, name="another"))
    with pytest.raises(AlreadyExists):
        school.add_client(replace(GATE, id=ClientId("client-2")))


def test_client_name_may_be_used_again_when_the_institution_is_another(school: AccessStore) -> None:
    school.add_institution(MUSEUM)
    theirs = replace(GATE, id=ClientId("client-2"), institution_id=MUSEUM.id)
    school.add_client(theirs)
    assert school.find_client_named(MUSEUM.id, "gate") == theirs
    assert school.find_client_named(SCHOOL.id, "gate") == GATE
    assert list(school.list_clients(MUSEUM.id)) == [theirs]


def test_clients_are_listed_by_name_when_there_are_several(school: AccessStore) -> None:
    early = replace(GATE, id=ClientId("client-2"), name="attendance", created_at_us=NOW + 9)
    school.add_client(early)
    assert list(school.list_clients(SCHOOL.id)) == [early, GATE]


def test_quota_is_seen_at_once_wherever_the_institution_is_when_it_changes(engine: Engine) -> None:
    one, other = engine.open().access, engine.open().access
    one.add_institution(SCHOOL)
    one.add_client(GATE)
    one.add_key(KEY)
    for quota in (5_000_000_000, 7, 0):
        assert one.set_statement_quota(SCHOOL.id, quota) is True
        changed = replace(SCHOOL, statement_quota=quota)
        assert other.find_institution(SCHOOL.id) == changed
        assert other.find_institution_named(SCHOOL.name) == changed
        assert list(other.list_institutions()) == [changed]
        found = other.find_credential(KEY.id)
        assert found is not None
        assert found.institution == changed


def test_new_key_carries_the_quota_when_it_was_set_before(school: AccessStore) -> None:
    school.set_statement_quota(SCHOOL.id, 12)
    school.add_key(KEY)
    found = school.find_credential(KEY.id)
    assert found is not None
    assert found.institution == replace(SCHOOL, statement_quota=12)


def test_setting_a_quota_says_no_when_the_institution_is_unknown(access: AccessStore) -> None:
    assert access.set_statement_quota(SCHOOL.id, 5) is False


def test_every_key_carries_the_last_quota_when_keys_are_made_while_it_changes(engine: Engine) -> None:
    stores = [engine.open().access for _ in range(3)]
    stores[0].add_institution(SCHOOL)
    stores[0].add_client(GATE)
    begin = threading.Barrier(3)

    def set_quotas(number: int) -> None:
        begin.wait()
        for quota in range(10):
            stores[number].set_statement_quota(SCHOOL.id, 1_000 * number + quota)

    def add_keys(_: int) -> None:
        begin.wait()
        for number in range(20):
            stores[2].add_key(replace(KEY, id=KeyId(f"key-{number}")))

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(set_quotas, 0), pool.submit(set_quotas, 1), pool.submit(add_keys, 2)]:
            done.result()
    last = stores[0].find_institution(SCHOOL.id)
    carried = [stores[1].find_credential(KeyId(f"key-{number}")) for number in range(20)]
    assert [found and found.institution for found in carried] == [last] * 20


def test_everything_is_there_when_the_store_is_opened_again(engine: Engine) -> None:
    first = engine.open()
    first.access.add_institution(SCHOOL)
    first.access.add_client(GATE)
    first.access.add_key(KEY)
    first.close()
    again = engine.open()
    found = again.access.find_credential(KEY.id)
    assert found is not None
    assert (found.key, found.client, found.institution) == (KEY, GATE, SCHOOL)
    assert again.instance_key == first.instance_key
    assert len(again.instance_key) == 32


def test_all_openers_see_one_instance_key_when_they_open_at_once(engine: Engine) -> None:
    begin = threading.Barrier(6)

    def key(_: int) -> bytes:
        begin.wait()
        return engine.open().instance_key

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(key, range(6)))) == 1
