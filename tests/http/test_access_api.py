"""/api/v1: institutions and keys, over HTTP."""

from typing import Any

import pytest

from lrs.access.model import Scope
from lrs.web.apidocs import _groups
from tests.http.conftest import Instance, basic

MUSEUM = {"name": "Museum"}
KEY = {"scopes": ["all"]}


@pytest.fixture
def admin(embedded: Instance) -> dict[str, str]:
    return administrator(embedded)


def administrator(instance: Instance) -> dict[str, str]:
    made = instance.access.create_administrator_key()
    return basic(made.key.id, made.secret)


def make_institution(instance: Instance, admin: dict[str, str], name: str = "Museum") -> Any:
    answer = instance.client.post("/api/v1/institutions", json={"name": name}, headers=admin)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_an_administrator_makes_an_institution_and_its_key_that_works_at_once(instance: Instance) -> None:
    admin = administrator(instance)
    museum = make_institution(instance, admin)
    assert set(museum) == {"id", "name", "createdAt", "statementQuota"}
    wanted = {
        "client": "Door counter",
        "scopes": ["statements/write", "statements/read"],
        "defaultVersion": "2.0.0",
        "expiresAt": "2030-01-01T00:00:00+02:00",
    }
    answer = instance.client.post(f"/api/v1/institutions/{museum['id']}/keys", json=wanted, headers=admin)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert made["expiresAt"] == "2029-12-31T22:00:00.000000Z"
    assert (made["client"], made["institution"]) == ("Door counter", museum["id"])
    headers = {**basic(made["id"], made["secret"]), "X-Experience-API-Version": "2.0.0"}
    assert instance.get(headers).get_json() == {"statements": [], "more": ""}
    listed = instance.client.get(f"/api/v1/institutions/{museum['id']}/keys", headers=admin).get_json()[
        "keys"
    ]
    assert listed == [
        {**{k: v for k, v in made.items() if k != "secret"}, "lastUsedAt": listed[0]["lastUsedAt"]}
    ]
    assert instance.client.delete(f"/api/v1/keys/{made['id']}", headers=admin).status_code == 204
    assert instance.client.delete(f"/api/v1/keys/{made['id']}", headers=admin).status_code == 204
    assert instance.get(headers).status_code == 401


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1"])
def test_a_body_is_refused_when_it_is_not_in_utf_8(
    embedded: Instance, admin: dict[str, str], encoding: str
) -> None:
    body = '{"name": "Musée"}'.encode(encoding)
    answer = embedded.client.post(
        "/api/v1/institutions", data=body, content_type="application/json", headers=admin
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid-body")
    body = '{"name": "Musée"}'.encode()
    answer = embedded.client.post(
        "/api/v1/institutions", data=body, content_type="application/json", headers=admin
    )
    assert (answer.status_code, answer.get_json()["name"]) == (201, "Musée")


def test_where_an_institution_is_found_is_said_when_it_is_made(
    embedded: Instance, admin: dict[str, str]
) -> None:
    answer = embedded.client.post("/api/v1/institutions", json=MUSEUM, headers=admin)
    place = answer.headers["Location"]
    assert embedded.client.get(place, headers=admin).get_json() == answer.get_json()


def test_a_name_is_taken_once(embedded: Instance, admin: dict[str, str]) -> None:
    make_institution(embedded, admin)
    answer = embedded.client.post("/api/v1/institutions", json={"name": " Museum "}, headers=admin)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "already-exists")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "x", "Name": "y"}, "/Name"),
        ([], ""),
        ("x", ""),
    ],
)
def test_a_wrong_body_is_refused_with_a_pointer(
    embedded: Instance, admin: dict[str, str], body: object, path: str
) -> None:
    answer = embedded.client.post("/api/v1/institutions", json=body, headers=admin)
    assert answer.status_code == 400
    assert [problem["path"] for problem in answer.get_json()["problems"]] == [path]


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"name": NaN}', b'{"name": "a", "name": "b"}', b'"\xff"', b"[" * 50_000, b"\xef\xbb\xbf{}"],
)
def test_a_body_that_is_no_json_is_refused(embedded: Instance, admin: dict[str, str], body: bytes) -> None:
    answer = embedded.client.post(
        "/api/v1/institutions", data=body, headers=admin, content_type="application/json"
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid-body")


def test_another_content_type_is_refused(embedded: Instance, admin: dict[str, str]) -> None:
    answer = embedded.client.post("/api/v1/institutions", data={"name": "x"}, headers=admin)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported-media-type")


def test_a_missing_body_is_refused(embedded: Instance, admin: dict[str, str]) -> None:
    assert embedded.client.post("/api/v1/institutions", headers=admin).status_code == 400


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": ["all"], "defaultVersion": "1.0"}, "/defaultVersion"),
        ({"scopes": ["all"], "expiresAt": "tomorrow"}, "/expiresAt"),
        ({"scopes": ["all"], "expiresAt": "2030-01-01T00:00:00"}, "/expiresAt"),
        ({"scopes": ["all"], "expiresAt": "9999-12-31T23:59:59-14:00"}, "/expiresAt"),
        ({"scopes": ["all"], "expiresAt": "9000-01-01T00:00:00Z"}, "/expiresAt"),
        ({"scopes": ["all"], "expiresAt": "0001-01-01T00:00:00+14:00"}, "/expiresAt"),
        ({"scopes": ["all"], "secret": "mine"}, "/secret"),
    ],
)
def test_a_wrong_wish_for_a_key_is_refused_with_a_pointer(
    embedded: Instance, admin: dict[str, str], body: object, path: str
) -> None:
    place = f"/api/v1/institutions/{make_institution(embedded, admin)['id']}/keys"
    answer = embedded.client.post(place, json=body, headers=admin)
    assert answer.status_code == 400
    assert [problem["path"] for problem in answer.get_json()["problems"]] == [path]


