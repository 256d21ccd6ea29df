"""What every remote keeps to: a pack and what is told of it under a name, there as a whole or not at all, errors that say what to do."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder import registry
from seeder.errors import EnvironmentFailed, UsageError
from seeder.machine import pack
from seeder.passed.layer import Layer
from seeder.protocols import Shrinks
from seeder.reuse import shrink, transfer
from tests.contract.guarding_registry import guarded
from tests.contract.serving_registry import registry as serving

NAME = "a" * 64 + ".pgdata-17.of-01234567"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(params=["folder", "file", "memory", "oci"])
def url(request, tmp_path: Path) -> str:
    if request.param == "oci":
        return f"oci://{request.getfixturevalue('host')}/acme/{tmp_path.name.lower()}"
    return {"folder": "", "file": "file://", "memory": "memory:/"}[request.param] + f"{tmp_path}/remote"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "pack"
    path.write_bytes(b"a pack" * 100_000)
    return path


def told(packed: Path, **more: object) -> dict[str, object]:
    seal = pack.seal(packed)
    return {"sha256": seal.sha256, "length": seal.length, **more}


def test_nothing_is_there_before_something_is_put(url, tmp_path):
    remote = registry.remote(url)
    assert remote.names() == set()
    assert remote.told(NAME) is None
    assert not remote.get(NAME, "0" * 64, tmp_path / "got")


def test_a_folder_is_pruned_and_others_have_rules_of_their_own(url, packed):
    """What was used last stays; what is half there and old goes, too."""
    remote = registry.remote(url)
    if not isinstance(remote, Shrinks):
        with pytest.raises(UsageError, match="rules of its own"):
            shrink.prune(remote, 0, None, {})
        return
    long_ago = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    names = [f"{digit * 64}.portable" for digit in "ab"]
    for name in names:
        layer = Layer(name[:64], "portable", "", 1, long_ago, long_ago, {"stack": "small"}, "directory")
        remote.put(name, packed, transfer.told(layer, pack.seal(packed), {}))
    folder = Path(url.removeprefix("file://"))
    (folder / "half.tar.zst").write_bytes(b"half")
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    remote.used(names[0])
    limit = packed.stat().st_size
    assert [one.place for one in shrink.excess(remote, limit, None, {})] == [names[1]]
    assert shrink.prune(remote, -1, None, {"stack": "other"}) == []
    assert [one.place for one in shrink.prune(remote, limit, None, {})] == [names[1]]
    assert sorted(path.name for path in folder.iterdir()) == [f"{names[0]}.json", f"{names[0]}.tar.zst"]


def test_what_is_put_is_had_by_others(url, packed, tmp_path):
    registry.remote(url).put(NAME, packed, told(packed, facts={"städte": ["Zürich"]}))
    remote = registry.remote(url)
    assert remote.names() == {NAME}
    assert remote.told(NAME) == told(packed, facts={"städte": ["Zürich"]})
    assert remote.get(NAME, pack.seal(packed).sha256, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == packed.read_bytes()


def test_what_is_put_again_replaces_what_was_there(url, packed, tmp_path):
    remote = registry.remote(url)
    remote.put(NAME, packed, told(packed))
    packed.write_bytes(b"another")
    remote.put(NAME, packed, told(packed))
    assert remote.told(NAME) == told(packed)
    assert remote.get(NAME, pack.seal(packed).sha256, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"another"


def test_versions_of_a_name_are_kept_beside_each_other(url, packed):
    remote = registry.remote(url)
    for version in ("1.0.0", "1.1.0+build.7"):
        remote.put(f"checkout/{version}", packed, told(packed, version=version))
    assert (remote.told("checkout/1.1.0+build.7") or {})["version"] == "1.1.0+build.7"
    assert (remote.told("checkout/1.0.0") or {})["version"] == "1.0.0"
    assert remote.names() == set()


def test_a_folder_shows_nothing_of_what_is_half_put(tmp_path, packed):
    remote = registry.remote(str(tmp_path / "remote"))
    remote.put(NAME, packed, told(packed))
    (tmp_path / "remote" / f"{NAME}.json").write_text('{"half": ')
    assert remote.told(NAME) is None
    (tmp_path / "remote" / f"{NAME}.json").unlink()
    assert remote.names() == set()
    assert [path.name for path in (tmp_path / "remote").iterdir()] == [f"{NAME}.tar.zst"]


# -- errors -----------------------------------------------------------------------------------------------------------


def refused(url: str) -> EnvironmentFailed:
    with pytest.raises(EnvironmentFailed) as failed:
        registry.remote(url).names()
    (problem,) = failed.value.problems
    assert problem.subject in url or problem.subject == url
    assert problem.remedy
    return failed.value


def test_a_package_that_a_scheme_needs_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    problem = refused("s3://bucket/prefix").problems[0]
    assert (problem.cause, problem.remedy) == ("s3:// needs a package that is not installed: s3fs", "pip install s3fs")


def test_a_scheme_that_nobody_knows_is_told():
    assert "fsspec knows no scheme nowhere://" in str(refused("nowhere://bucket"))


def test_an_extra_that_is_not_installed_is_named(monkeypatch):
    for module in ("fsspec", "fsspec.core"):
        monkeypatch.setitem(sys.modules, module, None)
    assert refused("/shared/seeder").problems[0].remedy == "pip install 'seeder-env[remote]'"


def test_a_registry_that_is_not_there_is_told_at_once():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert "the registry does not answer: Connection refused" in str(refused(f"oci://127.0.0.1:{nobody.getsockname()[1]}/acme"))


def test_a_registry_without_a_repository_is_no_address():
    assert "names no repository" in str(refused("oci://127.0.0.1:5000"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, packed):
    (tmp_path / "remote").mkdir(mode=0o500)
    with pytest.raises(EnvironmentFailed, match="access is refused"):
        registry.remote(str(tmp_path / "remote")).put(NAME, packed, told(packed))


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path, packed):
    (tmp_path / "remote").write_text("")
    with pytest.raises(EnvironmentFailed) as failed:
        registry.remote(str(tmp_path / "remote")).put(NAME, packed, told(packed))
    assert failed.value.problems[0].subject == str(tmp_path / "remote")


# -- credentials ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["basic", "token"])
def door(request, tmp_path: Path) -> Iterator[str]:
    """A registry that lets in `acme` with the password `correct-horse`."""
    (tmp_path / "htpasswd").write_text("acme:$2b$04$abcdefghijklmnopqrstuuPoaPXzWjiVz4HaNq2LJXksWbO79E.S6\n")
    more = f"auth: {{htpasswd: {{realm: acme, path: {tmp_path}/htpasswd}}}}" if request.param == "basic" else ""
    with serving(tmp_path, more) as host, guarded(host) if request.param == "token" else contextlib.nullcontext(host) as door:
        yield door


def test_credentials_are_those_of_docker(door, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with pytest.raises(EnvironmentFailed, match="docker login"):
        registry.remote(f"oci://{door}/acme/layers").put(NAME, packed, told(packed))
    (tmp_path / "docker").mkdir()
    auth = base64.b64encode(b"acme:correct-horse").decode()
    (tmp_path / "docker/config.json").write_text(json.dumps({"auths": {door: {"auth": auth}}}))
    remote = registry.remote(f"oci://{door}/acme/layers")
    assert remote.names() == set()
    for name in (NAME, "checkout/1.0.0", NAME):
        remote.put(name, packed, told(packed))
        assert remote.told(name) == told(packed)
        assert remote.get(name, pack.seal(packed).sha256, tmp_path / "got")
    assert remote.names() == {NAME}
