"""Taking out of kept bodies whatever could identify anybody, before a dictionary is trained on them.

A dictionary holds pieces of what it was trained on. So two rules stand together. What is
said *about persons* is emptied wherever it stands: the leaves of actors, instructor, team
and members, ids of statements, registrations, responses, instants, the values of
extensions. Everything else (of persons no more than the home page of an account and the
domain of an address, of instants no more than year and month) stays only where the
statements of many different actors say the same: what one learner alone has cannot get into
a dictionary.

The authority that the store itself set is the client that sent the statement, and no learner:
its type, its name and its account are among everything else. An authority that was sent with
a statement may be anybody, and is emptied as persons are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import orjson

_HEAD_BYTES = 5
"""What lies before the text of a packed body (``lrs.xapi.texts``)."""

_FEWEST_ACTORS = 8
_REWRITTEN_AT_ONCE = 4
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\],:"]+')
_IS_NAME = re.compile(rb"\s*:")
_SCHEME = re.compile(rb"(?:mailto:|https?://)?")
_NOBODYS = b'"\xff'
"""An engine may have put filler, bytes that are no text, where the statement's id was."""

_UUID = b'"00000000-0000-4000-8000-000000000000"'

_EXTENSIONS = b"extensions"
_PERSONS = frozenset(
    (b"actor", b"authority", b"instructor", b"team", b"member", b"agent", b"group", b"account")
)
_PERSONAL = frozenset((b"mbox", b"mbox_sha1sum", b"openid", b"name", b"response", b"timestamp", b"stored"))
_REGISTRATION = b"registration"
_TIMESTAMP = b"timestamp"
_MONTH = re.compile(rb'("\d{4}-)\d{2}-(?=\d{2}[Tt ])')
_SHARED = frozenset((b"objectType", b"homePage"))
"""Leaves of persons that may stay where many actors share them."""

_AUTHORITY = b"authority"
_IN_STATEMENT = 2
"""How deep an object lies that is a statement's own property."""

_SHARED_OF_CLIENTS = _SHARED | {b"name"}
"""The same of the client that sent a statement."""


class _Leaf(NamedTuple):
    """A string, number, or property name: where it stands, behind which name, and whether it must go."""

    start: int
    end: int
    name: bytes
    personal: bool


def scrub(bodies: Sequence[bytes], pause: Callable[[], None]) -> list[bytes]:
    """Return the bodies with everything emptied that must not get into a dictionary.

    Args:
        bodies: Packed bodies of statements.
        pause: Called about every half a millisecond of work.
    """
    crowds: dict[bytes, set[bytes]] = {}
    found: list[list[_Leaf]] = []
    for body in bodies:
        pause()
        actor = _actor_of(body)
        leaves = list(_iter_leaves(body))
        found.append(leaves)
        for leaf in leaves:
            for piece in _pieces(body[leaf.start : leaf.end], leaf):
                crowd = crowds.setdefault(piece, set())
                if len(crowd) < _FEWEST_ACTORS:
                    crowd.add(actor)
    common = frozenset(piece for piece, crowd in crowds.items() if len(crowd) >= _FEWEST_ACTORS)
    scrubbed = []
    for number, (body, leaves) in enumerate(zip(bodies, found, strict=True)):
        if number % _REWRITTEN_AT_ONCE == 0:
            pause()
        scrubbed.append(_rewrite(body, leaves, common))
    return scrubbed


def _actor_of(body: bytes) -> bytes:
    """Return the beginning of the actor's text, enough to tell one from another."""
    at = body.find(b'"actor"')
    return body[at : body.find(b"}", at)]


