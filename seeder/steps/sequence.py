"""Events that a scenario publishes: what each is once its references are filled in, and the message that it becomes."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seeder.definition.references import filled
from seeder.definition.step import Step
from seeder.errors import Collector, EnvironmentFailed
from seeder.passed.capability import unique
from seeder.passed.content import Post, encoded
from seeder.promises import shape
from seeder.protocols import Publishes, World

Made = dict[str, dict[str, Any]]  # event -> its id, subject, headers and payload


def made(step: Step, known: Mapping[str, Any], seed: int, mark: str = "") -> Made:
    """What each event is, those after it referring to it. Its id is the same each time: a function of seed, scenario, step and name, behind
    the run's mark where it has one. Raises EnvironmentFailed with all payloads that are not as the type of their event says."""
    found, wrong = Made(), Collector()
    for event in step.events:
        here: Mapping[str, Any] = ChainMap(found, known)  # type: ignore[arg-type]
        payload = filled({} if event.given is None and event.type else event.given, here)
        headers = {name: filled(value, here, as_text=True) for name, value in event.headers.items()}
        found[event.name] = {
            "id": unique(seed, step.key, event.name, mark),
            "subject": event.subject,
            "headers": headers,
            "payload": payload,
        }
        if event.type:
            for path, why in shape.mistakes(payload, event.type.payload):
                where = ".".join(["payload", *map(str, path)])
                wrong.add(f"step {step.name}: {event.name} {where}", why, f"{event.does} is told in {event.type.mark}", event.mark)
    wrong.raise_if_any(EnvironmentFailed)
    return found


def posts(events: Made) -> dict[str, Post]:
    """Event -> the message that is published."""
    return {name: Post(one["id"], one["subject"], one["headers"], encoded(one["payload"])) for name, one in events.items()}


def tell(world: World, step: Step, messages: Sequence[Post], *, again: bool = False) -> None:
    """The events of the step, in order. Raises EnvironmentFailed, which names the step, where the store does not take one."""
    try:
        publish(world, step.store, messages, again=again)
    except EnvironmentFailed as error:
        told = (replace(one, subject=f"step {step.name}: {one.subject}", mark=one.mark or step.mark) for one in error.problems)
        raise EnvironmentFailed.of(told) from error


def publish(world: World, store: str, messages: Sequence[Post], *, again: bool = False) -> None:
    """In order, to the store. Raises EnvironmentFailed where it takes none."""
    engine = world.engine(store)
    if not isinstance(engine, Publishes):
        raise EnvironmentFailed(store, f"{engine.name} takes no messages from clients", "publish to another store")
    engine.publish(world.target(store), messages, again=again)
