"""The JSON of arrivals and of statements by the line."""

from marshmallow import Schema, fields, validate

from lrs.web.smorest import Instant, ProblemSchema, StrictSchema
from lrs.xapi.verdicts import Verdict
from lrs.xapi.versions import Version

MOST_ENTRIES = 500


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


_MOMENT = {"format": "date-time"}


class ArrivalsQuerySchema(StrictSchema):
    """How much is asked for."""

    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(1, MOST_ENTRIES),
        metadata=_doc("At most so many posts, and so many refusals; 20 by default"),
    )


class ReceiptSchema(Schema):
    """A post that arrived."""

    at = Instant(attribute="at_us", required=True, metadata=_MOMENT)
    stored = fields.Integer(required=True, metadata=_doc("Records that were new"))
    already = fields.Integer(required=True, metadata=_doc("Records that were there before, equal"))
    firstId = fields.String(  # noqa: N815 - JSON
        attribute="first_id", required=True, metadata=_doc("The id of its first statement")
    )
    corrected = fields.Integer(
        required=True, metadata=_doc("Statements mended before they were kept, as the key asks for it")
    )


class RefusalSchema(Schema):
    """A post that was refused; its body is not kept."""

    at = Instant(attribute="at_us", required=True, metadata=_MOMENT)
    errorId = fields.String(  # noqa: N815 - JSON
        attribute="error_id", required=True, metadata=_doc("What the answer carried")
    )
    method = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    problems = fields.List(
        fields.Nested(ProblemSchema),
        required=True,
        metadata=_doc("The first 20; texts are cut to 200 characters"),
    )
    problemCount = fields.Integer(  # noqa: N815 - JSON
        attribute="problem_count", required=True, metadata=_doc("How many there were")
    )
    bodyBytes = fields.Integer(attribute="body_bytes", required=True)  # noqa: N815 - JSON


class ReasonSchema(Schema):
    """One thing to mend."""

    rule = fields.String(required=True)
    message = fields.String(required=True)
    path = fields.String(required=True)
    spec = fields.String(required=True)
    posts = fields.Integer(required=True, metadata=_doc("In how many of the refusals listed it stands"))
    lastAt = Instant(attribute="last_at_us", required=True, metadata=_MOMENT)  # noqa: N815 - JSON
    errorId = fields.String(attribute="error_id", required=True)  # noqa: N815 - JSON


class ArrivalsSchema(Schema):
    """The latest posts and refusals of one key, newest first."""

    source = fields.String(required=True, metadata=_doc("The key's id, or import"))
    verdict = fields.Enum(Verdict, by_value=fields.String, required=True)
    asOf = Instant(attribute="as_of_us", required=True, metadata=_MOMENT)  # noqa: N815 - JSON
    reasons = fields.List(
        fields.Nested(ReasonSchema), required=True, metadata=_doc("What to mend, the latest first")
    )
    receipts = fields.List(fields.Nested(ReceiptSchema), required=True)
    refusals = fields.List(fields.Nested(RefusalSchema), required=True)


class UsageSchema(Schema):
    """How much an institution holds of what it may hold."""

    statements = fields.Integer(required=True, metadata=_doc("Kept, voided and voiding ones included"))
    quota = fields.Integer(required=True, metadata=_doc("May be kept; 0 for any number"))
    percent = fields.Integer(required=True, metadata=_doc("Of the quota; 0 without one"))
    alarm = fields.Boolean(required=True, metadata=_doc("80 % of the quota or more is used"))


class LinesQuerySchema(StrictSchema):
    """How lines are read."""

    version = fields.String(
        load_default=None,
        validate=validate.OneOf([version.value for version in Version]),
        metadata=_doc("Whose rules hold for every line; by default those of the line's own version"),
    )


class RejectedLineSchema(Schema):
    """A line that was not stored."""

    line = fields.Integer(required=True, metadata=_doc("Its number, from 1"))
    code = fields.String(required=True, metadata=_doc("Stable name of the kind of error"))
    detail = fields.String(required=True)
    problems = fields.List(
        fields.Nested(ProblemSchema),
        required=True,
        metadata=_doc("The first 20; pointers begin at the statement in the line"),
    )


class LinesSchema(Schema):
    """What became of the lines: each that was read was stored, there already, or rejected."""

    read = fields.Integer(required=True, metadata=_doc("Lines that were not blank"))
    stored = fields.Integer(required=True, metadata=_doc("Statements that were new"))
    already = fields.Integer(required=True, metadata=_doc("Statements that were there before, equal"))
    rejectedCount = fields.Integer(  # noqa: N815 - JSON
        attribute="rejected_count", required=True, metadata=_doc("How many lines were not stored")
    )
    rejected = fields.List(
        fields.Nested(RejectedLineSchema), required=True, metadata=_doc("The first 100 of them")
    )
    errorId = fields.String(  # noqa: N815 - JSON
        attribute="error_id",
        required=True,
        allow_none=True,
        metadata=_doc("Where lines were rejected: under which the page of arrivals lists them"),
    )
