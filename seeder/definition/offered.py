"""What installed packages offer to seeder, by entry points: https://packaging.python.org/en/latest/specifications/entry-points/"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
from collections.abc import Iterable
from pathlib import Path


def offered(group: str) -> Iterable[importlib.metadata.EntryPoint]:
    """What packages on the path of this interpreter offer in the group (`seeder.gates`)."""
    return importlib.metadata.entry_points(group=group) if _may_offer(tuple(sys.path)) else ()


@functools.cache
def _may_offer(path: tuple[str, ...]) -> bool:
    """Whether any package on the path may offer something to seeder. Mostly none does, and to see that takes a look into their files;
    to have all of them parsed takes longer than most plans."""
    return any(_has_offers(Path(place or ".")) for place in path)


def _has_offers(place: Path) -> bool:
    try:
        packages = [entry.path for entry in os.scandir(place) if entry.name.lower().endswith(("dist-info", "egg-info"))]
    except NotADirectoryError:  # an archive; importlib knows how to look into it
        return True
    except OSError:
        return False
    return any(_told(Path(package, "entry_points.txt")) for package in packages)


def _told(file: Path) -> bool:
    try:
        return b"[seeder." in file.read_bytes()
    except OSError:
        return False
