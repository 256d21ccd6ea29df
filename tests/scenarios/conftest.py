"""End-to-end tests drive the command line as a user does, on both runtimes."""

from collections.abc import Iterator

import pytest


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def runtime(request):
    """Each runtime in turn."""
    return request.param


@pytest.fixture(scope="module")
def cached() -> Iterator[None]:
    """Runs begin at layers that earlier tests of this machine left: for tests that do not look at how a state comes about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDER_CACHE", "on")
        yield
