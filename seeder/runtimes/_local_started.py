"""How a service was started, written down for another process that starts it anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from seeder.frozen import frozen
from seeder.machine import atomic


@frozen
class Started:
    command: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]

    def write(self, path: Path) -> None:
        """Readable by its owner alone: variables hold passwords."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        atomic.write(path, json.dumps({"command": self.command, "cwd": str(self.cwd), "environment": dict(self.environment)}) + "\n")


def read(path: Path) -> Started | None:
    """None when it was never started."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Started(tuple(found["command"]), Path(found["cwd"]), found["environment"])
    except (OSError, ValueError, KeyError):
        return None
