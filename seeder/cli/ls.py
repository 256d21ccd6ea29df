"""`seeder ls`: the environments of this machine."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _inside, _options

if TYPE_CHECKING:
    from seeder.present import Present


@click.command("ls")
@click.option("--all", "-a", "everyone", is_flag=True, help="Also foreign ones: labelled as a run's, and claimed by nobody here.")
@_options.as_json
def command(everyone: bool, as_json: bool) -> None:
    """List environments: alive (its seeder runs), kept, expired, or orphan (its seeder died). `seeder gc` removes the last two. Of a kept
    one it is told which services have ended.

    Of a foreign one nothing is known here: its seeder may be at work under another user or SEEDER_HOME.
    """
    from seeder import present
    from seeder.cli import _render

    now = _inside.now()
    found = present.known(now) + (present.labelled(now) if everyone else [])
    facts = [_facts(one) for one in found]
    if as_json:
        _render.answer(facts)
        return
    rows = [_row(one, fact, now) for one, fact in zip(found, facts, strict=True)]
    _render.show(rows, "no environment is alive or kept")


def _facts(one: Present) -> dict[str, Any]:
    claim, begun = one.claim, one.begun
    return {
        "run": one.run,
        "stack": claim.stack if claim else None,
        "scenario": _scenario(one),
        "runtime": one.runtime,
        "state": one.state,
        "begun": begun.isoformat(timespec="seconds") if begun else None,
        "ended": _ended(one) if one.state == "kept" else [],
        "expires": one.expires.isoformat(timespec="seconds") if one.expires else None,
        "pid": claim.process.pid if claim and one.state == "alive" else None,
        "checkout": str(claim.checkout) if claim else None,
    }


def _scenario(one: Present) -> str | None:
    from seeder import present
    from seeder.errors import SeederError

    try:
        name: str | None = present.document(one)["scenario"]
    except SeederError:
        return None  # not up yet, or not any more
    return name


def _ended(one: Present) -> list[str]:
    """What of one that its seeder left should still be at work, and is not; nothing where that cannot be told."""
    from contextlib import ExitStack

    from seeder import present
    from seeder.errors import SeederError

    try:
        with ExitStack() as undo:
            return sorted(present.rejoin(one, lambda _: None, undo)[0].ended())
    except SeederError:
        return []


def _row(one: Present, facts: dict[str, Any], now: datetime.datetime) -> dict[str, str]:
    shown = {name: "-" if value is None else str(value) for name, value in facts.items() if name not in ("begun", "pid", "ended")}
    shown["state"] += f" ({', '.join(facts['ended'])} ended)" if facts["ended"] else ""
    shown["expires"] = _until(one, now)
    checkout = shown.pop("checkout")
    age = one.begun
    return {**shown, "age": _span(now - age) if age else "-", "expires": shown["expires"], "checkout": checkout}


def _until(one: Present, now: datetime.datetime) -> str:
    if one.expires is None or one.state == "alive":
        return "-"
    return f"in {_span(one.expires - now)}" if one.expires > now else f"{_span(now - one.expires)} ago"


def _span(span: datetime.timedelta) -> str:
    from seeder.definition.duration import words

    return words(max(0, round(span.total_seconds())))
