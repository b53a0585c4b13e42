"""The portfolio as a file that another program reads: JSON, its shape described in docs/portfolio.md. Pure.

A member may be added within version 1; none changes its meaning.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from lrs.clock import to_text
from lrs.learners.acts import Act, act_row
from lrs.learners.handles import IdentityId
from lrs.portfolios.model import (
    Award,
    Competency,
    Consent,
    Disclosure,
    FrameworkProgress,
    PathwayProgress,
    Place,
    Portfolio,
    ShareLink,
)

FORMAT = "https://w3id.org/lrs/portfolio"
VERSION = "1.0"
Json = dict[str, Any]


def to_json(portfolio: Portfolio) -> Json:
    """Write a portfolio as JSON; instants are RFC 3339 in UTC, numbers of scores text as written."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "asOf": to_text(portfolio.as_of_us),
        "complete": not portfolio.is_behind,
        "learner": _learner(portfolio),
        "institutions": [_place(place) for place in portfolio.places],
        "frameworks": [_framework(group) for group in portfolio.frameworks],
        "pathways": [_pathway(pathway) for pathway in portfolio.pathways],
        "awards": [_award(award) for award in portfolio.awards],
        "consents": [_consent(consent) for consent in portfolio.consents],
        "disclosures": [_disclosure(disclosure) for disclosure in portfolio.disclosures],
        "shares": [_share(share) for share in portfolio.shares],
        "records": [_record(act, portfolio.place_names) for act in portfolio.acts],
    }


def to_bytes(portfolio: Portfolio) -> bytes:
    """Write the file: UTF-8, indented, a line break at the end."""
    return orjson.dumps(to_json(portfolio), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _learner(portfolio: Portfolio) -> Json:
    return {
        "id": portfolio.learner,
        "name": portfolio.name or None,
        "names": list(portfolio.names),
        "identifiers": list(portfolio.identifiers),
    }


def _place(place: Place) -> Json:
    return {
        "id": place.id,
        "name": place.name,
        "records": place.records,
        "seconds": place.seconds,
        "since": to_text(place.since_us),
        "latest": to_text(place.latest_us),
    }


def _framework(group: FrameworkProgress) -> Json:
    return {
        "id": group.identifier,
        "title": group.title,
        "version": group.version,
        "levels": list(group.level_names),
        "coverage": {"met": group.met, "of": group.of},
        "competencies": [_competency(one) for one in group.competencies],
        "branches": [_competency(one) for one in group.branches],
    }


def _competency(one: Competency) -> Json:
    return {
        "item": one.identifier,
        "label": one.label,
        "level": one.level,
        "levelName": one.level_name,
        "coverage": {"met": one.met, "of": one.of},
        "counted": one.counted,
        "at": to_text(one.at_us),
        "evidence": [{"statement": ref.statement, "institution": ref.institution} for ref in one.evidence],
    }


def _pathway(pathway: PathwayProgress) -> Json:
    return {
        "name": pathway.name,
        "title": pathway.title,
        "institution": pathway.institution,
        "version": pathway.version,
        "done": pathway.done,
        "at": _moment(pathway.at_us),
        "steps": [
            {
                "id": step.id,
                "title": step.title,
                "required": step.required,
                "done": step.done,
                "at": _moment(step.at_us),
                "have": step.have,
                "want": step.want,
                "evidence": list(step.evidence),
            }
            for step in pathway.steps
        ],
        "missing": [step.id for step in pathway.missing],
        "award": pathway.award,
        "opens": list(pathway.opens),
    }


def _award(award: Award) -> Json:
    return {
        "pathway": award.pathway,
        "title": award.title,
        "description": award.description,
        "institution": award.institution,
        "at": to_text(award.at_us),
        "state": award.state,
        "evidence": list(award.evidence),
        "opens": list(award.opens),
    }


def _consent(consent: Consent) -> Json:
    return {
        "institution": consent.institution,
        "name": consent.name,
        "purpose": consent.purpose,
        "kinds": list(consent.kinds),
        "sources": _names(consent.sources),
        "until": _moment(consent.until_us),
        "state": consent.state,
        "toConfirm": consent.to_confirm,
    }


def _disclosure(one: Disclosure) -> Json:
    return {
        "to": one.to,
        "from": list(one.sources),
        "kinds": list(one.kinds),
        "purpose": one.purpose,
        "about": one.about,
        "ground": one.ground,
        "day": one.day,
    }


def _share(share: ShareLink) -> Json:
    return {
        "what": share.what,
        "label": share.label,
        "made": to_text(share.made_us),
        "until": to_text(share.until_us),
        "open": share.is_open,
        "openedOn": list(share.days),
    }


def _record(act: Act, names: Mapping[str, str]) -> Json:
    content: Json = orjson.loads(act_row(IdentityId(""), act).content)
    content["at"] = to_text(act.at)
    content["institutionName"] = names.get(act.institution)
    return content


def _names(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _moment(at_us: int | None) -> str | None:
    return None if at_us is None else to_text(at_us)
