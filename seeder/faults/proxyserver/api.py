"""Toxiproxy's HTTP API: https://github.com/Shopify/toxiproxy#http-api"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from seeder.faults.proxyserver.proxy import NotHere, Proxy, resolved
from seeder.faults.proxyserver.toxics import STREAMS, TYPES, Applied
from seeder.passed.target import Address

VERSION: Final = "2.12.0"  # whose API it is
BAD_BODY: Final = "bad request body"


class Refused(Exception):
    """What is answered instead; `proxies`: those that were made before."""

    def __init__(self, status: int, message: str, proxies: list[Proxy] | None = None) -> None:
        super().__init__(message)
        self.status, self.proxies = status, proxies


@dataclass(frozen=True)
class Answer:
    """`body` is text as it is, or something to be written as JSON."""

    status: int
    body: Any = None
    methods: tuple[str, ...] = ()  # with 405

    @property
    def is_text(self) -> bool:
        return isinstance(self.body, str)


class Api:
    """The proxies, and what may be asked of them."""

    def __init__(self, dice: random.Random) -> None:
        self._dice, self._proxies = dice, dict[str, Proxy]()

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Whatever is asked; nothing is raised."""
        words = [unquote(word) for word in path.partition("?")[0].strip("/").split("/")]
        routes = self._routes(words)
        if not routes:
            return Answer(404, "404 page not found\n")
        if method not in routes:
            return Answer(405, "", tuple(routes))
        try:
            return await routes[method](*words[1::2], *([body] if method in ("POST", "PATCH") else []))
        except Refused as error:
            return Answer(error.status, {"error": str(error), "status": error.status})
        except NotHere as error:
            return Answer(400, {"error": str(error), "status": 400})
        except (OSError, ValueError) as error:
            return Answer(500, {"error": str(error), "status": 500})

    def _routes(self, words: list[str]) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        match words:
            case ["version"]:
                return {"GET": self._version}
            case ["reset"]:
                return {"POST": self._reset}
            case ["populate"]:
                return {"POST": self._populate}
            case ["proxies"]:
                return {"GET": self._all, "POST": self._create}
            case ["proxies", _]:
                return {"GET": self._show, "POST": self._update, "PATCH": self._update, "DELETE": self._delete}
            case ["proxies", _, "toxics"]:
                return {"GET": self._toxics, "POST": self._add_toxic}
            case ["proxies", _, "toxics", _]:
                change = self._change_toxic
                return {"GET": self._show_toxic, "POST": change, "PATCH": change, "DELETE": self._remove_toxic}
        return {}

    # -- all ----------------------------------------------------------------------------------------------------------

    async def _version(self) -> Answer:
        return Answer(200, {"version": VERSION})

    async def _all(self) -> Answer:
        return Answer(200, {name: proxy.told for name, proxy in sorted(self._proxies.items())})

    async def _reset(self, _: bytes) -> Answer:
        for proxy in self._proxies.values():
            await proxy.start()
            for name in tuple(proxy.toxics):
                proxy.remove(name)
        return Answer(204)

    async def _populate(self, body: bytes) -> Answer:
        made: list[Proxy] = []
        try:
            given = _read(body, list)
            for place, one in enumerate(given, 1):
                _wanted(one, f" at proxy {place}")
            for one in given:
                made.append(await self._put(one))  # noqa: PERF401  (what was made before one fails is told)
        except Refused as error:
            shown = {"error": str(error), "status": error.status, "proxies": [proxy.told for proxy in made] or None}
            return Answer(error.status, shown)
        except (OSError, ValueError) as error:
            return Answer(500, {"error": str(error), "status": 500, "proxies": [proxy.told for proxy in made] or None})
        return Answer(201, {"proxies": [proxy.told for proxy in made]})

    async def _put(self, given: Mapping[str, Any]) -> Proxy:
        """One that is the same stays as it is."""
        proxy = self._new(given)
        known = self._proxies.get(proxy.name)
        if known is not None:
            if not await _differs(known, proxy.listen, proxy.upstream):
                return known
            await known.stop()
        if _field(given, "enabled", bool, True):
            await proxy.start()
        self._proxies[proxy.name] = proxy
        return proxy

    # -- one proxy ----------------------------------------------------------------------------------------------------

    async def _create(self, body: bytes) -> Answer:
        given = _read(body, dict)
        _wanted(given)
        proxy = self._new(given)
        if proxy.name in self._proxies:
            raise Refused(409, "proxy already exists")
        if _field(given, "enabled", bool, True):
            await proxy.start()
        self._proxies[proxy.name] = proxy
        return Answer(201, proxy.told)

    async def _show(self, name: str) -> Answer:
        return Answer(200, self._proxy(name).told)

    async def _update(self, name: str, body: bytes) -> Answer:
        proxy, given = self._proxy(name), _read(body, dict)
        enabled = _field(given, "enabled", bool, proxy.enabled)
        listen, upstream = _field(given, "listen", str, proxy.listen), _field(given, "upstream", str, proxy.upstream)
        if await _differs(proxy, listen, upstream):
            await proxy.stop()
            proxy.listen, proxy.upstream = listen, upstream
        if enabled:
            await proxy.start()
        else:
            await proxy.stop()
        return Answer(200, proxy.told)

    async def _delete(self, name: str) -> Answer:
        await self._proxy(name).stop()
        del self._proxies[name]
        return Answer(204)

    def _new(self, given: Mapping[str, Any]) -> Proxy:
        name, listen, upstream = (_field(given, key, str, "") for key in ("name", "listen", "upstream"))
        return Proxy(name, listen, upstream, self._dice)

    def _proxy(self, name: str) -> Proxy:
        if name not in self._proxies:
            raise Refused(404, "proxy not found")
        return self._proxies[name]

    async def close(self) -> None:
        for proxy in self._proxies.values():
            await proxy.stop()

    # -- toxics -------------------------------------------------------------------------------------------------------

    async def _toxics(self, name: str) -> Answer:
        return Answer(200, self._proxy(name).told["toxics"])

    async def _add_toxic(self, name: str, body: bytes) -> Answer:
        proxy, given = self._proxy(name), _read(body, dict)
        type_, stream = _field(given, "type", str, ""), _field(given, "stream", str, "downstream").lower()
        if stream not in STREAMS:
            raise Refused(400, "stream was invalid, can be either upstream or downstream")
        called = _field(given, "name", str, "") or f"{type_}_{stream}"
        if type_ not in TYPES:
            raise Refused(400, "invalid toxic type")
        if called in proxy.toxics:
            raise Refused(409, "toxic already exists")
        toxic = Applied(called, type_, stream, _toxicity(given, 1.0), _changed(TYPES[type_], given))
        proxy.add(toxic)
        return Answer(200, toxic.told)

    async def _show_toxic(self, name: str, toxic: str) -> Answer:
        return Answer(200, self._toxic(name, toxic).told)

    async def _change_toxic(self, name: str, toxic: str, body: bytes) -> Answer:
        known, given = self._toxic(name, toxic), _read(body, dict)
        changed = replace(known, toxicity=_toxicity(given, known.toxicity), toxic=_changed(known.toxic, given))
        self._proxy(name).change(changed)
        return Answer(200, changed.told)

    async def _remove_toxic(self, name: str, toxic: str) -> Answer:
        self._toxic(name, toxic)
        self._proxy(name).remove(toxic)
        return Answer(204)

    def _toxic(self, name: str, toxic: str) -> Applied:
        found = self._proxy(name).toxics.get(toxic)
        if found is None:
            raise Refused(404, "toxic not found")
        return found


