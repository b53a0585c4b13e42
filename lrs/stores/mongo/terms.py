"""The terms of a statement: numbers that pages are found by.

An odd number is a *related* fact, an even one a primary fact: a filter without
``related`` looks for the even one, a filter with it for both. Because MongoDB does not
intersect two conditions on one array by index, pairs that people ask for stand there as
well: agent and verb, agent and activity, agent and registration, all primary, inherited
ones included.

Terms may collide. So each statement also carries a 32-bit *check* of each fact of its own,
hashed apart from the term, and what is served is compared with it (``pages``).
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache

from lrs.access.handles import InstitutionId
from lrs.stores.terms import term_hash
from lrs.xapi.ports import Fact, FactKind, Filter

_PAIR_KIND = 0
_KIND_SHIFT = 59
_PAIRED = frozenset({FactKind.VERB, FactKind.ACTIVITY, FactKind.REGISTRATION})
_MOST_PAIRS = 1024
_PAIR = struct.Struct("<qq")
CHECK_BYTES = 4

MANY_PAIRS = 1
"""Stands in a statement instead of its pairs where there would be too many: each pair is
looked for together with it, and the two single terms are then compared."""


class Terms:
    """Hashes the facts and filters of one institution.

    Args:
        key: The instance's key; without it nobody can tell which term a number is.
    """

    def __init__(self, key: bytes, institution_id: InstitutionId) -> None:
        """Keep what is hashed with."""
        self._key = key
        self._institution_id = institution_id

    def of_facts(self, facts: Iterable[Fact]) -> tuple[int, ...]:
        """Return the term of each fact."""
        return tuple(self.term(fact.kind, fact.value, fact.primary) for fact in facts)

    def checks_of_facts(self, facts: Iterable[Fact]) -> bytes:
        """Return the checks of facts, one after the other."""
        return b"".join(self._check(fact.kind, fact.value, fact.primary) for fact in facts)

    def of_filter(self, condition: Filter) -> tuple[int, ...]:
        """Return the terms of which one must be there."""
        primary = self.term(condition.kind, condition.value, True)
        return (primary, primary | 1) if condition.related else (primary,)

    def checks_of_filter(self, condition: Filter) -> tuple[bytes, ...]:
        """Return the checks of which one must be there."""
        flags = (True, False) if condition.related else (True,)
        return tuple(self._check(condition.kind, condition.value, flag) for flag in flags)

    def term(self, kind: FactKind, value: str, primary: bool) -> int:
        """Return the term of one fact."""
        even = term_hash(self._key, self._institution_id, kind, value) & ~1
        return even if primary else even | 1

    def pairs(self, terms: Iterable[int]) -> list[int]:
        """Return the pair terms of everything that a statement is found by."""
        primary = [term for term in terms if not term & 1]
        agents = [term for term in primary if kind_of(term) == FactKind.AGENT]
        others = [term for term in primary if kind_of(term) in _PAIRED]
        if len(agents) * len(others) > _MOST_PAIRS:
            return [MANY_PAIRS]
        return [self.pair(agent, other) for agent in agents for other in others]

    def pair(self, one: int, other: int) -> int:
        """Return the term of two primary terms that both hold."""
        return _pair(self._key, min(one, other), max(one, other))

    def _check(self, kind: FactKind, value: str, primary: bool) -> bytes:
        return _check(self._key, self._institution_id, kind * 2 + primary, value)


def kind_of(term: int) -> int:
    """Return the kind of fact that a term stands for; 0 for a pair."""
    return term >> _KIND_SHIFT


def heritable(terms: Iterable[int]) -> list[int]:
    """Return what a statement hands to those that refer to it: all but its client and pairs."""
    return [term for term in terms if kind_of(term) not in (_PAIR_KIND, FactKind.CLIENT)]


def is_paired(one: FactKind, other: FactKind) -> bool:
    """Tell whether pairs of these kinds are kept."""
    return (one is FactKind.AGENT and other in _PAIRED) or (other is FactKind.AGENT and one in _PAIRED)


def holds_check(checks: bytes, wanted: Sequence[bytes]) -> bool:
    """Tell whether one of the wanted checks stands in a statement's checks."""
    return any(checks[start : start + CHECK_BYTES] in wanted for start in range(0, len(checks), CHECK_BYTES))


@lru_cache(maxsize=200_000)
def _pair(key: bytes, low: int, high: int) -> int:
    digest = hashlib.blake2b(_PAIR.pack(low, high), digest_size=8, key=key, person=b"pair").digest()
    return int.from_bytes(digest, "big") >> 5 | 1 << 1


@lru_cache(maxsize=200_000)
def _check(key: bytes, institution_id: InstitutionId, kind: int, value: str) -> bytes:
    text = f"{institution_id}\0{value}".encode("utf-8", "surrogatepass")
    person = b"check" + bytes([kind])
    return hashlib.blake2b(text, digest_size=CHECK_BYTES, key=key, person=person).digest()
