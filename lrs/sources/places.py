"""Where sources lie: files of this machine, and other hosts through the guarded way out.

What fails for a moment is asked for again here, as ``lrs.outbound.retry`` says.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from lrs.errors import InvalidBody, OutboundError, TooLarge
from lrs.outbound import Outbound
from lrs.outbound.model import Answer, OutboundLimits
from lrs.outbound.retry import Backoff, retry_after
from lrs.sources.model import is_url

LIMITS = OutboundLimits(max_bytes=64 << 20)
BACKOFF = Backoff(first_seconds=1.0, most_seconds=20.0, attempts=4)
LONGEST_WAIT_SECONDS = 60.0
"""Who asks for a longer wait is asked again by the next run."""
_LARGEST_FILE = 200_000_000
_OK = 200


class PatientClient:
    """Asks other hosts; see ``connectors.base.Client``.

    Args:
        outbound: The way out.
        sleep: Waits for so many seconds.
        draw: Gives a number from 0 to 1.
    """

    def __init__(self, outbound: Outbound, sleep: Callable[[float], None], draw: Callable[[], float]) -> None:
        """Keep what was handed in."""
        self._outbound = outbound
        self._sleep = sleep
        self._draw = draw

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask for a URL, a few times where that may help.

        Raises:
            OutboundError: There is no answer.
        """
        for attempt in range(1, BACKOFF.attempts + 1):
            try:
                outcome: Answer | OutboundError = self._outbound.request("GET", url, headers, limits=LIMITS)
            except OutboundError as error:
                outcome = error
            wait = retry_after(outcome, attempt, self._draw, BACKOFF)
            if wait is None or wait > LONGEST_WAIT_SECONDS:
                break
            self._sleep(wait)
        if isinstance(outcome, OutboundError):
            raise outcome
        return outcome

    def load(self, place: str) -> bytes:
        """Return what a file or an address holds.

        Raises:
            InvalidBody: It cannot be read, or is no file.
            TooLarge: It passes the limit.
            OutboundError: The other host does not give it.
        """
        if not is_url(place):
            return _read_file(Path(place))
        answer = self.get(place, {"Accept": "text/csv, */*"})
        if answer.status != _OK:
            raise OutboundError(f"The other host answered {answer.status}.")
        return answer.body


def _read_file(path: Path) -> bytes:
    if not path.is_file():
        raise InvalidBody(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InvalidBody(f"The file {path} cannot be read: {error.strerror}.") from error
    if len(content) > _LARGEST_FILE:
        raise TooLarge(f"The file {path} has more than {_LARGEST_FILE:,} bytes. Send it in parts.")
    return content
