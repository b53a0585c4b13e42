"""A statement as the log keeps it, made here or in another process."""

from dataclasses import dataclass
from functools import cache

from lrs.stores.compression import BodyCodec
from lrs.stores.mongo.segment import Entry
from lrs.stores.mongo.terms import Terms
from lrs.xapi.ports import PreparedStatement
from lrs.xapi.ports.encoding import EncodedStatement


@dataclass(frozen=True, slots=True)
class EntryEncoder:
    """See lrs.xapi.ports.encoding.StatementEncoder."""

    terms: Terms

    def encode(self, statement: PreparedStatement) -> EncodedStatement:
        """Make the entry."""
        return EncodedStatement(statement.id, encode_entry(statement, self.terms, _shipped_codec()))


@cache
def _shipped_codec() -> BodyCodec:
    return BodyCodec()


def encode_entry(statement: PreparedStatement, terms: Terms, codec: BodyCodec) -> Entry:
    """Make a statement as the log keeps it."""
    dictionary, blob = codec.compress(statement.body)
    return Entry(
        statement.id,
        statement.fingerprint,
        terms.of_facts(statement.facts),
        terms.checks_of_facts(statement.facts),
        statement.target,
        statement.voids is not None,
        dictionary,
        blob,
        statement.definitions,
    )
