"""What an engine makes of a prepared statement before it writes, here or in another process."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from lrs.xapi.ports import PreparedStatement, StatementId


class EncodedStatement(NamedTuple):
    """A prepared statement as its engine writes it (a tuple, since that crosses between processes fastest).

    Attributes:
        content: Known to the engine alone.
    """

    id: "StatementId"
    content: Any


class StatementEncoder(Protocol):
    """Does what is costly before a write: hashes, compression. Pickled, it works in another process."""

    def encode(self, statement: "PreparedStatement") -> EncodedStatement:
        """Make a statement ready for the store that gave this encoder, and for no other."""
        ...
