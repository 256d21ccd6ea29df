"""`seeder gate`: is it still fit for the test?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from seeder.cli import _inside, _options


@click.command()
@_inside.run_option
@_options.as_json
def command(run: str | None, as_json: bool) -> int | None:
    """Run the gates of an environment's plan again, as the definition in its checkout is now. Ends with 4 when one refuses."""
    from seeder import present
    from seeder.cli import _render
    from seeder.errors import GateRefused
    from seeder.stages import gate

    passed: list[dict[str, Any]] = []

    def listen(event: Any) -> None:
        from seeder.events import Progress

        if isinstance(event, Progress) and event.stage == "gate":
            passed.append({"gate": event.subject, "state": event.state, "checked": event.detail, "seconds": event.seconds})

    problems: tuple[Any, ...] = ()
    one = _inside.found(run)
    with ExitStack() as undo, _inside.explained(one):
        environment, plan = present.rejoin(one, listen, undo)
        try:
            gate.again(environment, plan)
        except GateRefused as refused:
            if not as_json:
                _render.show(_rows(passed), "")
                raise
            problems = refused.problems
    if as_json:
        _render.answer({"gates": passed, "problems": [_render.problem_json(p) for p in problems]})
        return GateRefused.code if problems else None
    _render.show(_rows(passed), "the plan has no gates")
    return None


def _rows(passed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**gate, "seconds": f"{gate['seconds']:.1f}"} for gate in passed]
