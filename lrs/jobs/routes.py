"""/api/v1/jobs: what runs beside the requests, and how it went. For administrators.

Wiring: ``api.register_blueprint(make_jobs_blueprint(runner))``.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lrs.access.model import Scope
from lrs.access.rules import require
from lrs.jobs.runner import JobRunner
from lrs.jobs.schemas import JobSchema, JobsSchema, RunsQuerySchema, RunsSchema
from lrs.jobs.views import view_job, view_run
from lrs.web.callers import current_caller
from lrs.web.smorest import NoParamsSchema, StrictBlueprint

_BAD, _WHO, _NOT_YOU = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_GONE = HTTPStatus.NOT_FOUND


def make_jobs_blueprint(runner: JobRunner) -> StrictBlueprint:
    """Make the routes."""
    blueprint = StrictBlueprint(
        "jobs", __name__, url_prefix="/api/v1/jobs", description="What runs beside the requests"
    )
    blueprint.before_request(_only_administrators)

    @blueprint.get("")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.OK, JobsSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU)
    def list_jobs(_none: object) -> dict[str, Any]:
        """List the jobs.

        Each with how it stands. Needs an administrator's key.
        """
        return {"jobs": [view_job(one) for one in runner.view()]}

    @blueprint.post("/<name>/runs")
    @blueprint.arguments(NoParamsSchema, location="query")
    @blueprint.response(HTTPStatus.ACCEPTED, JobSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def ask_run(_none: object, name: str) -> dict[str, Any]:
        """Ask for a run.

        The next worker that looks runs the job, due or not; asking twice asks once. Needs an
        administrator's key.
        """
        return view_job(runner.ask(name))

    @blueprint.get("/<name>/runs")
    @blueprint.arguments(RunsQuerySchema, location="query")
    @blueprint.response(HTTPStatus.OK, RunsSchema)
    @blueprint.refuses(_BAD, _WHO, _NOT_YOU, _GONE)
    def list_runs(query: Mapping[str, int], name: str) -> dict[str, Any]:
        """List a job's runs.

        The latest first; 200 of each job are kept. Needs an administrator's key.
        """
        return {"runs": [view_run(run) for run in runner.history(name, query["limit"])]}

    return blueprint


def _only_administrators() -> None:
    require(current_caller(), Scope.ADMIN)
