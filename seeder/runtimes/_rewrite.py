"""Addresses as they stand in a compose file, rewritten to where the services really are. Pure: text in, text out.

What counts as an address: `host:port` (in URLs, lists and plain), a URL without a port (its scheme's own), `host=... port=...` in
one text, and pairs of names such as DB_HOST and DB_PORT, `--db-host` and `--db-port`, `host:` and `port:` on lines of their own.
A bare word that happens to be a service's name (POSTGRES_DB: orders) is left alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from seeder.definition.links import SCHEME_PORTS
from seeder.definition.stack import Stack
from seeder.frozen import frozen
from seeder.passed.target import Address

Hosts = Mapping[str, Mapping[int, Address]]  # host name -> container port -> where it is

_SELF = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]")  # noqa: S104  (recognised, never listened on)
_HOST_WORD = r"(?:HOSTNAME|HOST|SERVER|ADDRESS|ADDR)"
_BEFORE = r"(?<![\w.\-])(?<![^/]/)(?<!^/)"  # not the end of a longer name, not a part of a path


@frozen
class Rewriter:
    """`own` are the reader's own ports, which it may call localhost. `paths` maps paths inside a container to paths here."""

    hosts: Hosts
    own: Mapping[int, Address] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Every address and path in one value: a variable's, an argument, a URL, a line."""
        value = self._places.sub(lambda found: self.paths[found[0]], value) if self.paths else value
        if not self._known:
            return value
        value = self._addresses.sub(self._address, value)
        value = self._assigned.sub(self._assignment, value)
        return self._flags.sub(self._flag, value)

    def document(self, text: str) -> str:
        """A whole file, line by line; a host and its port may stand on lines of their own, at most five apart."""
        lines = text.split("\n")
        result = [self.text(line) for line in lines]
        for index, line in enumerate(lines):
            if not (found := self._host_lines.match(line)):
                continue
            result[index] = line  # not `host=` in the midst of a line, whatever `text` made of it
            port = _nearest_port(lines, index, found["prefix"])
            if port and (place := self._only(found["host"], port[1])):
                result[index] = f"{found['head']}{place.host}{found['tail']}"
                result[port[0]] = re.sub(r"\d+(?=\D*$)", str(place.port), lines[port[0]])
        return "\n".join(result)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The same variables, rewritten. Where one names a host and none its port (DB_HOST without DB_PORT), the port is added."""
        result = {name: self.text(value) for name, value in variables.items()}
        ports: dict[str, str] = {}
        for name, value in variables.items():
            port_name = _port_name(name)
            if port_name and value in self._known and (place := self._only(value, variables.get(port_name))):
                result[name] = place.host
                ports[port_name] = str(place.port)
        for name, value in variables.items():
            if name not in ports and re.search(r"(^|_)PORT$", name) and value.isdecimal() and int(value) in self.own:
                ports[name] = str(self.own[int(value)].port)  # where the service itself listens
        return result | ports

    def arguments(self, words: Sequence[str]) -> tuple[str, ...]:
        """A command's words; a host and its port may be words of their own (`--db-host orders-db --db-port 5432`)."""
        result: list[str] = []
        ports: dict[str, str] = {}  # flags whose value is set when it comes
        before = ""
        for word in words:
            flag, joined, value = word.partition("=") if word.startswith("-") else (before, "", word)
            port_flag = _port_flag(flag)
            port = _value_of(words, port_flag) if port_flag else None
            place = self._only(value, port) if port_flag and (value in self.hosts or port) else None
            head = f"{flag}=" if joined else ""
            if place and port_flag:
                ports[port_flag] = str(place.port)
                result.append(f"{head}{place.host}")
                if port is None:
                    result += [f"{port_flag}={place.port}"] if joined else [port_flag, str(place.port)]
            else:
                result.append(head + ports[flag] if flag in ports and value.isdecimal() else self.text(word))
            before = word
        return tuple(result)

    # -- one match each ------------------------------------------------------------------------------------------------

    def _address(self, match: re.Match[str]) -> str:
        if match["port"]:
            place = self._known[match["host"]].get(int(match["port"]))
            return str(place) if place else match[0]
        port = SCHEME_PORTS.get(match["scheme"].partition("+")[0].lower())
        place = self._known[match["site"]].get(port) if port else None
        return f"{match['scheme']}://{match['login'] or ''}{place}" if place else match[0]

    def _assignment(self, match: re.Match[str]) -> str:
        """`host=orders-db user=app port=5432`, in either order, on one line."""
        line = match[0]
        port = re.search(r"(?i)(?<![\w])port(\s*=\s*)(\d+)", line)
        place = self._only(match["host"], port[2] if port else None)
        if not place:
            return line
        start, end = match.span("host")
        moved = line[: start - match.start()] + place.host + line[end - match.start() :]
        if port:
            return re.sub(r"(?i)(?<![\w])(port\s*=\s*)\d+", lambda found: f"{found[1]}{place.port}", moved, count=1)
        separator = ";" if ";" in line else " "
        return moved.replace(place.host, f"{place.host}{separator}port={place.port}", 1)

    def _flag(self, match: re.Match[str]) -> str:
        """`-h orders-db -p 5432` inside one text, as in a shell line."""
        place = self._only(match["host"], match["port"])
        if not place:
            return match[0]
        port_flag = "-p " if match["flag"].startswith("-h") else "--port="
        return f"{match['flag']}{match['gap']}{place.host} {match['port_flag'] or port_flag}{place.port}"

    def _only(self, host: str, port: str | None) -> Address | None:
        """The host's place at that port, or at its only one when no port is given."""
        places = self._known.get(host, {})
        if port is not None:
            return places.get(int(port)) if port.isdecimal() else None
        return next(iter(places.values())) if len(places) == 1 else None

    # -- patterns, made once -------------------------------------------------------------------------------------------

    @functools.cached_property
    def _known(self) -> Hosts:
        return {**self.hosts, **(dict.fromkeys(_SELF, self.own) if self.own else {})}

    @functools.cached_property
    def _places(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w.\-/]){_any(self.paths)}(?![\w.\-])")

    @functools.cached_property
    def _addresses(self) -> re.Pattern[str]:
        """`host:port`, or a URL without a port: one pattern, so that nothing is rewritten twice."""
        names = _any(self._known)
        login = r"(?P<login>[^\s/@\"']*@)?"
        url = rf"(?P<scheme>[A-Za-z][\w+.\-]*)://{login}(?P<site>{names})(?![\w.\-:,])"
        return re.compile(rf"{url}|{_BEFORE}(?P<host>{names}):(?P<port>\d{{1,5}})(?![\d@])")

    @functools.cached_property
    def _assigned(self) -> re.Pattern[str]:
        return self._of_hosts(r"(?i:^[^\n]*(?<![\w\-])(?:host|server)\s*=\s*)(?P<host>{})(?=[\s;\"']|$)[^\n]*$")

    @functools.cached_property
    def _flags(self) -> re.Pattern[str]:
        port = r"(?: (?P<port_flag>-p |--port[ =])(?P<port>\d+))?"
        return self._of_hosts(r"(?<!\S)(?P<flag>-h|--host)(?P<gap>[ =])(?P<host>{})(?!\S)" + port)

    @functools.cached_property
    def _host_lines(self) -> re.Pattern[str]:
        key = rf"(?P<prefix>[\w.\-]*?)(?i:{_HOST_WORD})"
        return self._of_hosts(rf"(?P<head>[\s{{\-]*[\"']?{key}[\"']?\s*[:=]\s*[\"']?)(?P<host>{{}})(?P<tail>[\"']?\s*,?\s*)$")

    def _of_hosts(self, pattern: str) -> re.Pattern[str]:
        return re.compile(pattern.replace("{}", _any(self.hosts))) if self.hosts else _NEVER


