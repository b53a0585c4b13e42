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
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

_HEAD_BYTES = 5
"""What lies before the text of a packed body (``lrs.xapi.texts``)."""

_FEWEST_ACTORS = 8
_REWRITTEN_AT_ONCE = 4
_TOKEN = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")(?=(\s*:)?)|([{\[])|([}\]])|[^\s{}\[\],:"]+')
_NAME, _OPENS, _CLOSES = 2, 3, 4
"""Groups of a token: of a string, whether it is a property's name; and of the rest, what it does."""
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


class _Said(NamedTuple):
    """What a string, number, or property name says: its text, behind which name, and whether it must go."""

    text: bytes
    name: bytes
    personal: bool


_Leaf = tuple[int, int, _Said]
"""Where it begins and ends."""


class _Leaves:
    """The leaves of one body, in little room: those of a thousand bodies are kept at once."""

    def __init__(self, leaves: Iterable[_Leaf], shared: dict[_Said, _Said]) -> None:
        """Keep them; what several say is kept once."""
        self._bounds = array("I")
        self.said: list[_Said] = []
        for start, end, said in leaves:
            self._bounds.extend((start, end))
            self.said.append(shared.setdefault(said, said))

    def __iter__(self) -> Iterator[_Leaf]:
        """Give them back in order."""
        return zip(self._bounds[::2], self._bounds[1::2], self.said, strict=True)


def scrub(bodies: Sequence[bytes], pause: Callable[[], None]) -> list[bytes]:
    """Return the bodies with everything emptied that must not get into a dictionary.

    Args:
        bodies: Packed bodies of statements.
        pause: Called about every half a millisecond of work.
    """
    crowds: dict[bytes, set[bytes]] = {}
    shared: dict[_Said, _Said] = {}
    found: list[_Leaves] = []
    for body in bodies:
        pause()
        actor = _actor_of(body)
        leaves = _Leaves(_iter_leaves(body), shared)
        found.append(leaves)
        for said in set(leaves.said):
            for piece in _pieces(said):
                crowd = crowds.setdefault(piece, set())
                if len(crowd) < _FEWEST_ACTORS:
                    crowd.add(actor)
    common = frozenset(piece for piece, crowd in crowds.items() if len(crowd) >= _FEWEST_ACTORS)
    kept: dict[_Said, bytes] = {}
    scrubbed = []
    for number, (body, leaves) in enumerate(zip(bodies, found, strict=True)):
        if number % _REWRITTEN_AT_ONCE == 0:
            pause()
        for said in set(leaves.said).difference(kept):
            kept[said] = _kept(said, next((piece for piece in _pieces(said) if piece in common), None))
        scrubbed.append(_rewrite(body, leaves, kept))
    return scrubbed


def _actor_of(body: bytes) -> bytes:
    """Return the beginning of the actor's text, enough to tell one from another."""
    at = body.find(b'"actor"')
    return body[at : body.find(b"}", at)]


def _rewrite(body: bytes, leaves: Iterable[_Leaf], kept: Mapping[_Said, bytes]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, end, said in leaves:
        parts += (body[at:start], kept[said])
        at = end
    return b"".join((*parts, body[at:]))


def _kept(said: _Said, common: bytes | None) -> bytes:
    """Return what stays of it: the longest piece that many have, if there is one."""
    text = said.text
    if common is not None:
        return _closed(common)
    if text[:1] != b'"':
        return b"0"
    if not text.strip(_NOBODYS):
        return text
    if said.name == _REGISTRATION:
        return _UUID
    scheme = _SCHEME.match(text, 1)
    return b'"' + (scheme.group() if scheme else b"") + b'"'


def _closed(piece: bytes) -> bytes:
    """Make a piece of a string a string again."""
    if piece[:1] == b"@":
        return b'"mailto:' + piece
    return piece if piece[:1] != b'"' or (len(piece) > 1 and piece[-1:] == b'"') else piece + b'"'


def _pieces(said: _Said) -> Iterator[bytes]:
    """Yield what may stay if many have it: all of it, then an IRI's beginnings, longest first."""
    text = said.text
    if said.name == b"mbox":
        yield text[text.rfind(b"@") :]
    elif said.name == _TIMESTAMP and (month := _MONTH.match(text)):
        yield from month.group(0, 1)
    if said.personal or b"@" in text:
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


def _read_name(text: bytes) -> bytes:
    """Return a property's name. With filler it is none that means anything, and cannot be read."""
    if b"\\" not in text or _NOBODYS[1:] in text:
        return text[1:-1]
    return bytes(orjson.loads(text).encode())


def _iter_leaves(body: bytes) -> Iterator[_Leaf]:
    """Walk one JSON text, or two in a row."""
    walk = _Walk()
    for token in _TOKEN.finditer(body, _HEAD_BYTES):
        kind = token.lastindex
        if kind == _OPENS:
            walk.open()
        elif kind == _CLOSES:
            walk.close()
        elif kind == _NAME:
            start, end = token.span(1)
            text = body[start:end]
            walk.name = _read_name(text)
            yield start, end, _Said(text, b"", walk.is_personal_name())
        else:
            start, end = token.span()
            yield start, end, _Said(body[start:end], walk.name, walk.is_personal_value())
