"""Derivation in real processes: killed, paused, two at once; what stands then equals a rebuild."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lrs.competencies.model import model_value
from tests.derivations import activity, identifier, person
from tests.e2e.test_worker import Store
from tests.factories import make_statement, make_statement_id
from tests.server import stop_process
from tests.unit.competencies.builders import FRAMEWORK, TWO_OF_THREE, spine

pytestmark = pytest.mark.lasting

SLOW = [sys.executable, "-m", "tests.e2e.slow_deriver"]
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}
NAMES = ("ada", "#ada", "@ada", "ben", "@ben", "cyd", "@cyd")


class City(Store):
    """A store with a framework and an alignment, and people of whom much is recorded."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.dice = random.Random(7)
        self.number = 0
        self.folder = folder
        frameworks = self.services.frameworks
        model = json.dumps(model_value(TWO_OF_THREE)).encode()
        frameworks.import_framework(self.handle, json.dumps(spine()).encode(), model)
        self.align()

    def align(self, score: Any = "scaled") -> None:
        rules = [
            {"id": f"r-{item}", "item": item, "when": {"activity": [activity(item)]}, "score": score}
            for item in ("a1", "a2", "b1", "alone")
        ]
        body = {"name": "spine", "framework": FRAMEWORK, "rules": rules}
        self.services.frameworks.import_alignment(self.handle, json.dumps(body).encode())

    def record(self, count: int) -> None:
        """Post statements, some of which void others, whether they are there or not."""
        self.post_all([self._statement() for _ in range(count)])

    def decide(self) -> None:
        """Join or part two identifiers; now and then change the rules."""
        learners = self.services.learners
        one, other = (identifier(name) for name in self.dice.sample(NAMES, 2))
        act = learners.link if self.dice.random() < 0.6 else learners.unlink
        act(one, other, "test")
        if self.dice.random() < 0.3:
            self.align({"fixed": str(self.dice.choice(["0.5", "0.7", "0.9"]))})

    def _statement(self) -> dict[str, Any]:
        self.number += 1
        common = {
            "id": make_statement_id(self.number),
            "timestamp": f"2026-03-{self.number % 28 + 1:02d}T08:00:00Z",
        }
        if self.dice.random() < 0.15:
            target = make_statement_id(self.dice.randrange(1, self.number + 20))
            reference = {"objectType": "StatementRef", "id": target}
            return make_statement(**common, actor=person("cyd"), verb=VOIDED, object=reference)
        return make_statement(
            **common,
            actor=person(self.dice.choice(NAMES)),
            object={"id": activity(self.dice.choice(["a1", "a2", "b1", "alone"]))},
            result={"score": {"scaled": self.dice.randrange(101) / 100}},
        )

    @contextmanager
    def deriving(self) -> Iterator["Stepping"]:
        """Run a slow worker for a block."""
        process = subprocess.Popen(SLOW, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            yield Stepping(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            stop_process(process)
            assert process.stdout is not None
            process.stdout.close()

    def assert_equals_rebuild(self) -> None:
        done = self.lrs("rebuild", "--verify", "--json", check=False)
        found = json.loads(done.stdout)
        assert found["differences"] == 0, done.stderr
        assert done.returncode == 0
        assert found["statements"] == self.number
        assert found["evidence"] > 0
        assert found["progress"] > 0


class Stepping:
    """A slow worker, whose steps are counted."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def wait_for_steps(self, count: int) -> None:
        assert self.process.stdout is not None
        while count:
            line = self.process.stdout.readline()
            assert line, "the worker ended by itself"
            count -= line == b"step\n"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.services.close()


def kill_again_and_again(city: City, rounds: int) -> None:
    for _ in range(rounds):
        city.record(20)
        city.decide()
        with city.deriving() as worker:
            worker.wait_for_steps(city.dice.randrange(1, 25))
            worker.process.kill()
    city.lrs("worker", "--once")
    city.assert_equals_rebuild()


def test_killed_worker_leaves_what_the_next_takes_up(city: City) -> None:
    kill_again_and_again(city, 4)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_worker_killed_a_hundred_times_leaves_what_the_next_takes_up(city: City) -> None:
    kill_again_and_again(city, 100)


def test_two_workers_at_once_write_what_one_would(city: City) -> None:
    with city.deriving() as one, city.deriving() as other:
        for _ in range(4):
            city.record(15)
            city.decide()
            time.sleep(0.2)
        for worker in (one, other):
            assert worker.process.poll() is None
    city.lrs("worker", "--once")
    city.assert_equals_rebuild()


def test_worker_that_was_paused_writes_nothing_over_newer_rows(city: City) -> None:
    city.record(40)
    with city.deriving() as paused:
        paused.wait_for_steps(12)
        paused.process.send_signal(signal.SIGSTOP)
        city.record(10)
        city.decide()
        city.lrs("worker", "--once")
        city.align({"fixed": "0.9"})
        city.lrs("worker", "--once")
        paused.process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
    city.assert_equals_rebuild()


def test_derived_file_that_was_removed_is_made_again(city: City) -> None:
    city.record(30)
    city.lrs("worker", "--once")
    before = json.loads(city.lrs("progress", "mailto:ben@example.org", "--json").stdout)
    assert before
    files = list(city.folder.glob("lrs.db-derived*"))
    assert files
    for file in files:
        file.unlink()
    city.lrs("worker", "--once")
    assert json.loads(city.lrs("progress", "mailto:ben@example.org", "--json").stdout) == before
    city.assert_equals_rebuild()


def test_row_that_is_wrong_is_named_and_rebuilding_mends_it(city: City) -> None:
    import apsw

    city.record(30)
    city.lrs("worker", "--once")
    database = apsw.Connection(str(city.folder / "lrs.db-derived"), flags=apsw.SQLITE_OPEN_READWRITE)
    database.execute("DELETE FROM derived WHERE tbl = 'progress'")
    database.close()
    done = city.lrs("rebuild", "--verify", "--json", check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["differences"] > 0
    assert "is made and does not stand" in done.stderr
    mended = json.loads(city.lrs("rebuild", "--json").stdout)
    assert mended["statements"] == 30
    city.assert_equals_rebuild()


def test_progress_and_its_reasons_are_printed(city: City) -> None:
    city.post_all(
        [
            make_statement(
                id=make_statement_id(number),
                actor=person("ada"),
                object={"id": activity("a1"), "definition": {"name": {"en": "Loom workshop"}}},
                result={"score": {"scaled": 0.7}},
            )
            for number in (1, 2)
        ]
    )
    city.number = 2
    city.lrs("worker", "--once")
    shown = json.loads(city.lrs("progress", "mailto:ada@example.org", "--json").stdout)
    assert {one["item"]: one["level"] for one in shown} == {FRAMEWORK: 0, "a": 0, "a1": 2}
    assert all(one["coverage"] for one in shown)
    words = city.lrs("explain", "mailto:ada@example.org", "A1").stdout
    assert words.startswith(
        "Level 2 (Developing) in A1 Can do a1, because 2 of the last 2 that have a score are at or above 0.6,"
        " and 2 of the last 3 must be:"
    )
    assert "rule r-a1 of spine, version 1" in words
    explained = json.loads(city.lrs("explain", "mailto:ada@example.org", "a1", "--json").stdout)
    assert [one["statement"] for one in explained["evidence"]] == [make_statement_id(1), make_statement_id(2)]
    assert city.lrs("explain", "mailto:ada@example.org", "nothing", check=False).returncode == 1
    nobody = city.lrs("progress", "mailto:nobody@example.org", "--json", check=False)
    assert nobody.returncode == 1
    city.assert_equals_rebuild()
