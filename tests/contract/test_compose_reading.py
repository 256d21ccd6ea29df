"""The reader reads a compose file as `docker compose config` does.

Each folder of tests/contract/compose is one case: compose.yaml, or the files, profiles and variables that its case.json names.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.duration import seconds
from seeder.definition.manifest import StackEntry
from seeder.definition.service import Healthcheck, Mount, Network, Service, Volume
from seeder.registry import traits

CASES = sorted(path for path in (Path(__file__).parent / "compose").iterdir() if path.is_dir())
SAME = ("image", "command", "entrypoint", "hostname", "container_name", "user", "working_dir", "network_mode", "pid", "ipc")


@pytest.mark.docker
@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_a_compose_file_is_read_as_compose_reads_it(folder: Path) -> None:
    """Services and what they are made of are the same."""
    case = json.loads((folder / "case.json").read_text()) if (folder / "case.json").exists() else {}
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **case.get("environment", {})}
    files = tuple(folder / name for name in case.get("files", ["compose.yaml"]))
    profiles = case.get("profiles", [])

    arguments = ["docker", "compose", *(f"--file={file}" for file in files), *(f"--profile={name}" for name in profiles)]
    answer = subprocess.run([*arguments, "config", "--format", "json"], capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stderr
    model = json.loads(answer.stdout.replace("$$", "$"))
    theirs = model["services"]

    stack = read_stack(StackEntry("case", "1", files), engines=traits(), environment=environment, profiles=profiles)
    assert {name: ours_of(service) for name, service in stack.services.items()} == {
        name: theirs_of(service, theirs) for name, service in theirs.items()
    }
    assert {key: ours_beside(one) for key, one in stack.networks.items()} == their_networks(model)
    assert {key: ours_beside(one) for key, one in stack.volumes.items()} == their_volumes(model)


def ours_of(service: Service) -> dict[str, Any]:
    build = service.build
    return {
        **{key: as_list(getattr(service, key)) for key in SAME},
        "privileged": service.privileged,
        "addresses": list(service.addresses),
        "replicas": service.replicas,
        "logging": service.logging,
        "environment": dict(service.environment),
        "ports": sorted((str(p.target), p.published or "", p.protocol, p.host_ip or "") for p in service.ports),
        "depends_on": {edge.service: (edge.condition, edge.required) for edge in service.depends_on},
        "healthcheck": service.healthcheck and check_of(service.healthcheck),
        "mounts": sorted(mount_of(mount) for mount in service.mounts),
        "profiles": list(service.profiles),
        "networks": {name: sorted(aliases) for name, aliases in service.networks.items()},
        "build": build and (build.remote or str(build.context), build.dockerfile, build.target, dict(build.args), build.inline),
    }


def ours_beside(one: Network | Volume) -> tuple[Any, ...]:
    if isinstance(one, Volume):
        return (one.external, one.driver, dict(one.options))
    return (one.external, one.name if one.external else None, list(one.subnets))


def their_networks(model: dict[str, Any]) -> dict[str, Any]:
    used = {key for service in model["services"].values() for key in service.get("networks", {})}
    return {key: their_network(key, one) for key, one in model["networks"].items() if key in used} if used else {}


def their_network(key: str, one: dict[str, Any]) -> tuple[Any, ...]:
    external = one.get("external", False)
    subnets = [pool["subnet"] for pool in one.get("ipam", {}).get("config", ())]
    return (external, one["name"] if external and one["name"] != key else None, subnets)


def their_volumes(model: dict[str, Any]) -> dict[str, Any]:
    used = {mount.get("source") for service in model["services"].values() for mount in service.get("volumes", ())}
    return {
        key: (one.get("external", False), one.get("driver"), one.get("driver_opts", {}))
        for key, one in model.get("volumes", {}).items()
        if key in used
    }


def as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def check_of(check: Healthcheck) -> tuple[Any, ...]:
    if check.disabled:
        return ("disabled",)
    return (list(check.test), check.interval, check.timeout, check.start_period, check.retries)


def mount_of(mount: Mount) -> tuple[str, ...]:
    source = "" if mount.kind in ("config", "secret") else mount.source or ""
    return (mount.kind, mount.target.rstrip("/"), source, str(mount.read_only), *mount.rights)


def theirs_of(raw: dict[str, Any], everyone: dict[str, Any]) -> dict[str, Any]:
    conditions = {"service_started": "started", "service_healthy": "healthy", "service_completed_successfully": "completed"}
    build = raw.get("build")
    return {
        **{key: raw.get(key) for key in SAME},
        "privileged": raw.get("privileged", False),
        "addresses": [address for entry in raw.get("networks", {}).values() for address in their_addresses(entry or {})],
        "replicas": max(1, raw.get("scale") or 1, raw.get("deploy", {}).get("replicas") or 1),
        "logging": bool(raw.get("logging")),
        "environment": {key: value for key, value in raw.get("environment", {}).items() if value is not None},
        "ports": sorted(
            (str(p["target"]), p.get("published", ""), p.get("protocol", "tcp"), p.get("host_ip", "")) for p in raw.get("ports", ())
        ),
        "depends_on": {k: (conditions[v["condition"]], v["required"]) for k, v in raw.get("depends_on", {}).items() if k in everyone},
        "healthcheck": their_check(raw["healthcheck"]) if "healthcheck" in raw else None,
        "mounts": sorted(their_mounts(raw)),
        "profiles": raw.get("profiles", []),
        "networks": {name: sorted((entry or {}).get("aliases", ())) for name, entry in raw.get("networks", {}).items()},
        "build": build and their_build(build),
    }


def their_check(raw: dict[str, Any]) -> tuple[Any, ...]:
    test = raw.get("test") or []
    if raw.get("disable") or test[:1] == ["NONE"]:
        return ("disabled",)
    times = [seconds(raw[key]) if key in raw else usual for key, usual in (("interval", 30.0), ("timeout", 30.0), ("start_period", 0.0))]
    return (test, *times, raw.get("retries", 3))


def their_build(raw: dict[str, Any]) -> tuple[Any, ...]:
    args = {key: value for key, value in raw.get("args", {}).items() if value is not None}
    return (raw["context"], raw.get("dockerfile") or "Dockerfile", raw.get("target"), args, raw.get("dockerfile_inline"))


def their_addresses(entry: dict[str, Any]) -> list[str]:
    fixed = [entry.get("ipv4_address"), entry.get("ipv6_address"), *entry.get("link_local_ips", ())]
    return [address for address in fixed if address]


def their_mounts(raw: dict[str, Any]) -> list[tuple[str, ...]]:
    found = [(v["type"], v["target"].rstrip("/"), v.get("source", ""), str(v.get("read_only", False))) for v in raw.get("volumes", ())]
    found += [("tmpfs", entry.partition(":")[0], "", "False") for entry in raw.get("tmpfs", ())]
    for kind, folder in (("config", "/"), ("secret", "/run/secrets/")):
        for entry in raw.get(f"{kind}s", ()):
            target = entry.get("target") or entry["source"]
            rights = [key for key in ("uid", "gid", "mode") if key in entry]
            found.append((kind, target if target.startswith("/") else folder + target, "", "True", *rights))
    return found
