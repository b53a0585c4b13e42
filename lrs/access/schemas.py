"""The JSON of institutions and keys, in and out."""

from marshmallow import Schema, fields, validate

from lrs.access.model import Scope
from lrs.access.rules import MAX_NAME, VERSIONS
from lrs.web.smorest import Instant, StrictSchema


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


_MOMENT = {"format": "date-time"}


class NewInstitutionSchema(StrictSchema):
    """What an institution is made from."""

    name = fields.String(
        required=True,
        validate=validate.Length(1, MAX_NAME),
        metadata=_doc("Unique in this instance; surrounding blanks are dropped"),
    )


class InstitutionSchema(Schema):
    """A tenant: provider, school or college."""

    id = fields.String(required=True, metadata=_doc("Ten characters, never reused"))
    name = fields.String(required=True)
    createdAt = Instant(required=True, attribute="created_at_us", metadata=_MOMENT)  # noqa: N815 - JSON


class InstitutionsSchema(Schema):
    """Institutions that the caller may see, by name."""

    institutions = fields.List(fields.Nested(InstitutionSchema), required=True)


class NewKeySchema(StrictSchema):
    """What a key is made from."""

    client = fields.String(
        load_default=None,
        validate=validate.Length(1, MAX_NAME),
        metadata=_doc(
            "The system that will use it, made where it is missing; by default the institution's own name"
        ),
    )
    scopes = fields.List(
        fields.Enum(Scope, by_value=fields.String),
        required=True,
        validate=validate.Length(1, len(Scope)),
        metadata=_doc("What it may do; admin belongs to administrators' keys alone"),
    )
    defaultVersion = fields.String(  # noqa: N815 - JSON
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(VERSIONS),
        metadata=_doc("In whose form a request without version header is answered"),
    )
    expiresAt = Instant(  # noqa: N815 - JSON
        load_default=None, allow_none=True, metadata={**_MOMENT, **_doc("When it stops; null for never")}
    )


class KeySchema(Schema):
    """A key, without its secret."""

    id = fields.String(required=True)
    institution = fields.String(required=True, metadata=_doc("The institution's id"))
    client = fields.String(required=True, metadata=_doc("The client's name"))
    scopes = fields.List(fields.String(), required=True)
    defaultVersion = fields.String(allow_none=True)  # noqa: N815 - JSON
    createdAt = Instant(required=True, metadata=_MOMENT)  # noqa: N815 - JSON
    expiresAt = Instant(allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    revokedAt = Instant(allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    lastUsedAt = Instant(  # noqa: N815 - JSON
        allow_none=True, metadata={**_MOMENT, **_doc("To the minute")}
    )


class NewKeyAnswerSchema(KeySchema):
    """A key just made; the secret is shown this once and kept nowhere."""

    secret = fields.String(required=True)


class KeysSchema(Schema):
    """Keys of one institution, oldest first."""

    keys = fields.List(fields.Nested(KeySchema), required=True)
