"""/api/v1/jobs: seen and started by administrators alone."""

import pytest

from lrs.access.model import Scope
from tests.http.conftest import Instance


def test_job_is_run_when_an_administrator_asked_for_it(instance: Instance) -> None:
    key = instance.key(None, Scope.ADMIN)
    instance.services.jobs.run_until_idle()
    instance.clock.move(1)
    listed = instance.client.get("/api/v1/jobs", headers=key).get_json()["jobs"]
    before = next(one for one in listed if one["name"] == "deliver")
    assert (before["due"], before["running"]) == (False, False)
    assert {"tick", "derive"} <= {one["name"] for one in listed}
    asked = instance.client.post("/api/v1/jobs/deliver/runs", headers=key)
    assert asked.status_code == 202
    assert asked.get_json()["due"] is True
    assert [run.job for run in instance.services.jobs.run_until_idle()] == ["deliver"]
    runs = instance.client.get("/api/v1/jobs/deliver/runs", headers=key).get_json()["runs"]
    assert [(run["run"], run["outcome"], run["problems"]) for run in runs] == [
        (2, "done", []),
        (1, "done", []),
    ]
    assert runs[0]["startedAt"] > runs[1]["startedAt"]


def test_unknown_job_is_not_found(embedded: Instance) -> None:
    key = embedded.key(None, Scope.ADMIN)
    assert embedded.client.get("/api/v1/jobs/nothing/runs", headers=key).status_code == 404
    assert embedded.client.post("/api/v1/jobs/nothing/runs", headers=key).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/deliver/runs"), ("POST", "/deliver/runs")]
)
def test_nobody_else_sees_or_starts_jobs(embedded: Instance, method: str, path: str) -> None:
    url = f"/api/v1/jobs{path}"
    assert embedded.client.open(url, method=method, headers=embedded.key()).status_code == 403
    assert embedded.client.open(url, method=method).status_code == 401
