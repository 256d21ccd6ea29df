"""Generators behind HTTP, in whatever language: an endpoint is asked with POST and JSON, and answers with JSON.

The request carries `capability`, `version`, `inputs` (`made`, where that is to be undone), `step`, `index`, `seed`, `as_of`, `unique`,
`services` and `stores`, and an Idempotency-Key where the declaration has one. An answer of 2xx holds `outputs`. 408, 425 and 429: nothing
was made, later (`Retry-After`); 424: somebody else failed, the member `dependency` of the problem says who; any other 4xx: not with these
inputs. Whether 5xx, or none at all, made something nobody knows. What went wrong is told as a problem (RFC 9457). See the reference.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from seeder.frozen import frozen
from seeder.generators.context import Context
from seeder.passed.capability import Asked, Capability
from seeder.passed.outcome import Badly, DependencyFailed, Never, TryAgain
from seeder.promises import shape
from seeder.protocols import World
from seeder.steps.tried import LATER, after, problem, told

if TYPE_CHECKING:
    import httpx

FAILED_DEPENDENCY: Final = 424
NOT_FOUND: Final = 404
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@frozen
class Endpoint:
    """Where it is: `path` of the service of the capability, or below `url`. `find` and `undo` are other paths there; `unique` and
    `addresses` say what it is told."""

    path: str
    url: str = ""
    find: str | None = None
    undo: str | None = None
    unique: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


class Generator:
    """An endpoint that can be asked for in scenarios."""

    def __init__(self, capability: Capability, endpoint: Endpoint) -> None:
        self.capability, self._endpoint = capability, endpoint

    def make(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        """What the endpoint answers. Raises an Outcome, Badly for an answer that is not as it is declared."""
        with closing(Context(world, call, key=self.capability.key)) as context:
            return self._outputs(self._posted(world, context, self._endpoint.path, self._inputs(given)))

    def find(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        """What an earlier try made; None when there is nothing."""
        if self._endpoint.find is None:
            return None
        with closing(Context(world, call, key=self.capability.key)) as context:
            answer = self._posted(world, context, self._endpoint.find, self._inputs(given))
            return None if answer.status_code == NOT_FOUND else self._outputs(answer)

    def undo(self, world: World, call: Asked, made: Any) -> None:
        """Take back what it made. Raises as `make` does."""
        if self._endpoint.undo is None:
            return
        with closing(Context(world, call, key="undo")) as context:  # another request than the one that made it
            answer = self._posted(world, context, self._endpoint.undo, {"made": made})
            if answer.is_client_error and answer.status_code != NOT_FOUND:  # what is gone already does no harm
                raise _outcome(answer)
            if answer.status_code != NOT_FOUND:
                answer.raise_for_status()

    def _inputs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """As they are sent: with defaults. Raises Never for those that are not as they are declared."""
        properties = shape.resolved(self.capability.inputs).get("properties", {})
        inputs = {**{name: one["default"] for name, one in properties.items() if "default" in one}, **given}
        for way, why in shape.mistakes(inputs, self.capability.inputs):
            raise Never(f"its inputs are not as it declares them: {'.'.join(map(str, way)) or 'it'}: {why}")
        return {"inputs": inputs}

    def _posted(self, world: World, context: Context, path: str, given: Mapping[str, Any]) -> httpx.Response:
        body = {**self._told(world, context), **given}
        client = context.http(self.capability.service) if self.capability.service else context.hear(_outside(self._endpoint.url))
        return client.post(path, json=body, headers={"Accept": "application/json"}, timeout=self.capability.within)

    def _told(self, world: World, context: Context) -> dict[str, Any]:
        about, stores = self.capability, world.stack.stores
        services = [name for name in self._endpoint.addresses if name not in stores]
        return {
            "capability": about.name,
            "version": about.version,
            "step": context.step,
            "index": context.index,
            "seed": context.seed,
            "draw": context.draw >> 11,  # as many bits as a number has in every language
            "as_of": world.run.moment,
            "unique": {name: context.unique(name) for name in self._endpoint.unique},
            "services": {name: {"url": world.reach(name, about.service), "headers": dict(world.credentials(name))} for name in services},
            "stores": {name: {"url": world.reach(name, about.service)} for name in self._endpoint.addresses if name in stores},
        }

    def _outputs(self, answer: httpx.Response) -> Any:
        if answer.is_client_error:
            raise _outcome(answer)
        answer.raise_for_status()
        try:
            found = json.loads(answer.content)["outputs"]
        except (ValueError, KeyError, TypeError) as error:
            raise Badly(f'its answer is no JSON with "outputs": {told(answer)!r}') from error
        for way, why in shape.mistakes(found, self.capability.outputs):
            raise Badly(f"its answer is not as it declares it: {'.'.join(map(str, way)) or 'it'}: {why}")
        return found


def _outcome(answer: httpx.Response) -> Exception:
    why = told(answer) or f"it answered {answer.status_code}"
    if answer.status_code in LATER:
        return TryAgain(why, after(answer))
    if answer.status_code == FAILED_DEPENDENCY:
        return DependencyFailed(str(problem(answer).get("dependency", "somebody else")), why)
    return Never(why)


def _outside(url: str) -> httpx.Client:
    """A client of what is no part of the stack. A proxy leads to no address of this machine."""
    import httpx

    return httpx.Client(base_url=url, trust_env=not here(url))


def here(url: str) -> bool:
    """Whether it leads to this machine."""
    return urllib.parse.urlsplit(url).hostname in LOCAL
