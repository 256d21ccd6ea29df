"""Ports of a service, short and long: `8080:80`, `127.0.0.1::80/udp`, ranges, `{target: 80, published: 8080}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seeder.definition import compose_keys as keys
from seeder.definition.marked import Map

if TYPE_CHECKING:
    from seeder.definition.form import Place

_SHORT = re.compile(
    r"(?:(?:(?P<ip>\[[^\]]*\]|[^:\[\]]*):)?(?P<published>\d*(?:-\d+)?):)?(?P<target>\d+(?:-\d+)?)(?:/(?P<protocol>\w+))?",
)
MOST_PORT = 65535


def published(value: Any, place: Place) -> tuple[Map, ...]:
    """The long form of one entry; a range of ports gives several."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Map)):
        place.needs("a port")
        return ()
    return _long(value, place) if isinstance(value, Map) else _short(str(value), place)


def numbers(text: str) -> range | None:
    """`80` or `80-90` as a range; None when it is neither, or no port can have the number."""
    first, _, last = text.partition("-")
    if not (first.isascii() and first.isdigit() and (not last or (last.isascii() and last.isdigit()))):
        return None
    found = range(int(first), int(last or first) + 1)
    return found if found and found[-1] <= MOST_PORT else None


def _short(text: str, place: Place) -> tuple[Map, ...]:
    match = _SHORT.fullmatch(text)
    targets = numbers(match["target"]) if match else None
    hosts = numbers(match["published"]) if match and match["published"] else None
    if not match or targets is None or (match["published"] and hosts is None):
        place.wrong(f"{text!r} is no port", "write it as 8080:80, 127.0.0.1:8080:80 or 80")
        return ()
    if hosts and len(hosts) != len(targets) and len(targets) > 1:
        place.wrong(f"the ranges of {text!r} differ in length", "give both the same length")
        return ()
    common = {"protocol": (match["protocol"] or "tcp").lower()} | ({"host_ip": match["ip"].strip("[]")} if match["ip"] else {})
    if hosts and len(targets) == 1:  # any one of the range
        return (_map(place, {"target": targets[0], "published": match["published"], **common}),)
    given = [{"published": str(host)} for host in hosts] if hosts else [{} for _ in targets]
    return tuple(_map(place, {"target": target, **host, **common}) for target, host in zip(targets, given, strict=True))


def _long(value: Map, place: Place) -> tuple[Map, ...]:
    keys.check_keys(value, keys.PORT, place.path, place.problems)
    target = numbers(str(value.get("target", "")))
    if target is None or len(target) != 1:
        place.wrong("a port needs a target from 0 to 65535", "add target: PORT")
        return ()
    result = _map(place, {"target": target[0], "protocol": str(value.get("protocol", "tcp"))})
    for key in ("published", "host_ip"):
        if value.get(key) is not None:
            result.put(key, str(value[key]), value.at(key))
    return (result,)


def _map(place: Place, items: dict[str, Any]) -> Map:
    return Map(place.mark, items, dict.fromkeys(items, place.mark))
