"""Destinations made, served, and looked at."""

from typing import Any

from lrs.jobs.model import Run
from tests.http.conftest import Instance


def of(instance: Instance, key: dict[str, str], path: str = "") -> str:
    institution = instance.client.get("/api/v1/institutions", headers=key).get_json()["institutions"][0]["id"]
    return f"/api/v1/institutions/{institution}/destinations{path}"


def add(
    instance: Instance, key: dict[str, str], url: str, kind: str = "forward", **wish: Any
) -> dict[str, Any]:
    body = {"name": "There", "kind": kind, "url": url, **wish}
    if kind == "forward":
        body.setdefault("credentials", "user:pass:word")
    answer = instance.client.post(of(instance, key), json=body, headers=key)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def deliver(instance: Instance, times: int = 1, seconds: float = 0) -> list[Run]:
    """Run what is due, ``times`` times, moving the clock on after each."""
    runs = []
    for _ in range(times):
        runs += instance.services.jobs.run_until_idle()
        instance.clock.move(seconds)
    return runs


def stands(instance: Instance, key: dict[str, str]) -> dict[str, Any]:
    (found,) = instance.client.get(of(instance, key), headers=key).get_json()["destinations"]
    return dict(found)


def letters(instance: Instance, key: dict[str, str], destination: str) -> list[dict[str, Any]]:
    path = of(instance, key, f"/{destination}/letters")
    return list(instance.client.get(path, headers=key).get_json()["letters"])
