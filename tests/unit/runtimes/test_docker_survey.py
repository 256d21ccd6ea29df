"""What docker refuses and warns of is known before anything starts; what its command says is put in plain words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.extension import ServiceExtension
from seeder.definition.manifest import StackEntry
from seeder.definition.service import Build, Mount, Service
from seeder.definition.stack import Stack
from seeder.errors import Mark
from seeder.machine.process import RUN_LABEL, Completed
from seeder.registry import traits
from seeder.runtimes import _docker_compose
from seeder.runtimes._docker_survey import notices

WEB = Service("web", Mark(Path("compose.yaml"), 1))
SOCKET = Mount("bind", "/var/run/docker.sock", "/var/run/docker.sock", read_only=True)
HOST = {
    "host-network": {"network_mode": "host"},
    "host-pid": {"pid": "host"},
    "host-ipc": {"ipc": "host"},
    "privileged": {"privileged": True},
    "docker-socket": {"mounts": (SOCKET,)},
}


def survey(data=(), remote=None, **changes):
    stack = Stack("shop", "1", Path("/p"), (), {"web": dataclasses.replace(WEB, **changes)}, {})
    return notices(stack, {"web": data}, remote)


def test_what_could_not_be_built_now_is_named_by_the_plan(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert survey(build=Build(tmp_path)) == []
    assert survey(build=Build(tmp_path, "Other", inline="FROM scratch")) == []
    assert survey(build=Build(tmp_path / "none", remote="https://host/repository.git")) == []
    [lacking] = survey(build=Build(tmp_path, "Other"))
    [nowhere] = survey(build=Build(tmp_path / "none"))
    assert lacking.message == f"build: there is no file {tmp_path}/Other"
    assert nowhere.message == f"build: there is no folder {tmp_path}/none"


@pytest.mark.parametrize("allowance", HOST)
def test_resources_of_the_host_are_refused_unless_allowed(allowance):
    [refused] = survey(**HOST[allowance])
    assert refused.refused
    assert f"allow: [{allowance}]" in refused.remedy
    assert survey(**HOST[allowance], x=ServiceExtension(allow=[allowance])) == []


@pytest.mark.parametrize("source", ["/", "/var/run", "/run", "/run/docker.sock"])
def test_a_mount_that_the_engines_socket_lies_in_is_refused(source):
    assert [n.refused for n in survey(mounts=(Mount("bind", "/host", source, read_only=True),))] == [True]
    assert survey(mounts=(Mount("bind", "/host", "/run/other", read_only=True),)) == []


def test_a_link_to_the_socket_is_the_socket(tmp_path):
    (tmp_path / "link").symlink_to("/run")
    assert [n.refused for n in survey(mounts=(Mount("bind", "/host", str(tmp_path / "link"), read_only=True),))] == [True]


def test_the_key_that_mounts_the_socket_is_refused():
    [refused] = survey(unhonoured=("use_api_socket",))
    assert "allow: [docker-socket]" in refused.remedy


def test_a_volume_that_stands_for_the_socket_is_refused(tmp_path):
    (tmp_path / "compose.yaml").write_text("""
