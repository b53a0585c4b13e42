"""The access store's contract: links that sign people in, and their sessions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lrs.access.model import Session, SignIn
from lrs.access.ports import AccessStore
from tests.contract.access.kept import NOW, SCHOOL
from tests.engines import Engine

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
