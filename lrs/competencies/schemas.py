"""The JSON of progress and its reasons, in and out."""

from marshmallow import Schema, fields, validate

from lrs.web.smorest import StrictSchema

DEFAULT_PURPOSE = "progress"


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


_PURPOSE = "For which purpose; what learners agreed to for it is opened, and is in their log"


class ProgressQuerySchema(StrictSchema):
    """What the answer is for."""

    purpose = fields.String(
        load_default=DEFAULT_PURPOSE, validate=validate.Length(1, 100), metadata=_doc(_PURPOSE)
    )


class ExplainQuerySchema(ProgressQuerySchema):
    """What is to be explained."""

    item = fields.String(
        required=True,
        validate=validate.Length(1, 1000),
        metadata=_doc("An item's identifier or code, or a framework's identifier"),
    )


class CoverageSchema(Schema):
    """How many items were met with, of how many."""

    met = fields.Integer(required=True)
    of = fields.Integer(required=True)


class ProgressSchema(Schema):
    """How far a learner is with one item, one branch or a whole framework."""

    framework = fields.String(required=True)
    frameworkTitle = fields.String(required=True)  # noqa: N815 - JSON
    item = fields.String(required=True, metadata=_doc("The framework's own identifier for the whole"))
    code = fields.String(required=True)
    statement = fields.String(required=True)
    type = fields.String(required=True)
    whole = fields.Boolean(required=True)
    withdrawn = fields.Boolean(required=True, metadata=_doc("A later version has it no more"))
    level = fields.Integer(
        required=True, allow_none=True, metadata=_doc("0: none yet; null: the framework has no levels")
    )
    levelName = fields.String(required=True, allow_none=True)  # noqa: N815 - JSON
    coverage = fields.Nested(CoverageSchema, required=True)
    counted = fields.Integer(required=True, metadata=_doc("Statements that are evidence of the item itself"))
    rolled = fields.Boolean(required=True, metadata=_doc("The level is the lowest of those below"))
    model = fields.String(required=True)
    modelVersion = fields.Integer(required=True)  # noqa: N815 - JSON
    evidence = fields.List(
        fields.String(), required=True, metadata=_doc("Ids of the statements that counted")
    )
    at = fields.String(required=True, metadata={"format": "date-time"})


class ProgressListSchema(Schema):
    """Progress in the order of frameworks and their trees."""

    progress = fields.List(fields.Nested(ProgressSchema), required=True)


class PieceSchema(Schema):
    """One statement that is evidence."""

    statement = fields.String(required=True)
    institution = fields.String(required=True)
    what = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})
    score = fields.String(required=True, allow_none=True)
    strength = fields.String(required=True)
    alignment = fields.String(required=True)
    version = fields.Integer(required=True)
    rule = fields.String(required=True)
    voucher = fields.Dict(required=True)
    counted = fields.Boolean(required=True, metadata=_doc("It is among those that the level is made of"))
    reached = fields.Boolean(required=True, metadata=_doc("It is at or above the level's threshold"))


class ExplanationSchema(Schema):
    """Why a level is what it is."""

    framework = fields.String(required=True)
    frameworkTitle = fields.String(required=True)  # noqa: N815 - JSON
    item = fields.String(required=True)
    label = fields.String(required=True)
    text = fields.String(required=True, metadata=_doc("All of it in words"))
    progress = fields.Nested(ProgressSchema, required=True, allow_none=True)
    evidence = fields.List(fields.Nested(PieceSchema), required=True)
    below = fields.List(fields.Nested(ProgressSchema), required=True)
    missing = fields.List(
        fields.String(), required=True, metadata=_doc("Items below that were not met with, the first of them")
    )
