"""Destinations: what is sent, how it is signed, and which statements."""

import base64
import hashlib
import hmac
import json

from lrs.jobs.model import Outcome
from tests.http.conftest import Instance
from tests.http.posting import GOOD
from tests.http.streams.sending import add, deliver, of, stands
from tests.multipart import BOUNDARY
from tests.receiver import Received, Receiver

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
PASSED = "http://adlnet.gov/expapi/verbs/passed"


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


def test_what_only_2_0_has_is_sent_as_2_0_whatever_version_the_statement_names(
    sending: Instance, receiver: Receiver
) -> None:
    """Under 2.0 a statement may still say 1.0.0; a store that is told 1.0.3 would refuse it for good."""
    key = {**sending.key(), "X-Experience-API-Version": "2.0.0"}
    add(sending, key, receiver.url)
    agent = {"mbox": "mailto:helper@example.org"}
    helped = {
        "contextAgents": [{"objectType": "contextAgent", "agent": agent, "relevantTypes": ["http://e.org/t"]}]
    }
    inner = {**GOOD, "objectType": "SubStatement", "context": helped}
    for statement in ({**GOOD, "context": helped}, {**GOOD, "object": inner}, GOOD):
        assert sending.post({**statement, "version": "1.0.0"}, key).status_code == 200
    deliver(sending)
    sent = [(one.headers["x-experience-api-version"], len(one.ids())) for one in receiver.received]
    assert sent == [("2.0.0", 2), ("1.0.3", 1)]


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
