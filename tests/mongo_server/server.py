"""Build and start the Java server; see Server.java.

It is an independent implementation behind real sockets: good for several processes, a real
driver, and killing *our* processes; not for killing *it*.
"""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE / "target"
LIB = TARGET / "lib"
DONE = TARGET / "lib.complete"


def missing_tool() -> str | None:
    """Say what keeps the server from starting on this machine, or None."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    return f"{' and '.join(missing)} not found" if missing else None


def build() -> None:
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
            raise RuntimeError(f"mvn could not gather the test server's jars: {done.stdout[-2000:]}")
        DONE.write_text(pom)


@contextmanager
def running(port: int = 0) -> Iterator[str]:
    """Run a server while the block runs; gives its mongodb:// URL without a database."""
    build()
    command = ["java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += ["-cp", f"{LIB}/*", str(HERE / "Server.java"), str(port)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url.startswith("mongodb://"):
            raise RuntimeError("the test server did not start: port in use, or java is older than 17")
        yield url
    finally:
        process.stdin.close()  # The server ends with its standard input, also when we are killed.
        process.wait(timeout=30)
        process.stdout.close()