@pytest.mark.parametrize(
    "body", [{"scopes": ["admin"]}, {"scopes": ["all"], "expiresAt": "2000-01-01T00:00:00Z"}]
)
def test_a_key_is_refused_when_it_could_never_be_used_well(
    embedded: Instance, admin: dict[str, str], body: object
) -> None:
    place = f"/api/v1/institutions/{make_institution(embedded, admin)['id']}/keys"
    assert embedded.client.post(place, json=body, headers=admin).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/institutions?x=1"),
        ("POST", "/api/v1/institutions?x=1"),
        ("GET", "/api/v1/institutions/0?x=1"),
        ("GET", "/api/v1/institutions/0/keys?x=1"),
        ("POST", "/api/v1/institutions/0/keys?x=1"),
        ("DELETE", "/api/v1/keys/0?x=1"),
    ],
)
def test_unknown_parameters_are_refused(
    embedded: Instance, admin: dict[str, str], method: str, path: str
) -> None:
    answer = embedded.client.open(path, method=method, json={"name": "x"}, headers=admin)
    assert answer.status_code == 400
    assert answer.get_json()["problems"][0]["rule"] == "parameter.unknown"


def test_an_institutions_key_makes_nothing(embedded: Instance) -> None:
    school = embedded.key("School")
    own = embedded.access.get_institution_named("School").id
    key = embedded.access.keys.list(own)[0].id
    answers = [
        embedded.client.post("/api/v1/institutions", json=MUSEUM, headers=school),
        embedded.client.post(f"/api/v1/institutions/{own}/keys", json=KEY, headers=school),
        embedded.client.delete(f"/api/v1/keys/{key}", headers=school),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_an_institutions_key_with_all_sees_its_own_institution_alone(embedded: Instance) -> None:
    school = embedded.key("School")
    embedded.key("Museum")
    own = embedded.access.get_institution_named("School").id
    listed = embedded.client.get("/api/v1/institutions", headers=school).get_json()["institutions"]
    assert [one["id"] for one in listed] == [own]
    assert embedded.client.get(f"/api/v1/institutions/{own}", headers=school).status_code == 200
    assert (
        len(embedded.client.get(f"/api/v1/institutions/{own}/keys", headers=school).get_json()["keys"]) == 1
    )


def test_a_narrow_key_sees_no_institution(embedded: Instance) -> None:
    narrow = embedded.key("School", Scope.STATEMENTS_WRITE)
    own = embedded.access.get_institution_named("School").id
    paths = ["/api/v1/institutions", f"/api/v1/institutions/{own}", f"/api/v1/institutions/{own}/keys"]
    assert [embedded.client.get(path, headers=narrow).status_code for path in paths] == [403, 403, 403]


def test_an_administrator_sees_all_institutions_by_name(embedded: Instance, admin: dict[str, str]) -> None:
    for name in ("Museum", "Archive", "Zoo"):
        make_institution(embedded, admin, name)
    listed = embedded.client.get("/api/v1/institutions", headers=admin).get_json()["institutions"]
    assert [one["name"] for one in listed] == ["Archive", "Museum", "Zoo"]


def test_an_administrator_reads_no_records(embedded: Instance, admin: dict[str, str]) -> None:
    headers = {**admin, "X-Experience-API-Version": "1.0.3"}
    assert embedded.get(headers).status_code == 403
    assert embedded.post([], headers).status_code == 403


def test_every_route_is_in_the_description_and_on_its_page(embedded: Instance) -> None:
    spec = embedded.client.get("/api/openapi.json").get_json()
    assert spec["openapi"].startswith("3.1")
    page = embedded.client.get("/api/docs").text
    for rule in embedded.app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1"):
            path = rule.rule.replace("<", "{").replace(">", "}")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert method.lower() in spec["paths"][path], (method, path)
                assert f"{method} {path}" in page
    assert sum(len(group) for group in _groups(spec).values()) == page.count('<article class="card"')


def test_errors_are_described_as_they_are_answered(embedded: Instance) -> None:
    spec = embedded.client.get("/api/openapi.json").get_json()
    answer = embedded.client.get("/api/v1/institutions")
    content = spec["components"]["responses"]["UNAUTHORIZED"]["content"]
    assert list(content) == [answer.mimetype]
    described = spec["components"]["schemas"]["ProblemDetails"]["properties"]
    assert set(answer.get_json()) <= set(described)


def test_the_page_names_every_error_where_errors_point_to(embedded: Instance) -> None:
    kind = embedded.client.get("/api/v1/institutions").get_json()["type"]
    path, _, anchor = kind.partition("#")
    assert f'id="{anchor}"' in embedded.client.get(path).text
