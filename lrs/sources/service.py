"""Sources: set one up and read it, try rejected rows again, undo a run, read what is due."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from connectors.base import Connector
from lrs.access.handles import InstitutionHandle
from lrs.errors import InvalidImport, LrsError, NotFound
from lrs.sources.locks import SourceLock
from lrs.sources.model import (
    CURSOR,
    REJECTED,
    RUN,
    SOURCE,
    Act,
    Json,
    KeptRow,
    Run,
    RunResult,
    Source,
    State,
    check_minutes,
    run_id,
)
from lrs.sources.parts import Parts
from lrs.sources.rosters import gather_people, roster_name
from lrs.sources.rows import RowBook
from lrs.sources.runner import PAGE_ROWS, Runner, Work, in_parts, read_kept, row_of
from lrs.sources.setup import SourceSetup, SourceWish
from lrs.tables.recorded import Note, Recorded, RecordedTables, Wish

KEPT_RUNS = 100
"""So many runs of each source are remembered."""
_CHANCE = 3
_LEFT_OUT = 400
"""As which rows that were left out stand among an institution's refusals."""
_DIGEST = "question"


@dataclass(slots=True)
class Pulled:
    """What the job read and stored, and what it could not read and why."""

    read: int = 0
    stored: int = 0
    problems: list[str] = field(default_factory=list)


