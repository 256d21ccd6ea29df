"""The end of an environment: it stays for its time to live, or everything is undone and what is left is removed by its label."""

from __future__ import annotations

import dataclasses
import datetime
from contextlib import ExitStack

from seeder import owner, warden
from seeder.environment import Environment
from seeder.errors import LeftOver
from seeder.events import Cleaned, Noticed
from seeder.evidence.story import Story
from seeder.passed.run import Run
from seeder.reuse import cache
from seeder.steps import undo as steps


def keep(environment: Environment, ttl: datetime.timedelta, undo: ExitStack, story: Story, guard: warden.Warden) -> None:
    """Nothing is undone but what the steps made of which one failed; its time to live begins now."""
    us = environment.run
    if environment.stopped:
        _take_back_steps(environment, story)
    expires = datetime.datetime.now(datetime.UTC) + ttl
    owner.keep(dataclasses.replace(us, expires=expires))
    guard.keep()
    undo.pop_all()
    story.result.kept = True
    story.result.facts["expires"] = expires.isoformat(timespec="seconds")


def _take_back_steps(environment: Environment, story: Story) -> None:
    """Half a state helps nobody; it is in the evidence. What stays of it is told."""
    try:
        with story.stage("teardown"):
            for what in steps.take_back(environment).left:
                story.emit(Noticed("ledger", f"{what}; it stays in the environment"))
    except Exception as error:  # noqa: BLE001  (the environment is kept all the same)
        story.emit(Noticed("ledger", f"what steps made could not be taken back: {error}"))


def unwind(undo: ExitStack, environment: Environment | None, story: Story) -> list[BaseException]:
    """Undo everything, the last thing first, and make room where layers were kept. What went wrong with that is told and answered:
    what it left, the sweep removes."""
    try:
        with story.stage("teardown"):
            undo.close()
            if environment:
                cache.make_room(environment.plan, story.emit)
    except BaseException as error:  # noqa: BLE001  (whatever it is, the sweep is still to come)
        story.failed(error)
        return [error]
    return []


def sweep(us: Run, story: Story, guard: warden.Warden | None) -> list[BaseException]:
    """Remove all that carries the run's label; answer what could not be removed."""
    with story.stage("teardown"):
        swept = warden.sweep(us.id, us.runtime)
    story.emit(Cleaned(len(swept.removed), swept.left))
    story.result.left = swept.left
    if swept.left:
        left = LeftOver(us.id, f"could not be removed: {', '.join(swept.left)}", "run `seeder gc`")
        story.failed(left)
        return [left]
    if guard:
        guard.dismiss()
    return []
