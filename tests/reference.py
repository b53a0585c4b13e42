"""Where the reference data lies: beside the project, never in it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def reference_dir() -> Path:
    """Return what LRS_REFERENCE_DIR names, or ``../shared/reference``; skip where there is none."""
    named = os.environ.get("LRS_REFERENCE_DIR")
    path = Path(named) if named else ROOT / ".." / "shared" / "reference"
    if not path.is_dir():
        pytest.skip(f"no reference data at {path}; LRS_REFERENCE_DIR names another place")
    return path
