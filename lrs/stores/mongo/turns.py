"""Giving way: a writer that wins race after race rests, so that a slower one gets its turn.

Whoever reads ahead and inserts faster wins: of two servers of one institution on a crowded
machine, the one that gets less of it would lose nearly always. So after every second group
in a row, while others wrote not long ago, the winner rests; longer each time until
somebody else's segment stands there, and a little less when that comes without a rest. A
writer that is alone, or was for twelve groups, does not rest.
"""

_IN_A_ROW = 2
_ALONE = 12
_OF_AN_INSERT = 4
_LONGEST_SECONDS = 0.05


class Turns:
    """Counts the groups of one writer between those of others, and says how long to rest."""

    def __init__(self) -> None:
        """Nobody else has been met."""
        self._wins = _ALONE
        self._rest = 0.0

    def note(self, insert_seconds: float, *, met_others: bool) -> None:
        """Take note of a group: how long its insert took, and whether others wrote since the last one."""
        least = min(_OF_AN_INSERT * insert_seconds, _LONGEST_SECONDS)
        if not met_others:
            self._wins += 1
        else:
            self._rest = least if self._wins >= _ALONE else max(least, self._rest / 2)
            self._wins = 0

    def rest_seconds(self) -> float:
        """Return how long to rest before the next group."""
        if self._wins >= _ALONE or self._wins == 0 or self._wins % _IN_A_ROW:
            return 0.0
        rest, self._rest = self._rest, min(2 * self._rest, _LONGEST_SECONDS)
        return rest
