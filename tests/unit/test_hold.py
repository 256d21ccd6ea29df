"""While stores change services are held, and whatever goes wrong they go on only when nobody works on the stores any more."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from seeder.errors import EnvironmentFailed
from seeder.running import hold


class Holding:
    """A deployment that can hold all services but some."""

    def __init__(self, *stubborn: str) -> None:
        self.stubborn, self.held, self.released = stubborn, set[str](), list[str]()

    def hold(self, service: str) -> None:
        if service in self.stubborn:
            raise EnvironmentFailed(service, "cannot be held")
        self.held.add(service)

    def release(self, service: str) -> None:
        self.released.append(service)
        if service in self.stubborn:
            raise EnvironmentFailed(service, "cannot be released")
        self.held.discard(service)


def environment(deployment: Holding) -> Any:
    return SimpleNamespace(deployment=deployment)


SERVICES = [f"service-{number:02d}" for number in range(20)]  # more than are told at once


def test_services_that_were_held_go_on_when_another_cannot_be() -> None:
    deployment = Holding("service-01")
    with pytest.raises(EnvironmentFailed, match="service-01"), hold.still(environment(deployment), SERVICES):
        pytest.fail("nothing changes while a client is at work")
    assert deployment.held == set()
    assert sorted(deployment.released) == SERVICES


def test_the_first_store_that_fails_waits_for_the_others() -> None:
    failed, done = threading.Event(), list[str]()

    def rewind(store: str) -> None:
        if store == "db":
            failed.set()
            raise EnvironmentFailed(store, "cannot be taken back")
        failed.wait(5)
        threading.Event().wait(0.05)  # still at work when the other has failed
        done.append(store)

    with pytest.raises(EnvironmentFailed, match="db: cannot be taken back"):
        hold.every(["cache", "db"], rewind)
    assert done == ["cache"]
