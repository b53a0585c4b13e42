"""A portfolio is made with as many questions to the database whether little is recorded or much."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.engines import sqlite_engine
from tests.http.conftest import Instance, make_instance
from tests.http.portfolio.learners import PAGES, WREN, align, derive, get, said, sign_in_wren

MOST_QUESTIONS = 60


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[tuple[Instance, list[str]]]:
    """An instance where Wren did something, and what its database is asked from now on."""
    questions: list[str] = []

    def follow(connection: apsw.Connection) -> None:
        connection.exec_trace = lambda _cursor, sql, _values: questions.append(sql) or True

    apsw.connection_hooks.append(follow)
    engine = sqlite_engine(tmp_path)
    instance = make_instance(engine)
    stores: Any = instance.services.stores
    stores.maintenance.close()  # it asks whenever it likes
    add_tides(instance, 0, 2)
    align(instance)
    sign_in_wren(instance)
    yield instance, questions
    engine.close()
    apsw.connection_hooks.remove(follow)


def add_tides(instance: Instance, first: int, end: int) -> None:
    scored = {"score": {"scaled": 0.7}, "duration": "PT2H"}
    done = [said(WREN, f"tide/{n}", f"Tide chart {n}", result=scored) for n in range(first, end)]
    assert instance.post(done, instance.key("School")).status_code == 200
    derive(instance)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_as_often_when_much_is_recorded(asked: tuple[Instance, list[str]], path: str) -> None:
    instance, questions = asked
    counts = []
    for first, end in ((2, 4), (4, 300)):
        add_tides(instance, first, end)
        get(instance, path)
        questions.clear()
        get(instance, path)
        counts.append(len(questions))
    assert counts[0] == counts[1]
    assert 0 < counts[0] < MOST_QUESTIONS
