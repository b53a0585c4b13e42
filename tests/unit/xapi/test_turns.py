"""Long bodies wait for each other; short ones wait for nobody."""

import threading

from lrs.xapi.turns import LONG_BODY_BYTES, Turns

LONG = b"x" * LONG_BODY_BYTES


def test_a_long_body_waits_until_another_one_is_done() -> None:
    turns, began = Turns(), threading.Event()

    def work() -> None:
        with turns.take(LONG):
            began.set()

    other = threading.Thread(target=work)
    with turns.take(LONG):
        other.start()
        assert not began.wait(0.05)
    assert began.wait(10)
    other.join()


def test_a_short_body_waits_for_nobody() -> None:
    turns = Turns()
    with turns.take(LONG), turns.take(LONG[1:]), turns.take(b""):
        pass
