"""What the job that derives calls its own rows and cursors, and what moves it."""

PENDING = "pending"
"""Derived; whose rows must be made again. The owner is always ``OWNER``, a key an identity."""

SWEEP = "sweep"
"""Derived; the one row says up to which learner all are marked, while a rule's change is carried out."""

VOIDINGS = "voidings"
"""Derived; an owner is an institution, a key the id of a statement that was voided there."""

OWNER = "all"

COMMONS = "commons"

GONE = -1
"""The cursor of an institution that was dropped, once everything that came of it is marked."""

RULES = frozenset({"framework", "alignment", "pathway"})
"""Kinds whose change may concern everybody."""


def log_cursor(institution_id: str) -> str:
    """Name how far an institution's log has been read."""
    return f"log {institution_id}"


def history_cursor(institution_id: str) -> str:
    """Name how far a history has been read; the commons have one too."""
    return f"history {institution_id}"
