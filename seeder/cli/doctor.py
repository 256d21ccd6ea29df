"""`seeder doctor`: is everything here that seeder needs?"""

from __future__ import annotations

import dataclasses
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from seeder.cli import _inside, _options
from seeder.cli._terminal import say, styled

if TYPE_CHECKING:
    from seeder.passed.notice import Diagnosis

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
ENOUGH, TOO_LITTLE = 5e9, 0.5e9  # bytes free: an engine's data folder is 40 MB, images and logs are more


@click.command()
@_options.as_json
def command(as_json: bool) -> int:
    """Check what seeder needs on this machine, and say how to mend what is missing. Ends with 3 when no runtime can be used, or
    seeder's own folders cannot.
    """
    from seeder.cli import _render

    found = [*_machine(), *_runtimes()]
    if as_json:
        _render.answer([dataclasses.asdict(each) for each in found])
    else:
        width = max(len(each.subject) for each in found)
        for each in found:
            click.echo(f"{styled(f'{each.state:<4}', fg=COLOURS[each.state], bold=True)}  {each.subject:<{width}}  {each.finding}")
            if each.remedy:
                click.echo(f"      {'':<{width}}  -> {each.remedy}")
    failed = [each.subject for each in found if each.state == "fail"]
    if failed and not as_json:
        say(f"to be mended: {', '.join(failed)}")
    return 3 if failed else 0


def _machine() -> Iterator[Diagnosis]:
    from seeder import __version__
    from seeder.machine import home
    from seeder.passed.notice import Diagnosis

    system = f"{platform.system()} {platform.machine()}"
    yield Diagnosis("seeder", "ok", f"{__version__} on Python {platform.python_version()}, {system}")
    folders = _guarded("run folders", lambda: [_folder("run folders", home.runs()), _runs()])
    yield from [folders[0], *_guarded("cache", lambda: [_folder("cache", home.cache())]), *folders[1:]]


def _guarded(subject: str, look: Callable[[], Iterable[Diagnosis]]) -> list[Diagnosis]:
    """What the look finds; that it could not look is a finding too, and the others are still told."""
    from seeder.errors import SeederError, of_machine
    from seeder.passed.notice import Diagnosis

    try:
        return list(look())
    except (OSError, SeederError) as error:
        known = error if isinstance(error, SeederError) else of_machine(error)
        if known is None:
            raise
        problem = known.problems[0]
        return [Diagnosis(subject, "fail", f"{problem.subject}: {problem.cause}", problem.remedy)]


def _folder(subject: str, folder: Path) -> Diagnosis:
    from seeder.machine import home
    from seeder.passed.notice import Diagnosis

    free = shutil.disk_usage(folder).free
    state: Literal["ok", "warn", "fail"] = "ok" if free >= ENOUGH else "warn" if free >= TOO_LITTLE else "fail"
    remedy = "" if state == "ok" else f"make room, or set {home.VARIABLE} to a larger disk"
    return Diagnosis(subject, state, f"{folder}, {free / 1e9:.1f} GB free", remedy)


def _runs() -> Diagnosis:
    from seeder import present
    from seeder.passed.notice import Diagnosis

    here = present.known(_inside.now())
    stale = [one.run for one in here if one.state in ("expired", "orphan")]
    if stale:
        return Diagnosis("runs", "warn", f"{len(stale)} are over and still here: {', '.join(stale)}", "seeder gc")
    return Diagnosis("runs", "ok", f"{len(here)} here, none is over")


def _runtimes() -> Iterator[Diagnosis]:
    """What each runtime says of itself. One that cannot be used is a failure only where no other can."""
    from seeder.protocols import Diagnoses
    from seeder.registry import RUNTIMES

    told: dict[str, list[Diagnosis]] = {}
    for name in RUNTIMES.names():
        runtime = RUNTIMES.get(name)
        told[name] = _guarded(name, runtime.diagnose) if isinstance(runtime, Diagnoses) else []
    usable = [name for name, found in told.items() if RUNTIMES.get(name).available() is None and all(d.state != "fail" for d in found)]
    for found in told.values():
        for each in found:
            yield dataclasses.replace(each, state="warn") if each.state == "fail" and usable else each