class SourceService:
    """What administrators and the job ``pull`` do with sources."""

    def __init__(self, parts: Parts) -> None:
        """Keep what was handed in."""
        self._parts = parts
        self._setup = SourceSetup(parts)

    # Reading

    def run(self, handle: InstitutionHandle, wish: SourceWish, *, is_dry: bool = False) -> RunResult:
        """Read a source now; it is set up where it is new, and changed where the wish differs.

        Args:
            handle: The institution.
            wish: What to read.
            is_dry: Only tell what would be done; nothing is written, not even the source.

        Raises:
            InvalidImport: The configuration is wrong, or names what is not there.
            InvalidBody: The place holds nothing that can be read (further).
            OutboundError: Another host does not give it.
            QuotaExceeded: The institution may not hold so much; what came before stays.
            JobAlreadyRunning: Another process reads this source.
            StoreError: The store failed; run again.
        """
        source = self._setup.wanted(handle, wish)
        connector = self._setup.connect(handle, source)
        if is_dry:
            return self._rehearse(handle, source, connector)
        self._record(handle, source)
        return self._pull(handle, source, connector, lambda: None)

    def replay(self, handle: InstitutionHandle, run: str, config: Json | None = None) -> RunResult:
        """Try the rejected rows of a run again, under the source's configuration as it is now, or a new one.

        A row that a later run has changed is left. What goes in is no longer listed as rejected.

        Raises:
            NotFound: There is no such run, or its source is gone.
            Others: As ``run``.
        """
        about = self.get_run(handle, run)
        source = self.get(handle, about.source)
        if config is not None:
            source = replace(source, config=config)
        connector = self._setup.connect(handle, source)
        self._record(handle, source)

        def work(runner: Runner, _progress: Callable[[], None]) -> None:
            for part in in_parts(self._kept(handle, run), PAGE_ROWS):
                self._replay_part(handle, run, runner, connector, part)

        return self._work(handle, source.name, Act.REPLAY, work, run)

    def undo(self, handle: InstitutionHandle, run: str) -> RunResult:
        """Void what a run stored and still stands, and store again what it had replaced.

        What was replaced comes back as a new statement of the same content, since what is
        voided stays voided. What a later run changed is left. Statements that another record
        store gave are only voided; a later pull finds them there, and leaves them voided.

        Raises:
            NotFound: There is no such run.
        """
        about = self.get_run(handle, run)

        def work(runner: Runner, _progress: Callable[[], None]) -> None:
            runner.undo(run)

        return self._work(handle, about.source, Act.UNDO, work, run)

    # What is there

    def list(self, handle: InstitutionHandle) -> Sequence[Source]:
        """Return the institution's sources by name."""
        return [Source.read(one.subject, one.value) for one in self._tables(handle).list(SOURCE)]

    def get(self, handle: InstitutionHandle, name: str) -> Source:
        """Return a source.

        Raises:
            NotFound: There is none of that name.
        """
        found = self._tables(handle).find(SOURCE, name)
        if found is None:
            raise NotFound(f"There is no source named {name!r}; lrs connector list shows them.")
        return Source.read(name, found.value)

    def schedule(self, handle: InstitutionHandle, name: str, every_minutes: int | None) -> Source:
        """Have a source read every so often; None for only when asked.

        Raises:
            NotFound: There is none of that name.
            InvalidRequest: It is no period.
        """
        check_minutes(every_minutes)
        changed = replace(self.get(handle, name), every_minutes=every_minutes)
        self._record(handle, changed)
        return changed

    def runs(self, handle: InstitutionHandle, source: str) -> Sequence[Run]:
        """Return a source's runs, latest first."""
        found = self._tables(handle).find_by(RUN, f"source:{source}")
        return [Run.read(one.subject, one.value) for one in reversed(found)]

    def get_run(self, handle: InstitutionHandle, run: str) -> Run:
        """Return a run.

        Raises:
            NotFound: There is none of that id.
        """
        found = self._tables(handle).find(RUN, run)
        if found is None:
            raise NotFound(f"There is no run {run!r}; lrs connector list shows the latest ones.")
        return Run.read(run, found.value)

    def rejected(self, handle: InstitutionHandle, run: str, *, kept_aside: bool = False) -> Sequence[KeptRow]:
        """Return the rows of a run that were rejected, or those that were kept aside.

        Raises:
            NotFound: There is no such run.
        """
        self.get_run(handle, run)
        return [one for one in self._kept(handle, run) if one.is_rejected != kept_aside]

    # The job

    def is_due(self) -> bool:
        """Tell whether a source is due."""
        return next(self._due(), None) is not None

    def pull_due(self, keep: Callable[[], None]) -> Pulled:
        """Read every source that is due.

        Args:
            keep: Called at every step; raises where the job is to end.

        Raises:
            JobError: What ``keep`` raised.
        """
        done = Pulled()
        for handle, source in self._due():
            keep()
            self._note_started(handle, source)
            try:
                counts = self._pull(handle, source, self._setup.connect(handle, source), keep).run.counts
            except LrsError as error:
                keep()
                done.problems.append(f"{source.name}: {error.detail}")
            else:
                done.read += counts.read
                done.stored += counts.stored
        return done

    def _due(self) -> Iterator[tuple[InstitutionHandle, Source]]:
        for institution in self._parts.access.list_institutions():
            handle = InstitutionHandle(institution.id)
            for source in self.list(handle):
                started = self._cursor(handle, source.name).get("startedAt", 0)
                if source.is_due(started, self._parts.clock()):
                    yield handle, source

    # Steps

    def _record(self, handle: InstitutionHandle, source: Source) -> None:
        value = source.value()

        def decide(_found: Recorded | None) -> Wish:
            return Wish(value)

        self._tables(handle).change(SOURCE, source.name, decide, self._parts.clock())

    def _rehearse(self, handle: InstitutionHandle, source: Source, connector: Connector) -> RunResult:
        """Tell what a run would do; read everything from the place, write nothing."""
        work = self._make_work(handle, source.name, "", lambda: None, is_dry=True)
        runner = Runner(work)
        for page in connector.read(self._go_on(handle, source)):
            runner.take(page.rows, connector)
        if connector.gives_all and not runner.saw_broken:
            runner.delete_missing()
        run = Run("", source.name, Act.PULL, self._parts.clock(), State.DONE, runner.counts)
        return RunResult(run, runner.shown, runner.kept)

    def _pull(
        self, handle: InstitutionHandle, source: Source, connector: Connector, keep: Callable[[], None]
    ) -> RunResult:
        def work(runner: Runner, progress: Callable[[], None]) -> None:
            self._note_started(handle, source)
            for page in connector.read(self._go_on(handle, source)):
                keep()
                runner.take(page.rows, connector)
                if page.cursor is not None:
                    self._note_cursor(handle, source, page.cursor)
                progress()
            self._finish(handle, source, connector, runner)

        return self._work(handle, source.name, Act.PULL, work)

    def _finish(
        self, handle: InstitutionHandle, source: Source, connector: Connector, runner: Runner
    ) -> None:
        """Do what only a whole reading may: delete, and hand the roster over."""
        if connector.gives_all and runner.saw_broken:
            runner.reason = "Some lines cannot be read, so nothing was taken for deleted at the source."
        elif connector.gives_all:
            runner.delete_missing()
        if runner.facts:
            self._hand_over_people(handle, source, runner)

    def _hand_over_people(self, handle: InstitutionHandle, source: Source, runner: Runner) -> None:
        """Take who people are into a roster of the source's name; say whom it could not take."""
        found = gather_people(runner.facts)
        done = self._parts.learners.import_roster(handle, roster_name(source.name), found.rows)
        left = [f"{id_}: its lines have different names or birth dates." for id_ in found.contradicted]
        left += [f"{one.sourced_id}: {one.reason}" for one in done.rejected]
        if left:
            told = f"People left out of the roster: {len(left)}. {left[0]}"
            runner.reason = f"{runner.reason} {told}".strip()

    def _replay_part(
        self,
        handle: InstitutionHandle,
        run: str,
        runner: Runner,
        connector: Connector,
        part: Sequence[KeptRow],
    ) -> None:
        """Try kept rows again; forget those of which nothing is wrong any more."""
        rows = {one.key: row for one in part if one.is_rejected and (row := row_of(one)) is not None}
        tried = {key: row for key, row in rows.items() if runner.last_change(row) <= run}
        before = len(runner.refused_keys)
        runner.take(list(tried.values()), connector)
        again = set(runner.refused_keys[before:])
        mended = [one.subject for one in part if one.key in tried and one.key not in again]
        self._tables(handle).forget(REJECTED, mended)

    def _work(
        self,
        handle: InstitutionHandle,
        source: str,
        act: Act,
        work: Callable[[Runner, Callable[[], None]], None],
        about: str | None = None,
    ) -> RunResult:
        """Do a run under its lock; whatever happens, it is noted how it ended."""
        now = self._parts.clock()
        run = Run(run_id(now, self._parts.random_bytes(_CHANCE)), source, act, now, about=about)
        with self._locked(handle, source, run.id) as keep:
            self._tidy(handle, source)
            runner = Runner(self._make_work(handle, source, run.id, keep))
            self._note_run(handle, run)
            try:
                work(runner, lambda: self._note_run(handle, replace(run, counts=runner.counts)))
            except LrsError as error:
                self._end(handle, run, State.FAILED, runner, error.detail)
                raise
            ended = self._end(handle, run, State.DONE, runner, runner.reason)
            if runner.counts.rejected:
                self._tell(handle, ended)
        return RunResult(ended, runner.shown, runner.kept)

    def _tell(self, handle: InstitutionHandle, run: Run) -> None:
        """Say on the institution's page that rows were left out; what stood in them is not said there."""
        counts = run.counts
        error = InvalidImport(
            f"{counts.rejected:,} of {counts.read:,} rows were left out; the others were taken."
            f" Which and why: lrs connector rejected {run.id}"
        )
        client = self._parts.access.ensure_client(handle.institution_id, run.source)
        self._parts.arrivals.note_refusal(
            handle,
            source=client.id,
            error=error,
            error_id=self._parts.new_error_id(),
            status=_LEFT_OUT,
            method="IMPORT",
            body_bytes=0,
        )

    def _end(self, handle: InstitutionHandle, run: Run, state: State, runner: Runner, reason: str) -> Run:
        ended = replace(
            run, state=state, counts=runner.counts, ended_at_us=self._parts.clock(), reason=reason
        )
        self._note_run(handle, ended)
        return ended

    @contextmanager
    def _locked(self, handle: InstitutionHandle, source: str, run: str) -> Iterator[Callable[[], None]]:
        lock = SourceLock(self._tables(handle), source, run, self._parts.clock, self._parts.sleep)
        lock.take()
        try:
            yield lock.keep
        finally:
            lock.release()

    def _make_work(
        self,
        handle: InstitutionHandle,
        source: str,
        run: str,
        keep: Callable[[], None],
        *,
        is_dry: bool = False,
    ) -> Work:
        parts, tables = self._parts, self._tables(handle)
        writer = parts.writer(handle, source)
        return Work(handle, source, run, tables, RowBook(tables, source), writer, parts.clock, keep, is_dry)

    def _tidy(self, handle: InstitutionHandle, source: str) -> None:
        """Note that runs which never ended were abandoned, and forget the oldest ones."""
        runs = self.runs(handle, source)
        for one in runs:
            if one.state is State.RUNNING:
                self._note_run(handle, replace(one, state=State.ABANDONED))
        tables = self._tables(handle)
        for one in runs[KEPT_RUNS - 1 :]:
            tables.forget(REJECTED, [kept.subject for kept in self._kept(handle, one.id)])
            tables.forget(RUN, [one.id])

    def _kept(self, handle: InstitutionHandle, run: str) -> Iterator[KeptRow]:
        tables, after = self._tables(handle), ""
        while found := tables.find_by(REJECTED, f"run:{run}", after):
            after = found[-1].subject
            for one in found:
                yield read_kept(one.subject, one.value)

    def _note_run(self, handle: InstitutionHandle, run: Run) -> None:
        note = Note(run.id, run.value(), [f"source:{run.source}"])
        self._tables(handle).note(RUN, [note], self._parts.clock())

    def _cursor(self, handle: InstitutionHandle, source: str) -> Json:
        found = self._tables(handle).find(CURSOR, source)
        return found.value if found else {}

    def _go_on(self, handle: InstitutionHandle, source: Source) -> Json | None:
        """Return from where to read: nowhere where the source asks another question now."""
        cursor = self._cursor(handle, source.name)
        at: Json | None = cursor.get("at")
        return at if cursor.get(_DIGEST) == source.question else None

    def _note_started(self, handle: InstitutionHandle, source: Source) -> None:
        value = {**self._cursor(handle, source.name), "startedAt": self._parts.clock()}
        self._tables(handle).note(CURSOR, [Note(source.name, value)], self._parts.clock())

    def _note_cursor(self, handle: InstitutionHandle, source: Source, at: Json) -> None:
        value = {**self._cursor(handle, source.name), "at": at, _DIGEST: source.question}
        self._tables(handle).note(CURSOR, [Note(source.name, value)], self._parts.clock())

    def _tables(self, handle: InstitutionHandle) -> RecordedTables:
        return self._parts.recorded(handle)
