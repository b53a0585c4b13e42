"""A mark on a kept statement: that its writer may not say who or what anybody or anything is.

Whoever sends without the scope ``define`` has every statement kept as it is, but what it says of
actors and activities counts in that statement alone. Definitions of activities are left out at
write. Names of agents are gathered when somebody asks for a Person, so the statement must tell
then how it was written: by one bit of the flags with which its packed body begins
(``lrs.xapi.texts`` has the others, and looks at no more than those). Statements that were kept
before there was a mark count as those of writers who may.

Spec: xAPI 1.0.3 Communication 4.2: without ``define`` the LRS SHOULD NOT update its canonical
representation of any Actors or Activities.
"""

_UNDEFINING = 4


def mark_undefining(body: bytes) -> bytes:
    """Return a packed body with the mark."""
    return bytes((body[0] | _UNDEFINING,)) + body[1:]


def is_undefining(body: bytes) -> bool:
    """Tell whether a packed body has it."""
    return bool(body[0] & _UNDEFINING)
