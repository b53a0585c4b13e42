"""The registrar's pages: /transcripts, one learner's transcript, and why each line is there.

Also /transcript/shared/<token>: what a learner's own link opens, without signing in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Role
from lrs.access.routes.sessions import signed_in
from lrs.access.service import AccessService
from lrs.errors import InvalidParameter, NotFound
from lrs.portfolios.service import PortfolioService
from lrs.transcripts import printing
from lrs.transcripts.model import Crosswalk
from lrs.transcripts.readiness import readiness_of
from lrs.transcripts.routes.files import FORMATS, answer_with
from lrs.transcripts.service import TranscriptService
from lrs.web.moments import day_text
from lrs.web.params import read_params

PAGE = 50
MOST_PAGES = 10_000
_WHAT = "transcript"
_Address = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pages:
    """What these pages are made from."""

    transcripts: TranscriptService
    portfolios: PortfolioService
    access: AccessService


def make_registrar_blueprint(pages: Pages) -> Blueprint:
    """Make the registrar's pages."""
    blueprint = Blueprint("transcript_pages", __name__, template_folder="../templates")
    blueprint.add_app_template_filter(printing.day_words, "iso_day_words")
    blueprint.add_app_template_filter(printing.credit, "credit")
    blueprint.add_app_template_filter(printing.voucher_words, "record_voucher")
    blueprint.add_app_template_filter(printing.minutes_words, "minutes_words")

    @blueprint.get("/transcripts")
    def all_learners() -> str:
        """List whose transcripts the school can make."""
        sent = read_params(request.args, {"crosswalk", "name", "page"})
        handle = _registrar(pages)
        crosswalks = pages.transcripts.crosswalks(handle)
        wanted, number = sent.get("name", ""), _page_number(sent.get("page", "1"))
        return render_template(
            "transcripts/all.html",
            institution=pages.access.get_institution(handle.institution_id),
            crosswalks=crosswalks,
            chosen=_choose(crosswalks, sent.get("crosswalk", "")),
            listed=pages.transcripts.candidates(handle, wanted, number, PAGE),
            wanted=wanted,
            number=number,
        )

    @blueprint.get("/transcripts/<learner_id>")
    def one_learner(learner_id: str) -> str:
        """Say whether a transcript is ready, and what is missing; then the transcript."""
        name = read_params(request.args, {"crosswalk"}).get("crosswalk", "")
        handle = _registrar(pages)
        document = pages.transcripts.make(handle, learner_id, name)
        is_behind = pages.transcripts.is_behind(handle, learner_id)

        def file(form: str) -> str:
            return url_for("transcript_pages.file", learner_id=learner_id, form=form, crosswalk=name)

        def why(line: str) -> str:
            return url_for("transcript_pages.why", learner_id=learner_id, crosswalk=name, line=line)

        back = url_for("transcript_pages.all_learners", crosswalk=name)
        return _show(document, file, why, back=back, is_behind=is_behind)

    @blueprint.get("/transcripts/<learner_id>/why")
    def why(learner_id: str) -> str:
        """Show the records that a line rests on, and the rule."""
        sent = read_params(request.args, {"crosswalk", "line"})
        name = sent.get("crosswalk", "")
        document = pages.transcripts.make(_registrar(pages), learner_id, name)
        back = url_for("transcript_pages.one_learner", learner_id=learner_id, crosswalk=name)
        return _show_why(document, sent.get("line", ""), back)

    @blueprint.get("/transcripts/<learner_id>/transcript.<form>")
    def file(learner_id: str, form: str) -> Response:
        """Give the transcript as a file."""
        name = read_params(request.args, {"crosswalk"}).get("crosswalk", "")
        handle = _registrar(pages)
        _check_form(form)
        return answer_with(pages.transcripts.make(handle, learner_id, name), form)

    return blueprint


def make_shared_transcripts_blueprint(pages: Pages) -> Blueprint:
    """Make what learners' links open."""
    blueprint = Blueprint("transcript_shared", __name__, template_folder="../templates")

    @blueprint.get("/transcript/shared/<token>")
    def show(token: str) -> str:
        """Show the transcript that a link opens, to whoever has it."""
        read_params(request.args, ())
        document, until_us = _shared(pages, token)

        def file(form: str) -> str:
            return url_for("transcript_shared.file", token=token, form=form)

        def why(line: str) -> str:
            return url_for("transcript_shared.why", token=token, line=line)

        return _show(document, file, why, footing=f"Shared by a link that ends on {day_text(until_us)}.")

    @blueprint.get("/transcript/shared/<token>/why")
    def why(token: str) -> str:
        """Show the records that a line rests on, to whoever has the link."""
        line = read_params(request.args, {"line"}).get("line", "")
        document, _ = _shared(pages, token)
        return _show_why(document, line, url_for("transcript_shared.show", token=token))

    @blueprint.get("/transcript/shared/<token>.<form>")
    def file(token: str, form: str) -> Response:
        """Give the transcript as a file, to whoever has the link."""
        read_params(request.args, ())
        _check_form(form)
        return answer_with(_shared(pages, token)[0], form)

    return blueprint


def _registrar(pages: Pages) -> InstitutionHandle:
    handle = signed_in(pages.access, Role.REGISTRAR).handle
    if handle is None:
        raise NotFound("There is nothing at this address.")
    return handle


def _choose(crosswalks: Sequence[Crosswalk], name: str) -> Crosswalk | None:
    """Return the crosswalk that was asked for, else the first."""
    return next((one for one in crosswalks if one.name == name), crosswalks[0] if crosswalks else None)


def _page_number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:7]) <= MOST_PAGES:
        raise InvalidParameter(f"page is a number from 1 to {MOST_PAGES}.")
    return int(text)


def _check_form(form: str) -> None:
    if form not in FORMATS:
        raise NotFound("There is nothing at this address.")


def _shared(pages: Pages, token: str) -> tuple[Mapping[str, Any], int]:
    """Make the transcript that a link opens: as the school would, which the learner's log tells."""
    share = pages.portfolios.open_share(token, _WHAT)
    handle = InstitutionHandle(pages.access.get_institution(share.institution or "").id)
    document = pages.transcripts.make(
        handle, share.handle.learner_id, share.crosswalk or "", within=frozenset(share.handle.identities)
    )
    return document, share.until_us


def _show(document: Mapping[str, Any], file: _Address, why: _Address, **around: Any) -> str:
    """Render a transcript.

    Args:
        document: The transcript.
        file: Gives the address of a file by its form.
        why: Gives the address of the page behind a line.
        around: ``back`` and ``is_behind`` for the registrar; ``footing`` for whoever has a link.
    """
    return render_template(
        "transcripts/one.html", document=document, ready=readiness_of(document), file=file, why=why, **around
    )


def _show_why(document: Mapping[str, Any], line_id: str, back: str) -> str:
    lines = [*document["courses"], *document["lines"]]
    found = next((one for one in lines if one["id"] == line_id), None)
    if found is None:
        raise NotFound("This transcript has no such line any more.")
    by_id = {one["id"]: one for one in document["statements"]}
    return render_template(
        "transcripts/why.html",
        document=document,
        line=found,
        statements=[by_id[one] for one in found["evidence"]],
        back=back,
    )
