"""Loading the demo city, step by step, each step said as it is done."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random  # noqa: TID251 - seeded: the term is the same for everybody

from lrs.access.model import Scope
from lrs.demo.client import DemoClient
from lrs.services import Services
from profiles.demo_city import DemoCity, load_city, make_term

_BATCH = 100
_SEED = 7

Say = Callable[[str], None]


def load_demo(services: Services, say: Say, go_on: Callable[[], None]) -> None:
    """Load the demo city into a store.

    Args:
        services: Of the store.
        say: Takes a line for the person who waits.
        go_on: Called between two steps; what it raises ends the loading there.

    Raises:
        DemoError: The application refused something.
    """
    city = load_city()
    say(f"It was empty, so {city.name}, an invented city, moves in through the public doors:")
    began = time.monotonic()
    client = DemoClient(services)
    keys = _let_in(services, city, say)
    _post_term(services, client, city, keys, say, go_on)
    say(f"  Everything together took {time.monotonic() - began:.1f} s.")


def _let_in(services: Services, city: DemoCity, say: Say) -> dict[str, str]:
    """Make the three institutions, each with a client and a key of it."""
    keys = {}
    for provider in city.providers.values():
        made = services.access.create_key(provider.institution, provider.client, [Scope.ALL])
        keys[provider.id] = f"{made.key.id}:{made.secret}"
        say(f"  Made the institution {provider.institution!r} with the client {provider.client!r} and a key.")
    return keys


def _post_term(
    services: Services,
    client: DemoClient,
    city: DemoCity,
    keys: dict[str, str],
    say: Say,
    go_on: Callable[[], None],
) -> None:
    now = datetime.fromtimestamp(services.outside.clock() / 1_000_000, UTC)
    term = make_term(city, now, Random(_SEED))  # noqa: S311 - nothing secret
    total, began = 0, time.monotonic()
    for provider in city.providers.values():
        started, statements = time.monotonic(), term[provider.id]
        posts = client.post_statements(keys[provider.id], statements, _BATCH)
        took = time.monotonic() - started
        say(f"  {provider.institution}: {len(statements)} statements in {posts} posts, {took:.2f} s")
        total += len(statements)
        go_on()
    say(f"  Together {total} statements in {time.monotonic() - began:.2f} s, each checked and kept.")
