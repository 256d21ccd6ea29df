"""Links, client -> server, found from the addresses that stand in a service's environment, commands and configuration files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from seeder.definition import image
from seeder.definition.compose_ports import MOST_PORT
from seeder.definition.service import Service
from seeder.definition.stack import Link
from seeder.definition.stores import Engines, engine_of
from seeder.frozen import frozen

SCHEME_PORTS = {
    "http": 80, "ws": 80, "https": 443, "wss": 443, "grpc": 80,
    "postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "valkey": 6379, "nats": 4222, "tls": 4222,
    "amqp": 5672, "amqps": 5671, "mysql": 3306, "mariadb": 3306, "mongodb": 27017, "kafka": 9092, "mqtt": 1883, "memcached": 11211,
}  # fmt: skip
_IMAGE_PORTS = {
    "mysql": 3306, "mariadb": 3306, "rabbitmq": 5672, "mongo": 27017, "mongodb": 27017, "memcached": 11211, "elasticsearch": 9200,
    "opensearch": 9200, "minio": 9000, "kafka": 9092, "zookeeper": 2181, "mailhog": 1025, "mailpit": 1025, "localstack": 4566,
}  # fmt: skip
_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*://"
_URL = re.compile(rf"({_SCHEME})((?:(?!,{_SCHEME})[^/?#\s\"'`<>|;)}}\]\\])*)(?:[/?#][^\s,;\"'`<>|\\]*)?")
_ADDRESS = re.compile(r"(?<![\w.\-:])(?<![^/]/)([A-Za-z0-9][\w.\-]*):(\d{1,5})(?![\w.@])")
_TCP = re.compile(r"\(([A-Za-z0-9][\w.\-]*):(\d{1,5})\)")  # user:password@tcp(host:port)
_HOST = re.compile(r"(.*?)(host|hosts|hostname|server|servers|addr|address|endpoint|node|nodes|broker|brokers|url|uri|ip)", re.IGNORECASE)
_PORT = re.compile(r"(.*?)port", re.IGNORECASE)
_CONFIGS = frozenset({
    ".conf", ".cfg", ".cnf", ".ini", ".yaml", ".yml", ".toml", ".json", ".properties", ".env", ".xml", ".tmpl", ".tpl", ".template", ".hcl",
})  # fmt: skip
_MOST_BYTES = 256 * 1024
_LABEL = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_ALIKE = 0.8  # as difflib counts
_LEAST_BARE_PORT = 20  # below, it is the tag of an image: postgres:17


@frozen
class _Text:
    """A text in which addresses may stand. `name` is a variable's or option's own name, where it has one."""

    found_in: str
    text: str
    name: str = ""


def find_links(
    services: Mapping[str, Service], engines: Engines, aliases: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Link, ...]:
    """Every link between these services, one for each client, server and port, by client and server.

    `aliases`: client -> a name that only it uses -> the service meant (compose's `links: [db:database]`).
    """
    names = {name: service.name for service in services.values() for name in service.names}
    names |= {name: name for name in services}
    found: dict[tuple[str, str, int], Link] = {}
    for client in services.values():
        known = names | dict((aliases or {}).get(client.name, {}))
        for link in _links_of(client, services, known, engines):
            found.setdefault((link.client, link.server, link.port), link)
    return tuple(found[key] for key in sorted(found))


def strangers(client: Service, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Hosts that the client's variables and options name and that are none of the known ones, each with the variable or key that names
    it. Of a host that stands alone (`DB_HOST`) it is told only where it looks like a known one; a name with a dot is somebody else's."""
    import difflib  # check alone asks

    for text in (*_variables(client), *_options(client)):
        hosts = [host for url in _URL.finditer(text.text) if _scheme(url) in SCHEME_PORTS for host, _ in _hosts(url)]
        if text.name and _HOST.fullmatch(text.name) and difflib.get_close_matches(text.text, known, n=1, cutoff=_ALIKE):
            hosts.append(text.text)
        for host in dict.fromkeys(hosts):
            if _LABEL.fullmatch(host) and host not in known and host.lower() != "localhost":
                yield host, text.found_in.replace(" ", ".")


def _links_of(client: Service, services: Mapping[str, Service], names: Mapping[str, str], engines: Engines) -> Iterator[Link]:
    ports = {key.lower(): value for key, value in client.environment.items() if value.isdigit()}
    ports |= {name.lower(): text.text for text in _options(client) if (name := text.name) and text.text.isdigit()}
    for text in _texts(client):
        for host, port in _addresses(text, ports, names):
            server = names.get(host)
            if server is None or server == client.name:
                continue
            number = port or _default_port(services[server], engines)
            if number:
                yield Link(client.name, server, number, text.found_in)


def _texts(client: Service) -> Iterator[_Text]:
    yield from _variables(client)
    yield from _options(client)
    for key, words in (("entrypoint", client.entrypoint), ("command", client.command)):
        yield from (_Text(key, word) for word in words or ())
    for mount in client.mounts:
        content = mount.content if mount.kind == "config" and mount.content is not None else _config_file(mount.kind, mount.source)
        if content is not None:
            yield _Text(f"config {mount.target}", content)


def _variables(client: Service) -> Iterator[_Text]:
    for name, value in sorted(client.environment.items()):
        yield _Text(f"environment {name}", value, name)


def _options(client: Service) -> Iterator[_Text]:
    """Options of the command line that name a host or a port: `--db-host=orders-db`, `-h orders-db`."""
    for key, words in (("entrypoint", client.entrypoint), ("command", client.command)):
        for word, after in itertools.pairwise((*(words or ()), "")):
            option, equals, value = word.partition("=")
            if option.startswith("-"):
                name = option.lstrip("-").replace("-", "_")
                yield _Text(key, value if equals else after, {"h": "host", "p": "port"}.get(name, name))


def _config_file(kind: str, source: str | None) -> str | None:
    """The text of a mounted configuration file; folders, programs and data are not looked into."""
    if source is None or kind not in ("bind", "config"):
        return None
    path = Path(source)
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES or not (kind == "config" or _is_config(path)):
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in _CONFIGS or path.name.lower() == "caddyfile"


def _addresses(text: _Text, ports: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, int | None]]:
    """Host and port of everything in the text that looks like an address; the port is None when nothing tells it."""
    rest = text.text
    for url in _URL.finditer(text.text):
        for host, written in _hosts(url):
            yield host, _port(written) or SCHEME_PORTS.get(_scheme(url))
        rest = rest.replace(url[0], " ")
    for found in (*_TCP.finditer(rest), *_ADDRESS.finditer(rest)):
        if (port := _port(found[2])) and port >= _LEAST_BARE_PORT:
            yield found[1], port
    if text.name and (about := _HOST.fullmatch(text.name)):
        for host in rest.split(","):
            if host.strip() in names:
                yield host.strip(), _port(_paired(about[1].lower(), ports))


def _scheme(url: re.Match[str]) -> str:
    return url[1].lower().removesuffix("://").partition("+")[0]


def _hosts(url: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Each host of the address with its port, empty where none is written."""
    for part in url[2].rpartition("@")[2].split(","):
        host, _, port = part.strip("[]").partition(":")
        yield host, port


def _paired(prefix: str, ports: Mapping[str, str]) -> str:
    """The value of the variable that tells the port for a host variable with this prefix (`DB_` of `DB_HOST`)."""
    return next((value for name, value in ports.items() if (found := _PORT.fullmatch(name)) and found[1] == prefix), "")


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= MOST_PORT else None


def _default_port(server: Service, engines: Engines) -> int | None:
    """The port that a client means when it names a host alone: the engine's, the well-known one, or the only one there is."""
    engine = engine_of(server, engines)
    if engine and engine in engines:
        return engines[engine].port
    if server.image and (known := _IMAGE_PORTS.get(image.base(server.image))):
        return known
    only = set(_own_ports(server))
    return only.pop() if len(only) == 1 else None


def _own_ports(server: Service) -> Iterable[int]:
    return (*(port.target for port in server.ports), *server.expose)
