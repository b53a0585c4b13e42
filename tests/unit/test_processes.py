"""How a process that handles many statements is prepared."""

import gc
import os
import platform
import subprocess
import sys

import pytest

from lrs.processes import spare_collector

ARENAS_OF_MANY_THREADS = """
import ctypes, sys, threading
from lrs.cli.serve import load_app

load_app("lrs", threads=2)
assert "memory" in {thread.name for thread in threading.enumerate()}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(8)

def allocate():
    together.wait()
    libc.malloc(50_000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""

FREE_BEHIND_WHAT_IS_USED = """
import ctypes, time
from lrs.processes import give_back_memory

def resident_mib():
    with open("/proc/self/status") as file:
        return int(file.read().split("VmRSS:")[1].split()[0]) // 1024

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(100_000) for _ in range(500)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
for block in blocks[:-1]:
    libc.free(ctypes.c_void_p(block))
before = resident_mib()
give_back_memory(0.01)
for _ in range(3000):
    if resident_mib() < before - 40:
        print("given back")
        break
    time.sleep(0.01)
"""


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_threads_of_a_server_process_share_two_arenas_and_give_memory_back(tmp_path):
    environ = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    environ["LRS_STORE"] = f"sqlite:///{tmp_path}/lrs.db"
    told = subprocess.run(
        [sys.executable, "-c", ARENAS_OF_MANY_THREADS], env=environ, capture_output=True, check=True
    )
    assert told.stdout.count(b"<heap nr=") == 2


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_memory_that_lies_free_between_what_is_used_is_given_back():
    told = subprocess.run([sys.executable, "-c", FREE_BEHIND_WHAT_IS_USED], capture_output=True, check=True)
    assert told.stdout == b"given back\n"
