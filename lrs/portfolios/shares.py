"""Links that a learner hands out: made, listed, withdrawn by the learner, opened without signing in.

Only the SHA-256 of a link's token is kept, so a link is shown once. It belongs to one of the
learner's identities, which leads to the learner for ever. It opens only what lies under the
identities that were the learner's when it was made: a merge never widens it. Each day on which
somebody opens it is recorded once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.access.rules import sha256
from lrs.clock import Clock, to_datetime
from lrs.errors import InvalidRequest, NotFound
from lrs.learners.handles import IdentityId, LearnerHandle, LearnerId
from lrs.learners.reading import LearnerReader
from lrs.portfolios.model import ShareLink
from lrs.tables.recorded import Recorded, RecordedTables, Wish

SHARE = "share"
OPENED = "share.opened"
WHATS = ("portfolio", "transcript")
MOST_DAYS = 366
MOST_OPEN = 50
"""So many links may a learner have open at once."""
_DAY_US = 86_400_000_000
_LONGEST_LABEL = 60
_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class ShareWish:
    """What a link shall open, and for how long.

    Attributes:
        label: For the learner, to tell links apart.
        institution: Whose crosswalk; so crosswalk: for a transcript only.
    """

    what: str = "portfolio"
    days: int = 30
    label: str = ""
    institution: str | None = None
    crosswalk: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a good link opens.

    Attributes:
        handle: Opens what the learner had when the link was made, as far as it is the learner's still.
        until_us: When it ends.
    """

    what: str
    handle: LearnerHandle
    institution: str | None
    crosswalk: str | None
    until_us: int

    @property
    def identity(self) -> IdentityId:
        """An identity that leads to the learner."""
        return IdentityId(self.handle.learner_id)


