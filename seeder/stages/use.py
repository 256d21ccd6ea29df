"""The environment is used: the command runs in it, and what has died of it meanwhile is told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from seeder.environment import Environment
from seeder.errors import SeederError
from seeder.events import CommandEnded, Noticed
from seeder.evidence.story import Story
from seeder.machine import command, interrupt, process


def run(environment: Environment, words: Sequence[str], story: Story) -> None:
    """Run the command to its end, whose code is the run's. Raises Interrupted when a signal ended it."""
    with story.stage("command"):
        goes_on = Noticed("command", "goes on after the signal, and seeder waits for it", "Ctrl-C again ends it, a third time at once")
        variables = {**environment.variables(), process.RUN_LABEL: environment.run.id}
        ending = command.run(words, variables, lambda: story.emit(goes_on))
    story.emit(CommandEnded(ending.code, story.result.split["command"]))
    if ending.interrupted:
        raise interrupt.Interrupted(ending.interrupted)
    if ending.code:
        story.result.code, story.result.ended_by = ending.code, "command"
        story.result.message = f"the command ended with code {ending.code}"


def tell_ended(environment: Environment, story: Story, when: str) -> None:
    """Name the services that have died: whoever talks to one hears no more than that nobody answers."""
    with suppress(SeederError):  # it changes nothing in how the run ended
        for name, how in environment.ended().items():
            said = f"{how.reason.removeprefix('it ')} {when}"
            story.emit(Noticed(name, said, f"its log ends with: {how.log.splitlines()[-1].strip()}" if how.log.strip() else ""))
            story.result.facts.setdefault("ended", []).append(f"{name} {said}")
