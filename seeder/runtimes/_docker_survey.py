"""What the docker runtime refuses in a stack, and what its plan warns of, from the definition alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath

from seeder.definition.extension import Allowance
from seeder.definition.service import Mount, Network, Service, Volume
from seeder.definition.stack import Stack
from seeder.docker_engine.endpoint import EVERYWHERE
from seeder.passed.launch import Launch
from seeder.passed.notice import Notice
from seeder.registry import ENGINES
from seeder.runtimes._docker_mounts import SOCKETS, over_data

LISTENING = ("/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock")


def notices(
    stack: Stack,
    data: Mapping[str, Sequence[str]],
    remote: tuple[str, str] | None,
    sockets: Sequence[str] = LISTENING,
    images: Collection[str] = (),
) -> list[Notice]:
    """`data`: where each server's engine keeps its state. `remote`: when the daemon runs on another machine, its name and the address
    at which ports are published there. `sockets`: where engines of this machine listen. `images`: services that are to run another
    image."""
    result: list[Notice] = []
    for name, service in stack.services.items():
        result += _unbuildable(service) if name not in images else ()
        result += _host_resources(service, sockets)
        result += _binds(service, data.get(name, ()))
        if remote:
            result += _remote_binds(service, data.get(name, ()), remote[0])
    result += [notice for key, network in stack.networks.items() for notice in _of_the_machine(key, network)]
    result += replaced(stack)
    if remote:
        host, listens = remote
        where = "every address" if listens == EVERYWHERE else listens
        message = f"ports are published at {where} of {host}, where the docker daemon runs"
        result.append(Notice(stack.name, message, f"let only trusted machines reach {host}"))
    return result


def moved(service: Service, launch: Launch) -> Mapping[str, str]:
    """What moves a server's state out of volumes; nothing where the service mounts something into its data folder, which it would not
    find elsewhere."""
    inside = [m for m in service.mounts if m.target not in launch.data and any(m.target.startswith(f"{path}/") for path in launch.data)]
    return {} if inside else launch.moved


def launches(stack: Stack) -> dict[str, Launch]:
    """What the engines say of their servers."""
    return {name: ENGINES.get(stack.stores_of(name)[0].engine).launch(stack.services[name]) for name in stack.servers}


def _unbuildable(service: Service) -> Iterable[Notice]:
    """What would only be seen once images are built; by then something may have made it."""
    build = service.build
    if build is None or build.remote:
        return
    if not build.context.is_dir():
        yield Notice(service.name, f"build: there is no folder {build.context}", "correct `build.context`")
    elif build.inline is None and not (build.context / build.dockerfile).is_file():
        yield Notice(service.name, f"build: there is no file {build.context / build.dockerfile}", "correct `build.dockerfile`")


def _host_resources(service: Service, sockets: Sequence[str]) -> Iterable[Notice]:
    reached = "use_api_socket" in service.unhonoured or any(_reaches(mount, sockets) for mount in service.mounts)
    asked: list[tuple[Allowance, str, bool]] = [
        ("host-network", "uses the network of the host: runs would meet on its ports", service.network_mode == "host"),
        ("host-pid", "sees and signals the processes of the host", service.pid == "host"),
        ("host-ipc", "shares memory with the host", service.ipc == "host"),
        ("privileged", "is privileged: it may change the host", service.privileged),
        ("docker-socket", "may use the docker socket: what it starts carries no owner", reached),
    ]
    for allowance, message, wanted in asked:
        if wanted and allowance not in service.x.allow:
            yield Notice(service.name, message, f"remove it, or accept it: `x-seeder: {{allow: [{allowance}]}}`", refused=True)


def replaced(stack: Stack) -> Iterable[Notice]:
    """What a run has in another form than is written, so that runs do not meet and their logs can be read. Told by the plan, and by
    a run when it makes these things."""
    for service in stack.services.values():
        yield from _of_service(service)
    logging = [name for name, service in stack.services.items() if service.logging]
    if logging:
        yield Notice(stack.name, f"`logging` of {', '.join(logging)} is left out: what other log drivers get could not be read back")
    for key, network in stack.networks.items():
        yield from _network(key, network)
    for key, volume in stack.volumes.items():
        yield from _volume(key, volume)


def _of_service(service: Service) -> Iterable[Notice]:
    if service.replicas > 1:
        yield Notice(service.name, "runs once: replicas share the published port", "give each instance a service of its own")
    if service.addresses:
        message = f"its fixed addresses ({', '.join(service.addresses)}) are replaced by some of docker's choice, so that runs do not meet"
        yield Notice(service.name, message, "reach it by its name")


def _of_the_machine(key: str, network: Network) -> Iterable[Notice]:
    if network.external and (network.name or key) in ("host", "none"):
        yield Notice(key, f"the network {network.name or key} is the machine's own", "use a network of the stack", refused=True)


def _network(key: str, network: Network) -> Iterable[Notice]:
    if network.external:
        yield Notice(key, "is an external network; the run gets one of its own, which only its services are in")
    if network.subnets:
        yield Notice(key, "its fixed subnet is replaced by one of docker's choice, so that runs do not meet")


def _volume(key: str, volume: Volume) -> Iterable[Notice]:
    """One that is a folder of the host in disguise is told of as that."""
    if volume.memory or volume.device:
        return
    if volume.external:
        yield Notice(key, "is an external volume; the run gets an empty one of its own")
    elif volume.options or volume.driver not in (None, "local"):
        yield Notice(key, "has a volume driver of its own; the run gets an empty volume of the local one")


def _reaches(mount: Mount, sockets: Sequence[str]) -> bool:
    """Whether an engine's socket is what is mounted, or lies below it, by whatever links."""
    if mount.kind != "bind" or not mount.source:
        return False
    source = os.path.realpath(mount.source)
    return _is_socket(mount) or any(PurePath(os.path.realpath(socket)).is_relative_to(source) for socket in sockets)


def _is_socket(mount: Mount) -> bool:
    return mount.kind == "bind" and (mount.source or "").rpartition("/")[2] in SOCKETS


def _binds(service: Service, data: Sequence[str]) -> Iterable[Notice]:
    writable = [m for m in service.mounts if m.kind == "bind" and not m.read_only and not _is_socket(m)]
    for mount in writable:
        if over_data(mount.target, data):
            yield Notice(service.name, f"keeps its data in a volume of the run: {mount.source} is not touched")
    others = sorted(m.source or "" for m in writable if not over_data(m.target, data))
    if others:
        remedy = "mount it read-only (`:ro`), or give the run a copy with `--isolate-binds`"
        yield Notice(service.name, f"may write into {', '.join(others)}", remedy)


def _remote_binds(service: Service, data: Sequence[str], remote: str) -> Iterable[Notice]:
    seen = [m for m in service.mounts if m.kind == "bind" and not _is_socket(m) and (m.read_only or not over_data(m.target, data))]
    if seen:
        sources = ", ".join(sorted(m.source or "" for m in seen))
        remedy = "put the files into the image, or declare them as `configs`, which are copied"
        yield Notice(service.name, f"mounts {sources} of this machine, which the daemon on {remote} cannot see", remedy, refused=True)
