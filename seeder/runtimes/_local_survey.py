"""What the local runtime refuses of a stack, and what it cannot honour: said before anything starts, from the definition alone."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from seeder.definition import image
from seeder.definition.dataset import Part
from seeder.definition.service import Mount, Service
from seeder.definition.stack import Stack
from seeder.errors import Problem, SeederError
from seeder.passed.notice import Notice
from seeder.passed.target import Address
from seeder.protocols import Embedded, Narrow
from seeder.registry import ENGINES
from seeder.runtimes import _local_ready
from seeder.runtimes._local_mounts import in_place
from seeder.runtimes._local_service import PLACEHOLDER, ports_of
from seeder.runtimes._rewrite import Rewriter, hosts_of

_PLACEHOLDERS = "an argument {port} takes the number that seeder reserves"


def survey(stack: Stack, images: Collection[str]) -> Iterator[Notice]:
    """Notices in the order of the services' names; those of the whole stack last. `images`: services that are to run another image."""
    for name in sorted(set(images) & set(stack.clients)):
        cause = "it runs its local command here, and no image"
        yield Notice(name, cause, f"leave out --image {name}, or use --runtime docker", refused=True)
    for name, service in sorted(stack.services.items()):
        yield from _server(stack, service) if name in stack.servers else _client(stack, service)
    for key, volume in stack.volumes.items():
        if volume.external:
            yield Notice(key, "is an external volume; the run gets an empty folder of its own")
    networks = sorted({network for service in stack.services.values() for network in service.networks})
    if len(networks) > 1:
        yield Notice(stack.name, f"networks {', '.join(networks)} do not separate processes: all share this machine's loopback")


def beyond(stack: Stack, parts: Iterable[Part]) -> Iterator[Problem]:
    """What embedded servers do not know of these files of a dataset."""
    for part in parts:
        store = stack.stores.get(part.owner)
        engine = ENGINES.get(store.engine) if store and store.engine in ENGINES.names() else None
        if isinstance(engine, Narrow):
            yield from engine.beyond(part)


def _server(stack: Stack, service: Service) -> Iterator[Notice]:
    for name in sorted({store.engine for store in stack.stores_of(service.name)}):
        engine = ENGINES.get(name)
        if not isinstance(engine, Embedded):
            yield Notice(service.name, f"engine {name} does not run without containers", "use --runtime docker", refused=True)
            continue
        try:
            launch = engine.local(service)
        except SeederError as error:
            for problem in error.problems:
                yield Notice(service.name, problem.cause, problem.remedy, refused=True, mark=problem.mark)
            continue
        other = _major(image.tag(service.image or "")) not in ("", _major(launch.program))
        yield Notice(service.name, f"{service.image or 'its image'} -> {launch.program}", other=other)
        yield from (Notice(service.name, note) for note in launch.notes)
    yield from _isolation(service)
    yield from _rights(service)


def _major(text: str) -> str:
    """The first number in it; empty when there is none."""
    found = re.search(r"\d+", text)
    return found[0] if found else ""


def _client(stack: Stack, service: Service) -> Iterator[Notice]:
    ports = ports_of(stack, service)
    if service.x.local is None:
        remedy = f"add {_suggestion(stack, service, ports)}, or use --runtime docker"
        yield Notice(service.name, "it has no local form", remedy, refused=True)
        return
    if not (stack.project_dir / service.x.local.cwd).is_dir():
        cause, place = f"local.cwd: there is no folder {service.x.local.cwd}", service.place("local", "cwd")
        yield Notice(service.name, cause, "it counts from the compose file's folder", refused=True, mark=place)
    yield from _ports(service, ports)
    yield from _isolation(service)
    yield from _rights(service)
    yield from (notice for mount in service.mounts if (notice := _mount(stack, service, mount)))
    check = _local_ready.check(service, ports)
    if check.differs and any(d.service == service.name and d.condition == "healthy" for s in stack.services.values() for d in s.depends_on):
        yield Notice(service.name, f"{check.differs}; healthy means here: {check.says}", "add `x-seeder: {ready: {http: /path}}`")
    elif check.kind == "command":
        yield Notice(service.name, f"its healthcheck runs on this machine: {check.says}", "`x-seeder: {ready: {http: /path}}` is quicker")


