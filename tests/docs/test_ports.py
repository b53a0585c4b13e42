"""What the import contracts cannot say for all rooms at once. See docs/architecture.md."""

import grimp
import pytest

GRAPH = grimp.build_graph("lrs", "config", "profiles", "connectors")
MAY_IMPORT_ANY_PORTS = ("lrs.stores", "lrs.services")


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def is_ports(module: str) -> bool:
    """Tell whether a module is a room's ports: ``ports``, or one of several below it."""
    return module.split(".")[2:3] == ["ports"]


PORTS = sorted(filter(is_ports, GRAPH.modules))
SERVICES = sorted(module for module in GRAPH.modules if module.endswith(".service"))


@pytest.mark.parametrize("ports", PORTS)
def test_ports_are_imported_by_their_room_the_stores_and_the_app_alone(ports: str) -> None:
    allowed = (room_of(ports), *MAY_IMPORT_ANY_PORTS)
    importers = GRAPH.find_modules_that_directly_import(ports)
    assert importers, "nobody needs it"
    assert not {one for one in importers if not any(is_within(one, package) for package in allowed)}


@pytest.mark.parametrize("service", SERVICES)
def test_no_model_and_no_ports_import_a_service(service: str) -> None:
    importers = GRAPH.find_modules_that_directly_import(service)
    assert not {one for one in importers if one.endswith(".model") or is_ports(one)}


def test_there_are_ports_and_services_to_check() -> None:
    assert {"lrs.access.ports", "lrs.xapi.ports"} <= set(PORTS)
    assert {"lrs.access.service", "lrs.xapi.service"} <= set(SERVICES)
