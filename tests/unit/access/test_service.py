"""Letting in: credentials, names, keys, links and sessions, on a real store."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrs.access.handles import InstitutionHandle
from lrs.access.model import NewKey, Role, Scope
from lrs.access.rules import KeyWish, clean_name, parse_scopes
from lrs.access.service import AccessService
from lrs.access.sign_ins import SESSION_US, SIGN_IN_US
from lrs.errors import AlreadyExists, InvalidRequest, NotFound, Unauthenticated
from tests.engines import Engine, sqlite_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = sqlite_engine(tmp_path)
    yield engine
    engine.close()


@pytest.fixture
def access(engine: Engine) -> AccessService:
    return AccessService(engine.open().access, engine.clock, os.urandom, "https://lrs.example.org/")


def header(made: NewKey, secret: str | None = None) -> str:
    text = f"{made.key.id}:{made.secret if secret is None else secret}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


def test_a_caller_is_known_when_key_and_secret_are_right(access: AccessService) -> None:
    made = access.create_key("Museum", "Door counter", [Scope.STATEMENTS_WRITE], "2.0.0")
    caller = access.authenticate(header(made))
    assert caller.handle == InstitutionHandle(access.get_institution_named("Museum").id)
    assert (caller.key_id, caller.label, caller.default_version) == (made.key.id, made.key.id, "2.0.0")
    assert caller.scopes == {Scope.STATEMENTS_WRITE}
    assert caller.client is not None
    assert caller.client.name == "Door counter"


def test_the_scheme_counts_in_any_case_when_it_is_basic(access: AccessService) -> None:
    made = access.create_key("Museum", None, [Scope.ALL])
    assert access.authenticate(header(made).replace("Basic ", "bAsIC  ")).key_id == made.key.id


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic:xxxx",
        "Basic !!!!",
        "Basic YQ",
        "Basic \u20ac",
        "Bearer abc",
        encoded(b"no colon"),
        encoded(b":only-a-secret"),
        encoded(b"\xff\xfe:x"),
        encoded(b"unknown:\x00"),
        encoded("üñ:ü".encode()),
    ],
)
def test_a_stranger_is_refused_when_credentials_are_missing_or_malformed(
    access: AccessService, sent: str | None
) -> None:
    with pytest.raises(Unauthenticated):
        access.authenticate(sent)


def test_an_unknown_key_and_a_wrong_secret_are_told_apart_by_nothing(access: AccessService) -> None:
    made = access.create_key("Museum", None, [Scope.ALL])
    with pytest.raises(Unauthenticated) as wrong:
        access.authenticate(header(made, "wrong"))
    with pytest.raises(Unauthenticated) as unknown:
        access.authenticate(encoded(b"unknown:wrong"))
    assert wrong.value.detail == unknown.value.detail


def test_a_key_stops_at_once_when_it_is_revoked_by_another_process(engine: Engine) -> None:
    here = AccessService(engine.open().access, engine.clock, os.urandom, "https://a.example")
    there = AccessService(engine.open().access, engine.clock, os.urandom, "https://a.example")
    made = here.create_key("Museum", None, [Scope.ALL])
    assert here.authenticate(header(made))
    there.keys.revoke(made.key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        here.authenticate(header(made))


def test_a_key_stops_when_its_time_has_come(access: AccessService, engine: Engine) -> None:
    end = engine.clock() + 10_000_000
    made = access.create_key("Museum", None, [Scope.ALL], None, end)
    engine.clock.move(9.999999)
    assert access.authenticate(header(made))
    engine.clock.move(0.000001)
    with pytest.raises(Unauthenticated, match="expired"):
        access.authenticate(header(made))


def test_last_use_is_noted_at_most_once_a_minute(access: AccessService, engine: Engine) -> None:
    made = access.create_key("Museum", None, [Scope.ALL])
    first = engine.clock()

    def used() -> int | None:
        access.authenticate(header(made))
        key = access.keys.find(made.key.id)
        assert key is not None
        return key.last_used_at_us

    assert used() == first
    engine.clock.move(59)
    assert used() == first
    engine.clock.move(1)
    assert used() == engine.clock()


def test_last_use_is_not_noted_when_the_secret_is_wrong(access: AccessService) -> None:
    made = access.create_key("Museum", None, [Scope.ALL])
    with pytest.raises(Unauthenticated):
        access.authenticate(header(made, "wrong"))
    key = access.keys.find(made.key.id)
    assert key is not None
    assert key.last_used_at_us is None


def test_a_secret_has_256_bits_and_is_not_kept(access: AccessService) -> None:
    made = access.create_key("Museum", None, [Scope.ALL])
    assert len(bytes.fromhex(made.secret)) == 32
    assert made.secret not in repr(access.keys.find(made.key.id))


def test_ids_are_short_and_unambiguous(access: AccessService) -> None:
    ids = {access.create_key("Museum", None, [Scope.ALL]).key.id for _ in range(50)}
    assert len(ids) == 50
    assert set("".join(ids)) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    assert {len(id_) for id_ in ids} == {12}


def test_the_authority_is_the_client_when_its_keys_change(access: AccessService) -> None:
    first = access.create_key("Museum", "Door counter", [Scope.ALL])
    second = access.create_key("Museum", "Door counter", [Scope.ALL])
    client = access.authenticate(header(first)).client
    assert client == access.authenticate(header(second)).client
    assert client is not None
    assert json.loads(client.authority) == {
        "objectType": "Agent",
        "name": "Door counter",
        "account": {
            "homePage": f"https://lrs.example.org/institutions/{client.institution_id}",
            "name": client.id,
        },
    }


def test_the_client_bears_the_institutions_name_when_none_is_given(access: AccessService) -> None:
    client = access.authenticate(header(access.create_key("Musée d'Art", None, [Scope.ALL]))).client
    assert client is not None
    assert json.loads(client.authority)["name"] == "Musée d'Art"


def test_an_institution_is_made_once_when_it_is_ensured_twice(access: AccessService) -> None:
    assert access.ensure_institution(" Museum ") == access.ensure_institution("Museum")
    with pytest.raises(AlreadyExists):
        access.create_institution("Museum")
    assert [one.name for one in access.list_institutions()] == ["Museum"]


def test_an_administrator_has_no_institution(access: AccessService) -> None:
    caller = access.authenticate(header(access.create_administrator_key()))
    assert (caller.handle, caller.client) == (None, None)
    assert caller.may(Scope.ADMIN)
    assert not caller.may(Scope.STATEMENTS_READ_MINE, Scope.STATEMENTS_WRITE)


@pytest.mark.parametrize(
    ("institution", "scopes", "version"),
    [
        ("Museum", [Scope.ADMIN], None),
        ("Museum", [Scope.ADMIN, Scope.ALL], None),
        (None, [Scope.ALL], None),
        (None, [Scope.ADMIN, Scope.ALL], None),
        ("Museum", [], None),
        ("Museum", [Scope.ALL], "1.0.0"),
    ],
)
def test_a_key_is_refused_when_the_wish_contradicts_itself(
    access: AccessService, institution: str | None, scopes: list[Scope], version: str | None
) -> None:
    with pytest.raises(InvalidRequest):
        access.create_key(institution, None, scopes, version)
    assert access.list_institutions() == []


def test_a_key_is_refused_when_it_would_be_over_already(access: AccessService, engine: Engine) -> None:
    with pytest.raises(InvalidRequest):
        access.create_key("Museum", None, [Scope.ALL], None, engine.clock())


def test_a_key_is_refused_when_its_institution_is_unknown(access: AccessService) -> None:
    with pytest.raises(NotFound):
        access.create_key_for("0000000000", None, KeyWish([Scope.ALL]))


def test_revoking_an_unknown_key_says_so(access: AccessService) -> None:
    with pytest.raises(NotFound):
        access.keys.revoke("nothing")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a\x00b",
        "a\nb",
        "\ud800",
        "x" * 201,
        "a\u2028b",
        "a\u202eb",
        "a\u200bb",
        "\u2066a\u2069",
        "Sch\u200dool",
        "\u0646\u200c",
        "\ufeffa",
        "a\U000e0041",
    ],
)
def test_a_name_is_refused_when_it_is_none(name: str) -> None:
    with pytest.raises(InvalidRequest):
        clean_name(name)


def test_a_name_is_trimmed_and_composed() -> None:
    assert clean_name("  Muse\u0301e ") == "Musée"


@pytest.mark.parametrize(
    "name",
    [
        "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627",
        "\u0915\u094d\u200d\u0937",
        "\u05de\u05d5\u05d6\u05d9\u05d0\u05d5\u05df",
    ],
)
def test_a_name_is_taken_when_its_script_needs_joiners_or_runs_to_the_left(name: str) -> None:
    assert clean_name(name) == name


def test_scopes_are_refused_when_one_is_unknown() -> None:
    assert parse_scopes(["all", "statements/read"]) == {Scope.ALL, Scope.STATEMENTS_READ}
    with pytest.raises(InvalidRequest, match="everything"):
        parse_scopes(["all", "everything"])


def test_a_link_signs_in_once(access: AccessService) -> None:
    museum = access.create_institution("Museum")
    link = access.create_sign_in("Museum")
    session = access.take_sign_in(link)
    caller = access.find_session(session)
    assert caller is not None
    assert caller.handle == InstitutionHandle(museum.id)
    assert (caller.role, caller.subject) == (Role.ARRIVALS, None)
    assert caller.scopes == frozenset()
    with pytest.raises(NotFound) as used:
        access.take_sign_in(link)
    with pytest.raises(NotFound) as unknown:
        access.take_sign_in("nothing")
    assert used.value.detail == unknown.value.detail
    assert "Museum" not in used.value.detail


def test_a_link_is_no_good_when_a_day_has_passed(access: AccessService, engine: Engine) -> None:
    access.create_institution("Museum")
    link = access.create_sign_in("Museum")
    engine.clock.move(SIGN_IN_US / 1_000_000)
    with pytest.raises(NotFound):
        access.take_sign_in(link)


def test_a_session_ends_by_time_and_by_signing_out(access: AccessService, engine: Engine) -> None:
    access.create_institution("Museum")
    first = access.take_sign_in(access.create_sign_in("Museum"))
    second = access.take_sign_in(access.create_sign_in("Museum"))
    access.end_session(first)
    assert access.find_session(first) is None
    assert access.find_session(second) is not None
    engine.clock.move(SESSION_US / 1_000_000)
    assert access.find_session(second) is None


def test_a_link_is_refused_when_institution_or_role_is_unknown(access: AccessService) -> None:
    with pytest.raises(NotFound):
        access.create_sign_in("Museum")
    access.create_institution("Museum")
    with pytest.raises(InvalidRequest):
        access.create_sign_in("Museum", "owner")


def test_a_learner_is_signed_in_without_a_way_into_the_institution_that_gave_the_link(
    access: AccessService,
) -> None:
    access.create_institution("Museum")
    session = access.take_sign_in(access.create_sign_in("Museum", Role.LEARNER, "0123456789ab"))
    caller = access.find_session(session)
    assert caller is not None
    assert (caller.role, caller.subject, caller.handle) == (Role.LEARNER, "0123456789ab", None)


def test_a_registrar_is_signed_in_for_the_school(access: AccessService) -> None:
    school = access.create_institution("School")
    caller = access.find_session(access.take_sign_in(access.create_sign_in("School", "registrar")))
    assert caller is not None
    assert (caller.role, caller.handle) == (Role.REGISTRAR, InstitutionHandle(school.id))


@pytest.mark.parametrize(("role", "subject"), [("learner", None), ("arrivals", "0123456789ab")])
def test_a_link_is_refused_when_a_learner_is_missing_or_too_many(
    access: AccessService, role: str, subject: str | None
) -> None:
    access.create_institution("Museum")
    with pytest.raises(InvalidRequest, match="learner"):
        access.create_sign_in("Museum", role, subject)
