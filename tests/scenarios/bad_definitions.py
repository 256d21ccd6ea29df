"""Mistakes in the small project's manifest, compose file and scenario, each with the place and the words that a user is told."""

from __future__ import annotations

from typing import NamedTuple

M, C, S = "manifest.yaml", "compose.yaml", "testdata/scenarios/ready.yaml"


class Bad(NamedTuple):
    """`old` in `file` becomes `new` (the whole file, without `old`); the problem stands in the first line that holds `at`, in the file
    `where` (the changed one by default), and names `says` and `mends`."""

    file: str
    old: str
    new: str
    at: str
    says: str
    mends: str = ""
    where: str = ""
    runs: bool = False  # what the command line asks for stands in its place


WEB = "  web:\n"
STACK = '  small: {compose: [compose.yaml], version: "1.0.0"}'
NOTES = "{name: notes, kind: golden"
DB = "db:\n    image: postgres:17"
LOCAL = "local: {command"

MANIFEST = {
    "empty": Bad(M, "", "", "", "the file is empty; a mapping is needed"),
    "a list": Bad(M, "", "- seeder\n", "- seeder", "mapping", ""),
    "binary": Bad(M, "project: small", "project: sm\x00ll", "project", "", ""),
    "not closed": Bad(M, "{sources: [reference, config, golden]", "{sources: [reference, config, golden", "", "YAML", ""),
    "tab": Bad(M, "  small: {", "\tsmall: {", "\tsmall", "YAML", "spaces"),
    "version of the format": Bad(M, 'seeder: "1"', 'seeder: "9"', "seeder:", "not among '1'"),
    "unquoted version of the format": Bad(M, 'seeder: "1"', "seeder: 1", "seeder:", "'1'"),
    "no project": Bad(M, "project: small\n", "", "seeder:", "needed and missing", "add it"),
    "project with blanks": Bad(M, "project: small", "project: a b", "project:", "is not a name", "small letters"),
    "unknown key": Bad(M, "datasets:", "dataset:", "dataset:", "no such key", "did you mean 'datasets'?"),
    "repeated key": Bad(M, "project: small", "project: small\nproject: two", "project: two", "repeated", "keep one"),
    "repeated key inside": Bad(M, "policy: ci,", "policy: ci, policy: ci,", "defaults:", "repeated", "keep one"),
    "no stacks": Bad(M, STACK, "  {}", "stacks:", "at least 1"),
    "stack of nothing": Bad(M, STACK, "  small:", "small:", ""),
    "compose absent": Bad(M, "[compose.yaml]", "[compse.yaml]", "small: {compose", "no file compse.yaml"),
    "compose a folder": Bad(M, "[compose.yaml]", "[web]", "small: {compose", "web"),
    "stack version": Bad(
        M, 'compose.yaml], version: "1.0.0"', "compose.yaml], version: latest", "small: {compose", "is not a version", "2.3.0"
    ),
    "stack version unquoted": Bad(
        M, 'compose.yaml], version: "1.0.0"', "compose.yaml], version: 1.0", "small: {compose", "unquoted", "quotes"
    ),
    "default stack": Bad(M, "{stack: small", "{stack: smal", "defaults:", "no stack smal", "did you mean 'small'?"),
    "default policy": Bad(M, "policy: ci", "policy: cii", "defaults:", "no policy cii", "ci"),
    "default runtime": Bad(M, "policy: ci", "runtime: dokcer, policy: ci", "", "no runtime dokcer", "'docker'", runs=True),
    "seed": Bad(M, "seed: 7", "seed: seven", "defaults:", "valid integer"),
    "seed too long": Bad(M, "seed: 7", f"seed: {'9' * 5000}", "defaults:", "integer"),
    "as_of": Bad(M, "2026-01-15T12:00:00Z", "2026-13-45", "defaults:", "is not a moment", "2026-01-15T12:00:00Z"),
    "as_of without a zone": Bad(M, "12:00:00Z", "12:00:00", "defaults:", "no time zone", "2026-01-15T12:00:00Z"),
    "dataset kind": Bad(M, "kind: golden", "kind: gold", "name: notes", "'gold' is not among", "golden"),
    "dataset twice": Bad(
        M,
        "policies:",
        '  - {name: kinds, kind: reference, version: "1.0.0", path: testdata/reference/kinds}\npolicies:',
        "",
        "already",
        "version",
    ),
    "dataset folder": Bad(M, "path: testdata/golden/notes", "path: testdata/golden/nots", "name: notes", "no folder testdata/golden/nots"),
    "dataset outside": Bad(M, "path: testdata/golden/notes", "path: /etc/nothing", "name: notes", "no folder"),
    "dataset version": Bad(M, 'golden, version: "1.0.0"', "golden, version: [1]", "name: notes", "version"),
    "range": Bad(M, '">=1,<2"', '">=one"', "name: notes", "is not a version"),
    "stack too old": Bad(M, '">=1,<2"', '">=2"', "name: notes", "stack small is 1.0.0"),
    "revision": Bad(M, '"0002.."', '"0009.."', "name: notes", "no single revision 0009", "0002"),
    "required store": Bad(M, 'db: "0002.."', 'dbb: "0002.."', "name: notes", "no store dbb", "'db'"),
    "loaded at no revision": Bad(M, NOTES, NOTES + ", loads_at: {db: '0009'}", "name: notes", "no single revision 0009", "0002"),
    "loaded at a range": Bad(M, NOTES, NOTES + ", loads_at: {db: '0001..'}", "name: notes", "no single revision 0001..", "0001"),
    "loaded into no store": Bad(M, NOTES, NOTES + ", loads_at: {dbb: '0001'}", "name: notes", "no store dbb", "'db'"),
    "loaded at, without files": Bad(
        M,
        "{name: kinds,",
        "{name: kinds, loads_at: {cache: '1'},",
        "name: kinds",
        "store cache of stack small has no migrations",
        "`migrate`",
    ),
    "policy source": Bad(M, "[reference, config, golden]", "[reference, conf]", "ci: {sources", "'conf' is not among", "config"),
    "policy forbids": Bad(
        M, "[reference, config, golden]", "[reference]", "name: notes", "is golden data; policy ci allows reference", "another"
    ),
    "policy rows": Bad(M, "rows: 1000", "rows: -5", "ci: {sources", "rows"),
    "too many rows": Bad(M, "rows: 1000", "rows: 1", "", "rows"),
    "policy age": Bad(M, "privacy: no-pii", "privacy: no-pii, max_age: old", "ci: {sources", "not a duration", "7d"),
    "privacy": Bad(M, "privacy: no-pii", "privacy: none", "ci: {sources", "not among", "no-pii"),
}

