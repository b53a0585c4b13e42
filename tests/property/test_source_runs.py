"""Whatever files come in what order, and wherever runs break off: what stands is what the last file says."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrs.errors import StoreUnavailable
from lrs.sources.model import Kind
from lrs.sources.rows import RowBook
from lrs.sources.setup import SourceWish
from lrs.sources.writing import Writer
from tests.contract.sources.museum import CONF, Museum
from tests.engines import sqlite_engine
from tests.http.conftest import make_instance
from tests.unit.connectors.sinks import HEADER

RUNS = settings(
    max_examples=max(25, settings.default.max_examples // 4),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
CHILDREN, HOURS = ("Mia", "Bo", "Cy"), ("1", "2", "3")
FILES = st.lists(st.tuples(st.sampled_from(CHILDREN), st.sampled_from(HOURS)), min_size=1, max_size=5)
BREAKS = st.none() | st.tuples(st.sampled_from(["store", "void", "save"]), st.integers(0, 2), st.booleans())
ACTS = st.lists(st.tuples(FILES, BREAKS), min_size=1, max_size=6)
Lines = list[tuple[str, str]]
_names = itertools.count(1)


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Museum]:
    folder = tmp_path_factory.mktemp("runs")
    engine = sqlite_engine(folder)
    yield Museum(make_instance(engine), folder)
    engine.close()


class Source:
    """One source of its own, sent as the whole each time."""

    def __init__(self, museum: Museum) -> None:
        self.museum = museum
        self.name = f"source {next(_names)}"
        self.folder = museum.file.parent

    def send(self, lines: Lines) -> Any:
        file: Path = self.folder / "file.csv"
        written = [f"03.05.2026;{child};{child}@example.org;;Robots;{hours}" for child, hours in lines]
        file.write_text("\n".join([f"{HEADER};Std", *written]))
        self.museum.instance.clock.move(1)
        wish = SourceWish(Kind.CSV, str(file), {**CONF, "name": self.name, "full": True})
        return self.museum.sources.run(self.museum.handle, wish).run.counts

    def send_and_break(self, lines: Lines, where: str, number: int, *, is_after: bool) -> None:
        """Send a file; the store goes away at some step, before it or after it."""
        owner: Any = RowBook if where == "save" else Writer
        real = getattr(owner, where)
        calls = itertools.count()

        def breaking(*args: Any) -> Any:
            is_now = next(calls) == number
            if is_now and not is_after:
                raise StoreUnavailable("gone")
            found = real(*args)
            if is_now:
                raise StoreUnavailable("gone")
            return found

        with mock.patch.object(owner, where, breaking):
            try:
                self.send(lines)
            except StoreUnavailable:
                return

    def standing(self) -> Counter[tuple[str, str]]:
        """What of the source is not voided."""
        found: Counter[tuple[str, str]] = Counter()
        reader = self.museum.instance.services.log._reader
        for entry in reader.read(self.museum.handle, 0, 100_000).entries:
            one = json.loads(entry.text)
            if one["authority"].get("name") == self.name and "result" in one and not entry.voided:
                found[one["actor"]["name"], one["result"]["duration"]] += 1
        return found


def told(lines: Lines) -> Counter[tuple[str, str]]:
    return Counter({(child, f"PT{hours}H"): 1 for child, hours in lines})


@RUNS
@given(ACTS)
def test_what_stands_is_what_the_last_file_says(museum: Museum, acts: list[tuple[Lines, Any]]) -> None:
    source = Source(museum)
    for lines, at in acts:
        if at is None:
            source.send(lines)
            assert source.standing() == told(lines)
        else:
            source.send_and_break(lines, at[0], at[1], is_after=at[2])
    last = acts[-1][0]
    source.send(last)
    assert source.standing() == told(last)
    again = source.send(last)
    assert (again.stored, again.voided) == (0, 0)


@RUNS
@given(FILES, FILES)
def test_undoing_a_run_leaves_what_stood_before_it(museum: Museum, first: Lines, second: Lines) -> None:
    source = Source(museum)
    source.send(first)
    source.send(second)
    run = museum.sources.runs(museum.handle, source.name)[0].id
    museum.instance.clock.move(1)
    museum.sources.undo(museum.handle, run)
    assert source.standing() == told(first)
    source.send(second)
    assert source.standing() == told(second)
