"""How compose puts one mapping over another: several files, `extends`, `include`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seeder.definition.marked import List, Map, Override, Reset

# What makes two entries of a service's list the same one; the later wins. Other lists hold texts, each once.
_SAME: dict[str, Callable[[Map], Any]] = {
    "ports": lambda port: (port.get("host_ip", "0.0.0.0"), port.get("published"), port["target"], port["protocol"]),  # noqa: S104
    "volumes": lambda mount: mount["target"],
    "env_file": lambda file: file.get("path"),
    "configs": lambda mount: mount.get("target") or f"/{mount.get('source')}",
    "secrets": lambda mount: mount.get("target") or f"/run/secrets/{mount.get('source')}",
}
Path = tuple[str, ...]


def merged(base: Map, over: Map, path: Path = ()) -> Map:
    """`base` with `over` on it: mappings are merged, lists joined, commands and scalars replaced, `!reset` and `!override` obeyed.

    `path` is where both stand in a compose file, e.g. ("services", "orders").
    """
    result = Map(base.mark, base, base.marks)
    for key, value in over.items():
        if isinstance(value, Reset):
            result.pop(key, None)
        elif isinstance(value, Override) or key not in result:
            result.put(key, value, over.at(key))
        else:
            mark = over.at(key) if not isinstance(value, (Map, List)) else result.at(key)
            result.put(key, _put_over(result[key], value, (*path, key)), mark)
    return result


def _put_over(base: Any, over: Any, path: Path) -> Any:
    if isinstance(base, Override):
        base = base.value
    if _is_command(path) or _is_variable(path):
        return over
    if over is None:
        return base
    if isinstance(base, Map) and isinstance(over, Map):
        return merged(base, over, path)
    if isinstance(base, List) and isinstance(over, List):
        return _joined(base, over, path)
    return over


def _is_command(path: Path) -> bool:
    """Commands are taken as a whole."""
    if path[-1] == "command" and "x-seeder" in path:
        return True
    return path[0] == "services" and path[2:] in (("command",), ("entrypoint",), ("healthcheck", "test"))


def _is_variable(path: Path) -> bool:
    """A variable without a value is one as well."""
    return path[0] == "services" and path[2:-1] in (("environment",), ("build", "args"))


def _joined(base: List, over: List, path: Path) -> List:
    """Both lists, each entry once, at its first place and with its last value."""
    same_as = _SAME.get(path[-1], repr) if _is_service_key(path) else repr
    result = List(base.mark)
    places: dict[Any, int] = {}
    for items in (base, over):
        for index, item in enumerate(items):
            same = same_as(item) if isinstance(item, Map) else item
            if same in places:
                result[places[same]] = item
                result.marks[places[same]] = items.at(index)
            else:
                places[same] = len(result)
                result.put(item, items.at(index))
    return result


def _is_service_key(path: Path) -> bool:
    return len(path) == 3 and path[0] == "services"  # noqa: PLR2004  services, name, key


def settled(value: Any, path: Path = ()) -> Any:
    """The outcome of all merging: what is to be reset is gone, `!override` is unwrapped, a service's lists hold an entry once."""
    if isinstance(value, Override):
        return settled(value.value, path)
    if isinstance(value, Map):
        result = Map(value.mark)
        for name, item in value.items():
            if not isinstance(item, Reset):
                result.put(name, settled(item, (*path, name)), value.at(name))
        return result
    if isinstance(value, List) and _is_service_key(path) and path[-1] in _SAME:
        return _joined(List(value.mark), value, path)
    return value
