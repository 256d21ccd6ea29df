"""Whether a service of a foreign compose file does its work and ends, or is there to serve."""

from __future__ import annotations

import re

from seeder.definition.service import Service
from seeder.definition.stack import Stack

MIGRATES = re.compile(r"alembic|migrat|flyway|liquibase|prisma|goose|dbmate|sqitch|knex|sequelize|initdb|init-db|db-init", re.IGNORECASE)
_STAYS = re.compile(r"(worker|server|consumer|daemon|listener|scheduler|watcher|watch|serve|beat)s?(?=[\s\"']|$)", re.IGNORECASE)
_NEXT = re.compile(r"&&|\|\||[;\n]")  # what stands between the programs of a shell's line
_SAYS = re.compile(r"\s*(echo|printf|exit|true|fi|done|:)\b|\W*$")  # words of a shell that end the line, and no program


def is_one_shot(stack: Stack, service: Service) -> bool:
    """Somebody waits for its completion, or its command migrates and ends, and nobody counts on it to be there."""
    if "completed" in _awaited(stack, service):
        return True
    return not _serves(stack, service) and bool(service.command and _migrates_last(" ".join(service.command)))


def _awaited(stack: Stack, service: Service) -> set[str]:
    """In which conditions others wait for it."""
    return {edge.condition for each in stack.services.values() for edge in each.depends_on if edge.service == service.name}


def _serves(stack: Stack, service: Service) -> bool:
    checked = service.healthcheck is not None and not service.healthcheck.disabled
    stays = service.restart in ("always", "unless-stopped")
    return bool(service.ports or service.expose or checked or stays or _awaited(stack, service))


def _migrates_last(line: str) -> bool:
    """Many a web service migrates before it serves; the program that it ends with tells what it is."""
    programs = [part for part in _NEXT.split(line) if not _SAYS.match(part)]
    return bool(programs and MIGRATES.search(programs[-1]) and not _STAYS.search(programs[-1]))