async def _differs(proxy: Proxy, listen: str, upstream: str) -> bool:
    return proxy.listen != str(Address(*await resolved(listen))) or proxy.upstream != upstream


def _read(body: bytes, kind: type) -> Any:
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Refused(400, f"{BAD_BODY}: {error}") from error
    if not isinstance(given, kind):
        raise Refused(400, f"{BAD_BODY}: it is no {'object' if kind is dict else 'list'}")
    return given


def _field(given: Any, key: str, kind: type, otherwise: Any) -> Any:
    value = given.get(key) if isinstance(given, dict) else None
    if value is None:
        return otherwise
    if not isinstance(value, kind):
        raise Refused(400, f"{BAD_BODY}: {key} is no {'text' if kind is str else 'boolean'}: {value!r}")
    return value


def _wanted(given: Any, where: str = "") -> None:
    if not isinstance(given, dict):
        raise Refused(400, f"{BAD_BODY}: it is no object{where}")
    for key in ("name", "upstream"):
        if not _field(given, key, str, ""):
            raise Refused(400, f"missing required field: {key}{where}")


def _toxicity(given: Mapping[str, Any], otherwise: float) -> float:
    value = given.get("toxicity")
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(400, f"{BAD_BODY}: toxicity is no number: {value!r}")
    return float(value)


def _changed(toxic: Any, given: Mapping[str, Any]) -> Any:
    attributes = given.get("attributes")
    if attributes is None:
        return toxic
    if not isinstance(attributes, dict):
        raise Refused(400, f"{BAD_BODY}: attributes are no object")
    try:
        return toxic.changed({name: value for name, value in attributes.items() if value is not None})
    except ValueError as error:
        raise Refused(400, f"{BAD_BODY}: {error}") from error
