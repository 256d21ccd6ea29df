"""What can be told of a foreign compose file: its stores, how they are migrated, what runs without containers. Reads, writes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seeder.cli import _adopt_local
from seeder.cli._adopt_local import Local
from seeder.cli._adopt_once import MIGRATES, is_one_shot
from seeder.definition.service import Service
from seeder.definition.stack import Stack, Store
from seeder.definition.stores import not_yet
from seeder.errors import DefinitionError
from seeder.frozen import frozen
from seeder.passed.target import Address
from seeder.planning.soundness import migrates_sql
from seeder.registry import ENGINES

SKIPPED = {"node_modules", ".venv", "venv", ".git", ".seeder", "site-packages", "__pycache__", "dist", "build"}
DEEPEST = 3  # folders below a build context in which migrations are looked for
OTHER_TOOLS = re.compile(r"(?i)^(V\d+(_\d+)*__|R__)|\.(down|undo|rollback)\.sql$")  # Flyway and two-way files: name order is not theirs
SQL_FOLDERS = ("migrations", "db/migrations", "sql/migrations", "database/migrations", "migrations/sql")
NO_LOCAL = Local(("...",), ".")
_NOWHERE = Address("localhost", 1)  # what is asked of a target is not its place
STORE_URL = re.compile(r"[a-z][a-z\d]*(?:\+(?P<driver>\w+))?://(?:[^/@\s]*@)?(?P<host>[\w.-]+)(?::\d+)?(?:/(?P<name>[\w-]*))?(?:\?\S*)?")
DATABASE = re.compile(r"[a-z][\w+.-]*://(?:[^/@\s]*@)?(?P<host>[\w.-]+)(?::\d+)?/(?P<name>[\w-]+)", re.IGNORECASE)


@frozen
class Migration:
    """How a store seems to be migrated: `key: value` of `migrate`, as whom, and by what it was told."""

    key: str
    value: str
    owner: str | None
    found: str


@dataclass
class Finding:
    """What is said of one service; of a server, what is said of each of its databases (the empty name: its only one)."""

    service: str
    what: str
    databases: dict[str, Migration | None] = field(default_factory=dict)
    only: bool = False
    local: Local | None = None
    notes: list[str] = field(default_factory=list)


def findings(stack: Stack) -> list[Finding]:
    """One for each service, in the order of the file."""
    replaced: set[str] = set()
    servers = {name: _server(stack, name, replaced) for name in stack.servers}
    proposed: set[str] = set()
    return [servers.get(name) or _client(stack, service, replaced, servers, proposed) for name, service in stack.services.items()]


# -- stores -----------------------------------------------------------------------------------------------------------


def _server(stack: Stack, name: str, replaced: set[str]) -> Finding:
    """`replaced` gains the one-shots whose work seeder does itself."""
    first = stack.stores_of(name)[0]
    found = Finding(name, f"{first.engine}, told by the image {stack.services[name].image}")
    service = stack.services[name]
    if not migrates_sql(ENGINES.get(first.engine)) or service.x.migrate or service.x.databases:
        return found
    used = _databases(stack, name)
    several = used if len(used) > 1 or (used and used != [_own_database(first, service)]) else [""]
    for database in several:
        clients = _clients_of(stack, name, database)
        migration = _migration(stack, first, clients)
        found.databases[database] = migration
        replaced |= _replaced(stack, clients, migration)
        if migration is None:
            found.notes.append(
                f"no migrations were found for {database or 'it'}: `migrate: {{sql: FOLDER}}`, `{{alembic: FILE, as: SERVICE}}`"
            )
    return found


def _own_database(store: Store, service: Service) -> str | None:
    """The database that the image makes; None where a file that is not here would tell."""
    try:
        return ENGINES.get(store.engine).target(store, service, _NOWHERE).database
    except DefinitionError:
        return None


def _databases(stack: Stack, server: str) -> list[str]:
    """The databases that clients name in addresses of this server."""
    names = set(stack.services[server].names)
    values = [value for service in stack.services.values() for value in service.environment.values()]
    return sorted({found["name"] for value in values for found in DATABASE.finditer(value) if found["host"] in names})


def _clients_of(stack: Stack, server: str, database: str) -> list[Service]:
    """Those that link to the server (and name the database, where there are several), long-running ones first."""
    linked = [stack.services[name] for name in stack.services if any(k.client == name and k.server == server for k in stack.links)]
    using = [s for s in linked if not database or any(f["name"] == database for v in s.environment.values() for f in DATABASE.finditer(v))]
    return sorted(using, key=lambda service: is_one_shot(stack, service))


def _migration(stack: Stack, store: Store, clients: list[Service]) -> Migration | None:
    owners = [service for service in clients if not is_one_shot(stack, service)]
    for service in clients:
        if service.build and (ini := _find(service.build.context, "alembic.ini")):
            same = [one.name for one in owners if one.build and one.build.context == service.build.context]
            if same:
                return Migration("alembic", relative(ini, stack), same[0], f"alembic.ini in the build context of {service.name}")
    for one in clients:
        if is_one_shot(stack, one) and MIGRATES.search(_said(one)):
            return Migration("service", one.name, None, f"{one.name} looks like what migrates {store.service}")
    for folder in _sql_folders(stack, clients):
        return Migration("sql", relative(folder, stack), None, "a folder of .sql files")
    return None


def _replaced(stack: Stack, clients: list[Service], migration: Migration | None) -> set[str]:
    """One-shots that would migrate a second time."""
    if migration is None or migration.key == "service":
        return set()
    return {one.name for one in clients if is_one_shot(stack, one) and MIGRATES.search(_said(one))}


def _sql_folders(stack: Stack, clients: list[Service]) -> Iterator[Path]:
    contexts = [service.build.context for service in clients if service.build]
    for base in dict.fromkeys([*contexts, stack.project_dir]):
        for name in SQL_FOLDERS:
            files = sorted((base / name).glob("*.sql"))
            if files and not any(OTHER_TOOLS.search(file.name) for file in files):
                yield base / name


def _find(folder: Path, name: str) -> Path | None:
    """The file nearest to the folder."""
    for here, folders, files in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if f not in SKIPPED) if depth < DEEPEST else []
        if name in files:
            return Path(here) / name
    return None


# -- services ---------------------------------------------------------------------------------------------------------


def _client(stack: Stack, service: Service, replaced: set[str], servers: Mapping[str, Finding], proposed: set[str]) -> Finding:
    if service.name in replaced:
        return Finding(service.name, "seeder does its work: it migrates the store itself", only=True)
    if base := not_yet(service):
        return Finding(service.name, f"no engine knows {base} yet; it runs on docker as a plain service, and begins empty")
    once = is_one_shot(stack, service)
    found = Finding(service.name, "runs once, and ends" if once else "holds no store, and runs as your file says; what may be added:")
    if not once and (export := _export(stack, service, servers, proposed)):
        found.notes += ["variables for your tests, beside SEEDER_<SERVICE>_URL:", f"export: {{{export}}}"]
    if service.x.local is None:
        found.local = _adopt_local.local(service, stack.project_dir)
        if found.local is None:
            guess = _adopt_local.guess(service, stack.project_dir)
            known = "it must listen at {host} and {port}, see that this tells it so" if guess else "its command is not known here"
            found.notes += [f"to run it without containers; {known}:", _adopt_local.flow(guess or NO_LOCAL)]
    return found


def _export(stack: Stack, service: Service, servers: Mapping[str, Finding], proposed: set[str]) -> str:
    """The variables by which it finds its stores itself, else one for its own address; `proposed` gains them: each may stand once."""
    found: dict[str, str] = {}
    for variable, value in service.environment.items():
        url = STORE_URL.fullmatch(value)
        server = next((name for name in servers if url and url["host"] in stack.services[name].names), None)
        if url and server and variable not in proposed:
            database = url["name"] if url["name"] in servers[server].databases and url["name"] else ""
            store = f"{server}/{database}" if database else server
            found[variable] = f"{{{store}.url{':' + url['driver'] if url['driver'] else ''}}}"
    if not found and service.ports:
        found = {f"{re.sub(r'[^A-Z0-9]', '_', service.name.upper())}_URL": "{url}"}
    proposed.update(found)
    return ", ".join(f'{name}: "{value}"' for name, value in found.items())


def _said(service: Service) -> str:
    return " ".join([service.name, *(service.entrypoint or ()), *(service.command or ())])


def relative(path: Path, stack: Stack) -> str:
    """As it is written in a compose file: from its folder."""
    return Path(os.path.relpath(path, stack.project_dir)).as_posix()
