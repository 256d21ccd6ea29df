"""Events as lines: what a person reads while a run happens, and its closing summary. All of it goes to stderr; stdout is the command's."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from seeder import events
from seeder.events import Emit, Event
from seeder.record import Result

SPLIT = ("images", "start", "migrate", "load", "gate", "digest", "command", "snapshot", "teardown")


def listener(*, quiet: bool = False) -> Emit:
    """What suits where we are: folded groups on GitHub and GitLab, plain lines elsewhere."""
    if quiet:
        return lambda _: None
    return Lines(folding())


def folding() -> str | None:
    """Which CI's folding marks to print."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if os.environ.get("GITLAB_CI") == "true" else None


class Lines:
    """One line for each thing that came to an end."""

    def __init__(self, fold: str | None) -> None:
        self._fold = fold

    def __call__(self, event: Event) -> None:
        line = text(event)
        if line is not None:
            click.echo(line, err=True)


def text(event: Event) -> str | None:
    """The event as one line, or None when it is not worth one."""
    match event:
        case events.RunStarted():
            scenario = f", scenario {event.scenario}" if event.scenario else ""
            return f"seeder: run {event.run}: stack {event.stack}{scenario} on {event.runtime}, seed {event.seed}, as of {event.as_of}"
        case events.Progress(state="ready" | "migrated" | "passed" | "refused" | "built" | "pulled"):
            seconds = f" in {event.seconds:.1f} s" if event.seconds is not None else ""
            return f"  {event.stage:<8} {event.subject}: {event.state}{seconds}"
        case events.Loaded():
            return f"  load     {event.dataset}@{event.version} -> {event.store}: {event.records} records"
        case events.Noticed():
            return f"  note     {event.subject}: {event.message}"
        case events.BundleKept():
            return f"  bundle   {event.path}"
        case events.StageEnded(stage="images" | "command" | "snapshot" | "teardown"):
            return f"  {event.stage:<8} {event.seconds:.1f} s"
    return None


def summary(result: Result) -> str:
    """The closing lines: how it ended, with what, and where the time went."""
    facts = result.facts
    split = "  ".join(f"{name} {result.split[name]:.1f}" for name in SPLIT if name in result.split)
    how = "ok" if result.code == 0 else f"{result.ended_by} (exit {result.code})"
    lines = [f"seeder: {how} in {result.seconds:.1f} s  ({split})"]
    lines.append(f"        seed {facts['seed']}, as of {facts['as_of']}, digest {(result.digest or 'none')[:16]}")
    if volatile := facts.get("volatile"):
        lines.append(f"        not in the digest: {', '.join(volatile)}")
    if result.message and result.ended_by != "command":
        lines.insert(0, f"{click.style('error', fg='red', bold=True)}: {result.message}")
    if result.bundle:
        lines.append(f"        evidence: {result.bundle}")
    if result.kept:
        lines.append(
            f"        kept as run {result.run}: `seeder env --run {result.run}`, `seeder down {result.run}`; it expires {facts['expires']}"
        )
    return "\n".join(lines)


def table(rows: list[Mapping[str, str]]) -> str:
    """Rows of equal keys as aligned columns with a head; an empty text for no rows."""
    if not rows:
        return ""
    heads = list(rows[0])
    widths = {h: max(len(h), *(len(str(r[h])) for r in rows)) for h in heads}
    lines = ["  ".join(f"{h.upper():<{widths[h]}}" for h in heads).rstrip()]
    lines += ["  ".join(f"{r[h]!s:<{widths[h]}}" for h in heads).rstrip() for r in rows]
    return "\n".join(lines)
