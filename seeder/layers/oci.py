"""A repository of an OCI registry: one artifact for each pack, tagged by its name. The config is what is told of it, its one layer the
pack; the registry takes the manifest last and only if it has both, so that a tag leads to something whole.

`NAME/VERSION` is the tag VERSION of the repository NAME below this one.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
import logging
import os
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from seeder.errors import EnvironmentFailed
from seeder.machine.extra import needed

TOLD, PACK = "application/vnd.seeder.told.v1+json", "application/vnd.seeder.pack.v1.tar+zstd"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
WITHIN = (10.0, 120.0)  # seconds to connect, and between two pieces of an answer
PIECE = 1 << 20
SIGN_IN = "sign in with `docker login`, as somebody who may read and write there"
FOUND, ABSENT, MADE = 200, 404, (201, 202)


class Registries:
    """oci://HOST/REPOSITORY, in plain text where HOST is this machine."""

    def open(self, url: str) -> Artifacts:
        parts = urllib.parse.urlsplit(url)
        host, repository = parts.netloc.rpartition("@")[2], parts.path.strip("/")
        if not host or not repository:
            raise EnvironmentFailed(f"oci://{host}", "names no repository", "write it like oci://ghcr.io/acme/seeder")
        return Artifacts(host, repository)


class Artifacts:
    def __init__(self, host: str, repository: str) -> None:
        self.shown = f"oci://{host}/{repository}"
        self._repository = repository
        self._plain = _is_here(urllib.parse.urlsplit(f"//{host}").hostname or "")
        self._host = host if "." in host or ":" in host else f"{host}:{80 if self._plain else 443}"  # else it is taken for a folder
        self._lately = ""  # the repository that was asked last
        with _asking(self.shown):
            self._registry = _connected(self._host, self._plain, self._container("latest"), self.shown)

    def names(self) -> set[str]:
        with _asking(self.shown):
            at = self._at("latest")
            if self._answered(at.tags_url()) is None:
                return set()  # nobody has put anything there yet
            return set(self._registry.get_tags(at))

    def told(self, name: str) -> Mapping[str, Any] | None:
        with _asking(self.shown):
            at = self._at(name)
            manifest = self._answered(at.manifest_url(), {"Accept": MANIFEST})
            found = self._answered(at.get_blob_url(manifest["config"]["digest"])) if manifest else None
        return found if isinstance(found, dict) else None

    def put(self, name: str, pack: Path, told: Mapping[str, Any]) -> None:
        text = (json.dumps(dict(told), ensure_ascii=False, sort_keys=True) + "\n").encode()
        config = _description(TOLD, hashlib.sha256(text).hexdigest(), len(text))
        layer = _description(PACK, str(told["sha256"]), int(told["length"]))
        with _asking(self.shown), pack.open("rb") as content, io.BytesIO(text) as about:
            at = self._at(name)
            lacking = [(of, bytes_) for of, bytes_ in ((layer, content), (config, about)) if not self._registry.blob_exists(of, at)]
            self._registry.auth.token = None  # the one that was given for reading does not let write
            for of, bytes_ in lacking:
                self._upload(at, of, bytes_)
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
            _expect(self._registry.upload_manifest(manifest, at), *MADE)

    def get(self, name: str, sha256: str, pack: Path) -> bool:
        with _asking(self.shown):
            address = self._at(name).get_blob_url(f"sha256:{sha256}")
            with self._ask("GET", address, stream=True) as answer, pack.open("wb") as file:
                if answer.status_code == ABSENT:
                    return False
                _expect(answer, FOUND)
                for piece in answer.iter_content(PIECE):
                    file.write(piece)
        return True

    def _upload(self, at: Any, described: Mapping[str, Any], content: IO[bytes]) -> None:
        begun = self._ask("POST", at.upload_blob_url())
        _expect(begun, *MADE)
        place = urllib.parse.urljoin(f"{self._registry.prefix}://{self._host}", begun.headers["Location"])
        place += f"{'&' if '?' in place else '?'}digest={urllib.parse.quote(described['digest'])}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(described["size"])}
        _expect(self._registry.do_request(place, "PUT", data=content, headers=headers), *MADE)

    def _answered(self, address: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer; None where there is nothing."""
        answer = self._ask("GET", address, headers=dict(headers or {}))
        if answer.status_code == ABSENT:
            return None
        _expect(answer, FOUND)
        return answer.json()

    def _ask(self, method: str, address: str, **more: Any) -> Any:
        return self._registry.do_request(f"{self._registry.prefix}://{address}", method, **more)

    def _at(self, name: str) -> Any:
        """Where a name is; a tag may not have a plus sign, which a version may."""
        below, _, tag = name.rpartition("/")
        if below != self._lately:
            self._lately, self._registry.auth.token = below, None  # the one that was given is for one repository
        return self._container(tag.replace("+", "_"), below)

    def _container(self, tag: str, below: str = "") -> Any:
        container = needed("oras.container", "remote", self.shown).Container
        return container(f"{self._host}/{'/'.join(filter(None, (self._repository, below)))}:{tag}")


def _description(kind: str, sha256: str, length: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{sha256}", "size": length}


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _connected(host: str, plain: bool, container: Any, shown: str) -> Any:
    """A client with the credentials of Docker's configuration, in the way in which this registry wants them."""
    provider = needed("oras.provider", "remote", shown)
    requests = needed("requests", "remote", shown)
    logging.getLogger("oras.logger").setLevel(logging.CRITICAL)  # what goes wrong is told once, by us

    class Patient(requests.adapters.HTTPAdapter):  # type: ignore[name-defined,misc]
        def send(self, *given: Any, **more: Any) -> Any:
            return super().send(*given, **{**more, "timeout": more.get("timeout") or WITHIN})

    class Client(provider.Registry):  # type: ignore[name-defined,misc]
        do_request = provider.Registry.do_request.__wrapped__  # its own way of trying again takes minutes to say that nobody is there

    address = f"{'http' if plain else 'https'}://{host}/v2/"
    asked = requests.get(address, timeout=WITHIN)
    way = "basic" if asked.headers.get("Www-Authenticate", "").lower().startswith("basic") else "token"
    client = Client(hostname=host, insecure=plain, auth_backend=way)
    for scheme in ("http://", "https://"):
        client.session.mount(scheme, Patient())
    client.auth.load_configs(container, [str(path) for path in [_docker_configuration()] if path.exists()])
    if way == "basic" and hasattr(client.auth, "_basic_auth"):
        client.session.headers.update(client.auth.get_auth_header())  # at once: what is sent is read only once
    return client


def _docker_configuration() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser() / "config.json"


def _expect(answer: Any, *codes: int) -> None:
    if answer.status_code not in codes:
        raise _Refused(answer)


class _Refused(Exception):
    """What the registry says, in the words of its answer where it has any."""

    def __init__(self, answer: Any) -> None:
        try:
            said = "; ".join(str(error.get("message") or error.get("code")) for error in answer.json()["errors"])
        except (ValueError, LookupError, TypeError, AttributeError):
            said = str(answer.reason)
        self.code = int(answer.status_code)
        super().__init__(f"{answer.status_code} {said}")


@contextmanager
def _asking(shown: str) -> Iterator[None]:
    """Turn what the client raises into the error family."""
    try:
        yield
    except EnvironmentFailed:
        raise
    except _Refused as error:
        remedy = SIGN_IN if error.code in (401, 403) else "is that the repository, and may it be written to?"
        raise EnvironmentFailed(shown, f"the registry refuses: {error}", remedy) from error
    except OSError as error:  # what requests raises is one
        remedy = "is it there, and can it be reached from here?"
        raise EnvironmentFailed(shown, f"the registry does not answer: {_short(error)}", remedy) from error
    except (ValueError, LookupError, AttributeError) as error:
        cause = f"the registry answers what is not understood, or wants to know who asks: {_short(error)}"
        raise EnvironmentFailed(shown, cause, SIGN_IN) from error


def _short(error: BaseException) -> str:
    """The innermost reason, without the layers that libraries wrap around it."""
    while error.__context__ is not None:
        error = error.__context__
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__
