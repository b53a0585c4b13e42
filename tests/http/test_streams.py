"""Destinations: what is stored arrives there, in order, at least once, whatever the receiver does."""

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest

from lrs.access.model import Scope
from lrs.jobs.model import Outcome, Run
from lrs.streams.delivery import AT_ONCE
from tests.engines import mongomock_engine, sqlite_engine
from tests.http.conftest import Instance, make_instance
from tests.http.test_arrivals import GOOD
from tests.multipart import BOUNDARY
from tests.receiver import Received, Receiver, running_receiver

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
PASSED = "http://adlnet.gov/expapi/verbs/passed"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as made:
        yield made


@pytest.fixture(params=["sqlite", "mongomock"])
def sending(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    """An instance that may go to the loopback address, on each engine in turn."""
    engine = sqlite_engine(tmp_path) if request.param == "sqlite" else mongomock_engine()
    yield make_instance(engine, LRS_OUTBOUND_ALLOW="127.0.0.1")
    engine.close()


def of(instance: Instance, key: dict[str, str], path: str = "") -> str:
    institution = instance.client.get("/api/v1/institutions", headers=key).get_json()["institutions"][0]["id"]
    return f"/api/v1/institutions/{institution}/destinations{path}"


def add(
    instance: Instance, key: dict[str, str], url: str, kind: str = "forward", **wish: Any
) -> dict[str, Any]:
    body = {"name": "There", "kind": kind, "url": url, **wish}
    if kind == "forward":
        body.setdefault("credentials", "user:pass:word")
    answer = instance.client.post(of(instance, key), json=body, headers=key)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def deliver(instance: Instance, times: int = 1, seconds: float = 0) -> list[Run]:
    """Run what is due, ``times`` times, moving the clock on after each."""
    runs = []
    for _ in range(times):
        runs += instance.services.jobs.run_until_idle()
        instance.clock.move(seconds)
    return runs


def stands(instance: Instance, key: dict[str, str]) -> dict[str, Any]:
    (found,) = instance.client.get(of(instance, key), headers=key).get_json()["destinations"]
    return dict(found)


def letters(instance: Instance, key: dict[str, str], destination: str) -> list[dict[str, Any]]:
    path = of(instance, key, f"/{destination}/letters")
    return list(instance.client.get(path, headers=key).get_json()["letters"])


def test_statements_are_forwarded_as_served_in_order_and_once(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    before = sending.post(GOOD, key).get_json()
    add(sending, key, receiver.url)
    ids = sending.post([GOOD] * 70, key).get_json()
    runs = deliver(sending)
    assert receiver.ids() == ids
    assert not set(before) & set(receiver.ids())
    assert [len(one.ids()) for one in receiver.received] == [50, 20]
    first = receiver.received[0]
    assert first.path == "/xapi/statements"
    assert first.headers["authorization"] == "Basic " + base64.b64encode(b"user:pass:word").decode()
    assert first.headers["x-experience-api-version"] == "1.0.3"
    assert first.json()[0] == sending.get(key, statementId=ids[0]).get_json()
    assert {run.outcome for run in runs} == {Outcome.DONE}
    assert sum(run.report.wrote for run in runs if run.job == "deliver") == 70
    assert stands(sending, key)["sent"] == 70
    assert not sending.services.jobs.get("deliver").is_due


def test_whole_log_is_sent_when_asked_from_its_start(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    ids = sending.post([GOOD] * 3, key).get_json()
    add(sending, key, receiver.url, fromStart=True)
    deliver(sending)
    assert receiver.ids() == ids


def test_versions_are_not_mixed_in_one_request(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    add(sending, key, receiver.url)
    for version in ("1.0.3", "1.0.3", "2.0.0", "1.0.3"):
        sending.post(GOOD, {**key, "X-Experience-API-Version": version})
    deliver(sending)
    sent = [(one.headers["x-experience-api-version"], len(one.ids())) for one in receiver.received]
    assert sent == [("1.0.3", 2), ("2.0.0", 1), ("1.0.3", 1)]


def test_attachments_go_along(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    add(sending, key, receiver.url)
    content = b"Hello, world!"
    sha2 = hashlib.sha256(content).hexdigest()
    metadata = {
        "usageType": "https://example.org/essay",
        "display": {"en": "Essay"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": sha2,
    }
    statement = json.dumps({**GOOD, "attachments": [metadata]})
    body = (
        f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{statement}\r\n--{BOUNDARY}\r\n"
        f"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n"
        f"X-Experience-API-Hash: {sha2}\r\n\r\nHello, world!\r\n--{BOUNDARY}--\r\n"
    ).encode()
    multipart = f"multipart/mixed; boundary={BOUNDARY}"
    posted = sending.client.post("/xapi/statements", data=body, headers=key, content_type=multipart)
    assert posted.status_code == 200, posted.text
    deliver(sending)
    (one,) = receiver.accepted
    assert one.headers["content-type"].startswith("multipart/mixed; boundary=")
    assert content in one.body
    assert posted.get_json()[0].encode() in one.body


def test_webhook_is_signed_so_that_the_receiver_can_tell(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url, "webhook")
    ids = sending.post([GOOD] * 2, key).get_json()
    deliver(sending)
    (one,) = receiver.accepted
    event = one.json()
    assert (event["event"], event["destination"]) == ("statements", made["id"])
    assert [statement["id"] for statement in event["statements"]] == ids
    after = sending.client.get("/api/v1/log", query_string={"after": event["position"]}, headers=key)
    assert len(after.text.splitlines()) == 1
    assert signatures_of(one) == [expected_signature(made["secret"], one)]
    assert one.headers["webhook-timestamp"] == str(sending.clock() // 1_000_000)


def signatures_of(one: Received) -> list[str]:
    return one.headers["webhook-signature"].split(" ")


def expected_signature(secret: str, one: Received) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_two_signatures_are_sent_while_secrets_overlap(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url, "webhook")
    path = of(sending, key, f"/{made['id']}/secrets")
    rotated = sending.client.post(path, json={"overlapHours": 2}, headers=key)
    assert rotated.status_code == 201, rotated.text
    new = rotated.get_json()["secret"]
    assert new != made["secret"]
    for moved in (0, 2 * 3600):
        sending.clock.move(moved)
        sending.post(GOOD, key)
        deliver(sending)
    during, after = receiver.accepted
    assert signatures_of(during) == [
        expected_signature(new, during),
        expected_signature(made["secret"], during),
    ]
    assert signatures_of(after) == [expected_signature(new, after)]


def test_forward_uses_new_credentials_at_once_when_they_are_changed(
    sending: Instance, receiver: Receiver
) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url)
    path = of(sending, key, f"/{made['id']}/secrets")
    assert sending.client.post(path, json={}, headers=key).status_code == 400
    assert sending.client.post(path, json={"credentials": "a:b"}, headers=key).get_json()["secret"] is None
    sending.post(GOOD, key)
    deliver(sending)
    assert receiver.accepted[0].headers["authorization"] == "Basic " + base64.b64encode(b"a:b").decode()


def test_filter_decides_by_the_facts_of_the_statement_itself(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    ada, bob = {"mbox": "mailto:ada@example.org"}, {"mbox": "mailto:bob@example.org"}
    add(sending, key, receiver.url, verbs=[PASSED], agents=[ada])
    wanted = {**GOOD, "actor": ada, "verb": {"id": PASSED}}
    others = [{**wanted, "actor": bob}, {**wanted, "verb": {"id": "http://example.org/other"}}]
    (id_,) = sending.post(wanted, key).get_json()
    other, _ = sending.post(others, key).get_json()
    voids = [
        sending.post(
            {**GOOD, "verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": one}}, key
        )
        for one in (id_, other)
    ]
    deliver(sending)
    assert receiver.ids() == [id_, voids[0].get_json()[0]]
    assert not sending.services.jobs.get("deliver").is_due


def test_nothing_is_lost_or_passed_over_when_the_receiver_is_away(
    sending: Instance, receiver: Receiver
) -> None:
    key = sending.key()
    add(sending, key, receiver.url)
    ids = sending.post([GOOD] * 3, key).get_json()
    receiver.answer = lambda received: 503
    deliver(sending)
    assert len(receiver.received) == 1
    state = stands(sending, key)
    assert (state["attempt"], state["reason"], state["deadLetters"]) == (1, "It answered 503.", 0)
    assert state["nextTryAt"]
    deliver(sending, times=30, seconds=1000)
    assert stands(sending, key)["deadLetters"] == 0
    receiver.answer = lambda received: 200
    ids += sending.post([GOOD], key).get_json()
    sending.clock.move(1000)
    deliver(sending)
    assert receiver.ids() == ids
    assert (stands(sending, key)["attempt"], stands(sending, key)["reason"]) == (0, "")


def test_receiver_is_left_alone_for_as_long_as_it_asks(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    add(sending, key, receiver.url)
    sending.post(GOOD, key)
    receiver.answer = lambda received: (429, {"Retry-After": "120"})
    deliver(sending, times=12, seconds=10)
    assert len(receiver.received) == 1
    deliver(sending)
    assert len(receiver.received) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 410, 302])
def test_nothing_is_put_aside_when_the_way_is_wrong(
    sending: Instance, receiver: Receiver, status: int
) -> None:
    key = sending.key()
    add(sending, key, receiver.url)
    ids = sending.post([GOOD] * 2, key).get_json()
    receiver.answer = lambda received: (status, {"Location": "http://127.0.0.1:1/"})
    deliver(sending, times=8, seconds=301)
    assert stands(sending, key)["deadLetters"] == 0
    assert {one.path for one in receiver.received} == {"/xapi/statements"}
    receiver.answer = lambda received: 200
    deliver(sending)
    assert receiver.ids() == ids


def test_one_bad_statement_is_put_aside_after_three_tries_and_the_others_arrive(
    sending: Instance, receiver: Receiver
) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url)
    ids = sending.post([GOOD] * 11, key).get_json()
    bad = ids[6]
    receiver.answer = lambda received: 400 if bad in received.ids() else 200
    deliver(sending, times=4, seconds=60)
    assert receiver.ids() == [id_ for id_ in ids if id_ != bad]
    assert [one.ids() for one in receiver.received].count([bad]) == 3
    (letter,) = letters(sending, key, made["id"])
    assert letter["id"] == f"{made['id']}:{bad}"
    assert (letter["statement"], letter["status"], letter["reason"]) == (bad, 400, "It answered 400.")
    assert (letter["tries"], letter["askedAt"]) == (3, None)
    later = sending.post([GOOD] * 9, key).get_json()
    deliver(sending)
    assert receiver.ids()[-9:] == later
    replays = of(sending, key, f"/{made['id']}/replays")
    asked = sending.client.post(replays, json={"statement": bad}, headers=key)
    assert (asked.status_code, asked.get_json()) == (202, {"letters": 1})
    deliver(sending)
    (letter,) = letters(sending, key, made["id"])
    assert (letter["tries"], letter["askedAt"]) == (4, None)
    receiver.answer = lambda received: 200
    sending.client.post(replays, json={}, headers=key)
    deliver(sending)
    assert letters(sending, key, made["id"]) == []
    assert receiver.ids()[-1] == bad
    assert sending.client.post(replays, json={"statement": bad}, headers=key).status_code == 404


def test_letter_is_forgotten_when_it_is_dropped(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    made = add(sending, key, receiver.url)
    (id_,) = sending.post(GOOD, key).get_json()
    receiver.answer = lambda received: 422
    deliver(sending, times=4, seconds=60)
    path = of(sending, key, f"/{made['id']}/letters/{id_}")
    assert sending.client.delete(path, headers=key).status_code == 204
    assert letters(sending, key, made["id"]) == []
    assert sending.client.delete(path, headers=key).status_code == 404


def test_each_destination_goes_on_when_another_is_away(sending: Instance, receiver: Receiver) -> None:
    key = sending.key()
    add(sending, key, "http://127.0.0.1:1/xapi", name="Away")
    add(sending, key, receiver.url, name="Here")
    ids = sending.post([GOOD] * 2, key).get_json()
    run = deliver(sending)[-1]
    assert receiver.ids() == ids
    assert run.report.problems[0].startswith("Away: ")


def test_quick_destination_is_served_while_a_slow_one_lets_us_wait(
    sending: Instance, receiver: Receiver
) -> None:
    """Also with what is stored only after the slow one began to be waited for."""
    key = sending.key()
    hangs, goes_on, arrived = threading.Event(), threading.Event(), threading.Semaphore(0)

    def be_slow(_: Received) -> int:
        hangs.set()
        return 200 if goes_on.wait(60) else 500

    def be_quick(_: Received) -> int:
        arrived.release()
        return 200

    receiver.answer = be_quick
    with running_receiver() as slow:
        slow.answer = be_slow
        add(sending, key, slow.url, name="Slow")
        add(sending, key, receiver.url, name="Quick")
        ids = sending.post(GOOD, key).get_json()
        with ThreadPoolExecutor(1) as worker:
            runs = worker.submit(deliver, sending)
            try:
                assert hangs.wait(10)
                for _ in range(3):
                    assert arrived.acquire(timeout=10)
                    assert not slow.accepted
                    ids += sending.post(GOOD, key).get_json()
                assert arrived.acquire(timeout=10)
                assert not slow.accepted
            finally:
                goes_on.set()
            assert all(run.outcome is Outcome.DONE for run in runs.result(60))
        assert receiver.ids() == ids
        assert slow.ids() == ids


def test_a_pass_ends_at_its_next_look_when_the_worker_is_to_stop_while_a_receiver_hangs(
    sending: Instance, receiver: Receiver
) -> None:
    key = sending.key()
    hangs, goes_on = threading.Event(), threading.Event()

    def be_slow(_: Received) -> int:
        hangs.set()
        return 200 if goes_on.wait(60) else 500

    receiver.answer = be_slow
    for number in range(AT_ONCE + 3):
        add(sending, key, receiver.url, name=f"Slow {number}")
    sending.post(GOOD, key)
    with ThreadPoolExecutor(1) as worker:
        run = worker.submit(sending.services.jobs.run, "deliver")
        try:
            assert hangs.wait(10)
            sending.services.jobs.stop()
        finally:
            # Only those that are being waited for are answered; what has not begun does not begin.
            goes_on.set()
        assert run.result(60).outcome is Outcome.STOPPED
    assert 1 <= len(receiver.received) <= AT_ONCE


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


def test_record_that_cannot_be_read_holds_its_destination_and_no_other(
    tmp_path: Path, receiver: Receiver
) -> None:
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine, LRS_OUTBOUND_ALLOW="127.0.0.1")
    school, museum = instance.key("School"), instance.key("Museum")
    for key in (school, museum):
        add(instance, key, receiver.url)
    (broken,) = instance.post(GOOD, school).get_json()
    (whole,) = instance.post(GOOD, museum).get_json()
    database = apsw.Connection(str(tmp_path / "lrs.db"))
    database.execute("UPDATE stmt SET body = x'00' WHERE id = ?", (uuid.UUID(broken).bytes,))
    assert database.changes() == 1
    database.close()
    runs = deliver(instance)
    assert receiver.ids() == [whole]
    assert runs[-1].outcome is Outcome.DONE
    assert stands(instance, school)["reason"]
    assert stands(instance, museum)["reason"] == ""
    engine.close()
