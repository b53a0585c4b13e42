"""How a process that handles many statements is prepared."""

import gc

from lrs.processes import spare_collector


def test_what_was_loaded_is_left_alone_and_the_collector_looks_seldom():
    before = gc.get_threshold()
    # A command that ran in this process may have spared it already.
    gc.set_threshold(700, 10, 10)
    try:
        spare_collector()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] > 700
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
