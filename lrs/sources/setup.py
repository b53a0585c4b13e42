"""Setting a source up: what it is to be, its configuration and credentials, and what connects to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from urllib.parse import urlsplit

import orjson

from connectors.base import Connector
from connectors.csv.connector import CsvConnector
from connectors.xapi import XapiConnector
from lrs.access.handles import InstitutionHandle
from lrs.errors import Conflict, InvalidRequest
from lrs.sources.model import SOURCE, Json, Kind, Source, check_place, name_source
from lrs.sources.parts import Parts


@dataclass(frozen=True, slots=True)
class SourceWish:
    """What is to be read.

    Attributes:
        config: None for what the source was set up with before.
        credentials: ``KEY:SECRET``; None for those given before, or none.
    """

    kind: Kind
    place: str
    config: Json | None = None
    credentials: str | None = None


class SourceSetup:
    """Says what a source shall be, and makes its connector.

    Args:
        parts: See Parts.
    """

    def __init__(self, parts: Parts) -> None:
        """Keep what was handed in."""
        self._parts = parts

    def wanted(self, handle: InstitutionHandle, wish: SourceWish) -> Source:
        """Return the source as it shall be: what is not wished stays as it was.

        Raises:
            InvalidRequest: The place holds a password, a new spreadsheet has no configuration, or the
                credentials are none.
            Conflict: The institution has a source of that name and of another kind.
        """
        check_place(wish.place)
        name = name_source(wish.kind, wish.place, wish.config or {})
        found = self._parts.recorded(handle).find(SOURCE, name)
        before = Source.read(name, found.value) if found else None
        if before is not None and before.kind is not wish.kind:
            raise Conflict(f"The source {name} is of the kind {before.kind}; give this one another name.")
        config = wish.config if wish.config is not None else (before.config if before else None)
        if config is None and wish.kind is Kind.CSV:
            raise InvalidRequest(
                f"The source {name} is new: say in a configuration (--config) what its columns mean;"
                " docs/formats.md has the form."
            )
        secret = before.secret if before else None
        if before is not None and secret and not _same_host(before.place, wish.place):
            secret = None
        if wish.credentials is not None:
            _check_credentials(wish.credentials)
            secret = self._parts.box.seal(wish.credentials.strip().encode(), _about(handle, name))
        every = before.every_minutes if before else None
        return Source(name, wish.kind, wish.place, config or {}, every, secret)

    def connect(self, handle: InstitutionHandle, source: Source) -> Connector:
        """Make the connector of a source; nothing is read yet."""
        if source.kind is Kind.CSV:
            return CsvConnector(lambda: self._parts.client.load(source.place), source.config)
        credentials = None
        if source.secret is not None:
            credentials = self._parts.box.open(source.secret, _about(handle, source.name)).decode()
        return XapiConnector(source.place, source.config, credentials, self._parts.client)


def read_config(text: bytes) -> Json:
    """Read a configuration file.

    Raises:
        InvalidRequest: It is no JSON object.
    """
    try:
        value = json.loads(text.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
        orjson.dumps(value)
    except (ValueError, TypeError, RecursionError) as error:  # orjson's own is a TypeError
        raise InvalidRequest(f"The configuration is no JSON: {error}.") from error
    if not isinstance(value, Mapping):
        raise InvalidRequest("The configuration must be a JSON object.")
    return dict(value)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    found = float(text)
    return found if isfinite(found) else _refuse(text[:20])


def _same_host(one: str, other: str) -> bool:
    """Tell whether credentials for one place may be shown to another."""
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _check_credentials(text: str) -> None:
    key, colon, secret = text.strip().partition(":")
    if not (key and colon and secret) or not text.strip().isascii() or len(text.split()) != 1:
        raise InvalidRequest("Credentials are KEY:SECRET, on one line.")


def _about(handle: InstitutionHandle, name: str) -> str:
    return f"source {handle.institution_id} {name}"