def _suggestion(stack: Stack, service: Service, ports: tuple[int, ...]) -> str:
    words = list(service.command or ("program",))
    words = ["{python}" if word in {"python", "python3"} else word for word in words]
    words = ["{host}" if word == "0.0.0.0" else "{port}" if ports and word == str(ports[0]) else word for word in words]  # noqa: S104  (found)
    where = os.path.relpath(service.home or stack.project_dir, stack.project_dir)
    cwd = "" if where == os.curdir else f", cwd: {Path(where).as_posix()}"
    told = ', environment: {PORT: "{port}"}' if ports and not any("{port}" in word for word in words) else ""
    return f"`x-seeder: {{local: {{command: [{', '.join(map(_quoted, words))}]{cwd}{told}}}}}`"


def _quoted(word: str) -> str:
    return f'"{word}"'


def _ports(service: Service, ports: tuple[int, ...]) -> Iterator[Notice]:
    local = service.x.local
    words = local.command if local else []
    if not ports and any(found[1] == "port" for word in words for found in PLACEHOLDER.finditer(word)):
        yield Notice(service.name, "its local command asks for {port} and the service has none", "name it under `expose`", refused=True)
    for before, word in zip(["", *words], words, strict=False):
        flag, _, value = word.partition("=") if word.startswith("-") else (before, "", word)
        if "port" in flag.lower() and flag.startswith("-") and value.isdecimal():
            cause = f"its local command has the port {value}, at which two runs would meet"
            yield Notice(service.name, cause, _PLACEHOLDERS, refused=True)
    for port in service.ports:
        if port.protocol != "tcp":
            yield Notice(service.name, f"port {port.target}/{port.protocol} is not rewritten; only TCP is")


def _isolation(service: Service) -> Iterator[Notice]:
    asked = {"user": service.user, "network_mode": service.network_mode, "pid": service.pid, "ipc": service.ipc}
    keys = [*(key for key, value in asked.items() if value), *(["privileged"] if service.privileged else []), *service.unhonoured]
    if keys:
        yield Notice(service.name, f"a process cannot honour {', '.join(dict.fromkeys(keys))}")


def _rights(service: Service) -> Iterator[Notice]:
    """Files of a run are those of who runs it, and nobody else's to read."""
    for mount in service.mounts:
        if mount.rights:
            yield Notice(service.name, f"{', '.join(mount.rights)} of {mount.kind} {mount.target} are not set: the file is yours alone")


def _mount(stack: Stack, service: Service, mount: Mount) -> Notice | None:
    if not _mentioned(mount.target, service):
        where = "a folder of the run" if mount.kind in {"volume", "tmpfs"} else mount.source or "a file of the run"
        cause = f"nothing is mounted at {mount.target}: {where} is given only where a variable or an argument names that path"
        return Notice(service.name, cause, "name it in `environment` or in local.command if the program needs it")
    if mount.kind != "bind":
        return None
    if not mount.read_only:
        return Notice(service.name, f"{mount.source} is used and written in place", "--isolate-binds copies it")
    return (
        None if in_place(mount, _addresses(stack)) else Notice(service.name, f"{mount.source} is read from a copy, its addresses rewritten")
    )


def _mentioned(path: str, service: Service) -> bool:
    local = service.x.local
    words = [*service.environment.values(), *(local.command if local else ()), *(local.environment.values() if local else ())]
    return any(path in word for word in words)


def _addresses(stack: Stack) -> Rewriter:
    """Some address for everything: enough to see whether a file holds any."""
    places = {(name, port): Address("127.0.0.1", 1) for name, service in stack.services.items() for port in all_ports(stack, service)}
    return Rewriter(hosts_of(stack, places))


def all_ports(stack: Stack, service: Service) -> tuple[int, ...]:
    """The container ports that get an address here: a server's one, or those by which a service is known."""
    stores = stack.stores_of(service.name)
    return (ENGINES.get(stores[0].engine).launch(service).port,) if stores else ports_of(stack, service)
