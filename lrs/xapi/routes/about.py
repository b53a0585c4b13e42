"""GET /xapi/about: which versions this store speaks. Open to all, without version header.

Spec: xAPI 1.0.3 Communication 2.8.
"""

import orjson
from flask import Blueprint, Response, request

from lrs.web.params import read_params
from lrs.xapi.versions import Version

_ABOUT = orjson.dumps({"version": [str(version) for version in Version]})


def make_about_blueprint() -> Blueprint:
    """Make the blueprint; it needs nothing."""
    blueprint = Blueprint("xapi_about", __name__, url_prefix="/xapi")

    @blueprint.get("/about")
    def about() -> Response:
        """Answer the versions."""
        read_params(request.args, ())
        return Response(_ABOUT, content_type="application/json")

    return blueprint
