"""The JSON of jobs and their runs."""

from marshmallow import Schema, fields, validate

from lrs.jobs.model import Outcome
from lrs.web.smorest import Instant, StrictSchema

_MOMENT = {"format": "date-time"}


class JobSchema(Schema):
    """A job and how it stands."""

    name = fields.String(required=True)
    about = fields.String(required=True)
    running = fields.Boolean(required=True)
    due = fields.Boolean(
        required=True, metadata={"description": "Whether the next worker that looks runs it"}
    )
    startedAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    endedAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    askedAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    failures = fields.Integer(required=True, metadata={"description": "Runs that failed in a row"})


class JobsSchema(Schema):
    """Every job."""

    jobs = fields.List(fields.Nested(JobSchema), required=True)


class RunsQuerySchema(StrictSchema):
    """How many runs to list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class RunSchema(Schema):
    """One run of a job."""

    job = fields.String(required=True)
    run = fields.Integer(required=True, metadata={"description": "Rises by one with each run of the job"})
    outcome = fields.String(required=True, validate=validate.OneOf([one.value for one in Outcome]))
    startedAt = Instant(required=True, metadata=_MOMENT)  # noqa: N815 - JSON
    endedAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    read = fields.Integer(required=True)
    wrote = fields.Integer(required=True)
    problems = fields.List(
        fields.String(), required=True, metadata={"description": "What it could not do and why; at most 20"}
    )
    problemCount = fields.Integer(required=True)  # noqa: N815 - JSON


class RunsSchema(Schema):
    """Runs, newest first."""

    runs = fields.List(fields.Nested(RunSchema), required=True)
