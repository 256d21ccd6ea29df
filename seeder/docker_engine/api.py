"""The one place that talks to the Docker SDK: what seeder asks of a daemon.

The SDK is imported at the first question. Answers are plain records; whatever goes wrong is an EnvironmentFailed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import tarfile
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from seeder.docker_engine.endpoint import Absent, Endpoint
from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.wait import READY, Verdict, not_yet, wait_for

Kind = Literal["container", "network", "volume", "image"]
LISTS: Mapping[Kind, str] = {  # where the API lists all of a kind
    "container": "/containers/json?all=1&",
    "network": "/networks?",
    "volume": "/volumes?",
    "image": "/images/json?all=1&",
}
UNFROZEN = "unable to freeze"
FREEZE_SECONDS = 20.0
START = "start Docker, or set DOCKER_HOST to the socket of Docker, Podman or Colima"
REMEDY = f"{START}; `seeder doctor` looks closer"


@frozen
class Image:
    id: str
    ports: tuple[tuple[int, str], ...]  # (port, protocol) that it exposes
    volumes: tuple[str, ...]
    healthcheck: Mapping[str, Any] | None  # as the API has it, times in nanoseconds


@frozen
class State:
    """A container now; `status` is one of created, running, paused, restarting, removing, exited, dead."""

    status: str
    code: int = 0
    killed_for_memory: bool = False
    error: str = ""


class Refused(EnvironmentFailed):
    """The daemon answered, with an HTTP status that is no success; `text` is what it said."""

    def __init__(self, subject: str, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(subject, f"docker says: {text}")


@contextmanager
def _asking(at: Endpoint, subject: str) -> Iterator[None]:
    """Turn what the SDK raises into the error family."""
    try:
        import requests
        from docker.errors import APIError, DockerException
    except ModuleNotFoundError as error:
        cause = f"seeder's extra `docker` is not installed: there is no package {error.name}"
        raise EnvironmentFailed("docker", cause, "pip install 'seeder-env[docker]'") from error
    try:
        yield
    except APIError as error:
        raise Refused(subject, error.status_code or 0, str(error.explanation or error).strip()) from error
    except (requests.exceptions.RequestException, DockerException, OSError) as error:
        raise _silent(at, error) from error


@contextmanager
def _if_there() -> Iterator[None]:
    """That there is no such thing is fine."""
    try:
        yield
    except Refused as refused:
        if refused.status != 404:  # noqa: PLR2004
            raise


def _silent(at: Endpoint, error: BaseException) -> EnvironmentFailed:
    return EnvironmentFailed("docker", f"the daemon does not answer at {at.place}: {_short(error)}", REMEDY)


def _short(error: BaseException) -> str:
    """The innermost reason, without the layers that libraries wrap around it."""
    while error.__context__ is not None and not isinstance(error, OSError | TimeoutError):
        error = error.__context__
    return str(error).splitlines()[0] if str(error) else type(error).__name__


class Daemon:
    """A Docker engine, or what speaks as one. Methods may be called from several threads."""

    def __init__(self, at: Endpoint) -> None:
        self.at = at
        self._lock = threading.Lock()

    def _asking(self, subject: str) -> AbstractContextManager[None]:
        return _asking(self.at, subject)

    @functools.cached_property
    def _client(self) -> Any:  # APIClient, whose types say too little to help
        from docker import APIClient
        from docker.tls import TLSConfig

        self.at.knock()
        if (self.at.url or "").startswith("ssh:") and importlib.util.find_spec("paramiko") is None:
            raise EnvironmentFailed("docker", "a daemon behind ssh needs the package paramiko", "pip install 'docker[ssh]'")
        tls = None
        if self.at.tls:
            pair = (str(self.at.tls / "cert.pem"), str(self.at.tls / "key.pem"))
            tls = TLSConfig(client_cert=pair, ca_cert=str(self.at.tls / "ca.pem"), verify=self.at.verify)
        return APIClient(self.at.url, version="auto", timeout=60, tls=tls or False, use_ssh_client=True, max_pool_size=32)

    @property
    def _api(self) -> Any:
        with self._lock, self._asking("docker"):
            return self._client

    def ping(self) -> str:
        """The engine's version. Raises EnvironmentFailed when it does not answer."""
        with self._asking("docker"):
            return str(self._api.version()["Version"])

    @functools.cached_property
    def identity(self) -> str:
        """Which engine it is, by whatever address it is reached. Raises EnvironmentFailed when it does not answer."""
        with self._asking("docker"):
            return identity_of(self._api.info(), self._api.info())

    # -- asking -------------------------------------------------------------------------------------------------------

    def _ask(self, path: str, subject: str) -> Any:
        """The answer to a plain GET, without the SDK, whose import takes longer than most answers; None where it cannot be asked so."""
        try:
            return self.at.ask(path)
        except Absent as absent:
            raise Refused(subject, 404, str(absent)) from absent
        except OSError as error:
            raise _silent(self.at, error) from error

    def _inspect(self, kind: Literal["image", "container"], name: str, subject: str) -> Any:
        """What the engine knows of one thing. Raises Refused where it knows none."""
        found = self._ask(f"/{kind}s/{urllib.parse.quote(name, safe='/:@')}/json", subject)
        if found is None:
            with self._asking(subject):
                found = self._api.inspect_image(name) if kind == "image" else self._api.inspect_container(name)
        return found

    def _list(self, kind: Kind, chosen: Mapping[str, list[str]]) -> Any:
        """Everything of the kind that the filters choose. Asked plainly where that can be: every run wants to know it, also those that
        have nothing else to do with Docker."""
        found = self._ask(f"{LISTS[kind]}filters={urllib.parse.quote(json.dumps(chosen))}", "docker")
        return self._listed(kind, chosen) if found is None else found

    def _listed(self, kind: Kind, chosen: Mapping[str, list[str]]) -> Any:
        with self._asking("docker"):
            if kind == "container":
                return self._api.containers(all=True, filters=chosen)
            if kind == "network":
                return self._api.networks(filters=chosen)
            return self._api.volumes(filters=chosen) if kind == "volume" else self._api.images(all=True, filters=chosen)

    # -- images and containers ----------------------------------------------------------------------------------------

    def image(self, reference: str) -> Image | None:
        """The image as it is at the daemon; None when it is not there."""
        found: Any = None
        with _if_there():
            found = self._inspect("image", reference, reference)
        if found is None:
            return None
        config = found.get("Config") or {}
        ports = [name.partition("/") for name in config.get("ExposedPorts") or {}]
        exposed = sorted((int(port), protocol or "tcp") for port, _, protocol in ports)
        return Image(found["Id"], tuple(exposed), tuple(sorted(config.get("Volumes") or {})), config.get("Healthcheck"))

    def containers(self, labels: Mapping[str, str], by: str) -> dict[str, str]:
        """Value of the label `by` -> id, of all containers that carry `labels`."""
        found = self._list("container", {"label": [f"{key}={value}" for key, value in labels.items()]})
        return {c["Labels"][by]: c["Id"] for c in found if by in c["Labels"]}

    def publishers(self, port: int) -> list[str]:
        """Names of running containers that publish the port."""
        with self._asking("docker"):
            found = self._api.containers(filters={"publish": str(port)})
        return sorted(c["Names"][0].lstrip("/") for c in found if any(p.get("PublicPort") == port for p in c["Ports"]))

    def start(self, container: str, subject: str) -> None:
        with self._asking(subject):
            self._api.start(container)

    def state(self, container: str, subject: str) -> State:
        found = self._inspect("container", container, subject)["State"]
        return State(found["Status"], int(found.get("ExitCode") or 0), bool(found.get("OOMKilled")), found.get("Error") or "")

    def logs(self, container: str, subject: str, lines: int | None = None) -> str:
        """Both streams in order, the last `lines` of them."""
        with self._asking(subject):
            raw = self._api.logs(container, stdout=True, stderr=True, tail="all" if lines is None else lines)
        return str(raw.decode("utf-8", "replace")).rstrip("\n")

    def copy_in(self, container: str, files: Mapping[str, Path], subject: str) -> None:
        """Put files and whole folders (path in the container -> here) into a container; modes and owners are kept."""
        with tempfile.TemporaryFile() as packed:  # a folder may be larger than the memory
            with tarfile.open(fileobj=packed, mode="w") as archive:
                for target, source in sorted(files.items()):
                    archive.add(source, target.lstrip("/"))
            packed.seek(0)
            with self._asking(subject):
                self._api.put_archive(container, "/", packed)

    def stop(self, container: str, subject: str, within: int | None = None) -> None:
        """Ask the container to end, and wait until it has; it is killed after the seconds, by default those that the stack gives it
        (`stop_grace_period`, else ten)."""
        with self._asking(subject):
            self._api.stop(container, timeout=within)

    def pause(self, container: str, subject: str) -> None:
        """Asked again where its processes would not be frozen: a machine under load may take longer for it than the engine waits."""

        def look() -> Verdict:
            try:
                with self._asking(subject):
                    self._api.pause(container)
            except Refused as refused:
                if UNFROZEN not in refused.text:
                    raise
                return not_yet(f"docker says: {refused.text}")
            return READY

        wait_for(subject, look, within=FREEZE_SECONDS, first=0.05, remedy="the machine is busy: run less beside it")

    def unpause(self, container: str, subject: str) -> None:
        with self._asking(subject):
            self._api.unpause(container)

    # -- layers -------------------------------------------------------------------------------------------------------

    def commit(self, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> None:
        """Keep a stopped container's files as an image. What its own image does not say stands empty in it, labels as well as variables:
        a commit cannot remove a name, and nobody owns what an empty label names."""
        with self._asking(container):
            config = self._api.inspect_container(container)["Config"]
            below = self._api.inspect_image(config["Image"])["Config"] or {}
            known = dict(pair.split("=", 1) for pair in below.get("Env") or [])
            names = [pair.partition("=")[0] for pair in config.get("Env") or []]
            variables = [f"{name}={known.get(name, '')}" for name in names]
            blank = dict.fromkeys(config.get("Labels") or {}, "")
            self._api.commit(container, repository=repository, tag=tag, conf={"Labels": blank | dict(labels), "Env": variables})

    def written(self, container: str) -> int:
        """Bytes that the container has written on top of its image."""
        with self._asking(container):
            found = self._api.containers(all=True, size=True, filters={"id": container})
        return int(found[0].get("SizeRw") or 0) if found else 0

    def depth(self, container: str) -> int:
        """How many layers the container's image is made of."""
        image = self._inspect("container", container, container)["Image"]
        return len(self._inspect("image", image, container)["RootFS"].get("Layers") or [])

    def tagged(self, repository: str) -> list[tuple[str, Mapping[str, str], float]]:
        """Name, labels and time of making (seconds since 1970) of every image of the repository."""
        found = self._list("image", {"reference": [repository]})
        return [(name, i["Labels"] or {}, float(i["Created"])) for i in found for name in i["RepoTags"] or []]

    def nameless(self, label: str) -> dict[str, float]:
        """Id and time of making (seconds since 1970) of every image with the label that has no name, and that no other lies on."""
        found = self._list("image", {"label": [label], "dangling": ["true"]})
        return {one["Id"]: float(one["Created"]) for one in found if (one["Labels"] or {}).get(label)}

    def images_in_use(self) -> set[str]:
        """The image of every container, whatever its state: its name, as it was said when the container was made, and its id."""
        return {name for one in self._list("container", {}) for name in (one["Image"], one["ImageID"])}

    def let_go(self, image: str) -> None:
        """Remove the name, and the image with its last one; by an id, the image. Absent already is fine; one that a container is made of
        is refused."""
        with _if_there(), self._asking(image):
            self._api.remove_image(image)

    # -- files of layers ----------------------------------------------------------------------------------------------

    def place(self, image: str, labels: Mapping[str, str]) -> str:
        """Create a container that nobody starts: files are put into it, or read from it. Answers its id."""
        with self._asking(image):
            made: str = self._api.create_container(image, labels=dict(labels))["Id"]
        return made

    def copy_out(self, container: str, path: str, archive: IO[bytes], subject: str) -> None:
        """Write a tar of a folder of the container; it begins with the folder's own name."""
        with self._asking(subject):
            pieces, _ = self._api.get_archive(container, path)
            for piece in pieces:
                archive.write(piece)

    def unpack(self, container: str, archive: IO[bytes], subject: str) -> None:
        """Unpack a tar at the container's root."""
        with self._asking(subject):
            self._api.put_archive(container, "/", archive)

    def names(self, image: str) -> list[str]:
        """What the image is called at the daemon."""
        return list(self._inspect("image", image, image).get("RepoTags") or [])

    def pull(self, image: str) -> None:
        """Raises EnvironmentFailed when it is not there afterwards."""
        with self._asking(image):
            for line in self._api.pull(image, stream=True, decode=True):
                if said := line.get("error"):
                    raise EnvironmentFailed(image, f"cannot be pulled: {said}", "check the name and tag, your network and `docker login`")

    # -- running programs ---------------------------------------------------------------------------------------------

    def execute(self, container: str, command: Sequence[str], within: float, subject: str) -> tuple[int | None, str]:
        """Run in a running container; exit code (None: not ended within the seconds) and output."""
        with self._asking(subject):
            made = self._api.exec_create(container, list(command))["Id"]
            stream = self._api.exec_start(made, socket=True)
            with contextlib.closing(getattr(stream, "_sock", stream)) as connection, contextlib.closing(stream):
                output, ended = _drain(connection, within)
            return (self._api.exec_inspect(made)["ExitCode"] if ended else None), output

    def create_like(
        self, container: str, command: Sequence[str], variables: Mapping[str, str], labels: Mapping[str, str], subject: str
    ) -> str:
        """Create a container for one program: image, mounts, networks, limits and environment of the given one, but no
        names, ports, healthcheck or entrypoint of its own. Answers its id."""
        with self._asking(subject):
            seen = self._api.inspect_container(container)
            config, host = seen["Config"], seen["HostConfig"]
            names = {pair.partition("=")[0]: pair for pair in config.get("Env") or []}
            names |= {name: f"{name}={value}" for name, value in variables.items()}
            networks = set() if ":" in host["NetworkMode"] else set(seen["NetworkSettings"]["Networks"])
            first = host["NetworkMode"] if host["NetworkMode"] in networks else min(networks, default=None)
            wanted = config | {
                "Entrypoint": [], "Cmd": list(command), "Env": list(names.values()), "Labels": dict(labels), "Hostname": "",
                "ExposedPorts": {}, "Healthcheck": {"Test": ["NONE"]}, "Tty": False,
                "HostConfig": host | {"PortBindings": {}, "RestartPolicy": {"Name": "no"}, "AutoRemove": False},
                "NetworkingConfig": {"EndpointsConfig": {first: {}} if first else {}},
            }  # fmt: skip
            made: str = self._api.create_container_from_config(wanted)["Id"]
            for network in sorted(networks):
                if network != first:
                    self._api.connect_container_to_network(made, network)
        return made

    def wait(self, container: str, within: float, subject: str) -> int | None:
        """The exit code once the container has ended; None when that takes longer than the seconds."""
        import requests

        try:
            with self._asking(subject):
                return int(self._api.wait(container, timeout=within)["StatusCode"])
        except EnvironmentFailed as error:
            timed_out = (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError)
            if isinstance(error.__cause__, timed_out) and "timed out" in str(error.__cause__).lower():
                return None
            raise

    # -- owners -------------------------------------------------------------------------------------------------------

    def labelled(self, kind: Kind, label: str) -> dict[str, Mapping[str, str]]:
        """Id (a volume's name) -> labels, of everything of the kind that carries `label` (a key, or key=value)."""
        found = self._list(kind, {"label": [label]})
        if kind == "volume":
            return {one["Name"]: one["Labels"] or {} for one in found["Volumes"] or []}
        return {one["Id"]: one["Labels"] or {} for one in found}

    def remove(self, kind: Kind, name: str) -> None:
        """Remove one thing, a container with its anonymous volumes and whatever runs in it. Absent already is fine."""
        with _if_there(), self._asking(f"{kind} {name}"):
            if kind == "container":
                self._api.remove_container(name, v=True, force=True)
            elif kind == "network":
                self._api.remove_network(name)
            elif kind == "volume":
                self._api.remove_volume(name, force=True)
            else:
                self._api.remove_image(name, force=True)


def identity_of(once: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """What an engine that is asked twice calls itself. Podman makes up another id for each answer: there its machine and its folder say
    which one it is."""
    return str(once["ID"]) if once.get("ID") and once["ID"] == again.get("ID") else f"{once['Name']}:{once['DockerRootDir']}"


def sent(context: Path, ignored: Sequence[str]) -> list[str]:
    """Every file, link and folder of a build context that a `.dockerignore` of these lines lets through, in name order."""
    from docker.utils import exclude_paths

    return sorted(exclude_paths(str(context), list(ignored)))


def _drain(stream: Any, within: float) -> tuple[str, bool]:
    """Read an exec's output, frames of an eight-byte header and a payload, to its end; False when time was up first."""
    deadline, raw = time.monotonic() + within, b""
    ended = False
    while (left := deadline - time.monotonic()) > 0:
        stream.settimeout(left)
        try:
            piece = stream.recv(65536)
        except TimeoutError:
            break
        if not piece:
            ended = True
            break
        raw += piece
    output = b""
    while len(raw) >= 8:  # noqa: PLR2004
        size = int.from_bytes(raw[4:8], "big")
        output, raw = output + raw[8 : 8 + size], raw[8 + size :]
    return output.decode("utf-8", "replace"), ended
