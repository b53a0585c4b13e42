"""Awards are given exactly once, whoever is killed while giving them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.derivations import World, identifier
from tests.engines import sqlite_engine
from tests.unit.credentials.test_awards import take

PEOPLE = [f"p{number}" for number in range(30)]


def start(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.awarder", url], stdout=subprocess.PIPE, text=True
    )


def kill_after(process: subprocess.Popen[str], writes: int) -> None:
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line == "gives\n"
        if seen == writes:
            break
    assert seen == writes, "it was killed too late"
    process.kill()
    process.communicate()


def finish(process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (0, "done")


@pytest.mark.lasting
def test_each_award_is_given_once_when_processes_are_killed_and_two_work_at_once(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    world = World.on(engine)
    world.framework()
    take(world)
    for who in PEOPLE:
        world.say("School", who, "a1")
    world.derive()
    assert engine.url is not None
    for writes in (1, 4, 9):
        kill_after(start(engine.url), writes)
    both = [start(engine.url), start(engine.url)]
    for process in both:
        finish(process)
    history = world.services.stores.recorded(world.handle("Museum")).read_entries(0, 999)
    given = [entry for entry in history if entry.kind == "award"]
    assert len(given) == len(PEOPLE)
    assert all(entry.before is None for entry in given)
    for who in PEOPLE:
        found = world.services.learners.find(identifier(who))
        assert len(world.services.awards.awards_of(found.identity_ids)) == 1
    engine.close()
