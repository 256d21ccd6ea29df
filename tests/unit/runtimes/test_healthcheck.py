"""Healthchecks that ask HTTP of their own machine are asked from the host; all others run inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.service import Healthcheck, Service
from seeder.errors import Mark
from seeder.runtimes._healthcheck import of_image, of_service, said

PYTHON = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"


def check_of(*test: str):
    return of_service(Service("web", Mark(Path("compose.yaml"), 1), healthcheck=Healthcheck(test=test, timeout=3)))


@pytest.mark.parametrize(
    ("test", "port", "path", "below"),
    [
        (("CMD", "curl", "-f", "http://localhost:8000/healthz"), 8000, "/healthz", 400),
        (("CMD-SHELL", "curl -fsS http://localhost:8000/healthz > /dev/null || exit 1"), 8000, "/healthz", 400),
        (("CMD-SHELL", "curl --fail -sS -o /dev/null -m 2 'http://127.0.0.1/a?b=1'||exit 1"), 80, "/a?b=1", 400),
        (("CMD", "curl", "localhost:9000"), 9000, "/", 600),
        (("CMD-SHELL", "wget -qO- http://localhost:8080/ready >/dev/null 2>&1 || exit 1"), 8080, "/ready", 400),
        (("CMD", "wget", "--no-verbose", "--tries=1", "--spider", "http://0.0.0.0:80/"), 80, "/", 400),
        (("CMD", "/usr/local/bin/python3", "-c", PYTHON), 8000, "/healthz", 400),
        (("CMD", "python3", "-c", PYTHON.replace(".request;", ".request as r;").replace(" urllib.request.", " r.")), 8000, "/healthz", 400),
        (("CMD-SHELL", f'python -c "{PYTHON}"'), 8000, "/healthz", 400),
    ],
)
def test_plain_http_questions_are_recognised(test, port, path, below):
    check = check_of(*test)
    assert (check.port, check.path, check.below) == (port, path, below)


@pytest.mark.parametrize(
    "test",
    [
        ("CMD-SHELL", "pg_isready -U app"),
        ("CMD-SHELL", "curl -f http://localhost:$PORT/healthz"),
        ("CMD-SHELL", "curl -f http://localhost:8000/healthz && test -f /ready"),
        ("CMD-SHELL", "curl -f http://localhost:8000/healthz | grep ok"),
        ("CMD", "curl", "-f", "-H", "X-Token: 1", "http://localhost:8000/healthz"),
        ("CMD", "curl", "-f", "-X", "POST", "http://localhost:8000/healthz"),
        ("CMD", "curl", "-f", "https://localhost:8000/healthz"),
        ("CMD", "curl", "-f", "http://other:8000/healthz"),
        ("CMD", "curl", "-f", "http://localhost:8000/a", "http://localhost:8000/b"),
        ("CMD", "python", "-c", "import urllib.request as r; assert b'ok' in r.urlopen('http://localhost:80').read()"),
        ("CMD-SHELL", 'echo "unbalanced'),
    ],
)
def test_anything_else_runs_inside(test):
    check = check_of(*test)
    assert check.port is None
    assert check.command == (test[1:] if test[0] == "CMD" else ("/bin/sh", "-c", test[1]))


def test_the_host_header_is_what_the_check_would_send():
    assert check_of("CMD", "curl", "-f", "http://localhost:8000/").host == "localhost:8000"


def test_the_images_healthcheck_is_read_as_the_api_tells_it():
    check = of_image({"Test": ["CMD-SHELL", "true"], "Timeout": 2_000_000_000})
    assert (check.command, check.timeout) == (("/bin/sh", "-c", "true"), 2.0)
    assert of_image({"Test": ["NONE"]}) is None
    assert of_image(None) is None


CURL = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
    "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (f"{CURL}\ncurl: (7) Failed to connect to localhost port 80\n", "curl: (7) Failed to connect to localhost port 80"),
        (f"{CURL}curl: (22) The requested URL returned error: 503\n", "curl: (22) The requested URL returned error: 503"),
        (f"{CURL}\r100  1256  100  1256    0     0  12.3k      0  0:00:01 --:--:--  0:00:01 12.4k\n", ""),
        ("no database\n\n  no cache\n\n", "no cache"),
        (f"{'word ' * 60}end\n", f"...{'word ' * 39}end"),
    ],
)
def test_of_what_a_check_said_the_last_line_that_says_something_is_told(output, told):
    assert said(output) == told
