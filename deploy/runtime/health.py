"""Whether the service in this container is ready: exit 0 or 1. The image has no curl, and needs none.

A service writes <run dir>/<service>.json when it is ready and takes it away when it stops; the file names the port of
its metrics page, which answers for the event loop.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path


def main() -> int:
    """0 when the service has said that it is ready, and answers."""
    files = sorted(Path(os.environ.get("RCM_RUN_DIR", "/tmp/throughline")).glob("*.json"))
    if not files:
        sys.stdout.write("not ready\n")
        return 1
    port = json.loads(files[0].read_text())["metrics"]
    if port is None:  # RCM_METRICS=off: there is nobody to ask
        return 0
    host = os.environ.get("RCM_LISTEN_HOST", "0.0.0.0").replace("0.0.0.0", "127.0.0.1")
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=4):
            return 0
    except OSError as error:
        sys.stdout.write(f"no answer ({type(error).__name__})\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
