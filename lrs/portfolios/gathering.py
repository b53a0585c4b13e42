"""Turning what other rooms know of a learner into the parts of a portfolio. Pure."""

from collections.abc import Callable, Mapping, Sequence

from lrs.competencies.model import Framework
from lrs.competencies.progress import Progress
from lrs.consent import model as consents
from lrs.consent.handles import Kind
from lrs.consent.service import ConsentView
from lrs.credentials import model as credentials
from lrs.learners.acts import Act
from lrs.pathways.completing import Completion, StepState
from lrs.pathways.model import Pathway
from lrs.portfolios.model import (
    Award,
    Competency,
    Consent,
    Disclosure,
    Evidence,
    FrameworkProgress,
    PathwayProgress,
    Place,
    Step,
)


def make_places(acts: Sequence[Act], names: Mapping[str, str]) -> Sequence[Place]:
    """Sum up records by institution, the one with the latest record first.

    Args:
        acts: Oldest first.
        names: Of institutions, by id.
    """
    found: dict[str, list[Act]] = {}
    for act in acts:
        found.setdefault(act.institution, []).append(act)
    places = [
        Place(
            id_,
            names.get(id_, id_),
            len(there),
            sum(act.seconds or 0 for act in there),
            there[0].at,
            there[-1].at,
        )
        for id_, there in found.items()
    ]
    return sorted(places, key=lambda place: (-place.latest_us, place.name))


def make_frameworks(
    progress: Sequence[Progress], find: Callable[[str], Framework | None]
) -> Sequence[FrameworkProgress]:
    """Group progress by framework, in the order that it comes in.

    Args:
        progress: Of one learner, in the order of each framework's tree.
        find: Gives a framework; what belongs to one that is gone is left out.
    """
    found: dict[str, list[Progress]] = {}
    for one in progress:
        found.setdefault(one.framework, []).append(one)
    groups = ((find(identifier), parts) for identifier, parts in found.items())
    return [_group(framework, parts) for framework, parts in groups if framework is not None]


def make_pathway(one: Completion, pathway: Pathway, names: Mapping[str, str]) -> PathwayProgress:
    """Turn how far a learner is on a pathway into what the page shows."""
    return PathwayProgress(
        one.pathway,
        pathway.title,
        names.get(one.institution, one.institution),
        one.version,
        one.done,
        one.at,
        [_step(step) for step in one.steps],
        one.missing_optional,
        pathway.award.title if pathway.award else None,
        pathway.opens,
    )


def _step(step: StepState) -> Step:
    evidence = [statement for statement, _ in step.evidence]
    return Step(step.id, step.title, step.required, step.done, step.at, step.have, step.want, evidence)


def make_award(one: credentials.Award, names: Mapping[str, str]) -> Award:
    """Turn an award into what the page shows."""
    evidence = [statement for statement, _ in one.evidence]
    return Award(
        one.pathway,
        one.title,
        one.description,
        names.get(one.institution, one.institution),
        one.at,
        one.state,
        evidence,
        one.opens,
    )


def make_consent(view: ConsentView, names: Mapping[str, str]) -> Consent:
    """Turn what was agreed to into what the page shows."""
    one, sources = view.consent, view.consent.terms.sources
    return Consent(
        one.institution,
        names.get(one.institution, one.institution),
        one.terms.purpose,
        [kind for kind in Kind if kind in one.terms.kinds],
        None if sources is None else sorted(names.get(source, source) for source in sources),
        one.terms.until_us,
        view.state,
        view.to_confirm,
    )


def make_disclosure(one: consents.Disclosure, names: Mapping[str, str]) -> Disclosure:
    """Turn what was seen into what the page shows; a place that is gone keeps its id for a name."""
    return Disclosure(
        names.get(one.to, one.to),
        [names.get(source, source) for source in one.sources],
        [kind for kind in Kind if kind in one.kinds],
        one.purpose,
        one.about,
        one.ground,
        one.day,
    )


def _group(framework: Framework, parts: Sequence[Progress]) -> FrameworkProgress:
    whole = next((one for one in parts if one.item == framework.identifier), None)
    items = [one for one in parts if one.item in framework.items]
    return FrameworkProgress(
        framework.identifier,
        framework.title,
        framework.version,
        [_competency(one, framework) for one in items if one.counted],
        [_competency(one, framework) for one in items if not one.counted],
        whole.coverage.met if whole else sum(1 for one in items if one.counted),
        whole.coverage.of if whole else len(framework.leaves.get(framework.identifier, ())),
        [level.name for level in framework.model.levels],
    )


def _competency(one: Progress, framework: Framework) -> Competency:
    return Competency(
        one.item,
        framework.items[one.item].label,
        one.level,
        one.level_name,
        len(framework.model.levels),
        one.coverage.met,
        one.coverage.of,
        one.counted,
        one.at,
        [Evidence(ref.statement, ref.institution) for ref in one.evidence],
        next(iter(framework.parents.get(one.item, ())), ""),
    )
