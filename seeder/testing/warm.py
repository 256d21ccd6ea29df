"""Environments that stay up from one session of tests to the next, on the machine of whoever writes them.

The next session takes one up again when it is what would be made anew: then it goes back to its mark and through its gates, as a new
one does. One that is not, or cannot be taken up, is ended.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from seeder import fingerprint, owner, present, session, warden
from seeder.environment import AT_WORK
from seeder.errors import EnvironmentFailed, SeederError
from seeder.events import Emit
from seeder.evidence.story import Story
from seeder.machine import atomic, home
from seeder.machine.lock import free
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.reuse import chain
from seeder.running import start
from seeder.session import Session
from seeder.stages import gate, reset

FILE, LOCK = "warm.json", "warm.lock"
TTL = datetime.timedelta(hours=4)


@contextmanager
def up(plan: Plan, *, keep_failed: bool, listener: Emit = lambda _: None) -> Iterator[Session]:
    """One of the plan: as a session before left it, taken back, or else a new one. It stays afterwards for some hours, unless files do
    not tell what it is made of; `keep_failed`: also where what was done in it went wrong, and then nobody takes it up."""
    with ExitStack() as undo:
        found = _found(plan, listener, undo)
        if found:
            with _left_alone(found.run, keep_failed):
                yield found
            return
        made_of = chain.environment(plan)
        options = Options(marks=True, keep_good=bool(made_of), keep_failed=keep_failed, ttl=TTL)
        made = undo.enter_context(session.handed_over(plan, options, listener))
        if made_of and _alone(made.run, undo):
            _write(plan, made, made_of)
        with _left_alone(made.run, keep_failed):
            yield made


@contextmanager
def _left_alone(run: str, keep_failed: bool) -> Iterator[None]:
    """What went wrong in it stays to be looked at."""
    try:
        yield
    except BaseException:
        if keep_failed:
            (home.run_folder(run) / FILE).unlink(missing_ok=True)
        raise


def _found(plan: Plan, emit: Emit, undo: ExitStack) -> Session | None:
    """The first that nobody uses and that is as it should be; others of the same kind are ended."""
    now, made_of, given = datetime.datetime.now(datetime.UTC), chain.environment(plan), chain.every_secret(plan)
    for one in present.known(now):
        known = _known(one, plan)
        if known is None or not _alone(one.run, undo):
            continue
        same = made_of and known["made_of"] == made_of and fingerprint.same_secrets(given, known["salt"], known["secrets"])
        if same and _lasts(one, now):
            with ExitStack() as attempt, suppress(SeederError):  # then it is ended, and a new one is as good
                again = _taken_up(one, known, emit, attempt)
                undo.push(attempt.pop_all())
                return again
        warden.sweep(one.run, one.runtime)
    return None


def _lasts(one: present.Present, now: datetime.datetime) -> bool:
    """It may stay for its time to live again: what its labels say of that was fixed when it was begun, and other seeders go by them."""
    return one.begun is not None and now - one.begun <= AT_WORK


def _known(one: present.Present, plan: Plan) -> Mapping[str, Any] | None:
    """What a session of tests of this project wrote of it, if it was asked for the same."""
    if one.state != "kept" or one.claim is None or one.claim.checkout != plan.definition.manifest.root:
        return None
    try:
        known: Mapping[str, Any] = json.loads((home.run_folder(one.run) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known if known["asked"] == _asked(plan) else None


def _asked(plan: Plan) -> list[Any]:
    request = plan.definition.request
    return [plan.stack.name, request.scenario, dict(request.inputs), plan.runtime]


def _alone(run: str, undo: ExitStack) -> bool:
    """Nobody else takes it up while this one uses it."""
    return undo.enter_context(free(home.run_folder(run) / LOCK))


def _taken_up(one: present.Present, known: Mapping[str, Any], emit: Emit, undo: ExitStack) -> Session:
    environment, plan = present.rejoin(one, emit, undo)
    if sorted(each.subject for each in start.running(environment, plan)) != known["running"]:
        raise EnvironmentFailed(one.run, "services of it have died")
    reset.reset(environment, plan)
    gate.again(environment, plan)
    expires = datetime.datetime.now(datetime.UTC) + TTL
    owner.keep(dataclasses.replace(environment.run, expires=expires))
    story = Story(environment.run, plan, emit, goes_on=True)
    undo.callback(story.close)
    story.result.digest, story.result.kept = known["digest"], True
    story.result.facts["expires"] = expires.isoformat(timespec="seconds")
    again = Session(environment, story, known["seeded"])
    undo.callback(again.end)
    return again


def _write(plan: Plan, made: Session, made_of: str) -> None:
    salt = secrets.token_hex(16)
    known = {"made_of": made_of, "salt": salt, "secrets": fingerprint.of_secrets(chain.every_secret(plan), salt), "asked": _asked(plan)}
    state = {"digest": made.digest, "seeded": dict(made.seeded), "running": made.running()}
    atomic.write(home.run_folder(made.run) / FILE, json.dumps({**known, **state}))
