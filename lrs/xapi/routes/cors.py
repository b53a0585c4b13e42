"""Cross-origin requests to ``/xapi``: content in browsers posts from wherever it was launched.

Credentials are in the Authorization header, never in cookies, so allowing every origin
gives a page nothing that its own script does not already hold.

Spec: the Fetch standard; xAPI asks for nothing here, browsers do.
"""

from flask import Flask, Response, request

_ALLOWED = (
    "Authorization, Content-Type, X-Experience-API-Version, X-Experience-API-Hash, If-Match, If-None-Match,"
    " Accept-Language"
)
_EXPOSED = (
    "ETag, Last-Modified, X-Experience-API-Version, X-Experience-API-Consistent-Through, Retry-After,"
    " WWW-Authenticate"
)
_METHODS = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
_DAY = "86400"


def install_cors(app: Flask, origins: frozenset[str]) -> None:
    """Answer cross-origin requests under ``/xapi/``.

    Args:
        app: The app that serves the resources.
        origins: The origins that are let in; ``*`` lets in all.
    """

    def add_headers(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if origin is None or not request.path.startswith("/xapi/"):
            return response
        response.vary.add("Origin")
        if "*" not in origins and origin not in origins:
            return response
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED
            response.headers["Access-Control-Max-Age"] = _DAY
        return response

    app.after_request(add_headers)
