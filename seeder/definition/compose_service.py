"""From one service of the merged model to a Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from seeder.definition import shell_words
from seeder.definition.compose_files import Files
from seeder.definition.compose_keys import CONTAINER_ONLY
from seeder.definition.compose_mounts import mounts
from seeder.definition.compose_ports import numbers
from seeder.definition.compose_volumes import is_remote
from seeder.definition.dotenv import read_variables
from seeder.definition.duration import seconds
from seeder.definition.extension import ServiceExtension
from seeder.definition.marked import List, Map
from seeder.definition.service import Build, Condition, Dependency, Healthcheck, Port, Service
from seeder.definition.validation import validated
from seeder.errors import Mark, Problem
from seeder.frozen import frozen

LATER = frozenset({"links", "faultable", "faults", "readonly", "auth.client_credentials", "auth.mtls", "undo"})
_SERVICE_PREFIX = "service:"
_CONDITIONS: dict[str, Condition] = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}


@frozen
class Reader:
    """Reads the services of one model. Problems go to `files.problems`."""

    model: Map
    files: Files
    variables: Mapping[str, str]
    base: Path

    def wrong(self, subject: str, cause: str, remedy: str, mark: Mark) -> None:
        self.files.problems.add(subject, cause, remedy, mark)

    def service(self, name: str) -> Service:
        raw: Map = self.model["services"][name]
        return Service(
            name=name,
            mark=self.model["services"].at(name),
            image=raw.get("image"),
            build=_build(raw.get("build"), self.base),
            command=self._command(name, raw, "command"),
            entrypoint=self._command(name, raw, "entrypoint"),
            environment=self._environment(name, raw),
            ports=tuple(_port(port) for port in raw.get("ports", ())),
            expose=tuple(self._exposed(name, raw)),
            depends_on=tuple(self._dependencies(name, raw)),
            healthcheck=self._healthcheck(name, raw),
            mounts=tuple(mounts(raw, self.model, self.variables)),
            profiles=tuple(raw.get("profiles", ())),
            networks=_networks(raw),
            **{key: raw.get(key) for key in ("hostname", "container_name", "working_dir", "user", "network_mode", "pid", "ipc", "restart")},
            privileged=bool(raw.get("privileged")),
            addresses=tuple(_addresses(raw)),
            hosts=tuple(_hosts(raw)),
            replicas=_replicas(raw),
            logging=bool(raw.get("logging")),
            unhonoured=tuple(sorted(_unhonoured(raw))),
            x=self._extension(name, raw),
            written=raw.get("x-seeder"),
        )

    def _command(self, name: str, raw: Map, key: str) -> tuple[str, ...] | None:
        value = raw.get(key)
        if value is None or isinstance(value, List):
            return None if value is None else tuple(value)
        try:
            return shell_words.split(value)
        except ValueError as error:
            self.wrong(f"services.{name}.{key}", str(error), "write the command as a list", raw.at(key))
            return ()

    def _environment(self, name: str, raw: Map) -> dict[str, str]:
        found: dict[str, str] = {}

        def lookup(variable: str) -> str | None:
            value = found.get(variable)
            return value if value is not None else self.variables.get(variable)

        files = raw.get("env_file", List(raw.mark))
        for index, entry in enumerate(files):
            path = Path(entry.get("path") or "")
            if entry.get("format"):
                self.wrong(f"services.{name}.env_file", "format is not supported yet", "remove the key", entry.at("format"))
            if path.is_file():
                self.files.note(path)
                found |= read_variables(path, lookup, self.files.problems)
            elif entry.get("required", True):
                subject, remedy = f"services.{name}.env_file", f"create {path}, or say required: false"
                self.files.lacking.append(Problem(subject, f"there is no file {path.name}", remedy, files.at(index)))
        written = raw.get("environment", Map(raw.mark))
        for key in written:
            if not key or "=" in key:
                self.wrong(f"services.{name}.environment", f"{key!r} is no name of a variable", "write NAME: VALUE", written.at(key))
        return {key: value for key, value in {**found, **written}.items() if value is not None}

    def _exposed(self, name: str, raw: Map) -> Iterator[int]:
        for text in raw.get("expose", ()):
            ports = numbers(text.partition("/")[0])
            if ports is None:
                self.wrong(f"services.{name}.expose", f"{text!r} is no port", "write a number or a range", raw.at("expose"))
            yield from ports or ()

    def _dependencies(self, name: str, raw: Map) -> Iterator[Dependency]:
        written = raw.get("depends_on", Map(raw.mark))
        for other, entry in written.items():
            given = entry.get("condition") or "service_started"
            if given not in _CONDITIONS:
                remedy = f"one of {', '.join(_CONDITIONS)}"
                self.wrong(f"services.{name}.depends_on.{other}", f"{given!r} is no condition", remedy, written.at(other))
            yield Dependency(other, _CONDITIONS.get(given, "started"), required=entry.get("required", True))
        for other in _implied(raw):
            if other not in written:
                yield Dependency(other)

    def _healthcheck(self, name: str, raw: Map) -> Healthcheck | None:
        written = raw.get("healthcheck")
        if not isinstance(written, Map):
            return None
        test = written.get("test")
        words = ("CMD-SHELL", test) if isinstance(test, str) else tuple(test or ())
        if words and words[0] not in ("CMD", "CMD-SHELL", "NONE"):
            remedy = "write CMD or CMD-SHELL before it"
            self.wrong(f"services.{name}.healthcheck.test", f"the test begins with {words[0]!r}", remedy, written.at("test"))
        usual = Healthcheck()
        return Healthcheck(
            words,
            interval=self._seconds(name, written, "interval", usual.interval),
            timeout=self._seconds(name, written, "timeout", usual.timeout),
            start_period=self._seconds(name, written, "start_period", usual.start_period),
            retries=self._retries(name, written, usual.retries),
            disabled=bool(written.get("disable")) or words[:1] == ("NONE",),
        )

    def _seconds(self, name: str, written: Map, key: str, usual: float) -> float:
        try:
            return usual if written.get(key) is None else seconds(str(written[key]))
        except ValueError as error:
            self.wrong(f"services.{name}.healthcheck.{key}", str(error), "", written.at(key))
            return usual

    def _retries(self, name: str, written: Map, usual: int) -> int:
        value = written.get("retries")
        if isinstance(value, (str, int)) and str(value).isdigit():
            return int(value)
        if value is not None:
            self.wrong(f"services.{name}.healthcheck.retries", f"{value!r} is no number of retries", "", written.at("retries"))
        return usual

    def _extension(self, name: str, raw: Map) -> ServiceExtension:
        if raw.get("x-seeder") is None:
            return ServiceExtension()
        subject, mark = f"services.{name}.x-seeder", raw.at("x-seeder")
        found = validated(ServiceExtension, raw["x-seeder"], self.files.problems, subject=subject, mark=mark, later=LATER)
        return found or ServiceExtension()


def _port(raw: Map) -> Port:
    return Port(raw["target"], raw.get("published"), raw["protocol"], raw.get("host_ip"))


def _build(raw: Map | None, base: Path) -> Build | None:
    if not isinstance(raw, Map):
        return None
    context = raw["context"]
    return Build(
        context=base if is_remote(context) else Path(context),
        dockerfile=raw.get("dockerfile") or "Dockerfile",
        target=raw.get("target"),
        args={key: value for key, value in (raw.get("args") or {}).items() if value is not None},
        inline=raw.get("dockerfile_inline"),
        remote=context if is_remote(context) else None,
    )


def _networks(raw: Map) -> dict[str, tuple[str, ...]]:
    if "networks" in raw:
        return {name: tuple(entry.get("aliases") or ()) for name, entry in raw["networks"].items()}
    return {} if raw.get("network_mode") else {"default": ()}


def _addresses(raw: Map) -> Iterator[str]:
    for joined in raw.get("networks", {}).values():
        fixed = [joined.get("ipv4_address"), joined.get("ipv6_address"), *(joined.get("link_local_ips") or ())]
        yield from (str(address) for address in fixed if address)


def _replicas(raw: Map) -> int:
    """How often it is to run, by `scale` or `deploy.replicas`; what is no number is compose's to refuse."""
    deploy = raw.get("deploy")
    written = [raw.get("scale"), deploy.get("replicas") if isinstance(deploy, Map) else None]
    return max([1, *(int(text) for text in map(str, written) if text.isdecimal())])


