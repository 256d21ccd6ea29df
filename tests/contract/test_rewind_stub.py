"""Mappings, states of scenarios and the journal come back as they were marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from seeder.engines import _stub_client
from tests.contract.engine_contract import load, read
from tests.contract.rewind_contract import RewindContract
from tests.contract.serving import Server
from tests.contract.test_stub import MAIL, PAYMENTS


class TestStub(RewindContract):
    replaced = "anew"
    compose = "services: {outside: {image: 'wiremock/wiremock:3.13.2'}}"

    def fill(self, server: Server, folder: Path) -> None:
        load(server.engine, server.target(), [read(folder, "mappings/payments.json", PAYMENTS), read(folder, "mappings/mail.json", MAIL)])
        once = {"scenarioName": "once", "requiredScenarioState": "Started", "newScenarioState": "over"}
        server.engine.answer(server.target(), {**once, "request": {"url": "/once"}, "response": {"status": 200}})
        with self.client(server) as call:
            call("/messages")
            call("/nowhere")

    def work(self, server: Server) -> None:
        server.engine.answer(server.target(), {"request": {"urlPath": "/charges"}, "response": {"status": 503}})
        with self.client(server) as call:
            call("/charges")
            call("/once")

    def worked(self) -> tuple[str, ...]:
        return ("mappings", "scenarios", "requests")

    @contextmanager
    def client(self, server: Server) -> Iterator[Callable[..., object]]:
        with httpx.Client(base_url=f"http://{server.address}", trust_env=False) as client:
            yield lambda path="/charges": client.post(path, json={"amount": 10}).status_code

    def urls(self, server: Server) -> list[str]:
        return [call.url for call in server.engine.calls(server.target())]

    def test_calls_alone_are_taken_out_of_the_journal(self, server: Server, rewinder: Any) -> None:
        with self.client(server) as call:
            call("/charges")
            found = rewinder.rewind("in place")
            assert (found.way, found.changed) == ("in place", ("requests",))
        assert self.urls(server) == ["/messages", "/nowhere"]

    def test_a_journal_that_was_emptied_holds_again_what_it_held(self, server: Server, rewinder: Any) -> None:
        with _stub_client.connect(server.target()) as admin:
            admin.ask("DELETE", "/requests")
        assert rewinder.rewind("in place").way == "anew"
        assert self.urls(server) == ["/messages", "/nowhere"]
        assert [call.matched for call in server.engine.calls(server.target())] == [True, False]
        assert rewinder.rewind("in place").way == "untouched"
