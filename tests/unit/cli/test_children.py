"""Ending the processes that ``lrs run`` starts."""

import signal
import subprocess

import pytest

from lrs.cli import children


def started(script: str) -> subprocess.Popen[bytes]:
    command = ["/bin/sh", "-c", f"{script}; echo ready; read never"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_child_that_ends_when_it_is_asked_is_not_ended_by_force(capsys: pytest.CaptureFixture[str]) -> None:
    with started("trap 'exit 0' TERM") as process:
        children._end(process, "serve")
        assert process.returncode == 0
    assert capsys.readouterr().err == ""


def test_a_child_that_does_not_listen_is_ended_by_force_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(children, "_STOP_SECONDS", 0.1)
    with started("trap '' TERM") as process:
        children._end(process, "serve")
        assert process.returncode == -signal.SIGKILL
    assert "lrs serve did not end within 0.1 s" in capsys.readouterr().err
