"""Destinations: receivers that are away, slow, or refuse; what is put aside and replayed."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from lrs.jobs.model import Outcome
from lrs.streams.delivery import AT_ONCE
from tests.engines import sqlite_engine
from tests.http.conftest import Instance, make_instance
from tests.http.posting import GOOD
from tests.http.streams.sending import add, deliver, letters, of, stands
from tests.receiver import Received, Receiver, running_receiver


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