def _implied(raw: Map) -> Iterator[str]:
    """Services that must exist before this one although `depends_on` does not name them."""
    for link in raw.get("links", ()):
        yield link.partition(":")[0]
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        value = raw.get(key)
        if isinstance(value, str) and value.startswith(_SERVICE_PREFIX):
            yield value.removeprefix(_SERVICE_PREFIX)
    for source in raw.get("volumes_from", ()):
        if not source.startswith("container:"):
            yield source.partition(":")[0]


def _unhonoured(raw: Map) -> Iterator[str]:
    for key in CONTAINER_ONLY & raw.keys():
        value = raw[key]
        if key == "deploy" and isinstance(value, Map):
            yield from (f"deploy.{part}" for part in value if part not in ("labels", "restart_policy"))
        elif value not in (None, [], {}, False):
            yield key
    if any(mount["type"] in ("npipe", "cluster", "image") for mount in raw.get("volumes", ())):
        yield "volumes"


def _hosts(raw: Map) -> Iterator[str]:
    """`host:address` and `host=address` of extra_hosts, a mapping too; `service:alias` of links."""
    yield from (str(entry).replace("=", ":").partition(":")[0] for entry in raw.get("extra_hosts") or ())
    yield from (str(link).rpartition(":")[2] for key in ("links", "external_links") for link in raw.get(key) or ())
