"""Parameters of the standard's resources, read one by one, every fault collected.

Spec: xAPI 1.0.3 Communication 2 (parameters of each resource), 3.2 (what is refused).
"""

from collections.abc import Mapping
from typing import Any

from lrs.errors import InvalidParameter, LrsError, Problem
from lrs.xapi.actor import validate_agent
from lrs.xapi.facts import agent_key
from lrs.xapi.formats import Format
from lrs.xapi.reader import ReadLimits, read_json
from lrs.xapi.scalars import is_iri, is_uuid, parse_timestamp
from lrs.xapi.versions import Version

_LIMIT_DIGITS = 9
_AGENT_LIMITS = ReadLimits(max_body_bytes=16_384, max_depth=16, max_statements=1)


class ParamReader:
    """Reads one parameter after the other and collects what is wrong with them.

    A parameter that is absent, or wrong, is None; ``problems`` tells the two apart.
    """

    def __init__(self, params: Mapping[str, str], version: Version, spec: str) -> None:
        """Take the parameters, the version in use and the section that defines them."""
        self._params = params
        self._version = version
        self._spec = spec
        self.problems: list[Problem] = []

    def refuse(self, name: str, message: str, rule: str = "parameter.value") -> None:
        """Note what is wrong with a parameter."""
        self.problems.append(Problem(name, rule, message, self._spec))

    def raise_if_wrong(self) -> None:
        """Raise what was noted, if anything.

        Raises:
            InvalidParameter: With one problem for each parameter that is wrong.
        """
        if self.problems:
            raise InvalidParameter("The request's parameters cannot be used.", self.problems)

    def require(self, *names: str) -> None:
        """Note each of these parameters that is absent."""
        for name in names:
            if name not in self._params:
                self.refuse(name, f"The parameter {name} is missing.", "parameter.missing")

    def text(self, name: str) -> str | None:
        """Read a parameter that may hold any text but none at all."""
        value = self._params.get(name)
        if value == "":
            self.refuse(name, f"{name} must not be empty.")
        return value or None

    def flag(self, name: str) -> bool:
        """Read ``true`` or ``false``; absent is false."""
        value = self._params.get(name, "false")
        if value not in {"true", "false"}:
            self.refuse(name, f"{name} must be true or false.")
        return value == "true"

    def format(self) -> Format:
        """Read the format; absent is ``exact``."""
        value = self._params.get("format", Format.EXACT)
        try:
            return Format(value)
        except ValueError:
            self.refuse("format", "format must be ids, exact or canonical.")
            return Format.EXACT

    def instant(self, name: str) -> int | None:
        """Read a timestamp; microseconds UTC."""
        value = self._params.get(name)
        if value is None:
            return None
        instant = parse_timestamp(value)
        if instant is None:
            self.refuse(
                name,
                f"{name} must be an RFC 3339 timestamp such as 2026-11-21T09:30:00Z; mind that a plus sign"
                " in a URL is written %2B.",
            )
        return instant

    def limit(self) -> int | None:
        """Read a limit; None also for 0, which leaves it to the server."""
        value = self._params.get("limit")
        if value is None:
            return None
        if not (value.isascii() and value.isdigit()) or len(value) > _LIMIT_DIGITS:
            self.refuse(
                "limit", "limit must be a whole number, 0 or more; 0 means as many as the server gives."
            )
            return None
        return int(value) or None

    def uuid(self, name: str) -> str | None:
        """Read a UUID, in lower case."""
        value = self._params.get(name)
        if value is not None and not is_uuid(value):
            self.refuse(name, f"{name} must be a UUID.")
        return value.lower() if value is not None else None

    def iri(self, name: str) -> str | None:
        """Read an IRI."""
        value = self._params.get(name)
        if value is not None and not is_iri(value):
            self.refuse(name, f"{name} must be an IRI with its scheme, such as http://example.org/x.")
        return value

    def agent(self) -> str | None:
        """Read the JSON of an Agent or Identified Group; its key."""
        agent = self.agent_object()
        return agent_key(agent) if agent is not None else None

    def agent_object(self) -> dict[str, Any] | None:
        """Read the JSON of an Agent or Identified Group, as it was sent."""
        value = self._params.get("agent")
        if value is None:
            return None
        try:
            agent = read_json(value.encode("utf-8", "surrogatepass"), _AGENT_LIMITS)
        except LrsError as error:
            self.refuse("agent", f"agent must be the JSON of an Agent or Identified Group: {error.detail}")
            return None
        problems = validate_agent(agent, self._version, "agent", identified=True)
        self.problems += problems
        return agent if isinstance(agent, dict) and not problems else None