class Shares:
    """Keeps the links of all learners.

    Args:
        commons: Where they are recorded.
        reader: Knows to whom an identity belongs.
        clock: Now.
        new_token: Gives 256 random bits as text.
    """

    def __init__(
        self, commons: RecordedTables, reader: LearnerReader, clock: Clock, new_token: Callable[[], str]
    ) -> None:
        """Keep what was handed in."""
        self._commons = commons
        self._reader = reader
        self._clock = clock
        self._new_token = new_token

    def create(self, handle: LearnerHandle, wish: ShareWish) -> str:
        """Make a link for a learner; return its token.

        Raises:
            InvalidRequest: The wish is none, or the learner has too many links that are open.
        """
        _check(wish)
        if sum(share.is_open for share in self.list_for(handle)) >= MOST_OPEN:
            raise InvalidRequest(f"There are {MOST_OPEN} links open; withdraw one that is not needed.")
        token, now = self._new_token(), self._clock()
        value = {
            "identity": handle.learner_id,
            "covers": list(handle.identities),
            "what": wish.what,
            "label": wish.label.strip(),
            "made": now,
            "until": now + wish.days * _DAY_US,
            "state": "open",
        }
        named = {"institution": wish.institution, "crosswalk": wish.crosswalk}
        value |= {name: given for name, given in named.items() if given is not None}
        made = Wish(value, [f"identity:{handle.learner_id}"])
        self._commons.change(SHARE, _digest(token), lambda _: made, now)
        return token

    def list_for(self, handle: LearnerHandle) -> Sequence[ShareLink]:
        """Return a learner's links, the latest first."""
        now = self._clock()
        found = [self._link(recorded, now) for recorded in self._of(handle)]
        return sorted(found, key=lambda one: (-one.made_us, one.id))

    def revoke(self, handle: LearnerHandle, share_id: str) -> None:
        """Close a learner's link at once; twice changes nothing.

        Raises:
            NotFound: The learner has no such link.
        """
        found = [one for one in self._of(handle) if one.subject.startswith(share_id)]
        if len(found) != 1 or len(share_id) < _ID_DIGITS:
            raise NotFound("There is no such link of this learner's.")
        self._commons.change(SHARE, found[0].subject, _close, self._clock())

    def forget(self, handle: LearnerHandle) -> int:
        """Take away every link of a learner; return how many there were.

        For who is taken away whole, such as the people of the demo; a learner who stays closes them.
        """
        now, found = self._clock(), self._of(handle)
        days = [day for one in found for day in self._commons.find_by(OPENED, f"share:{one.subject}")]
        self._commons.change_all(OPENED, [(day.subject, Wish(None)) for day in days], now)
        return self._commons.change_all(SHARE, [(one.subject, Wish(None)) for one in found], now)

    def open(self, token: str, what: str | None = None) -> Share:
        """Find out what a link opens, and record that it was opened today.

        Args:
            token: The link's.
            what: What it must open; None for anything.

        Raises:
            NotFound: It is unknown, withdrawn, at its end, or opens something else; the message
                does not say which, nor whose it was.
        """
        now, digest = self._clock(), _digest(token)
        found = self._commons.find(SHARE, digest)
        if found is None or not _is_open(found.value, now) or what not in {None, found.value["what"]}:
            raise NotFound(
                "A link like this lasts as long as the person who made it wants: it may have come to its end"
                " or been withdrawn. Ask whoever gave it to you for a new one.",
                heading="This link is no longer open",
            )
        self._note_opened(digest, now)
        value = found.value
        return Share(
            value["what"],
            self._handle(IdentityId(value["identity"]), frozenset(value["covers"])),
            value.get("institution"),
            value.get("crosswalk"),
            value["until"],
        )

    def _of(self, handle: LearnerHandle) -> list[Recorded]:
        return [
            recorded
            for identity in handle.identities
            for recorded in self._commons.find_by(SHARE, f"identity:{identity}")
        ]

    def _handle(self, identity: IdentityId, covers: frozenset[str]) -> LearnerHandle:
        learner = self._reader.learner(identity)
        if learner is None:
            return LearnerHandle(LearnerId(identity), (identity,))
        return LearnerHandle(learner.id, tuple(one for one in learner.identity_ids if one in covers))

    def _note_opened(self, digest: str, now: int) -> None:
        day = f"{to_datetime(now):%Y-%m-%d}"
        if self._commons.find(OPENED, f"{digest}/{day}") is None:
            wish = Wish({"share": digest, "day": day}, [f"share:{digest}"])
            self._commons.change(OPENED, f"{digest}/{day}", lambda _: wish, now)

    def _link(self, recorded: Recorded, now: int) -> ShareLink:
        value = recorded.value
        days = [one.value["day"] for one in self._commons.find_by(OPENED, f"share:{recorded.subject}")]
        return ShareLink(
            recorded.subject[:_ID_DIGITS],
            value["what"],
            value["label"],
            value["made"],
            value["until"],
            _is_open(value, now),
            days,
        )


def _close(found: Recorded | None) -> Wish | None:
    if found is None:
        return None
    return Wish({**found.value, "state": "withdrawn"}, [f"identity:{found.value['identity']}"])


def _digest(token: str) -> str:
    return sha256(token).hex()


def _is_open(value: dict[str, Any], now: int) -> bool:
    return bool(value["state"] == "open" and now < value["until"])


def _check(wish: ShareWish) -> None:
    if wish.what not in WHATS:
        raise InvalidRequest(f"A link opens one of {' and '.join(WHATS)}.")
    if not 1 <= wish.days <= MOST_DAYS:
        raise InvalidRequest(f"A link is open for 1 to {MOST_DAYS} days.")
    if len(wish.label) > _LONGEST_LABEL or not wish.label.isprintable():
        raise InvalidRequest(
            f"What a link is for is said in at most {_LONGEST_LABEL} characters, in one line."
        )
    is_transcript = wish.what == "transcript"
    if is_transcript != (wish.crosswalk is not None) or (wish.institution is not None) != is_transcript:
        raise InvalidRequest(
            "A transcript's link names a school and its crosswalk; a portfolio's names neither."
        )