_NEVER = re.compile(r"(?!)")


def hosts_of(stack: Stack, addresses: Mapping[tuple[str, int], Address]) -> dict[str, dict[int, Address]]:
    """Every name under which a service may be reached, with its ports. Where two services share a name, the one called so wins."""
    result: dict[str, dict[int, Address]] = {}
    for name, service in stack.services.items():
        ports = {port: address for (owner, port), address in addresses.items() if owner == name}
        for alias in service.names:
            if ports and (alias == name or alias not in stack.services):
                result.setdefault(alias, {}).update(ports)
    return result


def _any(names: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + ")"


def _port_name(name: str) -> str | None:
    """DB_HOST -> DB_PORT, PGHOST -> PGPORT; None for a variable that does not name a host."""
    found = re.fullmatch(rf"(?i)(.*?)({_HOST_WORD})", name)
    if not found or (found[1] and found[1][-1].isalpha() and found[1].upper() != "PG"):
        return None
    return found[1] + ("PORT" if found[2].isupper() else "port")


def _nearest_port(lines: Sequence[str], index: int, prefix: str) -> tuple[int, str] | None:
    pattern = re.compile(rf"""[\s{{\-]*["']?{re.escape(prefix)}(?i:port)["']?\s*[:=]\s*["']?(\d+)["']?\s*[,}}]*\s*$""")
    for at in sorted(range(max(0, index - 5), min(len(lines), index + 6)), key=lambda other: abs(other - index)):
        if found := pattern.match(lines[at]):
            return at, found[1]
    return None


def _value_of(words: Sequence[str], flag: str) -> str | None:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == flag:
            return following
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _port_flag(flag: str) -> str | None:
    """--db-host -> --db-port, -h -> -p; None for anything else."""
    if flag == "-h":
        return "-p"
    found = re.fullmatch(r"(--?[\w\-]*?)(host|hostname|server)", flag)
    return f"{found[1]}port" if found else None
