"""``python -m tests.mongo_server [PORT]``: run the server until Ctrl-C, its URL on standard output."""

import sys
import threading

from tests.mongo_server.server import missing_tool, running


def main() -> None:
    """Print the URL and wait for Ctrl-C."""
    missing = missing_tool()
    if missing:
        raise SystemExit(missing)
    with running(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as url:
        print(url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
