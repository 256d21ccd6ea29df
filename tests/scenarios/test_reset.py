"""`seeder reset`: an environment goes back to the state in which `seeder up` handed it over, and its services go on."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import DATA
from tests.scenarios.failing import change, proper, run, web
from tests.scenarios.seeder import SEEDER, run_id, seeder, until

pytestmark = pytest.mark.usefixtures("cached")

COUNTING = """
import http.server, signal, sys

class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        if self.path == "/count":
            Handler.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d" % Handler.asked)

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""
# The same, and it forgets when it is asked to: with the answer that a file names, or with none.
FORGETTING = COUNTING.replace(
    "    def do_GET",
    """    def do_POST(self):
        try:
            self.send_response(int(open("answer").read()))
            self.end_headers()
        except FileNotFoundError:
            self.connection.close()

    def do_GET""",
)
# A shell as the leader: who asks it alone to end leaves the service behind, with its port.
LOCAL = 'local: {command: ["{python}", "web/web.py", "{host}", "{port}"]}'
SHELL = 'local: {command: [sh, -c, "{python} web/web.py {host} {port}; true"]}\n      reset: restart'
FORGETS = """  forgets:
    image: python:3.13-slim
    command: ["python3", "/srv/forgets.py", "0.0.0.0", "8000"]
    volumes: ["./web:/srv:ro"]
    expose: ["8000"]
    x-seeder:
      local: {command: ["{python}", "web/forgets.py", "{host}", "{port}"]}
      reset: {http: POST /forget}
volumes:
"""


def counting(folder: Path) -> Path:
    """The small project, whose service counts in its memory and starts anew with a reset."""
    web(folder, COUNTING)
    change(folder, "compose.yaml", LOCAL, SHELL)
    return folder


def forgetting(folder: Path) -> Path:
    """A second service in it that is asked to forget, and answers what stands in the file `answer`."""
    (folder / "web" / "forgets.py").write_text(FORGETTING)
    (folder / "answer").write_text("200")
    change(folder, "compose.yaml", "volumes:\n", FORGETS)
    return folder


@contextmanager
def up(folder: Path, runtime: str) -> Iterator[dict[str, str]]:
    """The variables of an environment that stays until the end of the block."""
    said = seeder("up", "small", "--scenario", "ready", "--runtime", runtime, "--json", cwd=folder)
    assert said.code == 0, said.err
    try:
        variables: dict[str, str] = json.loads(seeder("env", "--json", cwd=folder).out)["variables"]
        yield variables
    finally:
        seeder("down", cwd=folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, cached: None) -> Iterator[Callable[[str], tuple[Path, dict[str, str]]]]:
    """Project and variables of one environment on each runtime. Every test leaves it as a reset leaves it."""
    with ExitStack() as ends:

        @functools.cache
        def of(runtime: str) -> tuple[Path, dict[str, str]]:
            folder = counting(Path(shutil.copytree(DATA / "small", tmp_path_factory.mktemp(runtime) / "small")))
            if runtime == "local":
                forgetting(folder)
            return folder, ends.enter_context(up(folder, runtime))

        yield of


def asked(url: str, path: str = "/count") -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_a_service_with_state_of_its_own_starts_anew(shared, runtime):
    folder, variables = shared(runtime)
    before = int(asked(variables["NOTES_WEB"]))
    assert asked(variables["NOTES_WEB"]) == str(before + 1)
    proper(seeder("sql", "db", "-c", "delete from notes", cwd=folder), 0)
    for _ in range(2):
        proper(seeder("reset", cwd=folder), 0)
        assert asked(variables["NOTES_WEB"]) == "1"
    assert seeder("sql", "db", "-c", "select count(*) from notes", cwd=folder).out == "2\n"


def test_a_program_gets_services_started_anew_with_all_of_their_processes(project):
    program = (
        "import seeder\n"
        "with seeder.up('small', scenario='ready', runtime='local') as environment:\n"
        "    for _ in range(3):\n"
        "        print(environment.http('web').get('/count').text)\n"
        "        environment.reset()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=counting(project("small")), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n1\n1\n"), done.stderr


def test_an_environment_that_was_not_marked_is_refused_before_its_services_are_held(project):
    folder = project("small")
    proper(run(folder, "local", options=("--keep",)), 0)
    said = seeder("reset", cwd=folder)
    proper(said, 3, "its stores were not marked when it came up", "`seeder up`")
    assert "first" in seeder("sql", "db", "-c", "select body from notes", cwd=folder).out
    proper(seeder("gate", cwd=folder), 0)
    proper(seeder("down", run_id(folder), cwd=folder), 0)


def test_a_service_that_does_not_answer_the_request_to_forget_is_told(shared):
    folder, _ = shared("local")
    answer = folder / "answer"
    try:
        answer.write_text("501")
        proper(seeder("reset", cwd=folder), 3, "forgets: POST /forget answered 501", "seeder logs forgets")
        answer.unlink()
        proper(seeder("reset", cwd=folder), 3, "forgets: did not answer POST /forget", "seeder logs forgets")
    finally:
        answer.write_text("200")
    proper(seeder("reset", cwd=folder), 0)


def test_resets_at_the_same_time_come_one_after_the_other(shared):
    folder, variables = shared("local")
    seeder("sql", "db", "-c", "delete from notes", cwd=folder)
    begun = [subprocess.Popen([*SEEDER, "reset"], cwd=folder, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in begun:
        _, said = each.communicate(timeout=120)
        assert each.returncode == 0, said
    assert asked(variables["NOTES_WEB"], "/health") == "0"
    assert seeder("sql", "db", "-c", "select count(*) from notes", cwd=folder).out == "2\n"


def test_whose_connection_was_lost_is_told(shared):
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    folder, _ = shared("local")
    at = json.loads(seeder("env", "--format", "json", cwd=folder).out)["stores"]["cache"]
    client = redis.Redis(at["host"], at["port"], socket_timeout=120, retry=Retry(NoBackoff(), 0))

    def wait() -> None:
        with pytest.raises(redis.ConnectionError):
            client.blpop(["nothing"], timeout=60)

    waiting = threading.Thread(target=wait)
    waiting.start()
    watching = redis.Redis(at["host"], at["port"])
    until("the client waits", lambda: watching.info("clients")["blocked_clients"] == 1)
    watching.set("mine", "1")
    proper(seeder("sql", "db", "-c", "delete from notes", cwd=folder), 0)
    said = seeder("reset", "--json", "--way", "in-place", cwd=folder)
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert "waited in a blocking command" in found["cache"]["restart"]
    assert (found["cache"]["notes"], found["db"]["way"]) == ([], "in-place")
    waiting.join(30)
    assert not waiting.is_alive()