COMPOSE = {
    "empty": Bad(C, "", "", "", "the file is empty", "services:"),
    "a list": Bad(C, "", "- services\n", "- services", "not a mapping"),
    "not YAML": Bad(C, "services:\n", "services: [\n", "", "YAML"),
    "no services": Bad(C, "services:\n", "service:\n", "service:", "no such key", "'services'"),
    "unknown key": Bad(C, "image: redis:8", "imag: redis:8", "imag:", "no such key", "'image'"),
    "no image": Bad(C, "    image: redis:8\n", "    labels: {a: b}\n", "  cache:", "neither an image nor a build", "add image:"),
    "service of nothing": Bad(C, "    image: redis:8\n", "", "  cache:", "a mapping is needed here"),
    "service name": Bad(C, "  cache:\n", "  ca che:\n", "  ca che:", "letters, digits"),
    "image no text": Bad(C, "image: redis:8", "image: {name: redis}", "image: {name", ""),
    "depends_on nobody": Bad(C, "depends_on: [db, cache]", "depends_on: [db, cach]", "depends_on:", "no service 'cach'", "'cache'"),
    "depends_on itself": Bad(C, "depends_on: [db, cache]", "depends_on: [web]", WEB, "web -> web", "break the circle"),
    "condition": Bad(C, "[db, cache]", "{db: {condition: healthy}}", "depends_on:", "'healthy' is no condition", "service_healthy"),
    "port": Bad(C, '"18080:8000"', '"18080:http"', "ports:", "port"),
    "port too high": Bad(C, '"18080:8000"', '"18080:80000"', "ports:", "80000"),
    "volume unknown": Bad(C, "db-data:/var", "dbdata:/var", "dbdata:/var", "volumes has no 'dbdata'", "'db-data'"),
    "variable without value": Bad(C, "image: redis:8", 'image: "redis:${TAG:?say which}"', "redis:$", "say which"),
    "variable not closed": Bad(C, "image: redis:8", 'image: "redis:${TAG"', "redis:$", "${TAG"),
    "env_file absent": Bad(C, "image: redis:8", "image: redis:8\n    env_file: cache.env", "env_file:", "no file cache.env", "create"),
    "extends nobody": Bad(C, "image: redis:8", "extends: {service: base}", "extends:", "no service base"),
    "include absent": Bad(C, "services:\n", "include: [other.yaml]\nservices:\n", "include:", "no file", "create it"),
    "healthcheck": Bad(
        C, "image: redis:8", "image: redis:8\n    healthcheck: {test: [redis-cli, ping]}", "healthcheck:", "begins with", "CMD"
    ),
    "interval": Bad(C, "image: redis:8", "image: redis:8\n    healthcheck: {test: a, interval: often}", "healthcheck:", "often"),
    "null character": Bad(C, "redis://cache:6379/0", '"a\\0b"', "CACHE_URL", "a null character is not text", "remove it"),
    "variable name": Bad(C, "CACHE_URL:", '"CACHE=URL":', '"CACHE=URL"', "'CACHE=URL' is no name of a variable", "NAME: VALUE"),
    "variable without a name": Bad(C, "CACHE_URL:", '"":', '"": redis', "'' is no name of a variable", "NAME: VALUE"),
    "alias": Bad(C, "image: redis:8", "image: *redis", "image: *redis", "redis"),
    "merge of text": Bad(C, "image: redis:8", "<<: text\n    image: redis:8", "<<:", ""),
    "engine": Bad(C, "image: redis:8", "image: redis:8\n    x-seeder: {store: rediss}", "store: rediss", "rediss", "'redis'"),
    "extension key": Bad(C, "migrate: {sql: migrations}", "migrat: {sql: migrations}", "migrat:", "no such key", "'migrate'"),
    "two migrators": Bad(C, "{sql: migrations}", "{sql: migrations, service: web}", "migrate:", "exactly one of alembic, sql"),
    "migrations absent": Bad(C, "{sql: migrations}", "{sql: migration}", "migrate:", "no folder", "compose file's folder"),
    "alembic absent": Bad(C, "{sql: migrations}", "{alembic: alembic.ini}", "migrate:", "no file", "compose file's folder"),
    "cache migrated": Bad(
        C,
        "image: redis:8",
        "image: redis:8\n    x-seeder: {migrate: {sql: migrations}}",
        "    x-seeder: {migrate: {sql: migrations}}",
        "cannot be migrated by sql",
        "remove",
    ),
    "export placeholder": Bad(C, '"{db.url}"', '"{db.uri}"', "{db.uri}", "not known", "url"),
    "export of nobody": Bad(C, '"{db.url}"', '"{dbb.url}"', "", "no store or service dbb", "'db'"),
    "local placeholder": Bad(C, '"{port}"]}', '"{prt}"]}', "", "not known", "{port"),
    "local port": Bad(C, '"{port}"]}', '"{port:81}"]}', "", "no port 81", "8000"),
    "local of nothing": Bad(
        C, 'local: {command: ["{python}", "web/web.py", "{host}", "{port}"]}', "local: {command: []}", "local:", "at least 1 item"
    ),
    "migrated by nothing": Bad(C, "{sql: migrations}", "{command: []}", "migrate:", "at least 1 item"),
    "preset": Bad(C, "{sql: migrations}", "{command: [a], preset: flywya}", "migrate:", "there is no preset flywya", "'flyway'"),
    "preset of sql": Bad(C, "{sql: migrations}", "{sql: migrations, preset: flyway}", "migrate:", "sql is a tool of its own"),
    "preset without inputs": Bad(
        C, "{sql: migrations}", "{command: [a], preset: flyway}", "migrate:", "needs `inputs`", "inputs: [FOLDER]"
    ),
    "preset of other files": Bad(
        C,
        "{sql: migrations}",
        "{command: [a], preset: django, inputs: [migrations]}",
        "migrate:",
        "a revision of django",
        "correct `inputs`",
    ),
    "preset of a cache": Bad(
        C,
        "image: redis:8",
        "image: redis:8\n    x-seeder: {migrate: {command: [a], preset: knex}}",
        "    x-seeder: {migrate: {command",
        "redis cannot be migrated by knex",
        "remove",
    ),
    "ready of two kinds": Bad(C, "{http: /health}", "{http: /health, tcp: 8000}", "ready:", "exactly one of http, tcp"),
    "ready for how long": Bad(C, "{http: /health}", "{http: /health, within: long}", "ready:", "duration"),
    "faults": Bad(C, "ready: {http: /health}", "faults: {}", "faults:", "not supported yet", "remove"),
    "auth of two kinds": Bad(
        C, "ready: {http: /health}", "auth: {bearer: {token: a}, basic: {username: a, password: b}}", "auth:", "exactly one of"
    ),
    "volatile": Bad(C, "migrate: {sql: migrations}", "volatile: [notes]", "volatile:", "names no column", "TABLE.COLUMN"),
    "reference": Bad(C, "services:\n", "x-seeder: {references: [db.notes.kind]}\nservices:\n", "", "->"),
    "reference to nowhere": Bad(
        C, "services:\n", "x-seeder: {references: [db.notes.kind -> dbb.kinds.code]}\nservices:\n", "", "dbb", "db"
    ),
    "count of nothing": Bad(C, "services:\n", "x-seeder: {gates: {counts: {dbb.notes: 1}}}\nservices:\n", "", "no store dbb", "db"),
    "count no number": Bad(C, "services:\n", "x-seeder: {gates: {counts: {db.notes: many}}}\nservices:\n", "x-seeder:", ""),
}

