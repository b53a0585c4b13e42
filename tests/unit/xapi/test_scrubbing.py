"""What a dictionary is trained on names nobody, whoever sent it and however it was written."""

import json

import pytest

from lrs.xapi.scrubbing import scrub
from lrs.xapi.texts import Additions, pack

MANY = 20
CLIENT = (
    '{"objectType":"Agent","name":"Client Name",'
    '"account":{"homePage":"https://lrs.example/clients","name":"client-account"}}'
)
SECRETS = {
    "mbox": "secretmail",
    "name": "Secret Name",
    "sha1": "5ec2e7" * 6 + "5ec2",
    "account": "secret-account",
    "openid": "secret.openid",
    "registration": "5ec2e700-0000-4000-8000-00000000beef",
    "response": "secret response",
    "value": "secret value",
    "number": "5550123",
}


def statement(number: int) -> dict[str, object]:
    """Every statement says the same about the same persons; only the actor's mail differs."""
    account = {"homePage": "https://school.example", "name": SECRETS["account"]}
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "actor": {
            "objectType": "Group",
            "name": SECRETS["name"],
            "mbox": f"mailto:{SECRETS['mbox']}{number}@school.example",
            "member": [{"mbox_sha1sum": SECRETS["sha1"]}, {"account": account}],
        },
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"en": "passed"}},
        "object": {
            "id": f"https://school.example/courses/{number}",
            "definition": {"name": {"en": "Arithmetic"}, "description": {"en": f"Only of {number}"}},
        },
        "result": {"response": SECRETS["response"], "score": {"raw": 7}},
        "context": {
            "registration": SECRETS["registration"],
            "instructor": {"openid": f"https://{SECRETS['openid']}/"},
            "team": {"objectType": "Group", "account": account},
            "extensions": {
                "https://ext.example/a": SECRETS["value"],
                "https://ext.example/b": {SECRETS["value"]: [SECRETS["value"], int(SECRETS["number"])]},
            },
        },
        "timestamp": "2026-01-01T00:00:00.123Z",
    }


def packed(value: dict[str, object], *, spaced: bool = False, authority: str = CLIENT) -> bytes:
    raw = json.dumps(value, separators=None if spaced else (",", ":")).encode()
    return pack(raw, value, Additions(str(value["id"]), authority, "1.0.0"))


def scrubbed(bodies: list[bytes]) -> bytes:
    return b"\n".join(scrub(bodies, lambda: None))


@pytest.mark.parametrize("spaced", [False, True])
def test_nothing_said_about_persons_stays_even_when_all_say_the_same(spaced):
    text = scrubbed([packed(statement(n), spaced=spaced) for n in range(MANY)])
    for secret in SECRETS.values():
        assert secret.encode() not in text
    assert b"2026-01-01" not in text
    assert b"4000-8000-000000000012" not in text


def test_what_many_share_stays_and_what_one_alone_says_goes():
    text = scrubbed([packed(statement(n)) for n in range(MANY)])
    for shared in (b"verbs/passed", b"Arithmetic", b"https://ext.example/a", b'"mailto:@school.example"'):
        assert shared in text
    assert b'"https://school.example/courses/"' in text
    assert b"Only of" not in text


def test_what_one_actor_repeats_goes():
    text = scrubbed([packed(statement(1)) for _ in range(MANY)])
    assert b"Arithmetic" not in text
    assert b"school.example" not in text


def test_persons_are_emptied_when_names_of_properties_are_written_with_escapes():
    bodies = [
        packed(statement(n)).replace(b'"name"', b'"n\\u0061me"').replace(b'"response"', b'"respons\\u0065"')
        for n in range(MANY)
    ]
    text = scrubbed(bodies)
    assert SECRETS["name"].encode() not in text
    assert SECRETS["response"].encode() not in text


