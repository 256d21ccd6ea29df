"""Progress on a terminal: what came to an end is a line that stays, what is under way is drawn below it and kept up to date."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from seeder import events
from seeder.cli import _lines
from seeder.cli._terminal import colourful
from seeder.events import Event

REFRESH_PER_SECOND = 8
TURNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass
class Doing:
    """One thing under way: a subject in a stage, or a stage that has told of no subject yet."""

    stage: str
    subject: str
    detail: str = ""
    since: float = field(default_factory=time.monotonic)


class Board:
    """Shows a run's events; leaves the terminal alone while the wrapped command has it."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, no_color=not colourful(), highlight=False)
        self._doing: dict[tuple[str, str], Doing] = {}
        self._live: Live | None = None
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, events.StageStarted | events.RunEnded):
                self._curtain(event)
            self._follow(event)
            if line := _lines.text(event):
                self._console.print(Text.from_ansi(line), soft_wrap=True)

    def _curtain(self, event: Event) -> None:
        """Draw from the first stage on, not during the command, and not after the end."""
        wanted = not isinstance(event, events.RunEnded) and event != events.StageStarted("command")
        if wanted and self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._picture,
                transient=True,
                refresh_per_second=REFRESH_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        elif not wanted and self._live is not None:
            live, self._live = self._live, None
            self._doing.clear()
            live.stop()

    def _follow(self, event: Event) -> None:
        match event:
            case events.StageStarted() if self._live is not None:
                self._doing[event.stage, ""] = Doing(event.stage, "")
            case events.StageEnded():
                self._doing = {key: doing for key, doing in self._doing.items() if key[0] != event.stage}
            case events.Progress() if event.ended:
                self._doing.pop((event.stage, event.subject), None)
            case events.Progress():
                doing = self._doing.setdefault((event.stage, event.subject), Doing(event.stage, event.subject))
                doing.detail = " ".join(f"{event.state} {event.detail}".split())

    def _picture(self) -> Group:
        """A line each, cut to the terminal's width; a stage stands for itself while nothing of it is under way."""
        now, doing = time.monotonic(), list(self._doing.values())
        busy = {one.stage for one in doing if one.subject}
        shown = [one for one in doing if one.subject or one.stage not in busy]
        width = max((len(one.subject) for one in shown), default=0)
        return Group(*(self._line(one, now, width) for one in shown))

    def _line(self, one: Doing, now: float, width: int) -> Text:
        turn = (TURNS[int(now * REFRESH_PER_SECOND) % len(TURNS)], "cyan")
        took = (f"{now - one.since:6.1f} s", "cyan")
        line = Text.assemble(turn, f" {one.stage:<8} ", took, f"  {one.subject:<{width}}", (f"  {one.detail}", "dim"))
        line.no_wrap, line.overflow = True, "ellipsis"
        return line
