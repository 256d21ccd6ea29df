"""What every runtime promises. An implementation's test subclasses RuntimeContract and says which runtime it is."""

from __future__ import annotations

import contextlib
import datetime
import json
import secrets
import socket
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from seeder import warden
from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.definition.service import Healthcheck
from seeder.errors import EnvironmentFailed
from seeder.events import Event
from seeder.machine import home, living
from seeder.passed.run import NO_ADDITIONS, Addition, Run, Task
from seeder.passed.target import Address
from seeder.protocols import Deployment, Runtime
from seeder.registry import RUNTIMES, traits
from seeder.wait import READY, not_yet, wait_for

DATA = Path(__file__).parents[1] / "data" / "runtime"
WITHIN = 60.0
REFUSED = (  # healthchecks that the contract's service does not pass: by its answer, by what follows, by what is looked for in it
    ("CMD", "curl", "-f", "http://localhost:8000/refused"),
    ("CMD-SHELL", "python3 -c \"import urllib.request as r; r.urlopen('http://localhost:8000/health')\" && test -e /no/such/file"),
    ("CMD", "python3", "-c", "import urllib.request as r; assert b'no' in r.urlopen('http://localhost:8000/health').read()"),
)
NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


@dataclass
class Opened:
    """One prepared run of the contract's stack."""

    run: Run
    deployment: Deployment
    addresses: Mapping[tuple[str, int], Address]
    events: list[Event]

    def up(self, *services: str) -> None:
        """Start services and wait until they are healthy (the one-shot: until it has completed)."""
        for service in services:
            self.deployment.start(service)
            condition = "completed" if service == "prepare" else "healthy"
            wait_for(service, lambda name=service, wanted=condition: self.deployment.look(name, wanted), within=WITHIN)

    def get(self, service: str, path: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{self.addresses[service, 8000]}{path}", timeout=10) as response:
            return json.load(response)


def run_of(runtime: str) -> Run:
    """A run with an id of its own; its folder is there."""
    name = f"t{secrets.token_hex(5)}"
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    run = Run(name, "contract", "small", runtime, home.run_folder(name), DATA, NOON, 42, expires)
    run.folder.mkdir(mode=0o700)
    return run


def accepts(address: Address) -> bool:
    try:
        socket.create_connection((address.host, address.port), timeout=2).close()
    except OSError:
        return False
    return True


class RuntimeContract:
    name: ClassVar[str]

    @pytest.fixture
    def runtime(self) -> Runtime:
        return RUNTIMES.get(self.name)

    @pytest.fixture
    def open_run(self, runtime: Runtime) -> Iterator[Callable[..., Opened]]:
        """Opens and prepares runs; all are swept afterwards."""
        with contextlib.ExitStack() as undo:

            def opened(additions: Mapping[str, Addition] = NO_ADDITIONS, check: tuple[str, ...] = ()) -> Opened:
                stack = read_stack(
                    StackEntry(name="small", compose=(DATA / "compose.yaml",), version="1"), engines=traits(), environment={}
                )
                peer = replace(stack.services["peer"], healthcheck=Healthcheck(check))
                stack = replace(stack, services={**stack.services, "peer": peer}) if check else stack
                run, events = run_of(self.name), []
                undo.callback(warden.sweep, run.id, self.name)
                deployment = runtime.open(run, stack, events.append, additions)
                return Opened(run, deployment, deployment.prepare({}), events)

            yield opened

    @pytest.fixture
    def one(self, open_run: Callable[..., Opened]) -> Opened:
        return open_run()

    def test_the_stack_is_accepted(self, runtime: Runtime) -> None:
        stack = read_stack(StackEntry(name="small", compose=(DATA / "compose.yaml",), version="1"), engines=traits(), environment={})
        assert [notice for notice in runtime.survey(stack) if notice.refused] == []

    def test_a_started_service_answers_at_its_address(self, one: Opened) -> None:
        one.up("peer")
        assert one.get("peer", "/name") == "peer"

    def test_starting_one_service_starts_no_other(self, one: Opened) -> None:
        one.deployment.start("web")
        wait_for("web", lambda: one.deployment.look("web", "healthy"), within=WITHIN)
        assert one.deployment.look("peer", "started").state == "not yet"
        assert one.deployment.look("prepare", "completed").state == "not yet"

    def test_services_reach_each_other_by_the_names_of_the_compose_file(self, one: Opened) -> None:
        one.up("peer", "web")
        assert one.get("web", "/fetch?variable=PEER_URL") == "peer"

    def test_a_store_has_an_address(self, one: Opened) -> None:
        one.up("cache")
        assert accepts(one.addresses["cache", 6379])

    def test_a_healthcheck_that_takes_any_answer_takes_a_refusal(self, open_run: Callable[..., Opened]) -> None:
        open_run(check=("CMD", "curl", "http://localhost:8000/refused")).up("peer")

    @pytest.mark.parametrize("check", REFUSED, ids=str)
    def test_a_healthcheck_counts_as_a_whole(self, open_run: Callable[..., Opened], check: tuple[str, ...]) -> None:
        one = open_run(check=check)
        one.deployment.start("peer")
        wait_for("peer", lambda: READY if "peer serves" in one.deployment.logs("peer") else not_yet("silent"), within=WITHIN)
        with pytest.raises(EnvironmentFailed, match=r"not ready after 2 s: .*(with 503|ended with code)"):
            wait_for("peer", lambda: one.deployment.look("peer", "healthy"), within=2)

    def test_a_one_shot_completes_and_stays_completed(self, one: Opened) -> None:
        one.up("cache", "prepare")
        one.deployment.start("prepare")
        assert one.deployment.look("prepare", "completed").state == "ready"
        assert one.deployment.logs("prepare").count("prepared") == 1

    def test_a_service_that_ends_is_never_ready_and_says_its_last_words(self, one: Opened) -> None:
        one.up("cache")
        one.deployment.start("broken")
        with pytest.raises(EnvironmentFailed) as failed:
            wait_for("broken", lambda: one.deployment.look("broken", "completed"), within=WITHIN)
        assert "code 1" in str(failed.value)
        assert "the settings are missing" in failed.value.log
        assert "cannot go on" in failed.value.log

    def test_configs_are_files_with_addresses_that_are_right_for_the_service(self, one: Opened) -> None:
        one.up("peer", "web")
        settings = one.get("web", "/file?variable=SETTINGS")
        url = settings.partition("url = ")[2].strip()
        task = Task("ask", ("python3", "-c", f"import urllib.request as r; print(r.urlopen('{url}').read())"), "web")
        assert "peer" in one.deployment.execute(task).output

    def test_services_know_the_reference_time(self, one: Opened) -> None:
        one.up("peer")
        assert datetime.datetime.fromisoformat(one.get("peer", "/environment")["SEEDER_AS_OF"]) == NOON

    def test_a_task_runs_as_the_service_would(self, one: Opened) -> None:
        words = ("python3", "-c", "import os; print(os.environ['NAME'], os.environ['EXTRA'])")
        done = one.deployment.execute(Task("ask/web", words, "web", {"EXTRA": "more"}))
        assert (done.code, done.output.strip()) == (0, "web more")
        assert "web more" in one.deployment.logs("ask/web")

    def test_a_task_reaches_services_with_the_addresses_it_is_given(self, one: Opened) -> None:
        one.up("peer")
        words = ("python3", "-c", "import os, urllib.request as r; print(r.urlopen(os.environ['PEER_URL']).read().decode())")
        assert json.loads(one.deployment.execute(Task("ask", words, "web")).output) == "peer"

    def test_a_task_on_the_host_reaches_services_from_here(self, one: Opened, tmp_path: Path) -> None:
        one.up("peer")
        code = "import os, urllib.request as r; print(r.urlopen(os.environ['PEER_URL']).read().decode(), os.getcwd())"
        done = one.deployment.execute(Task("ask", ("python3", "-c", code), "web", host=True, cwd=tmp_path))
        assert done.output.strip() == f'"peer" {tmp_path}'

    def test_a_task_on_the_host_gets_nothing_of_the_shell_that_may_mislead_it(
        self, open_run: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://production/orders")
        monkeypatch.setenv("SSL_CERT_FILE", "/etc/ca.pem")
        one, code = open_run(), "import json, os; print(json.dumps(dict(os.environ)))"
        environment = json.loads(one.deployment.execute(Task("ask", ("python3", "-c", code), "web", host=True)).output)
        assert "DATABASE_URL" not in environment
        assert (environment["NAME"], environment["SSL_CERT_FILE"]) == ("web", "/etc/ca.pem")
        assert environment["TMPDIR"].startswith(str(one.run.folder))

    def test_a_task_that_fails_says_its_code_and_output(self, one: Opened) -> None:
        done = one.deployment.execute(Task("fail", ("python3", "-c", "print('no'); raise SystemExit(5)"), "web"))
        assert (done.code, done.output.strip()) == (5, "no")

    def test_a_task_has_a_time_limit(self, one: Opened) -> None:
        with pytest.raises(EnvironmentFailed, match="within 1 s"):
            one.deployment.execute(Task("slow", ("python3", "-c", "import time; time.sleep(60)"), "web", timeout=1.0))

    def test_logs_answer_the_last_lines(self, one: Opened) -> None:
        one.up("peer")
        assert one.deployment.logs("peer", 1).count("\n") == 0
        assert "peer serves" in one.deployment.logs("peer")
        assert one.deployment.logs("web") == ""

    def test_additions_add_variables_and_files(self, open_run: Callable[..., Opened], tmp_path: Path) -> None:
        flags = tmp_path / "flags.json"
        flags.write_text('{"fast": true}', encoding="utf-8")
        added = Addition({"FLAGS": "/etc/web/flags.json", "NAME": "other"}, {"/etc/web/flags.json": flags})
        one = open_run({"web": added})
        one.up("web")
        assert one.get("web", "/name") == "other"
        assert one.get("web", "/file?variable=FLAGS") == '{"fast": true}'

    def test_two_runs_do_not_meet(self, open_run: Callable[..., Opened]) -> None:
        one, two = open_run(), open_run({"peer": Addition({"NAME": "second"})})
        assert not set(one.addresses.values()) & set(two.addresses.values())
        one.up("peer")
        two.up("peer")
        assert (one.get("peer", "/name"), two.get("peer", "/name")) == ("peer", "second")
        warden.sweep(one.run.id, self.name)
        assert two.get("peer", "/name") == "second"

    def test_a_sweep_leaves_nothing(self, one: Opened, runtime: Runtime) -> None:
        one.up("cache", "prepare", "peer", "web")
        swept = warden.sweep(one.run.id, self.name)
        assert swept.removed
        assert swept.left == ()
        assert not any(accepts(address) for address in one.addresses.values())
        assert living.belonging(one.run.id, one.run.folder) == []
        assert one.run.id not in runtime.owners()
        assert warden.sweep(one.run.id, self.name).removed == ()
