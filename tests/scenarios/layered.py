"""Runs of the small project that keep layers: where they are kept, what was done, and which there are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from tests.scenarios.failing import change
from tests.scenarios.seeder import Said, docker, seeder

RUN = ("run", "small", "--scenario", "ready")


def named(project: Path, name: str) -> Path:
    """The small project under a name of its own, so that no other test's layers fit it on a Docker engine that all share."""
    change(project, "compose.yaml", "POSTGRES_DB: notes}", f'POSTGRES_DB: notes, LAYERS_OF: "{name}"}}')
    change(project, "manifest.yaml", "project: small", f"project: {name}")
    return project


def through_services(folder: Path) -> None:
    """Make the small project's data come through its service too, so that its stores are kept as a set."""
    (folder / "testdata/golden/notes/web").mkdir()
    (folder / "testdata/golden/notes/web/replay.http").write_text("GET /\n")


@contextlib.contextmanager
def emptied(folder: Path, home: Path) -> Iterator[Path]:
    """A home that is made here; images of the project's layers go with it."""
    home.mkdir()
    yield home
    for layer in layers(folder, home):
        if str(layer["place"]).startswith("seeder-layer:"):
            docker("rmi", "-f", str(layer["place"]))


def run(folder: Path, home: Path, runtime: str, *words: str, act: str = "true") -> Said:
    return seeder(*RUN, "--runtime", runtime, *words, "--", "sh", "-c", act, cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on")


def digests(folder: Path) -> set[str]:
    found = [json.loads(path.read_text()).get("digest") for path in folder.glob(".seeder/runs/*/result.json")]
    return {digest for digest in found if digest}


def last(folder: Path, kind: str) -> list[dict[str, object]]:
    """Events of this kind in the journal of the latest run."""
    journal = max(folder.glob(".seeder/runs/*/events.jsonl"), key=lambda path: path.stat().st_mtime)
    return [event for event in map(json.loads, journal.read_text().splitlines()) if event["event"] == kind]


def did(folder: Path, stage: str, state: str) -> list[str]:
    return sorted(str(event["subject"]) for event in last(folder, "progress") if (event["stage"], event["state"]) == (stage, state))


def layers(folder: Path, home: Path) -> list[dict[str, object]]:
    found = json.loads(seeder("cache", "ls", "--json", cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on").out)
    own = (folder / "manifest.yaml").read_text()
    return [layer for layer in found if f"project: {layer['project']}\n" in own]