def test_text_stays_json_and_received_is_scrubbed_as_served_is():
    bodies = [
        packed({**statement(n), "stored": "2026-01-01T00:00:00Z", "authority": {"name": "Secret Name"}})
        for n in range(MANY)
    ]
    for body in scrub(bodies, lambda: None):
        decoder = json.JSONDecoder()
        text = body[5:].decode()
        served, end = decoder.raw_decode(text)
        received, _ = decoder.raw_decode(text[end:])
        assert served["verb"] == received["verb"]
        assert "Secret" not in text


def test_filler_in_place_of_an_id_stays_since_it_is_nobodys():
    filler = b'"id":"' + b"\xff" * 36 + b'"'
    bodies = [
        packed(statement(n)).replace(f'"id":"00000000-0000-4000-8000-{n:012d}"'.encode(), filler)
        for n in range(MANY)
    ]
    assert scrubbed(bodies).count(filler) == MANY


def test_client_that_sent_what_many_did_stays_and_one_of_few_goes():
    assert scrubbed([packed(statement(n)) for n in range(MANY)]).count(CLIENT.encode()) == MANY
    few = scrubbed([packed(statement(n % 7)) for n in range(MANY)])
    assert b"Client Name" not in few
    assert b"client-account" not in few


@pytest.mark.parametrize(
    "authority",
    [
        {"mbox": f"mailto:{SECRETS['mbox']}@school.example"},
        {"name": "secretmail@school.example", "openid": f"https://{SECRETS['openid']}/"},
        {"mbox_sha1sum": SECRETS["sha1"]},
        {
            "objectType": "Group",
            "member": [
                {"name": SECRETS["name"], "account": {"homePage": "https://a.example", "name": "x"}},
                {"account": {"homePage": "https://b.example", "name": SECRETS["account"]}},
            ],
        },
        {"account": {"homePage": "https://a.example", "name": "x", "member": {"name": SECRETS["name"]}}},
    ],
)
def test_addresses_hashes_and_members_of_an_authority_go_even_when_all_say_the_same(authority):
    text = scrubbed([packed(statement(n), authority=json.dumps(authority)) for n in range(MANY)])
    for secret in SECRETS.values():
        assert secret.encode() not in text


def test_authority_that_was_sent_goes_where_the_one_that_the_store_set_stays():
    sent = {"name": "Sent Name", "account": {"homePage": "https://other.example", "name": "sent-account"}}
    text = scrubbed([packed({**statement(n), "authority": sent}) for n in range(MANY)])
    assert text.count(CLIENT.encode()) == MANY
    assert b"Sent Name" not in text
    assert b"sent-account" not in text


def test_filler_within_an_escaped_property_name_is_walked_past():
    ids = [f"00000000-0000-4000-8000-{n:012d}" for n in range(MANY)]
    named = [
        {**statement(n), "result": {"extensions": {"https://e.example": {f"C:\\{ids[n]}": 1}}}}
        for n in range(MANY)
    ]
    bodies = [packed(one).replace(id_.encode(), b"\xff" * 36) for one, id_ in zip(named, ids, strict=True)]
    text = scrubbed(bodies)
    assert b"C:" not in text
    assert text.count(b"Arithmetic") == MANY


def test_of_an_instant_no_more_stays_than_year_and_month_and_what_is_none_goes():
    made = [{**statement(n), "timestamp": f"20{20 + n % 2}-0{1 + n % 7}-11T00:00:00Z"} for n in range(140)]
    text = scrubbed([packed(one) for one in made[:14]])
    assert b'"timestamp":""' in text
    text = scrubbed([packed(one) for one in made[:28]])
    assert b'"timestamp":"2020-"' in text
    text = scrubbed([packed(one) for one in made])
    assert b'"timestamp":"2021-06-"' in text
    assert b"-11" not in text
    extensions = {"https://ext.example/a": {"timestamp": "5ec2e7-12-by-hand"}}
    others = [{**statement(n), "result": {"extensions": extensions}} for n in range(MANY)]
    assert b"5ec2e7" not in scrubbed([packed(one) for one in others])
