"""The promises of AccessStore, on each engine."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lrs.access.handles import InstitutionId
from lrs.access.model import (
    Client,
    ClientId,
    Institution,
    Issuer,
    IssuerId,
    Key,
    KeyChange,
    KeyId,
    Scope,
    Session,
    SignIn,
    Tolerance,
)
from lrs.access.ports import AccessStore
from lrs.errors import AlreadyExists, Conflict, NotFound
from tests.engines import Engine

NOW = 1_700_000_000_123_456
SCHOOL = Institution(InstitutionId("school0001"), "Harbour School", NOW)
MUSEUM = Institution(InstitutionId("museum0001"), "Museum of Tides", NOW + 1)
AUTHORITY = '{"objectType":"Agent","account":{"homePage":"https://lrs.example","name":"gate"}}'
GATE = Client(ClientId("client-gate"), SCHOOL.id, "gate", AUTHORITY, NOW + 2)
KEY = Key(
    KeyId("key-1"),
    SCHOOL.id,
    GATE.id,
    bytes(range(32)),
    frozenset({Scope.ALL, Scope.STATEMENTS_READ_MINE}),
    "2.0.0",
    NOW + 3,
    expires_at_us=NOW + 1_000_001,
    tolerances=frozenset({Tolerance.MBOX_SCHEME, Tolerance.NULL_PROPERTY}),
)
ISSUER = Issuer(
    IssuerId("issuer-1"),
    SCHOOL.id,
    "https://login.example/realms/Harbour",
    "https://lrs.example/xapi",
    "azp",
    "scope",
    None,
    NOW + 4,
)
ADMIN_KEY = Key(KeyId("key-admin"), None, None, b"\x00" * 32, frozenset({Scope.ADMIN}), None, NOW)


@pytest.fixture
def access(engine: Engine) -> AccessStore:
    return engine.open().access


@pytest.fixture
def school(access: AccessStore) -> AccessStore:
    """A store with the school and its client."""
    access.add_institution(SCHOOL)
    access.add_client(GATE)
    return access


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


TOKEN = b"\x07" * 32
LINK = SignIn(TOKEN, SCHOOL.id, "viewer", NOW, NOW + 1_000)


def test_sign_in_link_is_given_once_when_it_is_taken_twice(school: AccessStore) -> None:
    school.add_sign_in(LINK)
    assert school.take_sign_in(TOKEN, NOW + 999) == LINK
    assert school.take_sign_in(TOKEN, NOW + 999) is None


def test_sign_in_link_is_not_given_when_it_has_expired_or_is_unknown(school: AccessStore) -> None:
    school.add_sign_in(LINK)
    assert school.take_sign_in(TOKEN, NOW + 1_000) is None
    assert school.take_sign_in(b"\x08" * 32, NOW) is None


def test_exactly_one_taker_gets_a_sign_in_link_when_many_race(engine: Engine) -> None:
    stores = [engine.open().access for _ in range(4)]
    stores[0].add_institution(SCHOOL)
    stores[0].add_sign_in(LINK)
    begin = threading.Barrier(8)

    def take(number: int) -> SignIn | None:
        begin.wait()
        return stores[number % 4].take_sign_in(TOKEN, NOW + 1)

    with ThreadPoolExecutor(8) as pool:
        taken = [one for one in pool.map(take, range(8)) if one is not None]
    assert taken == [LINK]


SESSION = Session(TOKEN, SCHOOL.id, "viewer", NOW, NOW + 5_000)


def test_subject_is_kept_when_a_link_or_a_session_has_one(school: AccessStore) -> None:
    link, session = replace(LINK, subject="0123456789ab"), replace(SESSION, subject="0123456789ab")
    school.add_sign_in(link)
    school.add_session(session)
    assert school.take_sign_in(TOKEN, NOW) == link
    assert school.find_session(TOKEN, NOW) == session


def test_session_is_found_until_it_expires_when_it_was_kept(school: AccessStore) -> None:
    school.add_session(SESSION)
    assert school.find_session(TOKEN, NOW + 4_999) == SESSION
    assert school.find_session(TOKEN, NOW + 5_000) is None


def test_session_is_gone_everywhere_when_it_was_ended(engine: Engine) -> None:
    one, other = engine.open().access, engine.open().access
    one.add_institution(SCHOOL)
    one.add_session(SESSION)
    assert other.find_session(TOKEN, NOW) == SESSION
    one.end_session(TOKEN)
    one.end_session(TOKEN)
    assert other.find_session(TOKEN, NOW) is None


def test_expired_session_is_dropped_when_a_new_one_is_kept(school: AccessStore) -> None:
    school.add_session(SESSION)
    school.add_session(Session(b"\x09" * 32, SCHOOL.id, "viewer", NOW + 5_000, NOW + 9_000))
    assert school.find_session(TOKEN, NOW) is None
    assert school.find_session(b"\x09" * 32, NOW + 5_000) is not None


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


def test_issuer_is_found_as_it_was_kept_when_asked_by_its_url(school: AccessStore) -> None:
    school.add_issuer(ISSUER)
    other = replace(
        ISSUER, id=IssuerId("issuer-0"), audience="another", jwks_url="https://k.example/", created_at_us=NOW
    )
    school.add_issuer(other)
    assert list(school.find_issuers(ISSUER.url)) == [other, ISSUER]
    assert list(school.list_issuers(SCHOOL.id)) == [other, ISSUER]
    assert list(school.list_issuers(None)) == [other, ISSUER]


def test_no_issuer_is_found_when_a_letter_of_its_url_differs(school: AccessStore) -> None:
    school.add_issuer(ISSUER)
    for url in (ISSUER.url.lower(), ISSUER.url + "/", "", "%"):
        assert list(school.find_issuers(url)) == []


def test_issuer_is_refused_when_its_id_or_its_url_and_audience_are_taken(school: AccessStore) -> None:
    school.add_institution(MUSEUM)
    school.add_issuer(ISSUER)
    with pytest.raises(AlreadyExists):
        school.add_issuer(replace(ISSUER, audience="another"))
    with pytest.raises(AlreadyExists):
        school.add_issuer(replace(ISSUER, id=IssuerId("issuer-2"), institution_id=MUSEUM.id))
    assert list(school.list_issuers(None)) == [ISSUER]


def test_issuer_is_refused_when_its_institution_is_unknown(access: AccessStore) -> None:
    with pytest.raises(NotFound):
        access.add_issuer(ISSUER)
    assert list(access.list_issuers(None)) == []


def test_issuers_of_one_institution_only_are_listed_when_it_is_named(school: AccessStore) -> None:
    school.add_institution(MUSEUM)
    theirs = replace(ISSUER, id=IssuerId("issuer-2"), institution_id=MUSEUM.id, audience="museum")
    school.add_issuer(theirs)
    assert list(school.list_issuers(SCHOOL.id)) == []
    assert list(school.list_issuers(MUSEUM.id)) == [theirs]


def test_issuer_is_gone_in_every_process_when_it_was_removed(engine: Engine) -> None:
    one, other = engine.open().access, engine.open().access
    one.add_institution(SCHOOL)
    one.add_issuer(ISSUER)
    assert list(other.find_issuers(ISSUER.url)) == [ISSUER]
    assert other.remove_issuer(ISSUER.id)
    assert list(one.find_issuers(ISSUER.url)) == []
    assert not one.remove_issuer(ISSUER.id)
    one.add_issuer(ISSUER)


def test_one_institution_is_trusted_when_many_race_for_an_issuer_and_audience(engine: Engine) -> None:
    stores = [engine.open().access for _ in range(4)]
    stores[0].add_institution(SCHOOL)

    def add(number: int) -> bool:
        try:
            stores[number % 4].add_issuer(replace(ISSUER, id=IssuerId(f"race{number}")))
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(8))) == 1
    assert len(stores[0].list_issuers(None)) == 1
