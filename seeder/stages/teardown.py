"""The end of an environment: it stays for its time to live, or everything is undone and what is left is removed by its label."""

from __future__ import annotations

import dataclasses
import datetime
from contextlib import ExitStack

from seeder import owner, warden
from seeder.environment import Environment
from seeder.errors import LeftOver
from seeder.events import Cleaned
from seeder.reuse import cache
from seeder.run import Run
from seeder.story import Story


def keep(us: Run, ttl: datetime.timedelta, undo: ExitStack, story: Story, guard: warden.Warden) -> None:
    """Nothing is undone; its time to live begins now."""
    expires = datetime.datetime.now(datetime.UTC) + ttl
    owner.keep(dataclasses.replace(us, expires=expires))
    guard.keep()
    undo.pop_all()
    story.result.kept = True
    story.result.facts["expires"] = expires.isoformat(timespec="seconds")


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
