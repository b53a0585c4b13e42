"""Whatever a receiver does, every statement arrives at least once, and in the order of the log."""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import sqlite_engine
from tests.http.conftest import make_instance
from tests.http.posting import GOOD
from tests.http.streams.sending import add, deliver, letters, of
from tests.receiver import Received, running_receiver

ANSWERS = st.sampled_from([200, 200, 204, 400, 400, 400, 401, 409, 413, 429, 500, 503, 302])


@pytest.mark.lasting
@given(
    answers=st.lists(ANSWERS, max_size=25),
    bad=st.sets(st.integers(0, 30), max_size=3),
    batches=st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=25)
def test_every_statement_arrives_once_at_least_and_in_order(
    answers: list[int], bad: set[int], batches: list[int]
) -> None:
    left = list(answers)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite_engine(Path(folder))) as engine,
        running_receiver() as receiver,
    ):
        instance = make_instance(engine, LRS_OUTBOUND_ALLOW="127.0.0.1")
        key = instance.key()
        made = add(instance, key, receiver.url)
        ids: list[str] = []

        def answer(received: Received) -> Any:
            if left:
                return left.pop(0)
            return 400 if {ids[n] for n in bad if n < len(ids)} & set(received.ids()) else 200

        receiver.answer = answer
        for size in batches:
            ids += instance.post([GOOD] * size, key).get_json()
            deliver(instance, times=3, seconds=40)
        instance.clock.move(1000)
        for _ in range(200):
            if not deliver(instance, seconds=1000):
                break
        arrived = list(dict.fromkeys(receiver.ids()))
        aside = [letter["statement"] for letter in letters(instance, key, made["id"])]
        assert sorted({*arrived, *aside}) == sorted(ids)
        assert arrived == [id_ for id_ in ids if id_ in set(arrived)]
        assert {ids[n] for n in bad if n < len(ids)} - set(arrived) <= set(aside)
        receiver.answer = lambda received: 200
        instance.client.post(of(instance, key, f"/{made['id']}/replays"), json={}, headers=key)
        deliver(instance)
        assert set(receiver.ids()) == set(ids)
        assert letters(instance, key, made["id"]) == []
