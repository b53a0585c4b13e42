"""Our own OpenAPI description, taken at its word: whatever it allows is sent, what it promises is held.

No answer may be a 500, and each must have a status, a content type and a body that the
description names for its route. ``--hypothesis-profile=soak`` tries many more.
"""

import contextlib
import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lrs.access.model import Scope
from tests.engines import Engine
from tests.factories import make_statement
from tests.http.conftest import Instance, make_instance

pytestmark = pytest.mark.lasting

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@schemathesis.serializer("application/x-ndjson", "application/ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """Bodies that schemathesis cannot write by itself."""
    return (
        value
        if isinstance(value, bytes)
        else (value if isinstance(value, str) else json.dumps(value)).encode()
    )


EXAMPLES = max(4, settings.default.max_examples // 25)
"""Of each route: 4 in the quick tests, 200 in the long ones."""


@pytest.fixture
def fuzzed(sqlite: Engine) -> Instance:
    instance = make_instance(sqlite)
    instance.post([make_statement()], instance.key("School"))
    return instance


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described_whatever_is_sent(fuzzed: Instance, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", fuzzed.app)
    callers = [
        {},
        *(
            {"Authorization": key["Authorization"]}
            for key in (fuzzed.key("School"), fuzzed.key(None, Scope.ADMIN))
        ),
    ]
    walked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        check(operation, operation.as_strategy(generation_mode=mode), callers)
        walked += 1
    assert walked >= 15


def check(operation: Any, cases: st.SearchStrategy[Any], callers: list[dict[str, str]]) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(cases, st.sampled_from(callers))
    def hold(case: schemathesis.Case, caller: dict[str, str]) -> None:
        if case.query and "wait" in case.query:
            case.query.pop("wait")
        case.call_and_validate(checks=list(CHECKS), headers=caller)

    # To a route without parameters nothing can be sent that breaks the description.
    with contextlib.suppress(Unsatisfiable):
        hold()
