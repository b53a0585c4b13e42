"""Frameworks, progress and explanations as the API and the command line show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from lrs.clock import to_text
from lrs.competencies.explaining import Explanation, Piece
from lrs.competencies.model import Framework, model_value
from lrs.competencies.progress import Progress
from lrs.competencies.service import AlignmentImport, FrameworkImport


def view_framework(framework: Framework, names: Mapping[Any, str]) -> dict[str, Any]:
    """Show a framework without its items; ``names`` are of institutions."""
    return {
        "identifier": framework.identifier,
        "title": framework.title,
        "institution": names.get(framework.institution, framework.institution),
        "version": framework.version,
        "model": model_value(framework.model),
        "items": sum(not item.withdrawn for item in framework.items.values()),
    }


def view_framework_import(done: FrameworkImport, names: Mapping[Any, str]) -> dict[str, Any]:
    """Show what came of importing a framework."""
    shown = view_framework(done.framework, names)
    return {**shown, "changed": done.changed, "withdrawn": done.withdrawn}


def view_alignment_import(done: AlignmentImport) -> dict[str, Any]:
    """Show what came of importing an alignment."""
    return {"name": done.name, "version": done.version, "rules": done.rules, "changed": done.changed}


def view_progress(progress: Progress, framework: Framework | None) -> dict[str, Any]:
    """Show progress with one item; a level never stands without its coverage."""
    item = framework.items.get(progress.item) if framework is not None else None
    return {
        "framework": progress.framework,
        "frameworkTitle": framework.title if framework is not None else progress.framework,
        "item": progress.item,
        "code": item.code if item is not None else "",
        "statement": item.statement if item is not None else "",
        "type": item.type if item is not None else "",
        "whole": progress.item == progress.framework,
        "withdrawn": item.withdrawn if item is not None else False,
        "level": progress.level,
        "levelName": progress.level_name,
        "coverage": {"met": progress.coverage.met, "of": progress.coverage.of},
        "counted": progress.counted,
        "rolled": progress.rolled,
        "model": progress.model,
        "modelVersion": progress.model_version,
        "evidence": [one.statement for one in progress.evidence],
        "at": to_text(progress.at),
    }


def view_all_progress(found: Sequence[Progress], frameworks: Mapping[str, Framework]) -> list[dict[str, Any]]:
    """Show a learner's progress."""
    return [view_progress(one, frameworks.get(one.framework)) for one in found]


def view_explanation(explanation: Explanation) -> dict[str, Any]:
    """Show why a level is what it is."""
    framework, progress = explanation.framework, explanation.progress
    return {
        "framework": framework.identifier,
        "frameworkTitle": framework.title,
        "item": explanation.item,
        "label": explanation.label,
        "text": "\n".join(explanation.lines()),
        "progress": None if progress is None else view_progress(progress, framework),
        "evidence": [_view_piece(one) for one in explanation.pieces],
        "below": [view_progress(one, framework) for one in explanation.below],
        "missing": list(explanation.missing),
    }


def _view_piece(piece: Piece) -> dict[str, Any]:
    one = piece.evidence
    return {
        "statement": one.statement,
        "institution": piece.place,
        "what": piece.what,
        "at": to_text(one.at),
        "score": one.score,
        "strength": one.strength,
        "alignment": one.alignment,
        "version": one.version,
        "rule": one.rule,
        "voucher": dict(one.voucher),
        "counted": piece.counted,
        "reached": piece.reached,
    }
