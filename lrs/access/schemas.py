"""The JSON of institutions and keys, in and out."""

from marshmallow import Schema, fields, validate

from lrs.access.model import Scope, Tolerance
from lrs.access.rules import MAX_NAME, MAX_OVERLAP_HOURS, MAX_QUOTA, MAX_RATE, VERSIONS, KeyState
from lrs.web.smorest import Instant, StrictSchema


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


_MOMENT = {"format": "date-time"}
_QUOTA = "How many statements it may hold; 0 for any number"
_TOLERANCES = "Small known faults of statements that are mended instead of refused"
_END = "When it stops; null for never"
_VERSION = "In whose form a request without version header is answered"
_RATE = "Requests a minute; 0 for no limit, null for the instance's default"


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
    statementQuota = fields.Integer(  # noqa: N815 - JSON
        required=True, attribute="statement_quota", metadata=_doc(_QUOTA)
    )


class QuotaSchema(StrictSchema):
    """How much an institution may hold."""

    statements = fields.Integer(
        required=True, strict=True, validate=validate.Range(0, MAX_QUOTA), metadata=_doc(_QUOTA)
    )


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
        metadata=_doc(_VERSION),
    )
    expiresAt = Instant(  # noqa: N815 - JSON
        load_default=None, allow_none=True, metadata={**_MOMENT, **_doc(_END)}
    )
    ratePerMinute = fields.Integer(  # noqa: N815 - JSON
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, MAX_RATE),
        metadata=_doc(_RATE),
    )
    tolerances = fields.List(
        fields.Enum(Tolerance, by_value=fields.String),
        load_default=[],
        validate=validate.Length(0, len(Tolerance)),
        metadata=_doc(_TOLERANCES),
    )


class KeyChangeSchema(StrictSchema):
    """What of a key shall be another; what is left out stays."""

    defaultVersion = fields.String(  # noqa: N815 - JSON
        allow_none=True,
        attribute="default_version",
        validate=validate.OneOf(VERSIONS),
        metadata=_doc(_VERSION),
    )
    expiresAt = Instant(  # noqa: N815 - JSON
        allow_none=True, attribute="expires_at_us", metadata={**_MOMENT, **_doc(_END)}
    )
    ratePerMinute = fields.Integer(  # noqa: N815 - JSON
        allow_none=True,
        attribute="rate_per_minute",
        strict=True,
        validate=validate.Range(0, MAX_RATE),
        metadata=_doc(_RATE),
    )
    tolerances = fields.List(
        fields.Enum(Tolerance, by_value=fields.String),
        validate=validate.Length(0, len(Tolerance)),
        metadata=_doc(_TOLERANCES),
    )


class RotationSchema(StrictSchema):
    """How a key is rotated."""

    overlapHours = fields.Integer(  # noqa: N815 - JSON
        load_default=24,
        strict=True,
        validate=validate.Range(0, MAX_OVERLAP_HOURS),
        metadata=_doc("For so many hours the old key stays good as well; 0 ends it at once"),
    )


class KeySchema(Schema):
    """A key, without its secret."""

    id = fields.String(required=True)
    institution = fields.String(required=True, metadata=_doc("The institution's id"))
    client = fields.String(required=True, metadata=_doc("The client's name"))
    scopes = fields.List(fields.String(), required=True)
    defaultVersion = fields.String(allow_none=True)  # noqa: N815 - JSON
    ratePerMinute = fields.Integer(allow_none=True, metadata=_doc(_RATE))  # noqa: N815 - JSON
    tolerances = fields.List(fields.String(), required=True, metadata=_doc(_TOLERANCES))
    state = fields.String(
        required=True,
        validate=validate.OneOf([state.value for state in KeyState]),
        metadata=_doc("ending: good, and expires within 14 days"),
    )
    createdAt = Instant(required=True, metadata=_MOMENT)  # noqa: N815 - JSON
    expiresAt = Instant(allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    revokedAt = Instant(allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    lastUsedAt = Instant(  # noqa: N815 - JSON
        allow_none=True, metadata={**_MOMENT, **_doc("To the minute")}
    )
    replacedBy = fields.String(  # noqa: N815 - JSON
        allow_none=True, metadata=_doc("The key that was made when this one was rotated")
    )


class NewKeyAnswerSchema(KeySchema):
    """A key just made; the secret is shown this once and kept nowhere."""

    secret = fields.String(required=True)


class KeysSchema(Schema):
    """Keys of one institution, oldest first."""

    keys = fields.List(fields.Nested(KeySchema), required=True)
