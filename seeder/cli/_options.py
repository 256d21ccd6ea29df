"""Options that several commands share, and how they become a request."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from seeder.errors import UsageError


class Group(click.Group):
    """Tells what each of its commands does in a whole sentence; click itself cuts it to what a line has room for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=1000)) for name, one in found if one])


def project(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--project DIR`: the folder whose manifest.yaml is meant (found by walking up)."""
    kind = click.Path(path_type=Path, file_okay=False)
    return click.option("--project", type=kind, default=None, help="Folder of the project; the current one by default.")(function)


def as_json(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`: for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def overlay(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--overlay FILE`, which may be repeated: passed on as `overlays`, absolute."""
    kind = click.Path(path_type=Path, dir_okay=False, resolve_path=True)
    words = "A file that changes a scenario; may be repeated, later ones over earlier ones."
    return click.option("--overlay", "overlays", type=kind, multiple=True, metavar="FILE", help=words)(function)


def request(function: Callable[..., Any]) -> Callable[..., Any]:
    """STACK and everything that says which environment is meant; passed on as one `request`."""
    scenario = click.option("--scenario", help="The business state to start from.")
    return click.argument("stack", required=False)(scenario(of_scenario(function)))


def of_scenario(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same where the scenario is told otherwise, and with it the stack."""

    @project
    @click.option("--set", "inputs", multiple=True, metavar="K=V", help="An input of the scenario; may be repeated.")
    @overlay
    @click.option("--services", help="Only these services (comma-separated) and what they need.")
    @click.option("--profile", "profiles", multiple=True, help="A compose profile to activate; may be repeated.")
    @click.option("--image", "images", multiple=True, metavar="SERVICE=IMAGE", help="Another image for a service; may be repeated.")
    @click.option("--runtime", metavar="NAME", help="Where the stack runs: auto, docker, local, attached.")
    @click.option("--target", help="The shared system to attach to instead of starting the stack.")
    @click.option("--policy", help="What data the environment may hold.")
    @click.option("--seed", type=int, help="What services and CMD get as SEEDER_SEED, to draw from it.")
    @click.option("--no-cache", is_flag=True, help="Begin empty, whatever layers there are, and keep none; as SEEDER_CACHE=off.")
    @click.option("--isolate-binds", is_flag=True, help="Services write into copies of the host folders mounted into them.")
    @functools.wraps(function)
    def wrapped(**given: Any) -> Any:
        from seeder.definition.request import Request

        services = given.pop("services")
        asked = Request(
            stack=given.pop("stack", None),
            scenario=given.pop("scenario", None),
            inputs=pairs("--set", given.pop("inputs")),
            services=tuple(name.strip() for name in services.split(",") if name.strip()) if services is not None else None,
            profiles=given.pop("profiles"),
            images=pairs("--image", given.pop("images")),
            runtime=given.pop("runtime"),
            target=given.pop("target"),
            policy=given.pop("policy"),
            seed=given.pop("seed"),
            isolate_binds=given.pop("isolate_binds"),
            cache=not given.pop("no_cache"),
            overlays=tuple(str(one) for one in given.pop("overlays")),
        )
        from seeder import check

        with check.entire(given["project"] or Path.cwd(), asked):
            return function(request=asked, **given)

    return wrapped


def duration(_: click.Context, parameter: click.Parameter, given: str | None) -> float | None:
    """A click callback: `90s`, `5m`, `4h` to seconds."""
    from seeder.definition.duration import seconds
    from seeder.errors import SeederError, UsageError

    if given is None:
        return None
    try:
        found = seconds(given)
    except (ValueError, SeederError) as error:
        raise UsageError(f"--{parameter.name} {given}", "is not a duration", "write it like 90s, 5m, 4h or 7d") from error
    if found <= 0:
        raise UsageError(f"--{parameter.name} {given}", "is no time at all", "write a duration above zero, like 90s, 5m or 4h")
    return found


def size(_: click.Context, parameter: click.Parameter, given: str) -> int:
    """A click callback: `500MB`, `5GB` to bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB)?", given)
    if not found:
        raise UsageError(f"--{parameter.name} {given}", "is not a size", "write it like 500MB or 5GB")
    return int(float(found[1]) * 1000 ** ["B", "kB", "MB", "GB", "TB"].index(found[2] or "B"))


def pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """`KEY=VALUE`s of an option that may be repeated."""
    result: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} {pair}", "is not of the form KEY=VALUE", f"write {option} {key or 'KEY'}=VALUE")
        if key in result:
            raise UsageError(f"{option} {key}", "is given twice", "give it once")
        result[key] = value
    return result
