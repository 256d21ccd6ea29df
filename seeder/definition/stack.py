"""A stack as it was written: services, stores, links. Frozen values without behaviour beyond simple questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from seeder.definition.claim import Claim
from seeder.definition.extension import Migrate, StackExtension
from seeder.definition.marked import mark_of
from seeder.definition.service import Network, Service, Volume
from seeder.errors import Mark, Problem
from seeder.frozen import frozen

ATTACHED: Final = "attached"  # the runtime that starts nothing: what runs on it shares a system with others


@frozen
class Store:
    """State that is kept: a whole server, or one database of a server that holds several (`pg/orders`)."""

    name: str
    service: str  # the compose service that is its server
    engine: str
    database: str | None = None
    migrate: Migrate | None = None
    volatile: tuple[str, ...] = ()  # `table.column`, left out of digests
    settled: str | None = None  # a query that answers true when nothing waits to be published
    http: bool = False  # it answers HTTP, as services do


@frozen
class Link:
    """A client -> server edge, found from an address in the client's environment, command or configs."""

    client: str
    server: str
    port: int
    found_in: str  # e.g. "environment CATALOG_URL"


@dataclass(frozen=True, order=True)
class Column:
    """`store.table.column`; the table may carry a schema (`store.schema.table.column`)."""

    store: str
    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.store}.{self.table}.{self.column}"


@dataclass(frozen=True, order=True)
class Reference:
    """A declared cross-store key: every value of `source` that is not null exists in `target`."""

    source: Column
    target: Column

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@frozen
class Trace:
    """Where what a capability makes shows the mark of its run: a field of its answer, a column of the row."""

    output: str | None = None
    column: Column | None = None


RANGE: Final = 1 << 12  # numbers that one run takes for the rows of datasets in one column of a shared system


@frozen
class Shared:
    """A system that exists already and that others use, too. `urls` are the base addresses of services, `stores` those of stores with
    their credentials; `headers`, `claims`: service -> that by which it knows the tenant. `traces`: capability -> where its things show
    whose they are. `ranges`: column -> first and last number that rows of datasets may get there.
    `messages`: steps may publish some."""

    name: str
    isolation: Literal["prefix", "tenant"]
    urls: Mapping[str, str]
    stores: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    traces: Mapping[str, Trace] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    messages: bool = False


@frozen
class Stack:
    """One or more compose files, read and resolved, plus what `x-seeder` adds to them."""

    name: str
    version: str
    project_dir: Path  # compose's project directory: relative paths in the files count from here
    files: tuple[Path, ...]
    services: Mapping[str, Service]
    stores: Mapping[str, Store]
    links: tuple[Link, ...] = ()
    references: tuple[Reference, ...] = ()
    absent: Mapping[str, str] = field(
        default_factory=dict
    )  # service -> why it is not part of this run (profile, --services, only: compose)
    unasked: Mapping[str, Store] = field(default_factory=dict)  # stores that would be part of this run, had it been asked for all
    x: StackExtension = field(default_factory=StackExtension)
    networks: Mapping[str, Network] = field(default_factory=dict)  # those that its services use
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    hints: tuple[Problem, ...] = ()  # what was seen in the files that works and should be looked at
    env_files: tuple[Path, ...] = ()  # files read beside the compose files (.env, env_file, extends, include)
    shared: Shared | None = None  # the system that stands for it; without one it is started
    written: Any = field(default=None, repr=False, compare=False)  # x-seeder as it stands at the top of the files, with its places

    def place(self, *path: str | int) -> Mark | None:
        """Where this key of its x-seeder was written."""
        return mark_of(self.written, path) or (Mark(self.files[0], 1) if self.files else None)

    def stores_of(self, service: str) -> tuple[Store, ...]:
        """The stores that the compose service holds, in the order of their names."""
        return tuple(store for _, store in sorted(self.stores.items()) if store.service == service)

    def speechless(self, service: str) -> str:
        """Why nobody can send HTTP to the service; empty where it may answer, as far as files tell."""
        held = [store.engine for store in self.stores_of(service) if not store.http]
        return f"{service} is a store ({held[0]}), and answers no HTTP" if held else ""

    @property
    def one_shots(self) -> frozenset[str]:
        """Services that do their work and end, as far as it is written: others wait for their completion, or they migrate a store."""
        awaited = {d.service for service in self.services.values() for d in service.depends_on if d.condition == "completed"}
        migrating = {store.migrate.service for store in self.stores.values() if store.migrate and store.migrate.service}
        return frozenset({*awaited, *migrating})

    def may_complete(self, service: str) -> bool:
        """Whether it may have done its work when it has ended well: it is a one-shot, or serves nobody, as far as it is written."""
        if service in self.one_shots:
            return True
        own = self.services[service]
        awaited = any(d.service == service and d.condition == "healthy" for other in self.services.values() for d in other.depends_on)
        serves = own.ports or own.expose or own.x.ready or any(link.server == service for link in self.links) or self.stores_of(service)
        return not (awaited or serves)

    @property
    def servers(self) -> tuple[str, ...]:
        """The compose services that are stores."""
        return tuple(sorted({store.service for store in self.stores.values()}))

    @property
    def answering(self) -> list[str]:
        """The compose services that may answer HTTP, as far as files tell."""
        return sorted(name for name in self.services if not self.speechless(name))

    @property
    def clients(self) -> tuple[str, ...]:
        """The compose services that are not stores, one-shots included."""
        held = set(self.servers)
        return tuple(name for name in self.services if name not in held)
