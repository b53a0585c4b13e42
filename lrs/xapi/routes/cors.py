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
        if request.path.startswith("/xapi/"):
            for name, value in cors_headers(origins, request.headers.get("Origin"), request.method):
                response.headers.add(name, value)
        return response

    app.after_request(add_headers)


def cors_headers(origins: frozenset[str], origin: str | None, method: str) -> list[tuple[str, str]]:
    """List the headers of an answer to who asks from an origin; none where the request names none."""
    if origin is None:
        return []
    headers = [("Vary", "Origin")]
    if "*" in origins or origin in origins:
        headers.append(("Access-Control-Allow-Origin", "*" if "*" in origins else origin))
        headers.append(("Access-Control-Expose-Headers", _EXPOSED))
        if method == "OPTIONS":
            headers.append(("Access-Control-Allow-Methods", _METHODS))
            headers.append(("Access-Control-Allow-Headers", _ALLOWED))
            headers.append(("Access-Control-Max-Age", _DAY))
    return headers
