"""The access store's contract: whose tokens an institution trusts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lrs.access.model import Issuer, IssuerId
from lrs.access.ports import AccessStore
from lrs.errors import AlreadyExists, NotFound
from tests.contract.access.kept import MUSEUM, NOW, SCHOOL
from tests.engines import Engine

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
