"""A service as it was written, with its ports, mounts, networks and volumes. Frozen values without behaviour beyond simple questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from seeder.definition.extension import ServiceExtension
from seeder.definition.marked import mark_of
from seeder.errors import Mark
from seeder.frozen import frozen

Condition = Literal["started", "healthy", "completed"]  # of depends_on
ASIDE = frozenset({4369, 5671, 15691, 15692, 25672})  # what brokers listen on beside their clients' port: epmd, TLS, metrics, other nodes


@frozen
class Port:
    """A port of a service; `target` is the one inside, `published` what the compose file asks for (a number, a range or nothing)."""

    target: int
    published: str | None = None
    protocol: str = "tcp"
    host_ip: str | None = None


@frozen
class Mount:
    """Something mounted into a service. `source` is an absolute host path for binds, a volume key for volumes, None otherwise.

    Configs and secrets are mounts too; their `content` is given when the file holds it inline, and `rights` are those of uid, gid and
    mode that are asked for.
    """

    kind: Literal["bind", "volume", "tmpfs", "config", "secret"]
    target: str
    source: str | None = None
    read_only: bool = False
    content: str | None = None
    rights: tuple[str, ...] = ()


@frozen
class Healthcheck:
    """As compose resolves it; times in seconds. `test` begins with CMD or CMD-SHELL. `disabled` also switches the image's own off."""

    test: tuple[str, ...] = ()
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    retries: int = 3
    disabled: bool = False


@frozen
class Dependency:
    """`condition`: the other service has started, is healthy, or has completed with exit code 0."""

    service: str
    condition: Condition = "started"
    required: bool = True


@frozen
class Build:
    """`context` is absolute; `dockerfile` is relative to it; `inline` holds dockerfile_inline.

    `remote` is the address of a context that the builder fetches (git, http); `context` is then the project's folder.
    """

    context: Path
    dockerfile: str = "Dockerfile"
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    inline: str | None = None
    remote: str | None = None


@frozen
class Service:
    """One compose service with what `x-seeder` adds to it."""

    name: str
    mark: Mark
    image: str | None = None
    build: Build | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    expose: tuple[int, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    healthcheck: Healthcheck | None = None
    mounts: tuple[Mount, ...] = ()
    profiles: tuple[str, ...] = ()
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # network key -> aliases on it
    hostname: str | None = None
    container_name: str | None = None
    working_dir: str | None = None
    user: str | None = None
    network_mode: str | None = None
    pid: str | None = None
    ipc: str | None = None
    privileged: bool = False
    addresses: tuple[str, ...] = ()  # fixed ones that it asks for on its networks
    hosts: tuple[str, ...] = ()  # host names that it alone knows (links, external_links, extra_hosts)
    restart: str | None = None
    replicas: int = 1
    logging: bool = False  # asks for a log driver, or options of it
    unhonoured: tuple[str, ...] = ()  # compose keys that only a container runtime can give meaning to (cap_add, sysctls, ...)
    x: ServiceExtension = field(default_factory=ServiceExtension)
    written: Any = field(default=None, repr=False, compare=False)  # x-seeder as it stands in the files, with its places

    def place(self, *path: str | int) -> Mark:
        """Where this key of its x-seeder was written, which may be in another file than the service; the service's place without it."""
        return mark_of(self.written, path) or self.mark

    @property
    def names(self) -> tuple[str, ...]:
        """Every host name under which other services may reach this one."""
        aliases = [alias for names in self.networks.values() for alias in names]
        extra = [name for name in (self.hostname, self.container_name) if name]
        return tuple(dict.fromkeys([self.name, *extra, *aliases]))

    @property
    def home(self) -> Path | None:
        """The folder of this machine that it works in, as far as can be told: what is mounted at its working_dir or above, else what it
        is built from."""
        inside = PurePosixPath(self.working_dir or "/")
        for mount in sorted(self.mounts, key=lambda mount: len(mount.target), reverse=True):
            if mount.kind == "bind" and mount.source and inside.is_relative_to(mount.target):
                return Path(mount.source) / inside.relative_to(mount.target)
        return self.build.context if self.build else None

    def first_port(self, known: Collection[int]) -> int | None:
        """Of the known ports the one that is meant when none is said: the first that the compose file writes, else the lowest
        that is for clients."""
        written = [*(port.target for port in self.ports), *self.expose]
        return next((port for port in written if port in known), min(for_clients(known), default=None))


def for_clients(ports: Collection[int]) -> Collection[int]:
    """The ports without those that a server has beside, unless it has no others."""
    return [port for port in ports if port not in ASIDE] or ports


@frozen
class Network:
    """A network of the stack. An `external` one is somebody else's; `name` is what it is called there; `subnets` are fixed ones."""

    name: str | None = None
    external: bool = False
    subnets: tuple[str, ...] = ()


@frozen
class Volume:
    """A volume of the stack. An `external` one is somebody else's; `options` are those of its driver."""

    external: bool = False
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def device(self) -> str | None:
        """The host folder of one that is a bind mount in disguise."""
        return self.options.get("device") if "bind" in self.options.get("o", "").split(",") else None

    @property
    def memory(self) -> bool:
        """It is a tmpfs in disguise."""
        return self.options.get("type") == "tmpfs"
