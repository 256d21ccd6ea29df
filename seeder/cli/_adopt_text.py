"""manifest.yaml and compose.seeder.yaml as `seeder init` writes them: for people who read them first and change them later."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from seeder.cli._adopt import Finding, Migration
from seeder.cli._adopt_local import Local

PLAIN = re.compile(r"[a-zA-Z][\w./-]*")
WORDS_OF_YAML = {"on", "off", "yes", "no", "y", "n", "true", "false", "null"}

MANIFEST = """\
# What seeder knows of this project: its stacks, the data that they are given, what data an environment may hold.
seeder: "1"
project: {name}
# as_of is the "now" of all data; services and commands get it as SEEDER_AS_OF.
defaults: {{stack: {name}, runtime: auto, policy: local, seed: 42, as_of: 2026-01-01T00:00:00Z}}

stacks:
  {name}:
    compose: [{files}]
    version: "0.1.0"  # the application's; datasets may require one

# Data at rest stands in folders, STORE/TABLE.csv and the like; each is named here:
#   datasets:
#     - {{name: lookups, kind: reference, version: "1.0.0", path: testdata/reference/lookups}}
# Business states that can be asked for stand in testdata/scenarios/NAME.yaml. A run without one gets all reference and config data of
# its stack, a run with one gets the datasets that the scenario names under `data`, and no others.

# What data an environment may hold. Fixtures, taken from an incident, are left out here: mask them, and give them a policy of their own,
#   incident: {{sources: [reference, config, fixture], privacy: masked, max_age: 30d}}
policies:
  local: {{sources: [reference, config, golden], privacy: no-pii}}
"""
HEAD = """\
# What seeder adds to {compose}, which stays as it is. Compose ignores x-seeder; `docker compose up` does not need this file.
# All that stands in a comment below a service goes under its x-seeder if you want it.
"""


def manifest(name: str, files: Sequence[str]) -> str:
    return MANIFEST.format(name=scalar(name), files=", ".join(scalar(file) for file in files))


def extension(compose: str, found: Sequence[Finding]) -> str:
    """The services of the compose file in its order; what is only a suggestion stands in comments."""
    blocks = ["\n".join(_service(finding)) for finding in found]
    active = any(not line.lstrip().startswith("#") for block in blocks for line in block.splitlines())
    return (
        HEAD.format(compose=compose)
        + ("services:\n" if active else "services: {}  # without the {} once a service stands here\n")
        + "\n".join(blocks)
        + "\n"
    )


def _service(finding: Finding) -> Iterator[str]:
    lines = [*_databases(finding), *(["only: compose"] if finding.only else []), *_local(finding.local)]
    name = f"  {scalar(finding.service)}:"
    if not lines:
        yield f"  # {finding.service}: {finding.what}"
        yield from (f"  #   {note}" for note in finding.notes)
        return
    yield f"{name}  # {finding.what}"
    yield "    x-seeder:"
    yield from (f"      {line}" for line in lines)
    yield from (f"      # {note}" for note in finding.notes)


def _databases(finding: Finding) -> Iterator[str]:
    if set(finding.databases) == {""}:
        if only := finding.databases[""]:
            yield _migrate(only)
    elif finding.databases:
        yield "databases:"
        for name, migration in finding.databases.items():
            yield f"  {scalar(name)}:{'' if migration else ' {}'}"
            if migration:
                yield f"    {_migrate(migration)}"


def _migrate(migration: Migration) -> str:
    owner = f", as: {scalar(migration.owner)}" if migration.owner else ""
    return f"migrate: {{{migration.key}: {scalar(migration.value)}{owner}}}  # {migration.found}"


def _local(local: Local | None) -> Iterator[str]:
    if local is None:
        return
    yield "# How it runs without containers (--runtime local); {python} is the interpreter that runs seeder and needs its packages."
    yield "local:"
    yield f"  command: [{', '.join(json.dumps(word, ensure_ascii=False) for word in local.command)}]"
    yield f"  cwd: {scalar(local.cwd)}"
    if local.environment:
        yield f"  environment: {{{', '.join(f'{name}: {json.dumps(value)}' for name, value in local.environment.items())}}}"


def scalar(text: str) -> str:
    """As it is where YAML reads it so, in quotes elsewhere."""
    return text if PLAIN.fullmatch(text) and text.lower() not in WORDS_OF_YAML else json.dumps(text, ensure_ascii=False)