SCENARIO = {
    "empty": Bad(S, "", "", "", "empty"),
    "name": Bad(S, "scenario: ready", "scenario: [ready]", "scenario:", "text"),
    "unknown key": Bad(S, "tags:", "tag:", "tag:", "no such key", "'tags'"),
    "version": Bad(S, 'version: "1.0.0"', "version: 1.0", "version:", "unquoted number", "quotes"),
    "stack": Bad(S, "stack: small", "stack: smal", "", "smal", "small"),
    "steps": Bad(S, "outputs:", "steps: {a: {use: notes.write}}\noutputs:", "steps:", "no capability notes.write"),
    "faults": Bad(S, "outputs:", "faults: []\noutputs:", "faults:", "not supported yet", "remove the key"),
    "act": Bad(S, "outputs:", "act: {a: {with: {}}}\noutputs:", "act:", "exactly one of use, eventually"),
    "input type": Bad(S, "type: integer", "type: int", "note: {type", "'int' is not among", "integer"),
    "default of another type": Bad(S, "default: 1", "default: one", "note: {type", "not a whole number"),
    "default too small": Bad(S, "default: 1", "default: 0", "note: {type", "below the minimum 1"),
    "data unknown": Bad(S, "[kinds, notes]", "[kinds, note]", "data:", "note", "'notes'"),
    "data version": Bad(S, "[kinds, notes]", "[kinds, notes@7]", "data:", "7", "1.0.0"),
    "data twice": Bad(S, "[kinds, notes]", "[kinds, kinds]", "data:", "twice", "keep one"),
    "expect nothing": Bad(S, "{http: web, path: /health, status: 200}", "{path: /health}", "- {path", "exactly one of"),
    "expect of two kinds": Bad(S, "{http: web,", "{http: web, key: a,", "- {http", "exactly one of"),
    "expect of nobody": Bad(S, "{http: web,", "{http: webb,", "- {http", "no service webb", "'web'"),
    "expect in no store": Bad(S, "{store: db,", "{store: dbb,", "- {store: dbb", "no store dbb", "'db'"),
    "expect in a cache": Bad(S, "{store: db,", "{store: cache,", "- {store: cache", "cache"),
    "status": Bad(S, "status: 200", "status: 20", "- {http", "greater than"),
    "within": Bad(S, "status: 200", "within: soon", "- {http", "not a duration", "5s"),
    "parameter without a value": Bad(S, "id = :id", "id = :idd", "- {store", ":idd has no value", "with:"),
    "value without a parameter": Bad(S, "with: {id: 1}", "with: {id: 1, more: 2}", "- {store", "no parameter :more"),
    "reference in a query": Bad(S, "id = :id", "id = ${inputs.note}", "- {store", "not references", ":name"),
    "output of nothing": Bad(S, "${inputs.note}", "${inputs.nota}", "outputs:", "no input 'nota'", "'note'"),
    "output not closed": Bad(S, "${inputs.note}", "${inputs.note", "outputs:", "not closed", "$$"),
    "output of a step": Bad(S, "${inputs.note}", "${order.id}", "outputs:", "only ${inputs.NAME}"),
}

DEFINITIONS = {
    f"{kind}: {name}": bad
    for kind, cases in (("manifest", MANIFEST), ("compose", COMPOSE), ("scenario", SCENARIO))
    for name, bad in cases.items()
}
