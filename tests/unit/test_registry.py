"""Names to implementations; other packages offer theirs through entry points."""

from __future__ import annotations

import importlib.metadata
import sys
import zipfile

import pytest

from seeder.errors import DefinitionError
from seeder.registry import Registry


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """Installs a package that offers gates: names -> `module:factory`; the module `theirs` is there."""

    def install(**entries: str) -> Registry[object]:
        folder = tmp_path / "theirs-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[seeder.gates]", *lines]) + "\n")
        (tmp_path / "theirs.py").write_text("class Theirs:\n    name = 'theirs'\n")
        monkeypatch.syspath_prepend(tmp_path)
        return Registry("gate", {"ready": "seeder.gates.ready:Ready"})

    return install


def test_what_another_package_offers_is_known_beside_our_own(offered):
    known = offered(theirs="theirs:Theirs")
    assert known.names() == ["ready", "theirs"]
    assert known.get("theirs").name == "theirs"
    assert known.get("theirs") is known.get("theirs")


def test_an_unknown_name_is_told_with_the_nearest(offered):
    with pytest.raises(DefinitionError, match=r"redy: there is no such gate\s+-> did you mean 'ready'"):
        offered().get("redy")


def test_two_of_one_name_are_refused(offered):
    with pytest.raises(DefinitionError, match="two packages offer this gate: seeder and theirs:Theirs"):
        offered(ready="theirs:Theirs").names()


def test_what_a_package_misses_is_named(offered):
    with pytest.raises(DefinitionError, match=r"(?s)needs the package absent_package.*uninstall the package that offers gate theirs"):
        offered(theirs="absent_package:Theirs").get("theirs")


def test_what_a_package_in_an_archive_offers_is_known(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as archive:
        archive.writestr("theirs-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        archive.writestr("theirs-1.0.dist-info/entry_points.txt", "[seeder.gates]\ntheirs = theirs:Theirs\n")
    monkeypatch.syspath_prepend(str(tmp_path / "theirs.zip"))
    assert Registry("gate", {}).names() == ["theirs"]


def test_packages_that_offer_seeder_nothing_are_not_parsed(tmp_path, monkeypatch):
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\nother = other:main\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "absent")])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: pytest.fail("all packages of the machine were parsed"))
    assert Registry("gate", {"ready": "seeder.gates.ready:Ready"}).names() == ["ready"]
