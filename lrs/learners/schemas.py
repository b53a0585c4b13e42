"""The JSON of learners, in and out."""

from marshmallow import Schema, fields, validate

from lrs.learners.reading import MOST_LISTED
from lrs.web.smorest import StrictSchema


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class LearnersQuerySchema(StrictSchema):
    """Which learners to list."""

    identifier = fields.String(
        load_default="",
        metadata=_doc("Only who is meant by it: mailto:…, HOMEPAGE NAME of an account, or an id"),
    )
    after = fields.String(load_default="", metadata=_doc("What the page before gave as next"))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))


class LearnerSchema(Schema):
    """A learner as one institution knows them."""

    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True, metadata=_doc("As its roster or records give it"))
    identifiers = fields.List(
        fields.String(), required=True, metadata=_doc("Those that stand in its own records and rosters")
    )
    shared = fields.Boolean(
        required=True, metadata=_doc("An identifier was given to two persons, and nobody decided whose it is")
    )


class LearnersSchema(Schema):
    """A page of learners."""

    learners = fields.List(fields.Nested(LearnerSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata=_doc("Give it as after; null at the end"))
