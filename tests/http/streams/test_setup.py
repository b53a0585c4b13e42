"""Destinations: set up, tested, shown and removed."""

import base64
from pathlib import Path
from typing import Any

import pytest

from lrs.access.model import Scope
from tests.engines import sqlite_engine
from tests.http.conftest import Instance, make_instance
from tests.http.posting import GOOD
from tests.http.streams.sending import add, deliver, of, stands
from tests.receiver import Receiver


def test_private_address_is_refused_unless_it_is_allowed(embedded: Instance, receiver: Receiver) -> None:
    key = embedded.key()
    add(embedded, key, receiver.url)
    embedded.post(GOOD, key)
    deliver(embedded)
    assert receiver.received == []
    assert "LRS_OUTBOUND_ALLOW" in stands(embedded, key)["reason"]


def test_no_redirect_is_followed(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    add(sending, key, receiver.url, "webhook")
    sending.post(GOOD, key)
    receiver.answer = lambda received: (307, {"Location": "http://169.254.169.254/latest/meta-data"})
    deliver(sending)
    assert len(receiver.received) == 1
    assert stands(sending, key)["reason"] == "It answered 307."


@pytest.mark.parametrize("kind", ["forward", "webhook"])
def test_test_says_what_came_of_it(sending: Instance, receiver: Receiver, kind: str) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url, kind)
    path = of(sending, key, f"/{made['id']}/tests")
    assert sending.client.post(path, headers=key).get_json() == {"ok": True, "status": 200, "reason": ""}
    assert receiver.received[0].ids() == []
    receiver.answer = lambda received: 401
    answer = sending.client.post(path, headers=key).get_json()
    assert answer == {"ok": False, "status": 401, "reason": "It answered 401."}
    receiver.answer = lambda received: 400
    assert sending.client.post(path, headers=key).get_json()["ok"] is (kind == "forward")


def test_secrets_are_not_shown_and_not_kept_in_the_clear(tmp_path: Path, receiver: Receiver) -> None:
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine)
    key = instance.key()
    made = add(instance, key, receiver.url, credentials="somebody:s3cr3t-passphrase")
    hook = add(instance, key, receiver.url, "webhook", name="Hook")
    shown = instance.client.get(of(instance, key), headers=key).text
    engine.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in ("s3cr3t-passphrase", hook["secret"], hook["secret"].removeprefix("whsec_")):
        assert secret not in shown
        assert secret.encode() not in kept
        assert base64.b64encode(secret.encode()).rstrip(b"=")[:-2] not in kept
    assert made["secret"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"kind": "fax"},
        {"url": "ftp://example.org"},
        {"url": "http://user:pass@example.org"},
        {"credentials": "nothing"},
        {"credentials": None},
        {"verbs": ["passed"]},
        {"agents": [{"name": "Ada"}]},
        {"unknown": 1},
    ],
)
def test_destination_is_refused_when_it_makes_no_sense(embedded: Instance, wrong: dict[str, Any]) -> None:
    key = embedded.key()
    body = {
        "name": "There",
        "kind": "forward",
        "url": "https://lrs.example.org",
        "credentials": "a:b",
        **wrong,
    }
    answer = embedded.client.post(of(embedded, key), json=body, headers=key)
    assert answer.status_code == 400, answer.text


def test_name_is_taken_once(embedded: Instance) -> None:
    key = embedded.key()
    add(embedded, key, "https://lrs.example.org")
    body = {"name": "There", "kind": "webhook", "url": "https://hook.example.org"}
    assert embedded.client.post(of(embedded, key), json=body, headers=key).status_code == 409


def test_administrators_and_scope_all_alone_set_destinations_up(embedded: Instance) -> None:
    school = embedded.key()
    path = of(embedded, school)
    assert embedded.client.get(path, headers=embedded.key(None, Scope.ADMIN)).status_code == 200
    reader = embedded.key("School", Scope.ALL_READ)
    assert embedded.client.get(path, headers=reader).status_code == 403
    assert embedded.client.get(path, headers=embedded.key("Museum")).status_code == 404
    assert embedded.client.get(path).status_code == 401


def test_nothing_more_is_sent_when_a_destination_is_removed(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url)
    sending.post(GOOD, key)
    assert sending.client.delete(of(sending, key, f"/{made['id']}"), headers=key).status_code == 204
    deliver(sending)
    assert receiver.received == []
    assert sending.client.delete(of(sending, key, f"/{made['id']}"), headers=key).status_code == 404
