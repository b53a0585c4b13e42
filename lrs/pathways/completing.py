"""How far a learner is on a pathway, out of acts and progress. Pure.

The same acts in any order give the same completion; a statement counts once for a step,
however many records have it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lrs.competencies.progress import Progress
from lrs.learners.acts import Act, act_key
from lrs.pathways.model import ActsNeed, Filter, ItemNeed, Need, Pathway, SomeNeed, Step, TimeNeed

_MINUTE = 60

Ref = tuple[str, str]
"""A statement's id, and the institution whose record it is in."""


@dataclass(frozen=True, slots=True)
class StepState:
    """How far one step is.

    Attributes:
        at: Instant by which it was done, in microseconds; None where it is not done.
        have: How much there is of ``want``: acts, minutes, a level, or parts.
        evidence: The statements that did it, or that there are towards it, oldest first.
    """

    id: str
    title: str
    required: bool
    done: bool
    at: int | None
    have: int
    want: int
    evidence: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """How far a learner is on a pathway.

    Attributes:
        done: All required steps, and enough of the others.
        at: Instant by which it was finished; None where it is not.
        missing_optional: How many more of the optional steps are needed.
        evidence: The statements that finished it; empty where it is not.
    """

    institution: str
    pathway: str
    version: int
    steps: tuple[StepState, ...]
    done: bool
    at: int | None
    missing_optional: int
    evidence: tuple[Ref, ...] = field(default=())

    @property
    def begun(self) -> bool:
        """Whether there is anything towards any step."""
        return any(step.have or step.evidence for step in self.steps)

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of the steps that are still to be done: required ones, then optional ones where they count."""
        required = [step.id for step in self.steps if step.required and not step.done]
        optional = [step.id for step in self.steps if not step.required and not step.done]
        return (*required, *(optional if self.missing_optional else ()))


def completion_of(pathway: Pathway, acts: Iterable[Act], progress: Iterable[Progress]) -> Completion:
    """Work out how far a learner is.

    Args:
        pathway: Which.
        acts: All that count, of all identities of the learner, in any order.
        progress: Of the same learner and out of the same records; only the pathway's framework counts.
    """
    return completion_in_order(pathway, sorted(acts, key=act_key), progress)


def completion_in_order(pathway: Pathway, acts: Sequence[Act], progress: Iterable[Progress]) -> Completion:
    """Work out the same of acts that are in order of (time, statement id) already."""
    reached = {one.item: one for one in progress if one.framework == pathway.framework}
    found = {step.id: (step, _measure(step.needs, acts, reached)) for step in pathway.steps}
    states = [_state(step, found) for step in pathway.steps]
    return _together(pathway, states)


def _together(pathway: Pathway, states: Sequence[StepState]) -> Completion:
    required = [one for one in states if one.required]
    optional = sorted((one for one in states if not one.required and one.done), key=_done_at)
    counted = [*required, *optional[: pathway.min_optional]]
    missing_optional = max(0, pathway.min_optional - len(optional))
    done = not missing_optional and all(one.done for one in required)
    evidence = dict.fromkeys(ref for one in states if one in counted for ref in one.evidence)
    return Completion(
        pathway.institution,
        pathway.name,
        pathway.version,
        tuple(states),
        done,
        max((one.at or 0 for one in counted), default=None) if done else None,
        missing_optional,
        tuple(evidence) if done else (),
    )


def _done_at(state: StepState) -> tuple[int, str]:
    return state.at or 0, state.id


@dataclass(frozen=True, slots=True)
class _Measured:
    """What there is of a need."""

    done: bool
    at: int | None
    have: int
    want: int
    evidence: tuple[Ref, ...]


_Found = Mapping[str, tuple[Step, _Measured]]


def _state(step: Step, found: _Found) -> StepState:
    measured = found[step.id][1]
    before = [_at_with_all_before(one, found) for one in step.after]
    done = measured.done and None not in before
    at = max([measured.at or 0, *(one or 0 for one in before)]) if done else None
    return StepState(
        step.id, step.title, step.required, done, at, measured.have, measured.want, measured.evidence
    )


def _at_with_all_before(step_id: str, found: _Found) -> int | None:
    """Return when a step and all before it were done; None where one is not. There is no cycle."""
    step, measured = found[step_id]
    instants = [measured.at if measured.done else None]
    instants += [_at_with_all_before(one, found) for one in step.after]
    known = [one for one in instants if one is not None]
    return max(known) if len(known) == len(instants) else None


def _measure(need: Need, acts: Sequence[Act], progress: Mapping[str, Progress]) -> _Measured:
    if isinstance(need, ActsNeed):
        return _count(_taken(need.filter, acts), need.times)
    if isinstance(need, TimeNeed):
        return _sum(_taken(need.filter, acts), need.minutes)
    if isinstance(need, ItemNeed):
        return _reach(need, progress.get(need.item))
    return _choose(need, [_measure(one, acts, progress) for one in need.of])


def _count(acts: Sequence[Act], times: int) -> _Measured:
    used = acts[:times]
    done = len(used) == times
    return _Measured(done, used[-1].at if done else None, len(used), times, _refs(used))


def _sum(acts: Sequence[Act], minutes: int) -> _Measured:
    used: list[Act] = []
    seconds = 0
    for act in acts:
        if act.seconds and seconds < minutes * _MINUTE:
            used.append(act)
            seconds += act.seconds
    done = seconds >= minutes * _MINUTE
    at = used[-1].at if done else None
    # Less than a minute is a beginning all the same.
    have = max(seconds // _MINUTE, int(seconds > 0))
    return _Measured(done, at, have, minutes, _refs(used))


def _reach(need: ItemNeed, progress: Progress | None) -> _Measured:
    if need.level is None:
        met = progress is not None and progress.coverage.met > 0
        have, want = int(met), 1
    else:
        have, want = (progress.level or 0 if progress else 0), need.level
    done = progress is not None and have >= want
    refs = tuple((one.statement, one.institution) for one in progress.evidence) if progress else ()
    return _Measured(done, progress.at if progress and done else None, have, want, refs)


def _choose(need: SomeNeed, parts: Sequence[_Measured]) -> _Measured:
    """Take the parts that were done first; where they are too few, show what there is of all."""
    ready = sorted((one for one in parts if one.done), key=lambda one: one.at or 0)
    done = len(ready) >= need.k
    used = ready[: need.k] if done else [one for one in parts if one.have]
    evidence = dict.fromkeys(ref for one in used for ref in one.evidence)
    at = max(one.at or 0 for one in used) if done else None
    have = len(ready[: need.k])
    return _Measured(done, at, have, need.k, tuple(evidence))


def _taken(wanted: Filter, acts: Sequence[Act]) -> Sequence[Act]:
    """Return the acts that count, each statement once; one that does not count hides none that does."""
    first: dict[str, Act] = {}
    for act in acts:
        if wanted.takes(act):
            first.setdefault(act.id, act)
    return list(first.values())


def _refs(acts: Iterable[Act]) -> tuple[Ref, ...]:
    return tuple((act.id, act.institution) for act in acts)
