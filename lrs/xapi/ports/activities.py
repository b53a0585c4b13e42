"""What the Activities resource needs kept: one merged definition an activity.

Definitions come in with the statements: ``PreparedStatement.definitions``. The engine
merges each into what is there with ``lrs.xapi.definitions.merge_definitions``, in the
order of positions, and skips those that it has merged before. A merged definition comes to
no more than ``lrs.stores.definitions.LARGEST_MERGED_BYTES``: one that would pass this is
left out.

Spec: xAPI 1.0.3 Communication 2.5; Data 2.4.4.1.
"""

from typing import NamedTuple, Protocol


class ActivityDefinition(NamedTuple):
    """A definition as one statement gave it: JSON text of the definition object.

    A tuple, since each is looked up three times under the write lock.
    """

    activity: str
    definition: bytes


class ActivityStore(Protocol):
    """The activities of one institution. All methods raise StoreUnavailable when the store is away."""

    def find_definition(self, activity: str) -> bytes | None:
        """Return the merged definition as JSON text; None where none was ever given."""
        ...
