"""How destinations, deliveries and dead letters are written, by either engine."""

from dataclasses import asdict
from typing import Any

from lrs.streams.model import DeadLetter, Delivery, Destination, Kind, SealedSecret
from lrs.xapi.log import StatementFilter


def destination_document(destination: Destination) -> dict[str, Any]:
    """Write a destination as JSON values."""
    return {**asdict(destination), "kind": destination.kind.value}


def destination_from(document: dict[str, Any]) -> Destination:
    """Read what ``destination_document`` wrote."""
    wanted = document["wanted"]
    lists = {name: tuple(wanted[name]) for name in ("verbs", "activities", "agents")}
    return Destination(
        **{
            **document,
            "kind": Kind(document["kind"]),
            "wanted": StatementFilter(**lists, related=wanted["related"]),
            "secrets": secrets_from(document["secrets"]),
        }
    )


def secrets_document(secrets: tuple[SealedSecret, ...]) -> list[dict[str, Any]]:
    """Write secrets as JSON values."""
    return [asdict(one) for one in secrets]


def secrets_from(document: list[dict[str, Any]]) -> tuple[SealedSecret, ...]:
    """Read what ``secrets_document`` wrote."""
    return tuple(SealedSecret(**one) for one in document)


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Write a delivery as JSON values."""
    return asdict(delivery)


def delivery_from(document: dict[str, Any]) -> Delivery:
    """Read what ``delivery_document`` wrote."""
    return Delivery(**document)


def letter_document(letter: DeadLetter) -> dict[str, Any]:
    """Write a dead letter as JSON values."""
    return asdict(letter)


def letter_from(document: dict[str, Any]) -> DeadLetter:
    """Read what ``letter_document`` wrote."""
    return DeadLetter(**document)
