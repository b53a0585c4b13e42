"""Destinations and dead letters as the API and the command line show them; instants stay microseconds."""

from typing import Any

from lrs.streams.model import DeadLetter, DestinationView


def view_destination(one: DestinationView) -> dict[str, Any]:
    """Show a destination and how it stands, without secrets."""
    destination, delivery, wanted = one.destination, one.delivery, one.destination.wanted
    return {
        "id": destination.id,
        "name": destination.name,
        "kind": destination.kind.value,
        "url": destination.url,
        "filter": {
            "verbs": list(wanted.verbs),
            "activities": list(wanted.activities),
            "agents": list(wanted.agents),
            "related": wanted.related,
        },
        "createdAt": destination.created_at_us,
        "sent": delivery.sent,
        "sentAt": delivery.sent_at_us or None,
        "attempt": delivery.attempt,
        "nextTryAt": delivery.next_try_us or None,
        "reason": delivery.reason,
        "deadLetters": one.letters,
    }


def view_letter(letter: DeadLetter) -> dict[str, Any]:
    """Show a dead letter; destination and statement together name it."""
    return {
        "id": f"{letter.destination_id}:{letter.statement_id}",
        "statement": letter.statement_id,
        "status": letter.status,
        "reason": letter.reason,
        "tries": letter.tries,
        "at": letter.at_us,
        "askedAt": letter.asked_at_us or None,
    }
