"""Names to implementations: explicit, lazy, open to other packages through entry points, helpful on a miss."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from seeder.definition.offered import offered
from seeder.definition.stack import Stack, Store
from seeder.definition.stores import Traits
from seeder.errors import DefinitionError, nearest
from seeder.protocols import Caller, Engine, Fills, Gate, Generator, Halts, LayerStore, Loader, Migrator, Remote, Remotes, Runtime

T = TypeVar("T")


class Registry(Generic[T]):
    """One room's choices. Values are `module:factory`, called without arguments the first time a name is asked for."""

    def __init__(self, what: str, known: Mapping[str, str]) -> None:
        self.what = what
        self._own = frozenset(known)
        self._known = dict(known)
        self._made: dict[str, T] = {}
        self._looked_outside = False

    def names(self) -> list[str]:
        self._look_outside()
        return sorted(self._known)

    def get(self, name: str) -> T:
        """The implementation. Raises DefinitionError naming the known ones, or the extra to install."""
        if name not in self._made:
            if name not in self._known:
                self._look_outside()
            if name not in self._known:
                raise DefinitionError(name, f"there is no such {self.what}", nearest(name, sorted(self._known)))
            self._made[name] = self._load(name)()
        return self._made[name]

    def _load(self, name: str) -> Callable[[], T]:
        module, _, attribute = self._known[name].partition(":")
        try:
            factory: Any = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name and error.name.split(".")[0] == "seeder":
                raise
            own = f"pip install 'seeder-env[{name}]'"
            remedy = own if name in self._own else f"install it, or uninstall the package that offers {self.what} {name}"
            raise DefinitionError(name, f"{self.what} {name} needs the package {error.name}", remedy) from error
        made: Callable[[], T] = factory
        return made

    def _look_outside(self) -> None:
        if self._looked_outside:
            return
        self._looked_outside = True
        for entry in offered(f"seeder.{self.what}s"):
            if entry.name in self._known:
                raise DefinitionError(entry.name, f"two packages offer this {self.what}: seeder and {entry.value}", "uninstall one")
            self._known[entry.name] = entry.value


RUNTIMES: Registry[Runtime] = Registry("runtime", {
    "docker": "seeder.runtimes.docker:Docker",
    "local": "seeder.runtimes.local:Local",
    "attached": "seeder.runtimes.attached:Attached",
})  # fmt: skip

ENGINES: Registry[Engine] = Registry("engine", {
    "postgres": "seeder.engines.postgres:Postgres",
    "redis": "seeder.engines.redis:Redis",
    "nats": "seeder.engines.nats:Nats",
    "stub": "seeder.engines.stub:Stub",
})  # fmt: skip

MIGRATORS: Registry[Migrator] = Registry("migrator", {
    "alembic": "seeder.migrators.alembic:Alembic",
    "sql": "seeder.migrators.sql:Sql",
    "command": "seeder.migrators.command:Command",
    "service": "seeder.migrators.service:OneShot",
    "flyway": "seeder.migrators.presets.flyway:Flyway",
    "liquibase": "seeder.migrators.presets.liquibase:Liquibase",
    "knex": "seeder.migrators.presets.knex:Knex",
    "golang-migrate": "seeder.migrators.presets.golang_migrate:GolangMigrate",
    "django": "seeder.migrators.presets.django:Django",
})  # fmt: skip

LOADERS: Registry[Loader] = Registry("loader", {
    "table": "seeder.loaders.table:TableLoader",
    "sql": "seeder.loaders.sql:SqlLoader",
    "keys": "seeder.loaders.keys:KeysLoader",
    "messages": "seeder.loaders.messages:MessagesLoader",
    "mappings": "seeder.loaders.mappings:MappingsLoader",
})  # fmt: skip

CALLERS: Registry[Caller] = Registry("caller", {
    "http": "seeder.loaders.http:HttpCaller",
})  # fmt: skip

LAYERS: Registry[LayerStore] = Registry("layer store", {
    "directory": "seeder.layers.directory:Directory",
    "image": "seeder.layers.image:Images",
})  # fmt: skip

REMOTES: Registry[Remotes] = Registry("remote", {
    "oci": "seeder.layers.oci:Registries",
    "file": "seeder.layers.remote:Places",
})  # fmt: skip

GATES: Registry[Gate] = Registry("gate", {
    "ready": "seeder.gates.ready:Ready",
    "drift": "seeder.gates.drift:Drift",
    "counts": "seeder.gates.counts:Counts",
    "nulls": "seeder.gates.nulls:Nulls",
    "references": "seeder.gates.references:References",
    "expect": "seeder.gates.expect:Expect",
    "marks": "seeder.gates.marks:Marks",
    "heads": "seeder.gates.heads:Heads",
})  # fmt: skip


def remote(url: str) -> Remote:
    """What the address leads to: a registry, or whatever else fsspec reaches. Raises EnvironmentFailed."""
    scheme = url.partition("://")[0]
    return REMOTES.get(scheme if "://" in url and scheme in REMOTES.names() else "file").open(url)


def can_halt(tool: str) -> bool:
    """Whether the migration tool can be told the revision to go to."""
    migrator = MIGRATORS.get(tool)
    return isinstance(migrator, Halts) and migrator.halts


def volatile(store: Store) -> list[str]:
    """What digests leave out of it: what the stack declares, and what the tool that migrates it fills by the clock."""
    migrator = MIGRATORS.get(store.migrate.tool) if store.migrate else None
    return list(dict.fromkeys([*store.volatile, *(migrator.filled if isinstance(migrator, Fills) else ())]))


def generators(stack: Stack) -> Mapping[str, Generator]:
    """What can be asked for in scenarios of the stack, by the capability's name. Raises DefinitionError with all that cannot be read."""
    return importlib.import_module("seeder.generators.found").of(stack)  # type: ignore[no-any-return]


def serve_proxies(port: int, *, seed: int | None, proxies: Any, tell: Callable[[str], None]) -> None:
    """Toxiproxy's API and toxics on 127.0.0.1, until SIGINT or SIGTERM. Raises OSError when the port is not free, ValueError when one of
    the proxies cannot be made."""
    importlib.import_module("seeder.faults.proxyserver.server").run(port, seed=seed, proxies=proxies, tell=tell)


def traits() -> dict[str, Traits]:
    """What tells the stores of each engine, by its name."""
    return {name: ENGINES.get(name).traits for name in ENGINES.names()}
