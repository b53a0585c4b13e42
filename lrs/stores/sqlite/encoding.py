"""Making rows in another process: what of the store it takes for that."""

from functools import cached_property, lru_cache

from lrs.access.handles import InstitutionId
from lrs.stores.compression import BodyCodec
from lrs.stores.sqlite.rows import RowCodec
from lrs.xapi.ports import PreparedStatement
from lrs.xapi.ports.encoding import EncodedStatement


class RowEncoder:
    """See lrs.xapi.ports.encoding.StatementEncoder.

    Args:
        instance_key: What hashes depend on.
        institution_id: Whose rows these are.
        number: The dictionary that compresses.
        dictionary: Its bytes.
    """

    def __init__(
        self, instance_key: bytes, institution_id: InstitutionId, number: int, dictionary: bytes
    ) -> None:
        """Keep what was handed in."""
        self._parts = instance_key, institution_id, number, dictionary

    def encode(self, statement: PreparedStatement) -> EncodedStatement:
        """Make the row."""
        return EncodedStatement(statement.id, self._codec.encode(statement))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the parts alone."""
        return _encoder_of, self._parts

    @cached_property
    def _codec(self) -> RowCodec:
        instance_key, institution_id, number, dictionary = self._parts
        return RowCodec(instance_key, institution_id, BodyCodec({number: dictionary}))


@lru_cache(maxsize=1)
def _encoder_of(
    instance_key: bytes, institution_id: InstitutionId, number: int, dictionary: bytes
) -> RowEncoder:
    """Return the same encoder for the same parts, so that a process digests the dictionary once."""
    return RowEncoder(instance_key, institution_id, number, dictionary)
