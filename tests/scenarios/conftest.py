"""End-to-end tests drive the command line as a user does, on both runtimes."""

import pytest


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def runtime(request):
    """Each runtime in turn."""
    return request.param
