"""The JSON of crosswalks and transcripts in the API."""

from marshmallow import Schema, fields, validate

from lrs.web.smorest import StrictSchema


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class TranscriptQuerySchema(StrictSchema):
    """By which crosswalk, and as what."""

    crosswalk = fields.String(required=True, metadata=_doc("The name of one of the school's crosswalks"))
    format = fields.String(
        load_default="json",
        validate=validate.OneOf(["json", "pdf"]),
        metadata=_doc("The file that is wanted"),
    )


class CrosswalkSchema(Schema):
    """A crosswalk, without its rules."""

    name = fields.String(required=True)
    version = fields.Integer(required=True, metadata=_doc("Rises by one with every change"))
    title = fields.String(required=True)
    framework = fields.String(required=True, metadata=_doc("Identifier; empty where it names no items"))
    rules = fields.Integer(required=True, metadata=_doc("How many rules it has"))
    courses = fields.Integer(required=True, metadata=_doc("How many rules for real courses it has"))


class CrosswalksSchema(Schema):
    """A school's crosswalks."""

    crosswalks = fields.List(fields.Nested(CrosswalkSchema), required=True)
