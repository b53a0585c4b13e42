"""A client of the application in this process: the same requests, without a network."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lrs.app import create_app
from lrs.services import Services

_LARGEST_GOOD = 399


class DemoError(Exception):
    """The application refused something of the demo."""


class DemoClient:
    """Asks the application as a client would; a refusal ends the demo."""

    def __init__(self, services: Services) -> None:
        """Build the application over the services."""
        self._app = create_app(services.settings, services)
        self._base = services.settings.base_path
        self._origin = services.settings.public_url.removesuffix(self._base)

    def browser(self) -> FlaskClient:
        """Give a client that keeps cookies."""
        return self._app.test_client()

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        browser: FlaskClient | None = None,
        form: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send one request, with JSON or a form.

        Raises:
            DemoError: It was refused.
        """
        sent = {"X-Experience-API-Version": "1.0.3"}
        if key is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(key.encode()).decode()
        more: dict[str, Any] = {"data": form} if form is not None else {}
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json"}
        client = browser or self._app.test_client(use_cookies=False)
        answer = client.open(self._base + path, method=method, base_url=self._origin, headers=sent, **more)
        if answer.status_code > _LARGEST_GOOD:
            raise DemoError(f"{method} {path} was answered with {answer.status_code}: {answer.text[:300]}")
        return answer

    def post_statements(self, key: str, statements: Sequence[object], batch: int) -> int:
        """Post statements in batches; return how many requests it took.

        Raises:
            DemoError: One was refused.
        """
        starts = range(0, len(statements), batch)
        for start in starts:
            self.open("POST", "/xapi/statements", statements[start : start + batch], key=key)
        return len(starts)
