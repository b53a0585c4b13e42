"""The JSON of the log's parameters, of destinations and of dead letters, in and out."""

from marshmallow import fields, validate

from lrs.streams.log import LONGEST_WAIT_SECONDS, MOST_LINES
from lrs.web.smorest import StrictSchema


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
