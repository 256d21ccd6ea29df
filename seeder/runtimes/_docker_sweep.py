"""Removing everything that carries a run's label."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from seeder.docker_engine.api import Daemon, Kind
from seeder.errors import EnvironmentFailed
from seeder.order import each
from seeder.passed.run import Swept
from seeder.wait import READY, Verdict, not_yet, wait_for

KINDS: tuple[Kind, ...] = ("container", "network", "volume", "image")
SECONDS = 20.0  # how long one kind is tried: others may be removing the same things, or a container may be on its way out

_Outcome = tuple[set[str], list[str]]  # what was removed, and a sentence for each that stayed


def sweep(daemon: Daemon, label: str) -> Swept:
    """Remove containers, then what they held: networks, volumes and images with the label; safe to race with itself."""
    containers, *others = KINDS
    sweeps: Mapping[str, partial[_Outcome]] = {kind: partial(_sweep_kind, daemon, kind, label) for kind in others}
    outcomes = [_sweep_kind(daemon, containers, label), *each(sweeps, lambda kind: sweeps[kind]()).values()]
    removed = sorted(title for gone, _ in outcomes for title in gone)
    return Swept(tuple(removed), tuple(sentence for _, stayed in outcomes for sentence in stayed))


def owners(daemon: Daemon, label: str, expires: str) -> dict[str, str]:
    """Every value of the label that something here carries -> its expiry, empty where none is written. An empty value owns nothing:
    images of layers carry it."""
    found: dict[str, str] = {}
    for kind in KINDS:
        for labels in daemon.labelled(kind, label).values():
            if labels[label]:
                found[labels[label]] = found.get(labels[label]) or labels.get(expires, "")
    return found


def _sweep_kind(daemon: Daemon, kind: Kind, label: str) -> _Outcome:
    seen: dict[str, str] = {}
    reasons: dict[str, str] = {}

    def look() -> Verdict:
        found = daemon.labelled(kind, label)
        seen.update({name: f"{kind} {_title(name, labels)}" for name, labels in found.items()})
        if not found:
            return READY
        reasons.clear()
        reasons.update(_remove_all(daemon, kind, list(found)))
        return not_yet(next(iter(reasons.values()))) if reasons else _again(daemon, kind, label)

    try:
        wait_for(kind, look, within=SECONDS, first=0.1)
    except EnvironmentFailed:
        stayed = daemon.labelled(kind, label)
        gone = {title for name, title in seen.items() if name not in stayed}
        return gone, [f"{seen.get(name, name)}: {reasons.get(name, 'appeared anew')}" for name in sorted(stayed)]
    return set(seen.values()), []


def _again(daemon: Daemon, kind: Kind, label: str) -> Verdict:
    return READY if not daemon.labelled(kind, label) else not_yet("more appeared meanwhile")


def _remove_all(daemon: Daemon, kind: Kind, names: list[str]) -> dict[str, str]:
    """Why each one that could not be removed could not."""
    outcomes = each(names, lambda name: _remove(daemon, kind, name))
    return {name: reason for name, reason in outcomes.items() if reason}


def _remove(daemon: Daemon, kind: Kind, name: str) -> str | None:
    try:
        daemon.remove(kind, name)
    except EnvironmentFailed as error:
        return error.problems[0].cause
    return None


def _title(name: str, labels: Mapping[str, str]) -> str:
    return labels.get("com.docker.compose.service") or labels.get("com.docker.compose.network") or name[:40]
