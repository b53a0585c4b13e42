"""The way of a source's statements into the record: the same checks and the same path as a post.

Spec: xAPI 1.0.3 Data 2.3.2 (voiding).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import orjson

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Client
from lrs.errors import InvalidStatement, LrsError, Problem
from lrs.sources.model import voiding_id
from lrs.xapi.facts import VOIDED, is_voiding
from lrs.xapi.import_files import Record
from lrs.xapi.importing import Importer, ImportTarget
from lrs.xapi.log import LogReader
from lrs.xapi.preparing import Rejection
from lrs.xapi.reader import read_statements
from lrs.xapi.rules import count_problems
from lrs.xapi.service import StatementService
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version

_STORES_OWN = ("id", "stored", "authority", "version")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of statements: those that were refused, by their place in what was given."""

    stored: int
    already: int
    refused: Mapping[int, LrsError]


class Writer:
    """Writes the statements of one source, under the client that is named as it is.

    Args:
        service: Validates, prepares and stores.
        log: Finds what is there.
        handle: The institution.
        client: Gives who writes; made when something is first written. Its authority is written.
        quota: Gives how many statements the institution may hold.
    """

    def __init__(
        self,
        service: StatementService,
        log: LogReader,
        handle: InstitutionHandle,
        client: Callable[[], Client],
        quota: Callable[[], int],
    ) -> None:
        """Keep what was handed in."""
        self._service = service
        self._log = log
        self._handle = handle
        self._client = cache(client)
        self._quota = quota

    def store(self, statements: Sequence[tuple[str, bytes]]) -> Written:
        """Store statements, each an id and a text; those with an id of their own keep it.

        Raises:
            QuotaExceeded: They do not fit; those of a first part may be stored.
            StoreError: The store failed.
        """
        refused: dict[int, LrsError] = {}

        def note(rejection: Rejection) -> None:
            refused[rejection.number] = rejection.error

        client = self._client()
        target = ImportTarget(
            self._handle,
            client,
            None,
            lambda number: statements[number][0],
            self._quota,
            client.id,
        )
        importer = Importer(self._service, target, note, lambda _: None)
        counts = importer.run(Record(number, text) for number, (_, text) in enumerate(statements))
        return Written(counts.stored, counts.already, refused)

    def void(self, targets: Sequence[str]) -> int:
        """Void statements that stand; return how many are voided now and were not before.

        What is a voiding statement itself, or is not there, is left.
        """
        open_targets = [one for one in targets if self._is_voidable(one)]
        written = self.store([(voiding_id(self._handle, one), self._voiding(one)) for one in open_targets])
        for error in written.refused.values():
            raise error
        return written.stored

    def is_standing(self, statement_id: str) -> bool:
        """Tell whether a statement is in the log and not voided."""
        found = self._log.find(self._handle, statement_id)
        return found is not None and not found.voided

    def read_again(self, statement_id: str) -> bytes | None:
        """Return what a statement said, without what the store set; None where it is not there."""
        found = self._log.find(self._handle, statement_id)
        if found is None:
            return None
        value = {name: one for name, one in orjson.loads(found.text).items() if name not in _STORES_OWN}
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def problems_of(self, text: bytes) -> Sequence[Problem]:
        """Judge a statement as storing would; what contradicts something stored is not seen here."""
        try:
            value = read_statements(text, self._service.read_limits).statements[0].value
        except LrsError as error:
            return error.problems or [Problem("", error.code, error.detail)]
        own = value.get("version") if isinstance(value, dict) else None
        version = Version.V2_0_0 if isinstance(own, str) and own.startswith("2.") else Version.V1_0_3
        return validate_statement(value, version)

    def _is_voidable(self, statement_id: str) -> bool:
        found = self._log.find(self._handle, statement_id)
        return found is not None and not found.voided and not is_voiding(orjson.loads(found.text))

    def _voiding(self, target: str) -> bytes:
        """Write the voiding statement of a target; the same one whenever it is written again."""
        statement = {
            "id": voiding_id(self._handle, target),
            "actor": orjson.loads(self._client().authority),
            "verb": {"id": VOIDED, "display": {"en": "voided"}},
            "object": {"objectType": "StatementRef", "id": target},
        }
        return json.dumps(statement, separators=(",", ":")).encode()


def as_refusal(problems: Sequence[Problem]) -> LrsError:
    """Make the error of a statement that would not be stored."""
    return InvalidStatement(f"The statement is invalid ({count_problems(len(problems))}).", problems)
