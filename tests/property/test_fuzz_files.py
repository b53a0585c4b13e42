"""Files of frameworks, rules, pathways and crosswalks with anything anywhere: taken, or told why not."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.settings import read_settings
from lrs.access.handles import InstitutionHandle
from lrs.errors import Conflict, InvalidBody, TooLarge
from lrs.services import Outside, Services, build_services

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", " ", "\x00", "a\u202eb", "٣", "1_0", "NaN", "x" * 20_000,
    [], [[]], [None], {}, {"": {}}, {"a": [1]},
)  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of everything inside a value."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


def read(name: str) -> Any:
    return json.loads(files("profiles.demo_city").joinpath(name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder: Path = tmp_path_factory.mktemp("files")
    settings_ = read_settings({"LRS_STORE": f"sqlite:///{folder}/lrs.db"})
    made = build_services(settings_, Outside(durable=False))
    for name in ("Port Amaris Harbour School", "Museum of the Amaris Sea", "Amaris Tideworks"):
        made.access.create_institution(name)
    school = InstitutionHandle(made.access.get_institution_named("Port Amaris Harbour School").id)
    made.frameworks.import_framework(school, json.dumps(read("spine.json")).encode())
    made.frameworks.import_alignment(school, json.dumps(read("alignment-spine.json")).encode())
    made.pathways.import_pathway(school, json.dumps(read("pathway.json")).encode())
    yield made
    made.close()


def importer(services: Services, name: str) -> Callable[[bytes], object]:
    school = InstitutionHandle(services.access.get_institution_named("Port Amaris Harbour School").id)
    rooms: dict[str, Callable[[InstitutionHandle, bytes], object]] = {
        "spine.json": services.frameworks.import_framework,
        "alignment-spine.json": services.frameworks.import_alignment,
        "pathway.json": services.pathways.import_pathway,
        "crosswalk.json": services.transcripts.import_crosswalk,
    }
    return lambda body: rooms[name](school, body)


@pytest.mark.parametrize("name", ["spine.json", "alignment-spine.json", "pathway.json", "crosswalk.json"])
def test_demo_file_is_taken_or_told_what_is_wrong_when_anything_stands_anywhere(
    services: Services, name: str
) -> None:
    whole, take = read(name), importer(services, name)
    places = list(paths(whole))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.sampled_from(places), st.sampled_from(ODD))
    def check(place: tuple[Any, ...], odd: Any) -> None:
        changed = copy.deepcopy(whole)
        owner = changed
        for key in place[:-1]:
            owner = owner[key]
        owner[place[-1]] = odd
        with suppress(InvalidBody, TooLarge, Conflict):
            take(json.dumps(changed).encode())

    check()
