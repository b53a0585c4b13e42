"""/ims/case/v1p1: every framework, for everybody, as CASE 1.1 has it.

Spec: CASE 1.1 (getCFPackage, getCFDocument, getAllCFDocuments)
"""

from typing import Any

from flask import Blueprint, Response, json, request

from lrs.competencies.service import FrameworkService
from lrs.web.params import read_params

_PREFIX = "/ims/case/v1p1"


def make_case_blueprint(frameworks: FrameworkService, public_url: str) -> Blueprint:
    """Make the routes; they take no parameters and ask for no key.

    Args:
        frameworks: Knows them.
        public_url: Where this instance is reached.
    """
    blueprint = Blueprint("case", __name__, url_prefix=_PREFIX)

    @blueprint.get("/CFDocuments")
    def list_documents() -> Response:
        """Answer with the CFDocument of every framework, in order of title."""
        read_params(request.args, ())
        packages = frameworks.packages()
        return _say({"CFDocuments": [_document(one, public_url) for one in packages]})

    @blueprint.get("/CFDocuments/<identifier>")
    def get_document(identifier: str) -> Response:
        """Answer with one CFDocument."""
        read_params(request.args, ())
        return _say(_document(frameworks.package(identifier), public_url))

    @blueprint.get("/CFPackages/<identifier>")
    def get_package(identifier: str) -> Response:
        """Answer with a whole CFPackage."""
        read_params(request.args, ())
        return _say(frameworks.package(identifier))

    return blueprint


def _document(package: dict[str, Any], public_url: str) -> dict[str, Any]:
    """Write a CFDocument that stands alone: it leads to its package."""
    document: dict[str, Any] = package["CFDocument"]
    identifier = document["identifier"]
    link = {
        "title": document["title"],
        "identifier": identifier,
        "uri": f"{public_url}{_PREFIX}/CFPackages/{identifier}",
    }
    return {**document, "CFPackageURI": link}


def _say(value: object) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), mimetype="application/json")
