"""Mounts, volumes, secrets and configs of the model, made the run's own. Reads the kind of host paths, writes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.runtimes._docker_model import Model, Terms

SOCKETS = ("docker.sock", "podman.sock", "containerd.sock", "crio.sock")


@frozen
class File:
    """A file that the run keeps for a service: `content`, or a copy of `source`."""

    content: bytes | None = None
    source: Path | None = None
    mode: int = 0o444  # the folder above it is the owner's alone; inside the container everybody may read
    owner: tuple[int, int] | None = None


@dataclass
class Kept:
    """What has to be done beside the model: files to write here, and folders and files to copy into containers."""

    files: dict[Path, File] = field(default_factory=dict)
    copies: dict[str, dict[str, Path]] = field(default_factory=dict)  # service -> path inside -> here


def own(model: Model, terms: Terms) -> Kept:
    """Edit a reduced model in place: nothing that a container of the run may write to belongs to anybody else."""
    kept = Kept()
    volumes: Model = model.setdefault("volumes", {})
    shared = {key: volume for key, volume in volumes.items() if not _is_memory(volume)}
    devices = {key: _device(volume) for key, volume in shared.items()}
    for volume in shared.values():
        for special in ("external", "driver", "driver_opts"):
            volume.pop(special, None)
    for name, service in model["services"].items():
        mounts = [_unwrapped(mount, devices) for mount in service.get("volumes") or []]
        service["volumes"] = [_own_mount(name, mount, volumes, terms, kept) for mount in mounts]
        _cover_image_volumes(name, service, volumes, terms)
        _place_entries(name, service, model, terms, kept)
        _place_addition(name, service, terms, kept)
    used = {m.get("source") for s in model["services"].values() for m in s["volumes"] if m["type"] == "volume"}
    model["volumes"] = {key: volume for key, volume in volumes.items() if key in used}
    for key, volume in model["volumes"].items():
        volume |= {"name": f"{terms.project}_{key}", "labels": {**(volume.get("labels") or {}), **terms.labels}}
    for kind in ("secrets", "configs"):
        wanted = {entry["source"] for s in model["services"].values() for entry in s.get(kind) or []}
        model[kind] = {key: entry for key, entry in (model.get(kind) or {}).items() if key in wanted}
    return kept


# -- volumes and binds ------------------------------------------------------------------------------------------------


def _is_memory(volume: Model) -> bool:
    return (volume.get("driver_opts") or {}).get("type") == "tmpfs"


def _device(volume: Model) -> str | None:
    """The host folder of a volume that is a bind mount in disguise."""
    options = volume.get("driver_opts") or {}
    return options.get("device") if "bind" in str(options.get("o") or "").split(",") else None


def _unwrapped(mount: Model, devices: Mapping[str, str | None]) -> Model:
    device = devices.get(mount.get("source") or "") if mount["type"] == "volume" else None
    if device is None:
        return dict(mount)
    return {"type": "bind", "source": device, "target": mount["target"], "read_only": mount.get("read_only", False)}


def _own_mount(name: str, mount: Model, volumes: Model, terms: Terms, kept: Kept) -> Model:
    if mount["type"] == "volume" and not mount.get("source"):
        return {**mount, "source": _volume(name, mount["target"], volumes)}
    if mount["type"] != "bind":
        return mount
    source, target, reads_only = Path(mount["source"]), mount["target"], mount.get("read_only", False)
    absent = not (terms.remote or source.exists())  # docker would make it, in the user's folder
    if absent or (not reads_only and over_data(target, terms.data.get(name, ()))):
        return {"type": "volume", "source": _volume(name, target, volumes), "target": target, "read_only": reads_only}
    if reads_only or not terms.isolate_binds or source.name in SOCKETS:
        return mount
    if source.is_dir():
        kept.copies.setdefault(name, {})[target] = source
        return {"type": "volume", "source": _volume(name, target, volumes), "target": target}
    if source.is_file():
        here = _here(name, target, terms)
        kept.files[here] = File(source=source, mode=source.stat().st_mode & 0o777)
        return {**mount, "source": str(here)}
    return mount


def over_data(target: str, data: Iterable[str]) -> bool:
    """Whether a mount holds one of the paths, or part of what is below it."""
    mount = PurePosixPath(target)
    return any(mount.is_relative_to(path) or PurePosixPath(path).is_relative_to(mount) for path in data)


def _volume(name: str, target: str, volumes: Model) -> str:
    """A volume of the run for this place, added to the model."""
    key = f"{name}-{re.sub(r'[^a-zA-Z0-9]+', '-', target).strip('-') or 'root'}"
    volumes.setdefault(key, {})
    return key


def _cover_image_volumes(name: str, service: Model, volumes: Model, terms: Terms) -> None:
    """Volumes that the image declares get a name and labels; anonymous ones would carry no owner."""
    memory = service.get("tmpfs") or []
    covered = {str(PurePosixPath(mount["target"])) for mount in service["volumes"]}
    covered |= {str(text).partition(":")[0] for text in ([memory] if isinstance(memory, str) else memory)}
    for target in terms.volumes.get(name, ()):
        if str(PurePosixPath(target)) not in covered:
            service["volumes"].append({"type": "volume", "source": _volume(name, target, volumes), "target": target})


# -- secrets, configs and additions ------------------------------------------------------------------------------------


def _place_entries(name: str, service: Model, model: Model, terms: Terms, kept: Kept) -> None:
    """Inline secrets and configs become files of the run: compose would write them only when it starts a container itself."""
    for kind, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        left = []
        for entry in service.get(kind) or []:
            definition = (model.get(kind) or {}).get(entry["source"], {})
            file = _file_of(entry, definition, terms)
            if file is None:
                left.append(entry)
            else:
                target = entry.get("target") or entry["source"]
                _place(name, service, target if target.startswith("/") else folder + target, file, terms, kept)
        if kind in service:
            service[kind] = left


def _file_of(entry: Model, definition: Model, terms: Terms) -> File | None:
    """The file for an entry that compose cannot mount as it is; None when it can."""
    mode, owner = _mode(entry.get("mode")), None
    if entry.get("uid") or entry.get("gid"):
        owner = (int(entry.get("uid") or 0), int(entry.get("gid") or 0))
    if definition.get("content") is not None:
        return File(content=str(definition["content"]).encode(), mode=mode, owner=owner)
    if variable := definition.get("environment"):
        if variable not in terms.variables:
            raise EnvironmentFailed(entry["source"], f"is taken from the variable {variable}, which is not set", f"set {variable}")
        return File(content=terms.variables[variable].encode(), mode=mode, owner=owner)
    if terms.remote and definition.get("file"):
        return File(source=Path(definition["file"]), mode=mode, owner=owner)
    return None


def _mode(written: Any) -> int:
    if written is None:
        return 0o444
    return int(written, 8) if isinstance(written, str) else int(written)


def _place_addition(name: str, service: Model, terms: Terms, kept: Kept) -> None:
    for target, source in (terms.additions[name].files if name in terms.additions else {}).items():
        _place(name, service, target, File(source=source), terms, kept)


def _place(name: str, service: Model, target: str, file: File, terms: Terms, kept: Kept) -> None:
    """Locally a file is bound read-only over whatever is there; a remote daemon gets a copy, since it cannot see ours."""
    here = _here(name, target, terms)
    kept.files[here] = file
    service["volumes"] = [mount for mount in service["volumes"] if mount["target"] != target]
    if terms.remote:
        kept.copies.setdefault(name, {})[target] = here
        return
    _check_place(name, service, target)
    service["volumes"].append({"type": "bind", "source": str(here), "target": target, "read_only": True})


def _check_place(name: str, service: Model, target: str) -> None:
    """A file inside a bound folder has to be there already: docker would create it, in the user's folder."""
    for mount in service["volumes"]:
        if mount["type"] == "bind" and PurePosixPath(target).is_relative_to(mount["target"]):
            below = Path(mount["source"]) / PurePosixPath(target).relative_to(mount["target"])
            if not below.exists():
                cause = f"{target} lies in the mounted folder {mount['source']}, which has no such file to put it over"
                raise EnvironmentFailed(name, cause, f"add {below}, or mount the folder elsewhere")


def _here(name: str, target: str, terms: Terms) -> Path:
    return terms.folder / "files" / name / re.sub(r"[^a-zA-Z0-9._-]+", "-", target).strip("-")


def write(path: Path, file: File) -> None:
    """Keep the file where containers get it from."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(file.source.read_bytes() if file.source else file.content or b"")
    if file.owner and os.geteuid() == 0:  # nobody else may give files away; compose too lets them be ours then
        os.chown(path, *file.owner)
    path.chmod(file.mode)
