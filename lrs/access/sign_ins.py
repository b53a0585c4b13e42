"""People who sign in: links that work once, and the sessions that they begin.

Only the SHA-256 of a link's and a session's token is kept. A session says as what somebody is
signed in (``Role``); every page asks for the role that it is made for.
"""

from collections.abc import Callable

from lrs.access.handles import InstitutionHandle, InstitutionId
from lrs.access.model import Caller, Role, Session, SignIn
from lrs.access.ports import AccessStore
from lrs.access.rules import sha256
from lrs.clock import Clock
from lrs.errors import InvalidRequest, NotFound

_DAY_US = 86_400_000_000
SIGN_IN_US = _DAY_US
SESSION_US = 7 * _DAY_US


class SignIns:
    """Makes and takes sign-in links; begins, finds and ends sessions.

    Args:
        store: Keeps them.
        clock: Now.
        new_token: Gives 256 random bits as text.
    """

    def __init__(self, store: AccessStore, clock: Clock, new_token: Callable[[], str]) -> None:
        """Keep what was handed in."""
        self._store = store
        self._clock = clock
        self._new_token = new_token

    def create(self, institution_id: InstitutionId, role: str, subject: str | None) -> str:
        """Make the token of a link that signs a person in: one day, one use.

        Raises:
            InvalidRequest: The role is not one, or a learner is missing or named beside another role.
        """
        if role not in set(Role):
            raise InvalidRequest(f"The role must be one of {', '.join(Role)}.")
        if (role == Role.LEARNER) != (subject is not None):
            raise InvalidRequest(f"The role {Role.LEARNER} needs a learner, and no other role takes one.")
        token, now = self._new_token(), self._clock()
        self._store.add_sign_in(SignIn(sha256(token), institution_id, role, now, now + SIGN_IN_US, subject))
        return token

    def take(self, token: str) -> str:
        """Use up a link and return the token of the session that it begins.

        Raises:
            NotFound: The link is unknown, used or expired; the message does not say which,
                nor whose it was.
        """
        now = self._clock()
        link = self._store.take_sign_in(sha256(token), now)
        if link is None:
            raise NotFound(
                "A sign-in link works once, within a day of being made. Ask for a new one where you got it.",
                heading="This sign-in link is no longer good",
            )
        session = self._new_token()
        self._store.add_session(
            Session(sha256(session), link.institution_id, link.role, now, now + SESSION_US, link.subject)
        )
        return session

    def find(self, token: str) -> Caller | None:
        """Return who a session's token stands for, or None where it is unknown or expired.

        A learner gets no institution's handle: whoever gave the link lets nobody into its records.
        """
        session = self._store.find_session(sha256(token), self._clock())
        if session is None:
            return None
        role = Role(session.role)
        handle = None if role is Role.LEARNER else InstitutionHandle(session.institution_id)
        return Caller("session", frozenset(), handle, None, None, None, role=role, subject=session.subject)

    def end(self, token: str) -> None:
        """Sign a browser out; nothing happens when the token is unknown."""
        self._store.end_session(sha256(token))
