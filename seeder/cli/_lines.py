"""Events as text: one line for each thing that came to an end. CI logs get them folded, with the command's own output between."""

from __future__ import annotations

import threading

from seeder import events
from seeder.cli import _terminal
from seeder.cli._terminal import Fold, say, styled
from seeder.events import Event

TOLD = ("images", "snapshot", "teardown")  # stages that are one line themselves, their subjects or none being told


class Lines:
    """Prints lines as events come, from whatever thread."""

    def __init__(self, fold: Fold | None) -> None:
        self._fold = fold
        self._group: str | None = None
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._fold_around(event)
            line = text(event)
            if line is not None:
                say(line)

    def _fold_around(self, event: Event) -> None:
        """Two groups: everything before the command, everything after it. A failure is told outside of them."""
        match event:
            case events.RunStarted():
                self._open("environment", "seeder: environment")
            case events.StageStarted(stage="command") | events.Failed() | events.RunEnded():
                self._close()
            case events.StageStarted(stage="snapshot" | "teardown") if self._group is None:
                self._open("teardown", "seeder: teardown")

    def _open(self, name: str, title: str) -> None:
        if self._fold:
            self._group = name
            _terminal.mark(_terminal.opened(self._fold, name, title))

    def _close(self) -> None:
        if self._fold and self._group:
            _terminal.mark(_terminal.closed(self._fold, self._group))
        self._group = None


def text(event: Event) -> str | None:
    """The event as one line, or None when it is not worth one."""
    match event:
        case events.RunStarted():
            scenario = f", scenario {event.scenario}" if event.scenario else ""
            name = styled(event.run, bold=True)
            return f"seeder: run {name}: stack {event.stack}{scenario} on {event.runtime}, seed {event.seed}, as of {moment(event.as_of)}"
        case events.Progress() if event.ended:
            return _line(event.stage, f"{event.subject} {_state(event.state)}", event.seconds)
        case events.Progress(state="again"):
            return _line(event.stage, f"tried again: {event.detail}")
        case events.Loaded():
            return _line(
                "load", f"{event.dataset}@{event.version} -> {event.store}: {event.records} record{'' if event.records == 1 else 's'}"
            )
        case events.Noticed():
            remedy = f" -> {event.remedy}" if event.remedy else ""
            return _line("note", _terminal.near(f"{event.subject}: {event.message}{remedy}"), mark="!")
        case events.Waited() if event.ending == "there" and len(event.seen) > 1:
            return _line("seen", f"{event.subject}: {seen(event)}", event.seconds)
        case events.BundleKept():
            return _line("bundle", _terminal.near(event.path))
        case events.StageEnded() if event.stage in TOLD and event.seconds >= 0.05:  # noqa: PLR2004  (what takes no time needs no line)
            how = "" if event.ok else styled("interrupted" if event.interrupted else "failed", fg="red")
            return _line(event.stage, how, event.seconds)
        case events.StageStarted(stage="command"):
            return styled("seeder: the environment is ready, the command runs", dim=True)
    return None


def seen(event: events.Waited) -> str:
    """Every state on the way, in order."""
    return " -> ".join(f"{state['shown']} ({state['first']:.2f} s)" for state in event.seen)


def moment(iso: str) -> str:
    """A time in UTC as people write it."""
    return iso.replace("+00:00", "Z")


def amount(number: int) -> str:
    """Bytes as a person reads them."""
    value, unit = float(number), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":  # noqa: PLR2004
            break
        value /= 1000
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"  # noqa: PLR2004


def _state(state: str) -> str:
    return styled(state, fg="red" if state == "refused" else "green")


def _line(stage: str, what: str, seconds: float | None = None, mark: str = " ") -> str:
    took = styled(f"{seconds:6.1f} s", dim=True) if seconds is not None else " " * 8
    return f"{styled(mark, fg='yellow')} {stage:<8} {took}  {what}".rstrip()