services: {web: {image: "redis:8", volumes: ["sock:/x"]}}
volumes: {sock: {driver_opts: {type: none, o: bind, device: /var/run/docker.sock}}}
""")
    stack = read_stack(StackEntry("shop", "1", (tmp_path / "compose.yaml",)), engines=traits(), environment={})
    assert any(n.refused and "docker socket" in n.message for n in notices(stack, {}, None))


def test_writable_folders_of_the_checkout_are_named_and_read_only_ones_are_not():
    mounts = (Mount("bind", "/a", "/p/a"), Mount("bind", "/b", "/p/b", read_only=True), Mount("volume", "/c", "c"))
    [seen] = survey(mounts=mounts)
    assert not seen.refused
    assert "/p/a" in seen.message
    assert "/p/b" not in seen.message
    assert "--isolate-binds" in seen.remedy


def test_a_data_folder_of_the_checkout_is_said_to_stay_untouched():
    [seen] = survey(data=("/data",), mounts=(Mount("bind", "/data", "/p/data"),))
    assert "/p/data is not touched" in seen.message


def test_folders_of_this_machine_are_refused_on_another():
    seen = survey(remote=("far.example", "192.0.2.7"), mounts=(Mount("bind", "/b", "/p/b", read_only=True),))
    assert [notice.refused for notice in seen] == [True, False]
    assert "far.example cannot see" in seen[0].message


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        (("far.example", "192.0.2.7"), "at 192.0.2.7 of far.example"),
        (("far.example", "0.0.0.0"), "at every address of far.example"),
    ],
)
def test_where_ports_of_another_machine_are_published_is_said(remote, said):
    [seen] = survey(remote=remote)
    assert said in seen.message


EXTERNAL = "services: {web: {image: x, networks: [n]}}\nnetworks: {n: {external: true, name: %s}}"
VOLUME = "services: {web: {image: x, volumes: ['vol:/v']}}\nvolumes: {vol: {%s}}"
REPLACED = {
    "web: runs once": "services: {web: {image: x, scale: 2}}",
    "web: its fixed addresses (10.7.0.5)": "services: {web: {image: x, networks: {n: {ipv4_address: 10.7.0.5}}}}\nnetworks: {n: }",
    "shop: `logging` of web is left out": "services: {web: {image: x, logging: {driver: syslog}}}",
    "default: its fixed subnet": "services: {web: {image: x}}\nnetworks: {default: {ipam: {config: [{subnet: 10.7.0.0/16}]}}}",
    "n: is an external network": EXTERNAL % "theirs",
    "n: the network host is the machine's own": EXTERNAL % "host",
    "vol: is an external volume; the run gets an empty one": VOLUME % "external: true",
    "vol: has a volume driver": VOLUME % "driver: nfs",
}
KEPT = """
services: {web: {image: x, deploy: {replicas: 1}, volumes: ["vol:/v", "memory:/m"], networks: [n]}}
networks: {n: {driver: bridge}, unused: {external: true}}
volumes: {vol: {}, memory: {driver_opts: {type: tmpfs, device: tmpfs}}, unused: {external: true}}
"""


def of_text(folder: Path, text: str) -> list[str]:
    (folder / "compose.yaml").write_text(text)
    stack = read_stack(StackEntry("shop", "1", (folder / "compose.yaml",)), engines=traits(), environment={})
    return [f"{notice.subject}: {notice.message}" for notice in notices(stack, {}, None)]


@pytest.mark.parametrize("expected", REPLACED)
def test_what_a_run_has_in_another_form_is_named(tmp_path, expected):
    assert of_text(tmp_path, REPLACED[expected])[0].startswith(expected)


def test_what_stays_as_it_is_or_is_not_used_is_not_named(tmp_path):
    assert of_text(tmp_path, KEPT) == []


@pytest.mark.parametrize(
    ("said", "cause", "remedy"),
    [
        ("Error: could not find an available, non-overlapping IPv4 address pool among the defaults", "address", "default-address-pools"),
        ("Error response from daemon: all predefined address pools have been fully subnetted", "address", "default-address-pools"),
        ("failed: write /var/lib/docker/x: no space left on device", "disk", "docker system df"),
        ("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "does not answer", "doctor"),
        ("first\nError: the last line\n", "the last line", ""),
    ],
)
def test_complaints_of_the_docker_command_are_put_in_plain_words(said, cause, remedy):
    error = _docker_compose.failure("docker compose", Completed(1, said))
    assert cause in error.problems[0].cause
    assert remedy in error.problems[0].remedy
    assert [error.problems[0].cause, *error.log.splitlines()].count(said.splitlines()[-1]) == 1  # told once


def test_wishes_for_another_project_do_not_reach_seeders_own():
    given = {"COMPOSE_PROJECT_NAME": "mine", "COMPOSE_FILE": "x.yaml", "PATH": "/bin"}
    assert _docker_compose.environment("r1", given) == {"PATH": "/bin", RUN_LABEL: "r1"}
