"""The API described from its own code: OpenAPI at ``/api/openapi.json``, a page at ``/api/docs``.

The page is made on the server from the same description: no script, nothing from elsewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template, request

from lrs.web.errors import PROBLEM_TYPE
from lrs.web.kinds import KINDS
from lrs.web.params import read_params
from lrs.web.smorest import StrictApi

_JSON = "application/json"
_TITLE = "Learning-record backbone"
_ABOUT = (
    "Institutions, keys, and whether records arrived. Records themselves go in and out through xAPI at /xapi."
    " Send a key and its secret as Basic credentials, or a token of a trusted issuer."
    " Unknown parameters and members are refused."
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the page shows it; fields are (name, type, required, description)."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[tuple[str, str, bool, str]]
    body: list[tuple[str, str, bool, str]]
    answer: list[tuple[str, str, bool, str]]
    success: str
    refusals: list[str]


def make_api(app: Flask, version: str) -> StrictApi:
    """Make the API that rooms register their blueprints on, and serve its description.

    Args:
        app: Has been given ``install_pages``.
        version: This software's.
    """
    app.config.update(
        API_TITLE=_TITLE,
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": _ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
            "security": [{"key": []}, {"token": []}],
        },
    )
    api = StrictApi(app)
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "basic"})
    token = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    api.spec.components.security_scheme("token", token)
    app.register_blueprint(_make_docs_blueprint(api))
    return api


def _make_docs_blueprint(api: StrictApi) -> Blueprint:
    blueprint = Blueprint("apidocs", __name__, url_prefix="/api")

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        """Answer the description as OpenAPI 3.1."""
        read_params(request.args, ())
        return jsonify({**describe(api), "servers": [{"url": request.script_root or "/"}]})

    @blueprint.get("/docs")
    def docs() -> str:
        """Show the description as a page."""
        read_params(request.args, ())
        spec = describe(api)
        errors = [
            (error.code, kind.status, kind.title) for error, kind in KINDS.items() if error.code != "error"
        ]
        return render_template(
            "apidocs.html", info=spec["info"], tags=spec.get("tags", []), groups=_groups(spec), errors=errors
        )

    return blueprint


def describe(api: StrictApi) -> dict[str, Any]:
    """Return the OpenAPI description; errors are problem details, as they are answered."""
    spec: dict[str, Any] = api.spec.to_dict()
    for response in spec.get("components", {}).get("responses", {}).values():
        content = response.get("content", {})
        if _JSON in content:
            content[PROBLEM_TYPE] = content.pop(_JSON)
    return spec


def _groups(spec: Mapping[str, Any]) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for path, item in spec.get("paths", {}).items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                operation = item[method]
                made = _operation(spec, path, method, {**operation, "shared": item.get("parameters", [])})
                groups.setdefault(operation["tags"][0], []).append(made)
    return groups


def _operation(spec: Mapping[str, Any], path: str, method: str, raw: Mapping[str, Any]) -> Operation:
    success = next(code for code in raw["responses"] if code.startswith("2"))
    body = raw.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema")
    answer = raw["responses"][success].get("content", {}).get(_JSON, {}).get("schema")
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        summary=raw.get("summary", "").rstrip("."),
        description=raw.get("description", ""),
        parameters=[
            (each["name"], _type(each["schema"]), each.get("required", False), each.get("description", ""))
            for each in (*raw["shared"], *raw.get("parameters", []))
        ],
        body=list(_fields(spec, body)),
        answer=list(_fields(spec, answer)),
        success=success,
        refusals=[code for code in raw["responses"] if code[0] in "45"],
    )


def _fields(
    spec: Mapping[str, Any], schema: Mapping[str, Any] | None, prefix: str = ""
) -> Iterator[tuple[str, str, bool, str]]:
    """Walk a schema's members; those of a list's items follow it as ``list[].member``."""
    if schema is None:
        return
    whole = _resolve(spec, schema)
    for name, member in whole.get("properties", {}).items():
        shown = _resolve(spec, member)
        yield prefix + name, _type(shown), name in whole.get("required", ()), shown.get("description", "")
        if "items" in shown:
            yield from _fields(spec, shown["items"], f"{prefix}{name}[].")
        elif "properties" in shown:
            yield from _fields(spec, shown, f"{prefix}{name}.")


def _resolve(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "object")
    shown = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "format" in schema:
        shown += f" ({schema['format']})"
    values = schema.get("enum") or schema.get("items", {}).get("enum") or ()
    listed = ", ".join(str(value) for value in values if value is not None)
    return f"{shown}: {listed}" if listed else shown
