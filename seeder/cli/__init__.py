"""The command line: one file per command, loaded when it is asked for. `COMMANDS` is the index that `seeder --help` prints."""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from gc import freeze, set_threshold  # not the module: the command of that name takes its place here
from typing import Any

import click

from seeder import __version__
from seeder.errors import SeederError, of_machine

# command -> (section, what it does); the module is seeder.cli.<command>, the click command in it is called `command`
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("Environments", "Run a command inside a fresh, isolated, seeded environment."),
    "up": ("Environments", "Start an environment and leave it running."),
    "down": ("Environments", "End a running environment."),
    "reset": ("Environments", "Take a running environment back to its seeded state."),
    "ls": ("Environments", "List environments, alive or kept."),
    "gc": ("Environments", "Remove what expired or was left by runs that died."),
    "plan": ("Definition", "Show what would be done, and why; start nothing."),
    "check": ("Definition", "Report everything wrong with the definition at once."),
    "init": ("Definition", "Write manifest.yaml and compose.seeder.yaml for an existing compose file."),
    "scenario": ("Definition", "List, show, draw and run scenarios."),
    "generator": ("Definition", "List and show what teams offer to scenarios."),
    "dataset": ("Definition", "List, lock, validate, publish and pull datasets."),
    "schema": ("Definition", "Print the JSON Schema of a file kind."),
    "env": ("Inside an environment", "Print its addresses and variables."),
    "logs": ("Inside an environment", "Print the logs of its services."),
    "sql": ("Inside an environment", "Open a database client, or run one statement."),
    "digest": ("Inside an environment", "Recompute the digest of its stores."),
    "gate": ("Inside an environment", "Check again whether it is fit for the test."),
    "cache": ("Layers", "List, explain, push, pull and remove the states that runs begin at."),
    "snapshot": ("Evidence", "Save, list, show and verify bundles, and bring back what they hold."),
    "toxiproxy": ("This machine", "Serve Toxiproxy's API and toxics, alone."),
    "doctor": ("This machine", "Check what seeder needs here, and say how to mend it."),
}
MANY_OBJECTS = 50_000  # between looks for garbage: a start makes many objects that all stay, and most commands end soon after it
ANSWERED: list[bool] = []  # whether the command has printed its JSON: an error after that is told beside it
RUNNING = ("run", "scenario run")  # commands that end as a run does: their own codes are kept apart from those of wrapped commands


class Index(click.Group):
    """Finds commands by name and prints their summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"seeder.cli.{cmd_name}").command
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from seeder.errors import UsageError, nearest

            raise UsageError(args[0], "there is no such command", nearest(args[0], list(COMMANDS)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        width = max(map(len, COMMANDS))
        for section in dict.fromkeys(section for section, _ in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl([(f"{name:<{width}}", text) for name, (s, text) in COMMANDS.items() if s == section])


@click.command(cls=Index, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="seeder")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(*, debug: bool) -> None:
    """Give every test run its own complete, correct world.

    seeder run shop --scenario checkout-ready -- pytest
    """
    del debug  # read in `main`, where errors end


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: errors become messages and exit codes here and nowhere else."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    set_threshold(MANY_OBJECTS)
    atexit.register(freeze)  # what is there at the end goes with the process: to look through it for garbage takes a tenth of a plan
    sys.exit(_run(given))


def _run(given: list[str]) -> int:
    own = given[: given.index("--")] if "--" in given else given
    words, debug = [word for word in own if not word.startswith("-")], "--debug" in own
    name = next((name for name in RUNNING if words[: name.count(" ") + 1] == name.split()), "")
    ANSWERED[:] = [] if "--json" in own else [True]
    try:
        code: Any = cli.main(given, prog_name="seeder", standalone_mode=False)
    except SeederError as error:
        return _refused(error, name, debug=debug)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _misused(error, name)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  (here errors end)
        return _unforeseen(error, name, debug=debug)
    return code if isinstance(code, int) else 0


def _refused(error: SeederError, name: str, *, debug: bool) -> int:
    """Tell it; the command's code for it, with a traceback above it or without."""
    from seeder.cli import _render

    if debug:
        traceback.print_exc()
    code = error.run_code if name in RUNNING else error.code
    _render.error(error)
    if not ANSWERED:
        _render.answer(_render.error_json(error, code))
    return code


def _unforeseen(error: Exception, name: str, *, debug: bool) -> int:
    """What the machine refused is told as every error is, and that there is no folder to work in; all else is a defect."""
    if known := _nowhere(error) or of_machine(error):
        return _refused(known, name, debug=debug)
    if debug:
        traceback.print_exc()
    from seeder.errors import Defect

    remedy = "report what stands above" if debug else "run again with `seeder --debug ...` and report what it prints"
    return _refused(Defect("this is a defect of seeder itself", f"{type(error).__name__}: {error}", remedy), name, debug=False)


def _nowhere(error: Exception) -> SeederError | None:
    from seeder.cli import _terminal
    from seeder.errors import UsageError

    if isinstance(error, FileNotFoundError) and _terminal.gone():
        return UsageError("the current folder", "is gone", "change to one that exists; `cd .` does it where one was made anew in its place")
    return None


def _misused(error: click.ClickException, name: str) -> int:
    """What click refused, told as all other errors are; a group without a word behind it prints its help."""
    from seeder.errors import UsageError

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return 2
    where = getattr(error, "ctx", None)
    path = where.command_path if where else "seeder"
    said = error.format_message().rstrip(".")
    return _refused(UsageError(path, f"{said[:1].lower()}{said[1:]}", f"`{path} --help` says how it is used"), name, debug=False)
