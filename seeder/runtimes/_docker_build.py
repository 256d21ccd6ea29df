"""Building images once: the tag says what is in them, so that an unchanged checkout builds nothing.

They belong to no run. A label names the cache that they were built for, which knows when a run last used them and forgets them some time
after that.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from seeder.docker_engine.api import Daemon, sent
from seeder.errors import EnvironmentFailed
from seeder.machine import home, process
from seeder.runtimes import _docker_compose

BUILD_SECONDS = 1800.0
REPOSITORY, CACHE = "seeder-built", "dev.seeder.built"
FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE | re.MULTILINE)
COPY_FROM = re.compile(r"^\s*COPY\s+(?:--\S+\s+)*--from=(\S+)", re.IGNORECASE | re.MULTILINE)
ARG = re.compile(r"^\s*ARG\s+(\w+)=(\S+)", re.IGNORECASE | re.MULTILINE)
CONTENT_KEYS = ("args", "target", "dockerfile_inline", "additional_contexts", "platforms", "network", "extra_hosts")


def tag(build: Mapping[str, Any], identify: Callable[[str], str | None]) -> str:
    """The image's name for this content: context less what is ignored, Dockerfile, arguments, target and base images, which
    `identify` knows by id. Contexts that are no local folder count by their address alone."""
    digest = hashlib.sha256()
    context = Path(build["context"])
    if context.is_dir():
        text = _dockerfile(build, context)
        _feed(digest, "dockerfile", text.encode())
        for image in _bases(text, build.get("args") or {}):
            _feed(digest, f"base {image}", (identify(image) or "").encode())
        _feed_folder(digest, context, _ignored(build, context))
    else:
        _feed(digest, "context", str(build["context"]).encode())
    for extra in (build.get("additional_contexts") or {}).values():
        if Path(extra).is_dir():
            _feed_folder(digest, Path(extra), _ignored({}, Path(extra)))
    chosen = {key: build[key] for key in CONTENT_KEYS if build.get(key)}
    _feed(digest, "settings", json.dumps(chosen, sort_keys=True).encode())
    return f"{REPOSITORY}:{digest.hexdigest()[:24]}"


def _dockerfile(build: Mapping[str, Any], context: Path) -> str:
    if build.get("dockerfile_inline"):
        return str(build["dockerfile_inline"])
    path = context / (build.get("dockerfile") or "Dockerfile")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailed(str(path), f"cannot be read: {error.strerror}", "correct `build.dockerfile`") from error


def _bases(text: str, given: Mapping[str, Any]) -> Iterable[str]:
    """Images that the Dockerfile names, arguments filled in; names of its own stages are harmless."""
    values = dict(ARG.findall(text)) | {name: str(value) for name, value in given.items() if value is not None}
    found = {*FROM.findall(text), *COPY_FROM.findall(text)}
    return sorted(re.sub(r"\$\{?(\w+)\}?", lambda name: values.get(name[1], name[0]).strip("\"'"), image) for image in found)


def _ignored(build: Mapping[str, Any], context: Path) -> list[str]:
    own = context / f"{build.get('dockerfile') or 'Dockerfile'}.dockerignore"
    path = own if own.is_file() else context / ".dockerignore"
    if not path.is_file():
        return []
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _feed_folder(digest: Any, folder: Path, ignored: list[str]) -> None:
    """Names, executable bits, link targets and contents; not times and owners, which a checkout does not keep."""
    for name in sent(folder, ignored):
        path = folder / name
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            _feed(digest, f"link {name}", os.fsencode(path.readlink()))
        elif stat.S_ISREG(found.st_mode):
            executable = "x" if found.st_mode & 0o111 else "-"
            _feed(digest, f"file {executable} {name}", hashlib.sha256(path.read_bytes()).digest())
        else:
            _feed(digest, f"folder {name}", b"")


def _feed(digest: Any, name: str, content: bytes) -> None:
    for part in (name.encode("utf-8", "surrogateescape"), content):
        digest.update(len(part).to_bytes(8, "big") + part)


def once(image: str, exists: Callable[[str], bool], build: Callable[[], None]) -> None:
    """Build unless the image is there; other processes that want the same one wait and find it."""
    import filelock

    _use_file(image).touch()
    if exists(image):
        return
    with filelock.FileLock(home.locks() / f"{_use_file(image).name}.lock", mode=0o600):
        if not exists(image):
            build()
    _use_file(image).touch()


def own(daemon: Daemon) -> dict[str, datetime.datetime]:
    """When a run last used each image that was built for this cache and that no container is made of."""
    cache = home.name()
    found = {image: made for image, labels, made in daemon.tagged(REPOSITORY) if labels.get(CACHE) == cache}
    free = found.keys() - daemon.images_in_use() if found else ()
    return {image: datetime.datetime.fromtimestamp(max(found[image], _used(image)), datetime.UTC) for image in free}


def forget(daemon: Daemon, image: str) -> None:
    """Raises EnvironmentFailed when a container is made of it."""
    daemon.let_go(image)
    _use_file(image).unlink(missing_ok=True)


def _use_file(image: str) -> Path:
    """Its time is that of the last use."""
    folder = home.cache() / "builds"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / image.rpartition(":")[2]


def _used(image: str) -> float:
    try:
        return _use_file(image).stat().st_mtime
    except OSError:
        return 0.0


def run(
    service: str, image: str, model: Mapping[str, Any], log: Path, environment: Mapping[str, str], on_line: Callable[[str], None]
) -> None:
    """Compose builds it, so that secrets, ssh and the rest of `build` mean what they mean there. The image belongs to no run."""
    written = model["services"][service]["build"]
    build = {**written, "labels": {**(written.get("labels") or {}), CACHE: home.name()}}
    alone = {
        "name": "seeder-build",
        "services": {service: {"image": image, "build": build}},
        "secrets": model.get("secrets") or {},
    }
    file = log.parent.parent / f"build-{service}.json"
    _docker_compose.write(alone, file)
    words = [*_docker_compose.command(file), "build", service]
    answer = process.run(words, timeout=BUILD_SECONDS, environment={**environment, "BUILDKIT_PROGRESS": "plain"}, on_line=on_line)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(answer.output + "\n", encoding="utf-8")
    if answer.code:
        failed = _docker_compose.failure(service, answer)
        raise EnvironmentFailed(service, f"its image cannot be built: {failed.problems[0].cause}", f"see {log}", log=answer.tail())
