"""Ids for records that have none, in a small module: each process that prepares records imports it."""

import os
import signal


def made_id(number: int) -> str:
    """Stands for what an institution and a file give."""
    return f"00000000-0000-4000-8000-{0xABC000000000 + number:012x}"


def made_id_or_killed(parent: int, at: int, number: int) -> str:
    """Kill the process that asks for the id of a certain record, if it is another than the parent."""
    if number == at and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return made_id(number)
