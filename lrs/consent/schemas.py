"""The JSON of consents and disclosures, in and out."""

from marshmallow import Schema, fields, validate

from lrs.consent.handles import Kind
from lrs.web.smorest import Instant, StrictSchema

_MOMENT = {"format": "date-time"}


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class PlaceSchema(Schema):
    """An institution."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class NewConsentSchema(StrictSchema):
    """What a learner agrees to."""

    institution = fields.String(required=True, metadata=_doc("Who may see: id or name"))
    purpose = fields.String(required=True, metadata=_doc("One word, such as transcript"))
    kinds = fields.List(
        fields.String(validate=validate.OneOf(list(Kind))), required=True, validate=validate.Length(1, 3)
    )
    sources = fields.List(
        fields.String(),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 1000),
        metadata=_doc("Whose records, by id or name; without it everybody's"),
    )
    until = Instant(load_default=None, allow_none=True, metadata={**_MOMENT, **_doc("From then on no more")})


class EventSchema(Schema):
    """Something that happened to a consent."""

    event = fields.String(required=True, metadata=_doc("granted, renewed or withdrawn"))
    at = Instant(required=True, metadata=_MOMENT)
    by = fields.String(required=True, metadata=_doc("learner, or who acted for the learner"))


class _TermsSchema(Schema):
    purpose = fields.String(required=True)
    kinds = fields.List(fields.String(), required=True)
    sources = fields.List(
        fields.Nested(PlaceSchema), required=True, allow_none=True, metadata=_doc("null: everybody's")
    )
    until = Instant(required=True, allow_none=True, metadata=_MOMENT)
    state = fields.String(required=True, metadata=_doc("granted, withdrawn or ended"))
    events = fields.List(fields.Nested(EventSchema), required=True)


class ConsentSchema(_TermsSchema):
    """What the learner agreed to."""

    institution = fields.Nested(PlaceSchema, required=True)
    toConfirm = fields.Boolean(  # noqa: N815 - JSON
        required=True,
        metadata=_doc("Something was joined to the learner since; it stays closed until granted again"),
    )


class ConsentsSchema(Schema):
    """All that the learner ever agreed to."""

    consents = fields.List(fields.Nested(ConsentSchema), required=True)


class GivenConsentSchema(_TermsSchema):
    """What a learner agreed to with this institution."""

    learner = fields.String(required=True, allow_none=True, metadata=_doc("Whose it is now"))


class GivenConsentsSchema(Schema):
    """All consents that were given to this institution."""

    consents = fields.List(fields.Nested(GivenConsentSchema), required=True)


class DisclosureSchema(Schema):
    """What one institution saw of others' records, on one day."""

    day = fields.String(required=True)
    to = fields.Nested(PlaceSchema, required=True)
    sources = fields.List(fields.Nested(PlaceSchema), required=True, data_key="from")
    kinds = fields.List(fields.String(), required=True)
    purpose = fields.String(required=True)
    about = fields.String(required=True)
    ground = fields.String(required=True, metadata=_doc("consent or basis"))


class DisclosuresSchema(Schema):
    """Who saw what, the latest day first."""

    disclosures = fields.List(fields.Nested(DisclosureSchema), required=True)
