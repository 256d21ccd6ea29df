"""What stands under `x-seeder`: on a service and on the whole stack."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seeder.definition.fields import Duration


class Strict(BaseModel):
    """Frozen, and strict about keys: an unknown one is an error, not a wish."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


WAYS = ("alembic", "sql", "command", "service")


class Migrate(Strict):
    """How a store is migrated: exactly one of `alembic`, `sql`, `command`, `service`. A `preset` names the tool that a command or
    service runs, so that its revisions are known one by one."""

    alembic: Annotated[str | None, Field(description="path of alembic.ini, relative to the compose file's folder")] = None
    sql: Annotated[str | None, Field(description="a folder of .sql files, applied in name order")] = None
    command: Annotated[list[str] | None, Field(min_length=1, description="a program that migrates the store")] = None
    service: Annotated[str | None, Field(description="a one-shot service of the stack that migrates the store")] = None
    preset: Annotated[
        str | None, Field(description="the tool that the command or service runs: flyway, liquibase, knex, golang-migrate, django")
    ] = None
    as_: Annotated[str | None, Field(alias="as", description="run as this service would: its image and environment")] = None
    python: Annotated[str | None, Field(description="the interpreter that runs alembic instead of the service's image")] = None
    inputs: Annotated[list[str], Field(description="globs of files that decide the result (command, service)")] = []
    environment: Annotated[dict[str, str], Field(description="extra variables for the migrator")] = {}
    within: Annotated[Duration, Field(description="time limit, e.g. 20m", json_schema_extra={"default": "10m"})] = 600.0

    @property
    def tool(self) -> str:
        """The migrator's name."""
        return self.preset or self.way

    @property
    def way(self) -> str:
        """The one key that says how it is run."""
        return next(name for name in WAYS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _exactly_one(self) -> Migrate:
        given = [name for name in WAYS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of alembic, sql, command, service; found {', '.join(given) or 'none'}")
        if self.sql is not None and "within" in self.model_fields_set:
            raise ValueError("`within` limits programs, and files of sql have no such limit")
        if self.preset is not None and given[0] not in ("command", "service"):
            raise ValueError(f"`preset` says what a command or service runs, and {given[0]} is a tool of its own")
        return self


class Database(Strict):
    """One database of a server that holds several."""

    migrate: Migrate | None = None
    volatile: list[str] = []
    settled: str | None = None


class Local(Strict):
    """How the service runs as a process. `{python} {host} {port} {port:8000}` are filled in; a port is never literal."""

    command: Annotated[list[str], Field(min_length=1)]
    cwd: Annotated[str, Field(description="relative to the compose file's folder")] = "."
    environment: dict[str, str] = {}


class Bearer(Strict):
    token: str


class Basic(Strict):
    username: str
    password: str


class ApiKey(Strict):
    header: str = "X-API-Key"
    value: str


class Auth(Strict):
    """How seeder's clients of the service prove who they are: exactly one scheme."""

    bearer: Bearer | None = None
    basic: Basic | None = None
    api_key: ApiKey | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Auth:
        if sum(scheme is not None for scheme in (self.bearer, self.basic, self.api_key)) != 1:
            raise ValueError("needs exactly one of bearer, basic, api_key")
        return self


class Ready(Strict):
    """When the service is ready, instead of its healthcheck: an HTTP path that answers below 400, or an open TCP port."""

    http: Annotated[str | None, Field(description="a path, e.g. /healthz")] = None
    tcp: Annotated[int | None, Field(description="a container port that accepts connections")] = None
    port: Annotated[int | None, Field(description="the container port of `http`, when the service has several")] = None
    within: Annotated[Duration, Field(description="time limit, e.g. 60s", json_schema_extra={"default": "60s"})] = 60.0

    @model_validator(mode="after")
    def _exactly_one(self) -> Ready:
        if (self.http is None) == (self.tcp is None):
            raise ValueError("needs exactly one of http, tcp")
        return self


class CacheRules(Strict):
    """How a service is asked past what it, or somebody before it, keeps in caches."""

    disable: Annotated[dict[str, str], Field(description="variables that switch its cache off, where a scenario says so")] = {}
    headers: Annotated[dict[str, str], Field(description="of requests that ask past caches")] = {"Cache-Control": "no-cache"}


class Reset(Strict):
    """What the service needs when its stores are taken back to the state in which the environment was handed over."""

    http: Annotated[str | None, Field(description="a request that makes it forget, e.g. POST /_test/reset", pattern=r"^[A-Z]+ /")] = None
    restart: Annotated[bool, Field(description="it keeps state in memory, and starts anew")] = False
    reconnects: Annotated[bool, Field(description="it connects again by itself; on a store: all of its clients do")] = False


Allowance = Literal["host-network", "host-pid", "host-ipc", "docker-socket", "privileged"]


def _as_reset(given: object) -> object:
    return {"restart": True} if given == "restart" else given


class ServiceExtension(Strict):
    """`x-seeder` on a service."""

    store: Annotated[str | None, Field(description="the engine, when the image's name does not tell")] = None
    databases: Annotated[dict[str, Database], Field(description="several stores in one server")] = {}
    migrate: Migrate | None = None
    volatile: Annotated[list[str], Field(description="`table.column`s left out of digests")] = []
    settled: Annotated[str | None, Field(description="a query that is true when nothing waits to be published")] = None
    only: Annotated[Literal["compose"] | None, Field(description="plain compose needs it and seeder replaces it")] = None
    local: Local | None = None
    auth: Auth | None = None
    ready: Ready | None = None
    export: Annotated[dict[str, str], Field(description="extra variables for the wrapped command")] = {}
    cache: CacheRules = CacheRules.model_construct()
    inputs: Annotated[list[str], Field(description="files that decide what a one-shot does")] = []
    reset: Annotated[Reset | None, BeforeValidator(_as_reset), Field(description="restart, or a mapping")] = None
    allow: Annotated[list[Allowance], Field(description="host resources that this service may use")] = []


class CountRange(Strict):
    """How many rows a table holds: `exactly`, or `min` and `max`."""

    exactly: int | None = None
    min: int | None = None
    max: int | None = None


class Gates(Strict):
    """Checks on the data, on a stack, a dataset or a scenario. Tables are `store.table`."""

    counts: Annotated[dict[str, int | CountRange], Field(description="rows per table: a number or {min, max}")] = {}
    nulls: Annotated[dict[str, list[str]], Field(description="columns per table that hold no null")] = {}


class Settle(Strict):
    """When loading through services counts as done: outboxes are empty and consumers have caught up."""

    within: Annotated[Duration, Field(description="time limit, e.g. 60s", json_schema_extra={"default": "60s"})] = 60.0


class StackExtension(Strict):
    """`x-seeder` at the top level of a compose file."""

    references: Annotated[list[str], Field(description="store.table.column -> store.table.column")] = []
    # A default is right, and to check it would cost every command the building of its model.
    gates: Gates = Gates.model_construct()
    settle: Settle = Settle.model_construct()
