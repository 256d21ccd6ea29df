"""Durations as people write them: `500ms`, `5s`, `1m30s`, `24h`, `7d`."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_STEP = re.compile(rf"(\d+(?:\.\d+)?|\.\d+)({'|'.join(sorted(UNITS, key=len, reverse=True))})", re.ASCII)


def seconds(text: str) -> float:
    """The duration in seconds; steps may follow each other (`1m30s`). Raises ValueError that says how one is written."""
    steps = list(_STEP.finditer(text))
    if not steps or "".join(step.group() for step in steps) != text:
        raise ValueError(f"{text!r} is not a duration; write a number and its unit, such as 500ms, 5s, 2m, 24h or 7d")
    return sum(float(step[1]) * UNITS[step[2]] for step in steps)


def words(duration: float) -> str:
    """The duration for a person, in its two greatest units: `7d`, `1h30m`, `2.5s`."""
    if duration < 60:  # noqa: PLR2004 - below a minute a decimal says it better
        return f"{duration:g}s"
    rest, parts = round(duration), []
    for unit in ("d", "h", "m", "s"):
        amount, rest = divmod(rest, round(UNITS[unit]))
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts[:2])
