"""How long a transcript takes: made, written as JSON, printed as PDF; for learners of several sizes.

    .venv/bin/python -m benchmarks.transcripts [RECORDS ...]

One invented learner for each size, on an embedded store in a temporary folder; the best and the
middle of seven runs each, in milliseconds. The first PDF of a process loads the fonts, and is told apart.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from config.settings import read_settings
from lrs.app import create_app
from lrs.services import Outside, build_services, now_us
from lrs.transcripts.document import write_json
from lrs.transcripts.pdf import render
from tests.engines import HandClock
from tests.http.conftest import Instance
from tests.transcripts import SCHOOL, SHIFT, WORKS, City, found_city

RUNS = 7
SIZES = [100, 1_000, 5_000]
BATCH = 200


def main(sizes: list[int]) -> None:
    """Print a line for each size."""
    print("records  of lines   make ms (best, middle)   JSON ms   KB   PDF ms (first, best, middle)   KB")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), size)


def _measure(folder: Path, size: int) -> None:
    settings = read_settings({"LRS_STORE": f"sqlite:///{folder}/lrs.db"})
    services = build_services(settings, Outside(clock=HandClock(now_us()), durable=False))
    try:
        city = found_city(Instance(create_app(settings, services), services, services.outside.clock))
        _fill(city, size)
        city.grant()
        learner, school = city.learner, city.handle(SCHOOL)
        document = services.transcripts.make(school, learner, "diploma")
        made = _times(lambda: services.transcripts.make(school, learner, "diploma"))
        written = _times(lambda: write_json(document))
        first = _once(lambda: render(document))
        printed = _times(lambda: render(document))
        text, pdf = write_json(document), render(document)
        print(
            f"{size:7,}  {len(document['statements']):8,}   {_shown(made):>22}   {_shown(written[:1]):>7}"
            f"   {len(text) // 1024:,}   {first:.0f}, {_shown(printed)}   {len(pdf) // 1024:,}"
        )
    finally:
        services.close()


def _fill(city: City, size: int) -> None:
    """Post half of the records to count for time, and half that no rule speaks of."""
    key = city.instance.key(WORKS)
    for begin in range(0, size, BATCH):
        batch = [
            {
                "actor": {"mbox": "mailto:ada@example.org"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
                "object": {"id": SHIFT if number % 2 else f"https://works.example/tours/{number % 40}"},
                "result": {"duration": "PT45M"},
                "timestamp": f"2026-{number % 12 + 1:02d}-{number % 27 + 1:02d}T09:30:{number % 60:02d}Z",
            }
            for number in range(begin, min(begin + BATCH, size))
        ]
        answer = city.instance.post(batch, key)
        assert answer.status_code == 200, answer.text
    city.derive()


def _times(act: Callable[[], object]) -> list[float]:
    return sorted(_once(act) for _ in range(RUNS))


def _once(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def _shown(times: list[float]) -> str:
    numbers = [times[0], statistics.median(times)][: len(times)]
    return ", ".join(f"{number:.1f}" for number in numbers)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or SIZES)
