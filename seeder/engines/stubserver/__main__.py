"""`python -m seeder.engines.stubserver SETTINGS`: a JSON file with host, port, auth (`user:password`, or null), mappings, and files
(their paths by their names)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from seeder.engines.stubserver.server import serve
from seeder.engines.stubserver.state import State


def main(settings: Path) -> None:
    given = json.loads(settings.read_text(encoding="utf-8"))
    state = State(json.loads(given["mappings"]), {name: Path(path) for name, path in given["files"].items()})
    serve(state, given["host"], int(given["port"]), given["auth"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
