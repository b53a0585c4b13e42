"""Consents, legal bases and disclosures as the API and the command line show them.

Instants stay microseconds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lrs.access.handles import InstitutionId
from lrs.consent.model import Basis, Consent, Disclosure, Terms
from lrs.consent.service import ConsentView, GivenConsent

Names = Mapping[InstitutionId, str]
"""Of institutions; one that is gone keeps its id."""


def view_consent(one: ConsentView, names: Names) -> dict[str, Any]:
    """Show a learner what they agreed to."""
    consent = one.consent
    return {
        "institution": _place(consent.institution, names),
        **_terms(consent.terms, names),
        "state": one.state,
        "toConfirm": one.to_confirm,
        "events": _events(consent),
    }


def view_given(one: GivenConsent, names: Names) -> dict[str, Any]:
    """Show an institution what a learner agreed to with it."""
    return {
        "learner": one.learner,
        **_terms(one.consent.terms, names),
        "state": one.state,
        "events": _events(one.consent),
    }


def view_basis(one: Basis, names: Names) -> dict[str, Any]:
    """Show a legal basis."""
    groups = None if one.groups is None else sorted(one.groups)
    return {"name": one.name, **_terms(one.terms, names), "groups": groups, "text": one.text}


def view_disclosure(one: Disclosure, names: Names) -> dict[str, Any]:
    """Show a learner who saw what."""
    return {
        "day": one.day,
        "to": _place(one.to, names),
        "from": _places(one.sources, names),
        "kinds": list(one.kinds),
        "purpose": one.purpose,
        "about": one.about,
        "ground": one.ground,
    }


def _terms(terms: Terms, names: Names) -> dict[str, Any]:
    return {
        "purpose": terms.purpose,
        "kinds": sorted(terms.kinds),
        "sources": None if terms.sources is None else _places(sorted(terms.sources), names),
        "until": terms.until_us,
    }


def _events(consent: Consent) -> list[dict[str, Any]]:
    return [{"event": one.event, "at": one.at_us, "by": one.by} for one in consent.events]


def _places(ids: Iterable[InstitutionId], names: Names) -> list[dict[str, str]]:
    return [_place(one, names) for one in ids]


def _place(id_: InstitutionId, names: Names) -> dict[str, str]:
    return {"id": id_, "name": names.get(id_, id_)}
