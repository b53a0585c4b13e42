"""The JSON of attestations, in and out."""

from marshmallow import Schema, fields, validate

from lrs.sources.attestation import COMPLETED, LEVELS, MOST_DAYS
from lrs.vouchers import VOUCHERS
from lrs.web.smorest import Instant, StrictSchema

_LONGEST = 2000


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


def _text(about: str, **more: object) -> fields.String:
    return fields.String(validate=validate.Length(1, _LONGEST), metadata=_doc(about), **more)  # type: ignore[arg-type]


class NewAttestationSchema(StrictSchema):
    """What somebody is asked to confirm."""

    learner = _text("mailto:…, or HOMEPAGE NAME of an account", required=True)
    learnerName = _text("As the mentor knows the learner", required=True)  # noqa: N815 - JSON
    mentorName = _text("Who is asked; becomes the instructor", required=True)  # noqa: N815 - JSON
    mentorEmail = _text("Identifies the mentor", load_default=None)  # noqa: N815 - JSON
    activity = _text("IRI of what was done", required=True)
    activityName = _text("Its name, for people", required=True)  # noqa: N815 - JSON
    hours = _text("Such as 2.5 or 2:30; the mentor may correct it", load_default=None)
    day = _text("YYYY-MM-DD; today without it", load_default=None)
    asker = _text("Who asks; the institution's name without it", load_default=None)
    levels = fields.List(
        fields.String(), load_default=list(LEVELS), metadata=_doc("From the lowest; none for no rating")
    )
    voucher = fields.String(load_default="mentor", validate=validate.OneOf(VOUCHERS))
    verb = _text("IRI of the statement's verb", load_default=COMPLETED)
    days = fields.Integer(
        load_default=14,
        strict=True,
        validate=validate.Range(1, MOST_DAYS),
        metadata=_doc("The link is good for"),
    )


class IssuedAttestationSchema(Schema):
    """The link, in this answer and nowhere else."""

    id = fields.String(required=True)
    link = fields.String(required=True)
    until = Instant(required=True, metadata={"format": "date-time"})


class AttestationSchema(Schema):
    """What was asked, and how it stands."""

    id = fields.String(required=True)
    state = fields.String(required=True, metadata=_doc("asked, confirmed or declined"))
    until = Instant(required=True, metadata={"format": "date-time"})
    learnerName = fields.String(required=True)  # noqa: N815 - JSON
    mentorName = fields.String(required=True)  # noqa: N815 - JSON
    activity = fields.String(required=True)
    activityName = fields.String(required=True)  # noqa: N815 - JSON
    day = fields.String(required=True)


class AttestationsSchema(Schema):
    """All of an institution's."""

    attestations = fields.List(fields.Nested(AttestationSchema), required=True)
