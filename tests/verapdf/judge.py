"""Ask veraPDF about a file; see Judge.java."""

import fcntl
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE / "target"
DONE = TARGET / "lib.complete"


def missing_tool() -> str | None:
    """Say what keeps the judge from starting on this machine, or None."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    return f"{' and '.join(missing)} not found" if missing else None


def judge(flavour: str, *files: Path) -> str:
    """Return the verdict on each file, with every broken rule; ``3a`` and ``ua1`` are flavours."""
    _gather()
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{TARGET}/lib/*", str(HERE / "Judge.java"), flavour]
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, timeout=180, check=False
    )
    if done.returncode:
        raise RuntimeError(f"veraPDF did not answer: {done.stderr[-2000:]}")
    return done.stdout


def _gather() -> None:
    """Let Maven gather the jars once; several test processes may ask at the same time."""
    TARGET.mkdir(exist_ok=True)
    with (TARGET / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pom = (HERE / "pom.xml").read_text()
        if DONE.exists() and DONE.read_text() == pom:
            return
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise RuntimeError(f"mvn could not gather veraPDF's jars: {done.stdout[-2000:]}")
        DONE.write_text(pom)
