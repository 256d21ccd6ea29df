"""The settings of a PostgreSQL that runs without containers: those that the service's definition asks for, and those that are ours."""

from __future__ import annotations

import re

from seeder.definition.service import Service
from seeder.engines import _image

LIBRARIES = {"vector", "plpgsql"}  # that the embedded server can load
_OURS = {
    "listen_addresses", "port", "unix_socket_directories", "data_directory", "hba_file", "config_file", "ident_file", "external_pid_file",
    "ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "fsync", "logging_collector", "log_directory", "log_filename", "log_destination",
}  # fmt: skip


def options(settings: dict[str, str]) -> list[str]:
    every = {
        "shared_buffers": "32MB", "timezone": "UTC", "log_timezone": "UTC",
        "min_wal_size": "2MB", "wal_recycle": "off", "wal_init_zero": "off",  # a log that is kept for later use is copied with each state
        **settings,
        "listen_addresses": "{host}", "port": "{port}", "unix_socket_directories": "", "hba_file": "{data}/pg_hba.conf",
        "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "logging_collector": "off", "log_destination": "stderr",
    }  # fmt: skip
    return [word for name, value in every.items() for word in ("-c", f"{name}={value}")]


def settings(service: Service) -> tuple[dict[str, str], tuple[str, ...]]:
    """The server settings that the service's command and mounted configuration ask for, and what of them cannot be had."""
    asked, notes = _asked(_image.arguments(service, "postgres"))
    if path := asked.pop("config_file", None):
        text = _image.mounted_text(service, path)
        notes += [] if text is not None else [f"config_file={path} is not mounted and is left out"]
        asked = _configuration(text or "") | asked
    if libraries := asked.get("shared_preload_libraries"):
        missing = [name for name in re.split(r"[\s,]+", libraries.strip("'\"")) if name and name not in LIBRARIES]
        if missing:
            del asked["shared_preload_libraries"]
            notes.append(f"shared_preload_libraries: the embedded server has no {', '.join(missing)}")
    zone = {"timezone": service.environment["TZ"]} if service.environment.get("TZ") else {}
    return zone | {name: value for name, value in asked.items() if name not in _OURS}, tuple(notes)


def _asked(words: list[str]) -> tuple[dict[str, str], list[str]]:
    short = {"-N": "max_connections", "-B": "shared_buffers", "-S": "work_mem"}
    settings: dict[str, str] = {}
    notes: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-c" or word in short:
            setting = next(rest, "")
            name, _, value = setting.partition("=") if word == "-c" else (short[word], "", setting)
            settings[name.replace("-", "_").lower()] = value
        elif word.startswith("--") and "=" in word:
            name, _, value = word[2:].partition("=")
            settings[name.replace("-", "_").lower()] = value
        else:
            notes.append(f"postgres {word} is left out")
    return settings, notes


def _configuration(text: str) -> dict[str, str]:
    """The settings of a postgresql.conf."""
    lines = re.findall(r"^[ \t]*([A-Za-z_][\w.]*)[ \t]*(?:=|[ \t])[ \t]*('(?:[^']|'')*'|[^\s#']+)", text, re.MULTILINE)
    return {name.lower(): value[1:-1].replace("''", "'") if value.startswith("'") else value for name, value in lines}
