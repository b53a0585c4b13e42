"""What merged lots hold of the filters of one page."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import apsw

from lrs.stores.sqlite.lists import (
    Asked,
    Span,
    count_blocks,
    end_of_lists,
    find_held,
    find_rare,
    iter_positions,
)

_FEW = 32
"""So many statements are sooner looked at than other filters' lists are."""
_BLOCKS_A_STATEMENT = 2
"""How many blocks are passed over in the time that looking at a statement takes."""


class MergedPostings:
    """Reads lists within one snapshot, and remembers those of rare hashes.

    Attributes:
        end: The first position behind the lots that are lists; 0 where none are.
    """

    def __init__(self, database: apsw.Connection) -> None:
        """Find where the lists end."""
        self._database = database
        self._rare: dict[Asked, list[int]] = {}
        self.end = end_of_lists(database)

    def count(self, asked: Asked, bound: int) -> int:
        """Count the positions of a hash, up to a bound."""
        if not self.end:
            return 0
        if asked not in self._rare:
            found = find_rare(self._database, asked, Span(1, self.end - 1), bound)
            if found is None:
                return bound
            self._rare[asked] = found
        return min(bound, len(self._rare[asked]))

    def iter_positions(self, asked: Asked, span: Span, *, ascending: bool) -> Iterator[int]:
        """Yield the positions of a hash within a span, in order."""
        rare = self._rare.get(asked)
        if rare is None:
            return iter_positions(self._database, asked, span, ascending=ascending)
        some = rare[bisect_left(rare, span.low) : bisect_right(rare, span.high)]
        return iter(some) if ascending else reversed(some)

    def narrow(self, positions: Sequence[int], others: Sequence[Asked]) -> Sequence[int]:
        """Leave out what others' lists do not hold, unless looking at the statements is less work."""
        for other in others:
            held = self._held(positions, other)
            if held is not None:
                positions = [seq for seq in positions if seq in held]
        return positions

    def _held(self, positions: Sequence[int], asked: Asked) -> set[int] | None:
        if asked in self._rare:
            return set(self._rare[asked])
        if len(positions) < _FEW:
            return None
        wanted = sorted(positions)
        most = len(wanted) * _BLOCKS_A_STATEMENT
        if count_blocks(self._database, asked, Span(wanted[0], wanted[-1]), most) >= most:
            return None
        return find_held(self._database, asked, wanted)
