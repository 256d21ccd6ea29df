"""Layers as images of an engine that others use too: found by all, pulled by nobody, removed by who made them, never too deep."""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Iterator

import pytest

from seeder.errors import EnvironmentFailed
from seeder.layers import image
from seeder.machine import home
from seeder.passed.layer import Layer
from seeder.reuse import room
from tests.contract.docker_stack import OnDocker, docker


@pytest.mark.docker
class TestLayerImages(OnDocker):
    @pytest.fixture
    def container(self, token: str) -> Iterator[str]:
        """One that was never started, of an image that there is anyway."""
        made = docker("create", "--label", f"seeder.test={token}", "redis:8")
        yield made
        docker("rm", "-f", made)

    @pytest.fixture
    def state(self) -> Iterator[str]:
        """The id of a state that nobody else has."""
        state = secrets.token_hex(32)
        yield state
        for name in docker("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"label={image.ID}={state}").splitlines():
            docker("rmi", "-f", name)

    def kept(self, state: str, container: str) -> Layer:
        return image.Images().keep(state, "container-test", container, {"server": "cache"})

    def test_a_layer_is_found_by_every_cache_and_removed_by_its_own_when_room_is_made(self, state, container, tmp_path, monkeypatch):
        layer = self.kept(state, container)
        assert layer.own
        monkeypatch.setenv(home.VARIABLE, str(tmp_path / "another"))
        (found,) = image.Images().find([layer.key]).values()
        assert not found.own
        room.prune(-1, own=True)
        assert image.Images().find([layer.key])
        assert layer.key in {one.key for one in room.excess(-1)}

    def test_what_is_kept_again_leaves_no_image_without_a_name(self, state, container):
        self.kept(state, container)
        self.kept(state, container)
        assert len(docker("images", "-aq", "--filter", f"label={image.ID}={state}").splitlines()) == 1

    def test_an_image_that_lost_its_name_goes_once_it_is_no_longer_new_and_nothing_is_made_of_it(self, state, container, monkeypatch):
        layer = self.kept(state, container)
        image_id = docker("image", "inspect", "-f", "{{.Id}}", layer.place).strip()
        used = docker("run", "-d", layer.place, "sleep", "600").strip()
        docker("rmi", "-f", layer.place)
        with pytest.raises(EnvironmentFailed):
            image.Images().forget(image_id)
        for new in (True, False):
            monkeypatch.setattr(room, "BUILDING", datetime.timedelta(hours=new))
            assert image_id not in room.strays()
        docker("rm", "-f", used)
        monkeypatch.setattr(room, "BUILDING", datetime.timedelta(hours=1))
        assert image_id not in room.strays()
        monkeypatch.setattr(room, "BUILDING", datetime.timedelta())
        room.strays()[image_id].forget(image_id)
        assert not docker("images", "-aq", "--filter", f"label={image.ID}={state}")

    def test_a_layer_knows_when_it_is_made_of_too_many(self, state, container, monkeypatch):
        layers = len(json.loads(docker("image", "inspect", "redis:8"))[0]["RootFS"]["Layers"])
        monkeypatch.setattr(image, "DEEPEST", layers)
        layer = self.kept(state, container)
        assert layer.deep
        monkeypatch.setattr(image, "DEEPEST", layers + 1)
        assert not image.Images().find([layer.key])[layer.key].deep

    def test_a_service_that_always_pulls_begins_at_its_layer_all_the_same(self, opened, state, container):
        layer = self.kept(state, container)
        one = opened("services: {cache: {image: 'seeder.invalid/redis:8', pull_policy: always}}")
        one.containers.prepare({}, {"cache": layer.place})
        assert docker("inspect", "-f", "{{.Config.Image}}", one.container("cache")) == layer.place

    def test_a_layer_that_was_removed_meanwhile_is_asked_of_no_registry(self, opened):
        one = opened("services: {cache: {image: 'redis:8'}}")
        with pytest.raises(EnvironmentFailed, match="cache: the layer at which it begins was removed meanwhile") as failed:
            one.containers.prepare({}, {"cache": "seeder-layer:gone"})
        assert failed.value.problems[0].remedy == "run again"
