"""flask-smorest, held to our rules: 400 instead of 422, nothing unknown, nothing twice, our errors."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from flask import Request
from flask_smorest import Api, Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs import missing
from webargs.flaskparser import FlaskParser

from lrs.clock import from_datetime, to_text
from lrs.errors import InvalidBody, InvalidParameter, LrsError, Problem, UnsupportedMediaType
from lrs.web.params import read_params, summary

_View = TypeVar("_View", bound=Callable[..., Any])
_LAST_YEAR = 8999
_BEYOND_US = from_datetime(datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC))
"""Ours: later moments, and sums with them, could not all be written out again."""


class StrictParser(FlaskParser):
    """Reads arguments strictly and raises our errors."""

    DEFAULT_VALIDATION_STATUS = 400

    def __init__(self) -> None:
        """Let schemas raise on what they do not know, wherever it was sent."""
        super().__init__(unknown=RAISE)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Refuse repeated and unknown query parameters before the schema sees them."""
        read_params(req.args, [field.data_key or name for name, field in schema.fields.items()])
        return super().load_querystring(req, schema)

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 - webargs' signature
        """Read a JSON body; anything that only resembles JSON is refused."""
        body = req.get_data(cache=True)
        if not body:
            return missing
        if not req.is_json:
            raise UnsupportedMediaType("Send the body as application/json.")
        try:
            return json.loads(body.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            detail = "The body is not JSON in UTF-8 with each key once."
            raise InvalidBody(detail, [Problem("", "json.malformed", detail)]) from error

    def handle_error(
        self,
        error: ValidationError,
        req: Request,  # noqa: ARG002
        schema: Schema,  # noqa: ARG002
        *,
        error_status_code: int | None,  # noqa: ARG002
        error_headers: Mapping[str, str] | None,  # noqa: ARG002
    ) -> NoReturn:
        """Turn what the schema found into our problems, each with its pointer."""
        raise _to_error(error.messages) from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("duplicate key")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _to_error(messages: Any) -> LrsError:
    location, found = next(iter(messages.items()))
    problems = _field_problems(found, "")
    if location == "json":
        return InvalidBody(summary("value", problems), problems)
    named = [Problem(p.path.lstrip("/"), p.rule, p.message) for p in problems]
    return InvalidParameter(summary("parameter", named), named)


def _field_problems(found: Any, path: str) -> list[Problem]:
    if isinstance(found, Mapping):
        return [
            problem for name, below in found.items() for problem in _field_problems(below, _step(path, name))
        ]
    messages = found if isinstance(found, list) else [found]
    return [Problem(path, "field.invalid", f"{path.lstrip('/') or 'The body'}: {text}") for text in messages]


def _step(path: str, name: object) -> str:
    if name == "_schema":
        return path
    return path + "/" + str(name).replace("~", "~0").replace("/", "~1")


class StrictSchema(Schema):
    """A schema for what is sent in: it refuses what it does not know."""

    class Meta:
        """Unknown members are errors."""

        unknown = RAISE


class NoParamsSchema(StrictSchema):
    """No parameter at all: any that is sent is refused."""


class ProblemSchema(Schema):
    """One thing wrong with what was sent."""

    path = fields.String(metadata={"description": "RFC 6901 pointer into the body, or a parameter's name"})
    rule = fields.String(metadata={"description": "Short stable name of the broken rule"})
    message = fields.String(metadata={"description": "What is wrong and what to do"})
    spec = fields.String(metadata={"description": "The section that asks for it; may be empty"})


class ProblemDetailsSchema(Schema):
    """An error: RFC 9457 problem details."""

    type = fields.String(metadata={"description": "Where the kind of error is described"})
    title = fields.String(metadata={"description": "The kind of error, in words"})
    status = fields.Integer(metadata={"description": "The HTTP status"})
    detail = fields.String(metadata={"description": "What was wrong this time, and what to do"})
    code = fields.String(metadata={"description": "Stable name of the kind of error"})
    errorId = fields.String(metadata={"description": "Quote this when you ask for help"})  # noqa: N815 - JSON
    problems = fields.List(
        fields.Nested(ProblemSchema), metadata={"description": "Up to 100, each with its place"}
    )
    badIndexes = fields.List(  # noqa: N815 - JSON
        fields.Integer(), metadata={"description": "The index of every bad statement of a batch"}
    )


class StrictApi(Api):
    """An Api that documents our error body and leaves answering errors to ``lrs.web.errors``."""

    ERROR_SCHEMA = ProblemDetailsSchema

    def _register_error_handlers(self) -> None:
        """Register none: one table answers every error."""

    def _register_pagination_header(self) -> None:
        """Describe none: nothing here is paged by header."""


class StrictBlueprint(Blueprint):
    """A Blueprint that reads its arguments strictly."""

    ARGUMENTS_PARSER = StrictParser()

    def refuses(self, *statuses: HTTPStatus) -> Callable[[_View], _View]:
        """Document the errors that a route may answer with; any may also fail with 500."""

        def decorate(view: _View) -> _View:
            for status in (*statuses, HTTPStatus.INTERNAL_SERVER_ERROR):
                view = self.alt_response(status, response=status.name)(view)
            return view

        return decorate


class Instant(fields.String):
    """A moment: RFC 3339 text outside, microseconds since the epoch inside."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        """Write a moment, or null."""
        return None if value is None else to_text(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # type: ignore[override]
        """Read a moment; it must name its zone."""
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError("must be a moment such as 2026-11-21T09:30:00Z.") from error
        if moment.tzinfo is None:
            raise ValidationError("must name its zone, such as 2026-11-21T09:30:00Z.")
        instant = from_datetime(moment)
        if not 0 <= instant < _BEYOND_US:
            raise ValidationError(f"must lie in the years 1970 to {_LAST_YEAR}.")
        return instant
