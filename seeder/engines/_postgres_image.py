"""What the postgres images make of a service's variables: who the clients are, which database they use."""

from __future__ import annotations

import re

from seeder.definition.service import Service
from seeder.engines import _image
from seeder.frozen import frozen
from seeder.passed.layer import DATA

SUPERUSER = "postgres"


@frozen
class Login:
    """The role that clients use. `owner_password` is set where the image keeps `postgres` as a superuser beside it (bitnami)."""

    user: str
    password: str | None
    database: str
    superuser: bool = True
    owner_password: str | None = None


def is_bitnami(service: Service) -> bool:
    return "bitnami" in _image.repository(service) or any(name.startswith("POSTGRESQL_") for name in service.environment)


def login(service: Service) -> Login:
    """Raises DefinitionError when a `_FILE` variable leads nowhere."""
    if is_bitnami(service):
        return _bitnami(service)
    user = _image.variable(service, "POSTGRES_USER") or SUPERUSER
    database = _image.variable(service, "POSTGRES_DB") or user
    return Login(user, _image.variable(service, "POSTGRES_PASSWORD"), database)


def _bitnami(service: Service) -> Login:
    user = _image.variable(service, "POSTGRESQL_USERNAME", "POSTGRES_USER") or SUPERUSER
    password = _image.variable(service, "POSTGRESQL_PASSWORD", "POSTGRES_PASSWORD")
    database = _image.variable(service, "POSTGRESQL_DATABASE", "POSTGRES_DB") or SUPERUSER
    if user == SUPERUSER:
        return Login(user, password, database)
    owner = _image.variable(service, "POSTGRESQL_POSTGRES_PASSWORD", "POSTGRES_POSTGRES_PASSWORD")
    return Login(user, password, database, superuser=False, owner_password=owner)


HEEDING = frozenset({"postgres", "postgis/postgis", "pgvector/pgvector", "timescale/timescaledb"})  # images that begin as root with PGDATA
ELSEWHERE = f"{DATA}/pgdata"  # outside of every path that the images declare as a volume


def moved(service: Service) -> dict[str, str]:
    """Variables that make the image keep its data outside of volumes; none where the service says itself where they are, where the
    server could not make the folder, or where nobody knows what the image makes of PGDATA."""
    words = " ".join(_image.arguments(service, "postgres"))
    named = [word.partition("=")[2] for word in words.split() if word.startswith("config_file=")]
    written = "\n".join([words, *(_image.mounted_text(service, path) or "" for path in named)])
    said = re.search(r"(^|\s)-D|data_directory|hba_file|ident_file", written)
    if said or service.user or "read_only" in service.unhonoured or _image.repository(service) not in HEEDING:
        return {}
    return {"PGDATA": ELSEWHERE}


def checks_passwords(service: Service) -> bool:
    """False where the image would let everybody in."""
    trusted = service.environment.get("POSTGRES_HOST_AUTH_METHOD", "") == "trust"
    empty = service.environment.get("ALLOW_EMPTY_PASSWORD", "").lower() in {"yes", "true", "1"}
    return not trusted and not (is_bitnami(service) and empty and login(service).password is None)