def _rewrite(body: bytes, leaves: Sequence[_Leaf], common: frozenset[bytes]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for leaf in leaves:
        parts += (body[at : leaf.start], _kept(body[leaf.start : leaf.end], leaf, common))
        at = leaf.end
    return b"".join((*parts, body[at:]))


def _kept(text: bytes, leaf: _Leaf, common: frozenset[bytes]) -> bytes:
    """Return what of a leaf may stay."""
    for piece in _pieces(text, leaf):
        if piece in common:
            return _closed(piece)
    if text[:1] != b'"':
        return b"0"
    if not text.strip(_NOBODYS):
        return text
    if leaf.name == _REGISTRATION:
        return _UUID
    scheme = _SCHEME.match(text, 1)
    return b'"' + (scheme.group() if scheme else b"") + b'"'


def _closed(piece: bytes) -> bytes:
    """Make a piece of a string a string again."""
    if piece[:1] == b"@":
        return b'"mailto:' + piece
    return piece if piece[:1] != b'"' or (len(piece) > 1 and piece[-1:] == b'"') else piece + b'"'


def _pieces(text: bytes, leaf: _Leaf) -> Iterator[bytes]:
    """Yield what of a leaf may stay if many have it: all of it, then an IRI's beginnings, longest first."""
    if leaf.name == b"mbox":
        yield text[text.rfind(b"@") :]
    elif leaf.name == _TIMESTAMP and (month := _MONTH.match(text)):
        yield from month.group(0, 1)
    if leaf.personal or b"@" in text:
        return
    yield text
    end = text.rfind(b"/")
    while end > 0 and text[end - 1 : end] != b"/":
        yield text[: end + 1]
        end = text.rfind(b"/", 0, end)


class _Walk:
    """Where in a JSON text one stands."""

    def __init__(self) -> None:
        self.depth = 0
        self.name = b""
        self._persons_from = 0
        self._client_from = 0
        self._extensions_from = 0
        self._is_served = True

    def open(self) -> None:
        """Go into an object or an array."""
        self.depth += 1
        if self._is_client():
            self._client_from = self._client_from or self.depth
        elif self.name in _PERSONS:
            self._persons_from = self._persons_from or self.depth
        elif self.name == _EXTENSIONS:
            self._extensions_from = self._extensions_from or self.depth

    def close(self) -> None:
        """Come out again."""
        if self.depth == self._persons_from:
            self._persons_from = 0
        if self.depth == self._client_from:
            self._client_from = 0
        if self.depth == self._extensions_from:
            self._extensions_from = 0
        self.depth -= 1
        self.name = b""
        if not self.depth:
            # What follows is what was received, with an authority that was sent.
            self._is_served = False

    def _is_client(self) -> bool:
        """Tell whether what was just opened is the authority that the store set, or the account of it."""
        if self._client_from:
            return self.depth == self._client_from + 1 and self.name == b"account"
        return self.depth == _IN_STATEMENT and self.name == _AUTHORITY and self._is_served

    def is_personal_name(self) -> bool:
        """Tell whether a property name here is somebody's own: deep inside an extension."""
        return 0 < self._extensions_from < self.depth

    def is_personal_value(self) -> bool:
        """Tell whether a value here is said about persons."""
        if self._extensions_from:
            return True
        if self._persons_from:
            return self.name not in _SHARED
        if self._client_from:
            return self.name not in _SHARED_OF_CLIENTS
        return (
            self.name in _PERSONAL or self.name == _REGISTRATION or (self.depth == 1 and self.name == b"id")
        )


def _iter_leaves(body: bytes) -> Iterator[_Leaf]:
    """Walk one JSON text, or two in a row."""
    walk = _Walk()
    for token in _TOKEN.finditer(body, _HEAD_BYTES):
        start, end = token.span()
        first = body[start : start + 1]
        if first in b"{[":
            walk.open()
        elif first in b"}]":
            walk.close()
        elif first == b'"' and _IS_NAME.match(body, end):
            name = body[start + 1 : end - 1]
            walk.name = name if b"\\" not in name else orjson.loads(body[start:end]).encode()
            yield _Leaf(start, end, b"", walk.is_personal_name())
        else:
            yield _Leaf(start, end, walk.name, walk.is_personal_value())
