"""Pathways as a transcript needs them: whose there are, which end in an award, how far a learner is."""

from collections.abc import Collection, Mapping
from typing import Protocol

from lrs.consent.handles import GrantedHandle
from lrs.transcripts.records import Sight
from lrs.transcripts.seen import Walked


class Paths(Protocol):
    """What is known of pathways."""

    def owners(self) -> Mapping[str, Collection[str]]:
        """Return the names of the institutions that have a pathway, by its name."""
        ...

    def awarding(self) -> Collection[tuple[str, str]]:
        """Return institution and name of those that end in an award."""
        ...

    def walked(self, opened: GrantedHandle, owner: str, name: str, sight: Sight) -> Walked:
        """Say how far a learner is, by what was opened.

        Args:
            opened: What may be seen.
            owner: The name of the institution whose pathway it is.
            name: The pathway's.
            sight: The records that may be seen.
        """
        ...


class NoPaths:
    """No pathway is known."""

    def owners(self) -> Mapping[str, Collection[str]]:
        """Return none."""
        return {}

    def awarding(self) -> Collection[tuple[str, str]]:
        """Return none."""
        return ()

    def walked(self, _opened: GrantedHandle, _owner: str, name: str, _sight: Sight) -> Walked:
        """Say that nothing was begun."""
        return Walked(name)
