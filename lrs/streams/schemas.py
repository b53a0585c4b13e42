"""The JSON of the log's parameters, of destinations and of dead letters, in and out."""

from marshmallow import Schema, fields, validate

from lrs.access.rules import MAX_NAME
from lrs.streams.log import LONGEST_WAIT_SECONDS, MOST_LINES
from lrs.streams.model import MAX_OVERLAP_HOURS, Kind
from lrs.web.smorest import Instant, StrictSchema


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class LogQuerySchema(StrictSchema):
    """Where in the log, how much of it, how long to wait."""

    after = fields.String(load_default=None, metadata=_doc("A position; without one, the log's start"))
    limit = fields.Integer(
        load_default=100, validate=validate.Range(1, MOST_LINES), metadata=_doc("At most so many statements")
    )
    wait = fields.Integer(
        load_default=0,
        validate=validate.Range(0, LONGEST_WAIT_SECONDS),
        metadata=_doc("Seconds to wait where nothing follows"),
    )


_MOMENT = {"format": "date-time"}
_URL = (
    "Forward: the endpoint of the other store, such as https://lrs.example.org/xapi; webhook: what is called"
)


class NewDestinationSchema(StrictSchema):
    """What a destination is made from."""

    name = fields.String(required=True, validate=validate.Length(1, MAX_NAME), metadata=_doc("Unique"))
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in Kind]))
    url = fields.String(required=True, validate=validate.Length(1, 2000), metadata=_doc(_URL))
    credentials = fields.String(load_default=None, metadata=_doc("Forward: KEY:SECRET of the other store"))
    verbs = fields.List(fields.String(), load_default=[], validate=validate.Length(0, 100))
    activities = fields.List(fields.String(), load_default=[], validate=validate.Length(0, 100))
    agents = fields.List(
        fields.Dict(),
        load_default=[],
        validate=validate.Length(0, 100),
        metadata=_doc("Agents or Identified Groups"),
    )
    related = fields.Boolean(
        load_default=False, metadata=_doc("Whether an agent or activity may stand anywhere in a statement")
    )
    fromStart = fields.Boolean(  # noqa: N815 - JSON
        load_default=False, metadata=_doc("Whether to send the whole log, or only what is stored from now on")
    )


class DestinationSchema(Schema):
    """A destination and how it stands; secrets are never shown."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    url = fields.String(required=True)
    filter = fields.Dict(required=True)
    createdAt = Instant(required=True, metadata=_MOMENT)  # noqa: N815 - JSON
    sent = fields.Integer(required=True, metadata=_doc("Statements"))
    sentAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    attempt = fields.Integer(required=True, metadata=_doc("How often what follows failed; 0: all is well"))
    nextTryAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON
    reason = fields.String(required=True, metadata=_doc("Why the last attempt failed"))
    deadLetters = fields.Integer(required=True)  # noqa: N815 - JSON


class IssuedSchema(DestinationSchema):
    """A destination with the secret that was made for it: in this answer and nowhere else."""

    secret = fields.String(
        required=True, allow_none=True, metadata=_doc("Webhook: what signatures are made with")
    )


class DestinationsSchema(Schema):
    """Destinations by name."""

    destinations = fields.List(fields.Nested(DestinationSchema), required=True)


class NewSecretSchema(StrictSchema):
    """How a secret is changed."""

    overlapHours = fields.Integer(  # noqa: N815 - JSON
        load_default=24,
        strict=True,
        validate=validate.Range(0, MAX_OVERLAP_HOURS),
        metadata=_doc("Webhook: for so long the old secret signs as well"),
    )
    credentials = fields.String(load_default=None, metadata=_doc("Forward: the new KEY:SECRET"))


class TestedSchema(Schema):
    """What came of a test."""

    ok = fields.Boolean(required=True)
    status = fields.Integer(
        required=True, metadata=_doc("The HTTP status of the answer; 0 where there was none")
    )
    reason = fields.String(required=True)


class LettersQuerySchema(StrictSchema):
    """How many dead letters to list."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class LetterSchema(Schema):
    """A statement that a destination refused for good."""

    id = fields.String(required=True, metadata=_doc("What lrs outbox replay takes"))
    statement = fields.String(required=True)
    status = fields.Integer(required=True)
    reason = fields.String(required=True)
    tries = fields.Integer(required=True)
    at = Instant(required=True, metadata=_MOMENT)
    askedAt = Instant(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815 - JSON


class LettersSchema(Schema):
    """Dead letters in the order of the log."""

    letters = fields.List(fields.Nested(LetterSchema), required=True)


class ReplaySchema(StrictSchema):
    """Which dead letters are sent again."""

    statement = fields.UUID(load_default=None, metadata=_doc("One statement's; without it all"))


class ReplayedSchema(Schema):
    """How many dead letters are sent again."""

    letters = fields.Integer(required=True)
