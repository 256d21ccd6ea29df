"""The small project with its service alone, for what happens around an environment whatever it holds: half the price of a whole one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.cases import EVERY


def bare(folder: Path) -> Path:
    """Take the stores out of the small project, with all that asks for them; ci/acceptance, which has the time, leaves them in."""
    return folder if EVERY else without_stores(folder)


def without_stores(folder: Path) -> Path:
    """`seeder run small --scenario ready` goes on to work."""
    for data in ("migrations", "testdata/golden", "testdata/reference"):
        shutil.rmtree(folder / data)
    manifest = folder / "manifest.yaml"
    manifest.write_text(re.sub(r"datasets:\n(  - .*\n)+", "", manifest.read_text()))
    _edit(folder / "compose.yaml", _service_alone)
    _edit(folder / "testdata" / "scenarios" / "ready.yaml", _without_data)
    return folder


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False, default_flow_style=None))


def _service_alone(compose: dict[str, Any]) -> None:
    web = compose["services"]["web"]
    for key in ("environment", "depends_on"):
        del web[key]
    web["x-seeder"]["export"] = {"NOTES_WEB": "{url}"}
    for gone in ("services", "volumes"):
        del compose[gone]
    compose["services"] = {"web": web}


def _without_data(scenario: dict[str, Any]) -> None:
    del scenario["data"]
    scenario["expect"] = [each for each in scenario["expect"] if "http" in each]
