"""The resolved compose model is made the run's own: names, networks, volumes, binds, secrets, ports."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from seeder.definition.extension import Ready, ServiceExtension
from seeder.definition.service import Healthcheck, Service
from seeder.definition.stack import Link, Stack, Store
from seeder.errors import DefinitionError, EnvironmentFailed, Mark
from seeder.passed.run import Addition
from seeder.passed.target import Address
from seeder.runtimes import _docker_model, _docker_mounts, _docker_ports
from seeder.runtimes._docker_model import Terms

HERE = Mark(Path("compose.yaml"), 1)
DATA = "/var/lib/postgresql/data"


def stack_of(*names: str, server: str | None = None, **more) -> Stack:
    services = {name: Service(name, HERE) for name in names}
    stores = {server: Store(server, server, "postgres")} if server else {}
    return Stack("shop", "1", Path("/project"), (), services, stores, **more)


def terms_of(tmp_path: Path, *names: str, **more) -> Terms:
    images = dict.fromkeys(names, "image:1")
    told = {"SEEDER_AS_OF": "2026-01-15T12:00:00Z", "SEEDER_SEED": "7"}
    return Terms("seeder-shop-r1", {"dev.seeder.run": "r1"}, told, tmp_path, images, **more)


def model_of(**services: dict) -> dict:
    return {"name": "shop", "services": {name: {"networks": {"default": None}} | service for name, service in services.items()},
            "networks": {"default": {"name": "shop_default"}}}  # fmt: skip


def test_dollars_survive_the_way_through_compose():
    written = {"services": {"db": {"environment": {"PASSWORD": "pa$$word"}, "command": ["sh", "-c", "echo $$HOME"]}}}
    read = _docker_model.unescaped(written)
    assert read["services"]["db"]["environment"]["PASSWORD"] == "pa$word"
    assert _docker_model.escaped(read) == written


def test_services_that_are_not_part_of_the_run_go_with_all_edges_to_them():
    web = {"depends_on": {"db": {"condition": "service_healthy"}, "migrate": {"condition": "service_completed_successfully"}}}
    web |= {"links": ["db:database", "migrate"], "volumes_from": ["migrate:ro"]}
    reduced = _docker_model.reduced(model_of(web=web, db={}, migrate={}), stack_of("web", "db"))
    assert set(reduced["services"]) == {"web", "db"}
    assert set(reduced["services"]["web"]["depends_on"]) == {"db"}
    assert reduced["services"]["web"]["links"] == ["db:database"]
    assert reduced["services"]["web"]["volumes_from"] == []


def test_the_network_of_a_service_outside_the_run_is_refused():
    with pytest.raises(DefinitionError, match="vpn"):
        _docker_model.reduced(model_of(web={"network_mode": "service:vpn"}, vpn={}), stack_of("web"))


def test_a_container_named_by_its_fixed_name_is_its_service():
    model = model_of(web={"network_mode": "container:the-vpn"}, vpn={"container_name": "the-vpn"})
    assert _docker_model.reduced(model, stack_of("web", "vpn"))["services"]["web"]["network_mode"] == "service:vpn"


def test_a_container_name_becomes_an_alias_on_each_network(tmp_path):
    model = model_of(db={"container_name": "shop-db", "hostname": "dbhost", "networks": {"a": None, "b": {"aliases": ["x"]}}})
    model["networks"] = {"a": {"name": "shop_a"}, "b": {"name": "taken", "external": True}}
    _docker_model.own(model, stack_of("db"), terms_of(tmp_path, "db"))
    assert model["services"]["db"]["networks"] == {"a": {"aliases": ["shop-db"]}, "b": {"aliases": ["x", "shop-db"]}}
    assert "container_name" not in model["services"]["db"]
    assert model["services"]["db"]["hostname"] == "dbhost"
    assert [network["name"] for network in model["networks"].values()] == ["seeder-shop-r1_a", "seeder-shop-r1_b"]
    assert not any("external" in network for network in model["networks"].values())


def test_restart_policies_replicas_and_log_drivers_do_not_apply(tmp_path):
    web = {"restart": "always", "deploy": {"replicas": 3, "restart_policy": {"condition": "any"}}, "logging": {"driver": "syslog"}}
    model = model_of(web=web | {"build": {"context": "."}, "profiles": ["x"], "labels": {"mine": "1"}})
    _docker_model.own(model, stack_of("web"), terms_of(tmp_path, "web"))
    service = model["services"]["web"]
    assert (service["restart"], service["deploy"], service["image"]) == ("no", {}, "image:1")
    assert service["labels"] == {"mine": "1", "dev.seeder.run": "r1"}
    assert not {"logging", "build", "profiles"} & set(service)


def test_services_get_the_reference_time_and_their_additions_and_stores_do_not(tmp_path):
    model = model_of(web={"environment": {"A": "1", "SEEDER_AS_OF": ""}}, db={"environment": {"P": "x"}})
    additions = {"web": Addition({"A": "2", "B": "3"})}
    _docker_model.own(model, stack_of("web", "db", server="db"), terms_of(tmp_path, "web", "db", additions=additions))
    assert model["services"]["web"]["environment"] == {"A": "2", "B": "3", "SEEDER_AS_OF": "2026-01-15T12:00:00Z", "SEEDER_SEED": "7"}
    assert model["services"]["db"]["environment"] == {"P": "x"}


def test_fixed_subnets_and_addresses_are_given_up(tmp_path):
    model = model_of(db={"networks": {"back": {"ipv4_address": "10.1.0.5", "aliases": ["d"]}}})
    model["networks"] = {"back": {"name": "b", "ipam": {"config": [{"subnet": "10.1.0.0/24"}]}}, "unused": {"name": "u"}}
    _docker_model.own(model, stack_of("db"), terms_of(tmp_path, "db"))
    assert model["services"]["db"]["networks"] == {"back": {"aliases": ["d"]}}
    assert set(model["networks"]) == {"back"}
    assert "ipam" not in model["networks"]["back"]


# -- mounts -----------------------------------------------------------------------------------------------------------


def mount(kind: str, target: str, source: str | None = None, **more) -> dict:
    return {"type": kind, "target": target, **({"source": source} if source else {}), **more}


@pytest.mark.parametrize("target", [DATA, "/var/lib/postgresql", f"{DATA}/base", "/var/lib/postgresql/data/"])
def test_a_writable_bind_over_a_stores_data_is_replaced(tmp_path, target):
    model = model_of(db={"volumes": [mount("bind", target, str(tmp_path))]})
    _docker_mounts.own(model, terms_of(tmp_path, "db", data={"db": (DATA,)}))
    [seen] = model["services"]["db"]["volumes"]
    assert seen["type"] == "volume"
    assert model["volumes"][seen["source"]]["name"].startswith("seeder-shop-r1_")
    assert model["volumes"][seen["source"]]["labels"] == {"dev.seeder.run": "r1"}


OTHERS = [("/var/lib/postgresql2", False), (f"{DATA}/conf", True), ("/docker-entrypoint-initdb.d", False)]


@pytest.mark.parametrize(("target", "read_only"), OTHERS)
def test_other_binds_of_a_store_stay(tmp_path, target, read_only):
    written = mount("bind", target, str(tmp_path), read_only=read_only)
    model = model_of(db={"volumes": [dict(written)]})
    _docker_mounts.own(model, terms_of(tmp_path, "db", data={"db": (DATA,)}))
    assert model["services"]["db"]["volumes"] == [written]


def test_named_and_external_volumes_become_the_runs_own(tmp_path):
    model = model_of(web={"volumes": [mount("volume", "/a", "named"), mount("volume", "/b", "theirs"), mount("volume", "/c")]})
    model["volumes"] = {"named": {"name": "pinned"}, "theirs": {"name": "theirs", "external": True}, "unused": {"name": "u"}}
    _docker_mounts.own(model, terms_of(tmp_path, "web"))
    assert {v["name"] for v in model["volumes"].values()} == {"seeder-shop-r1_named", "seeder-shop-r1_theirs", "seeder-shop-r1_web-c"}
    assert not any("external" in volume for volume in model["volumes"].values())


def test_a_volume_that_is_a_bind_in_disguise_is_treated_as_one(tmp_path):
    model = model_of(db={"volumes": [mount("volume", DATA, "pg")]}, web={"volumes": [mount("volume", "/w", "pg")]})
    model["volumes"] = {"pg": {"name": "pg", "driver_opts": {"type": "none", "o": "rw,bind", "device": str(tmp_path)}}}
    _docker_mounts.own(model, terms_of(tmp_path, "db", "web", data={"db": (DATA,)}))
    assert model["services"]["db"]["volumes"][0]["type"] == "volume"
    assert model["services"]["web"]["volumes"] == [mount("bind", "/w", str(tmp_path), read_only=False)]
    assert all("driver_opts" not in volume for volume in model["volumes"].values())


def test_volumes_that_the_image_declares_get_an_owner_unless_something_is_mounted_there(tmp_path):
    model = model_of(db={}, memory={"tmpfs": ["/data:size=1m"]}, own={"volumes": [mount("bind", "/data", str(tmp_path))]})
    declared = dict.fromkeys(("db", "memory", "own"), ("/data",))
    _docker_mounts.own(model, terms_of(tmp_path, "db", "memory", "own", volumes=declared))
    assert model["services"]["db"]["volumes"] == [mount("volume", "/data", "db-data")]
    assert model["services"]["memory"]["volumes"] == []
    assert [m["type"] for m in model["services"]["own"]["volumes"]] == ["bind"]


def test_a_folder_that_docker_would_make_in_the_checkout_becomes_a_volume(tmp_path):
    model = model_of(web={"volumes": [mount("bind", "/cache", str(tmp_path / "absent"))]})
    _docker_mounts.own(model, terms_of(tmp_path, "web"))
    assert model["services"]["web"]["volumes"][0]["type"] == "volume"
    assert not (tmp_path / "absent").exists()


def test_isolated_binds_are_copies(tmp_path):
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    file.write_text("x")
    binds = [mount("bind", "/folder", str(folder)), mount("bind", "/file", str(file)), mount("bind", "/ro", str(folder), read_only=True)]
    model = model_of(web={"volumes": binds})
    kept = _docker_mounts.own(model, terms_of(tmp_path / "run", "web", isolate_binds=True))
    first, second, third = model["services"]["web"]["volumes"]
    assert first["type"] == "volume"
    assert kept.copies == {"web": {"/folder": folder}}
    assert Path(second["source"]).is_relative_to(tmp_path / "run")
    assert kept.files[Path(second["source"])].source == file
    assert third["source"] == str(folder)


def test_inline_and_environment_secrets_become_files_of_the_run(tmp_path):
    entries = {"secrets": [{"source": "token", "target": "/run/secrets/token", "mode": "0400", "uid": "70"}, {"source": "file"}],
               "configs": [{"source": "conf", "target": "/etc/conf"}]}  # fmt: skip
    model = model_of(web=entries)
    model["secrets"] = {"token": {"name": "t", "environment": "TOKEN"}, "file": {"name": "f", "file": "/somewhere/file"}}
    model["configs"] = {"conf": {"name": "c", "content": "a: $b"}}
    kept = _docker_mounts.own(model, terms_of(tmp_path, "web", variables={"TOKEN": "s3cret"}))
    files = {path.name: (file.content, file.mode, file.owner) for path, file in kept.files.items()}
    assert files == {"run-secrets-token": (b"s3cret", 0o400, (70, 0)), "etc-conf": (b"a: $b", 0o444, None)}
    assert [entry["source"] for entry in model["services"]["web"]["secrets"]] == ["file"]
    assert {m["target"]: m["read_only"] for m in model["services"]["web"]["volumes"]} == {"/run/secrets/token": True, "/etc/conf": True}
    assert set(model["secrets"]) == {"file"}


def test_a_secret_from_a_variable_that_is_not_set_is_an_error(tmp_path):
    model = model_of(web={"secrets": [{"source": "token"}]}) | {"secrets": {"token": {"environment": "TOKEN"}}}
    with pytest.raises(EnvironmentFailed, match="TOKEN, which is not set"):
        _docker_mounts.own(model, terms_of(tmp_path, "web"))


def test_an_added_file_replaces_what_is_mounted_there(tmp_path):
    source = tmp_path / "flags.yaml"
    additions = {"web": Addition(files={"/etc/app/flags.yaml": source})}
    model = model_of(web={"volumes": [mount("bind", "/etc/app/flags.yaml", "/checkout/flags.yaml", read_only=True)]})
    kept = _docker_mounts.own(model, terms_of(tmp_path, "web", additions=additions))
    [seen] = model["services"]["web"]["volumes"]
    assert kept.files[Path(seen["source"])].source == source
    assert seen["read_only"]


def test_an_added_file_is_never_made_in_a_mounted_folder(tmp_path):
    additions = {"web": Addition(files={"/etc/app/new.yaml": tmp_path / "new.yaml"})}
    model = model_of(web={"volumes": [mount("bind", "/etc/app", str(tmp_path))]})
    with pytest.raises(EnvironmentFailed, match="no such file to put it over"):
        _docker_mounts.own(model, terms_of(tmp_path, "web", additions=additions))


def test_a_remote_daemon_gets_copies_of_files(tmp_path):
    additions = {"web": Addition(files={"/etc/flags": tmp_path / "flags"})}
    model = model_of(web={"configs": [{"source": "c", "target": "/etc/c"}]}) | {"configs": {"c": {"file": str(tmp_path / "c")}}}
    kept = _docker_mounts.own(model, terms_of(tmp_path, "web", additions=additions, remote=True))
    assert model["services"]["web"]["volumes"] == []
    assert set(kept.copies["web"]) == {"/etc/flags", "/etc/c"}


# -- ports ------------------------------------------------------------------------------------------------------------


def test_every_port_that_somebody_may_want_is_published():
    check = Healthcheck(test=("CMD", "curl", "-f", "http://localhost:8081/health"))
    stack = stack_of("web", "db", "worker", server="db", links=(Link("web", "db", 5433, "environment X"),))
    web = dataclasses.replace(stack.services["web"], healthcheck=check)
    ready = dataclasses.replace(stack.services["worker"], x=ServiceExtension(ready=Ready(tcp=9000)))
    stack = dataclasses.replace(stack, services={**stack.services, "web": web, "worker": ready})
    ports = [{"target": 8000, "published": "80", "protocol": "tcp"}, {"target": 53, "protocol": "udp"}]
    model = model_of(web={"ports": ports, "expose": ["7000-7001", "99/udp"]}, db={}, worker={})
    needed = _docker_ports.wanted(model, stack, {"db": 5432}, {"worker": [(1, "tcp")]})
    tcp = {(name, port) for name, port, protocol in needed if protocol == "tcp"}
    assert tcp == {("web", 8000), ("web", 7000), ("web", 7001), ("web", 8081), ("db", 5432), ("db", 5433), ("worker", 9000)}
    assert {key for key in needed if key[2] == "udp"} == {("web", 53, "udp"), ("web", 99, "udp")}


def test_an_images_own_ports_count_when_nothing_else_is_known():
    assert _docker_ports.wanted(model_of(web={}), stack_of("web"), {}, {"web": [(80, "tcp")]}) == [("web", 80, "tcp")]


def test_ports_of_a_service_in_anothers_network_are_published_there():
    alone = {"network_mode": "none", "expose": ["1"]}
    model = model_of(web={"network_mode": "service:vpn", "ports": [{"target": 80}]}, vpn={}, alone=alone)
    wanted = _docker_ports.wanted(model, stack_of("web", "vpn", "alone"), {}, {})
    numbers = dict.fromkeys(_docker_ports.publishable(model, wanted), 20001)
    _docker_ports.publish(model, numbers, "127.0.0.1")
    assert set(numbers) == {("web", 80, "tcp")}
    assert "ports" not in model["services"]["web"]
    assert [(p["target"], p["published"], p["host_ip"]) for p in model["services"]["vpn"]["ports"]] == [(80, "20001", "127.0.0.1")]
    assert "ports" not in model["services"]["alone"]


def test_a_service_on_the_hosts_network_is_reached_at_its_own_port():
    model = model_of(db={"network_mode": "host"})
    wanted = _docker_ports.wanted(model, stack_of("db", server="db"), {"db": 5432}, {})
    assert _docker_ports.publishable(model, wanted) == []
    assert _docker_ports.on_the_host(model, wanted, "127.0.0.1") == {("db", 5432): Address("127.0.0.1", 5432)}
