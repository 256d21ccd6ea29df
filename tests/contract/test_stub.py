"""Stubs keep the engines' contract: WireMock on docker, seeder's own server without containers. Both are asked as a client of WireMock
would ask them, and answer alike."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from seeder.engines import _stub_client
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.handles.stub import Stub
from seeder.passed.content import Records
from seeder.passed.target import Target
from tests.contract.engine_contract import EngineContract, load, read
from tests.contract.serving import Server, serving

PAYMENTS = """\
{
  "mappings": [
    {"name": "charged", "request": {"method": "POST", "urlPath": "/charges"}, "response": {"status": 201, "jsonBody": {"state": "ok"}}},
    {
      "id": "11111111-2222-4333-8444-555555555555",
      "priority": 1,
      "request": {"method": "POST", "urlPath": "/charges", "bodyPatterns": [{"matchesJsonPath": "$[?(@.amount > 1000)]"}]},
      "response": {"status": 402, "headers": {"Content-Type": "application/json"}, "body": "{\\"state\\": \\"declined\\"}"}
    }
  ]
}
"""
MAIL = """\
{"request": {"method": "POST", "url": "/messages"}, "response": {"status": 202}}
"""

BY_URL: list[Any] = [
    ({"method": "GET", "url": "/a?b=1"}, ("GET", "/a?b=1"), True),
    ({"method": "GET", "url": "/a?b=1"}, ("GET", "/a"), False),
    ({"url": "/a"}, ("PATCH", "/a"), True),
    ({"method": "ANY", "url": "/a"}, ("DELETE", "/a"), True),
    ({"method": "get", "url": "/a"}, ("GET", "/a"), False),
    ({"urlPattern": "/a/[0-9]+"}, ("GET", "/a/12"), True),
    ({"urlPattern": "/a/[0-9]+"}, ("GET", "/a/12/b"), False),
    ({"urlPath": "/a"}, ("GET", "/a?x=1"), True),
    ({"urlPathPattern": "/a/.*"}, ("GET", "/a/b?x=1"), True),
    ({"urlPathPattern": "/a/.*"}, ("GET", "/b/a/b"), False),
    ({"urlPath": "/a", "queryParameters": {"x": {"equalTo": "1"}}}, ("GET", "/a?x=2&x=1"), True),
    ({"urlPath": "/a", "queryParameters": {"x": {"equalTo": "1"}}}, ("GET", "/a?x=2"), False),
    ({"urlPath": "/a", "queryParameters": {"x": {"absent": True}}}, ("GET", "/a?y=2"), True),
    ({"urlPath": "/a", "queryParameters": {"x": {"absent": True}}}, ("GET", "/a?x="), False),
    ({"urlPath": "/a", "queryParameters": {"x": {"matches": "[a-c]+"}}}, ("GET", "/a?x=abc"), True),
    ({"urlPath": "/a", "queryParameters": {"x": {"equalTo": "a b&c"}}}, ("GET", "/a?x=a%20b%26c"), True),
]  # fmt: skip
BY_HEADER: list[Any] = [
    ({"equalTo": "one"}, "one", True),
    ({"equalTo": "one"}, "One", False),
    ({"equalTo": "one", "caseInsensitive": True}, "ONE", True),
    ({"contains": "n"}, "one", True),
    ({"contains": "n"}, None, False),
    ({"doesNotContain": "n"}, "two", True),
    ({"doesNotContain": "n"}, "one", False),
    ({"matches": "o.*"}, "one", True),
    ({"matches": "o"}, "one", False),
    ({"doesNotMatch": "o"}, "one", True),
    ({"absent": True}, None, True),
    ({"absent": True}, "", False),
]  # fmt: skip
BY_BODY: list[Any] = [
    ({"equalTo": "text"}, "text", True),
    ({"contains": "ex"}, "text", True),
    ({"matches": "t.*\nt"}, "te\nt", True),
    ({"equalToJson": '{"a": 1, "b": [1, 2]}'}, '{"b": [1, 2], "a": 1.0}', True),
    ({"equalToJson": {"a": 1}}, '{"a": 1, "b": 2}', False),
    ({"equalToJson": {"a": 1}, "ignoreExtraElements": True}, '{"a": 1, "b": 2}', True),
    ({"equalToJson": {"a": [1, 2]}}, '{"a": [2, 1]}', False),
    ({"equalToJson": {"a": [1, 2]}, "ignoreArrayOrder": True}, '{"a": [2, 1]}', True),
    ({"equalToJson": {"a": 1}}, "no JSON", False),
    ({"equalToJson": {"a": 1}}, '{"a": "1"}', False),
    ({"matchesJsonPath": "$.a"}, '{"a": 0}', True),
    ({"matchesJsonPath": "$.a"}, '{"a": null}', False),
    ({"matchesJsonPath": "$.a"}, '{"a": []}', False),
    ({"matchesJsonPath": "$.b"}, '{"a": 1}', False),
    ({"matchesJsonPath": "$['a']['b c']"}, '{"a": {"b c": 1}}', True),
    ({"matchesJsonPath": "$.a[1]"}, '{"a": [1, 2]}', True),
    ({"matchesJsonPath": "$.a[-1]"}, '{"a": [1, 2]}', True),
    ({"matchesJsonPath": "$.a[2]"}, '{"a": [1, 2]}', False),
    ({"matchesJsonPath": "$..c"}, '{"a": {"b": [{"c": 1}]}}', True),
    ({"matchesJsonPath": "$..d"}, '{"a": {"b": [{"c": 1}]}}', False),
    ({"matchesJsonPath": "$.things[?(@.name == 'two')]"}, '{"things": [{"name": "one"}, {"name": "two"}]}', True),
    ({"matchesJsonPath": "$.things[?(@.name == 'six')]"}, '{"things": [{"name": "one"}]}', False),
    ({"matchesJsonPath": "$.things[?(@.name =~ /t.*/i)]"}, '{"things": [{"name": "TWO"}]}', True),
    ({"matchesJsonPath": "$[?(@.amount > 10)]"}, '{"amount": 11}', True),
    ({"matchesJsonPath": "$[?(@.amount > 10)]"}, '{"amount": 10}', False),
    ({"matchesJsonPath": "$[?(@.a == 1 && @.b != 'x')]"}, '{"a": 1, "b": "y"}', True),
    ({"matchesJsonPath": "$[?(@.a == 1 || @.b == 'x')]"}, '{"a": 2, "b": "y"}', False),
    ({"matchesJsonPath": "$[?(!(@.a == 1))]"}, '{"a": 2}', True),
    ({"matchesJsonPath": "$[?(@.a)]"}, '{"a": 2}', True),
    ({"matchesJsonPath": "$[?(@.things.size() == 2)]"}, '{"things": [1, 2]}', True),
    ({"matchesJsonPath": "$.a[?(@.n >= $.least)]"}, '{"least": 3, "a": [{"n": 3}]}', True),
    ({"matchesJsonPath": {"expression": "$.a", "contains": "wash"}}, '{"a": "wash the car"}', True),
    ({"matchesJsonPath": {"expression": "$.a", "equalTo": "1"}}, '{"a": 1}', True),
    ({"matchesJsonPath": {"expression": "$.a", "equalTo": "true"}}, '{"a": true}', True),
    ({"matchesJsonPath": {"expression": "$..n", "equalTo": "2"}}, '{"a": [{"n": 1}, {"n": 2}]}', True),
    ({"matchesJsonPath": {"expression": "$.a", "equalToJson": "[1, 2]"}}, '{"a": [1, 2]}', True),
    ({"matchesJsonPath": {"expression": "$.b", "absent": True}}, '{"a": 1}', True),
    ({"matchesJsonPath": {"expression": "$.a", "absent": True}}, '{"a": 1}', False),
]  # fmt: skip


class TestStub(EngineContract):
    compose = """
services:
  outside:
    image: wiremock/wiremock:3.13.2
    command: ["--admin-api-basic-auth", "admin:pa\\"ss word", "--disable-banner"]
"""

    def records(self, folder: Path) -> list[Records]:
        return [read(folder, "mappings/payments.json", PAYMENTS), read(folder, "mappings/mail.json", MAIL)]

    def counts(self) -> dict[str, int]:
        return {"mappings/payments.json": 2, "mappings/mail.json": 1}

    def bad(self, folder: Path) -> tuple[list[Records], tuple[str, ...]]:
        one = json.loads(PAYMENTS)["mappings"][1]
        twin = read(folder, "mappings/twin.json", json.dumps({"mappings": [json.loads(MAIL), one]}, indent=1))
        return [*self.records(folder), twin], ("twin.json:", "a mapping of this id stands in", "payments.json:4")

    def alter(self, server: Server) -> None:
        server.engine.answer(server.target(), {"request": {"url": "/new"}, "response": {"status": 204}})

    @contextmanager
    def client(self, target: Target) -> Iterator[Callable[[], object]]:
        with _caller(target) as caller:
            yield lambda: caller.get("/anything")

    # -- what is answered ---------------------------------------------------------------------------------------------

    def test_mappings_answer_as_the_files_say(self, loaded: Server) -> None:
        with _caller(loaded.target()) as caller:
            small, large = (caller.post("/charges", json={"amount": amount}) for amount in (10, 2000))
            assert (small.status_code, small.json()) == (201, {"state": "ok"})
            assert (large.status_code, large.json()) == (402, {"state": "declined"})
            assert large.headers["Matched-Stub-Id"] == "11111111-2222-4333-8444-555555555555"
            assert small.headers["Matched-Stub-Name"] == "charged"
            assert caller.post("/messages", content=b"x").status_code == 202
            assert caller.post("/messages?twice", content=b"x").status_code == 404

    def test_requests_are_told_by_method_url_and_query(self, server: Server) -> None:
        asked = [(pattern, httpx.Request(method, _at(server, url)), matched) for pattern, (method, url), matched in BY_URL]
        assert _differing(server, asked) == []

    def test_requests_are_told_by_headers(self, server: Server) -> None:
        asked = [
            (
                {"url": "/a", "headers": {"X-Kind": matcher}},
                httpx.Request("GET", _at(server, "/a"), headers={} if value is None else {"x-kind": value}),
                matched,
            )
            for matcher, value, matched in BY_HEADER
        ]
        assert _differing(server, asked) == []

    def test_requests_are_told_by_bodies(self, server: Server) -> None:
        asked = [
            ({"url": "/a", "bodyPatterns": [pattern]}, httpx.Request("POST", _at(server, "/a"), content=body), matched)
            for pattern, body, matched in BY_BODY
        ]
        assert _differing(server, asked) == []

    def test_answers_carry_status_headers_and_body(self, server: Server) -> None:
        binary = base64.b64encode(b"\x00\xff").decode()
        _answer(server, {"url": "/a"}, {"status": 418, "headers": {"X-One": "1", "X-Two": ["a", "b"]}, "body": "hä"})
        _answer(server, {"url": "/b"}, {"base64Body": binary})
        _answer(server, {"url": "/c"}, {"jsonBody": {"a": [1, None]}})
        _answer(server, {"url": "/d"}, {"status": 204})
        with _caller(server.target()) as caller:
            a, b, c, d = (caller.get(f"/{name}") for name in "abcd")
            assert (a.status_code, a.text, a.headers["X-One"]) == (418, "hä", "1")
            assert a.headers.get_list("X-Two") == ["a", "b"]
            assert b.content == b"\x00\xff"
            assert c.json() == {"a": [1, None]}
            assert (d.status_code, d.content) == (204, b"")
            assert caller.head("/a").content == b""

    @pytest.mark.parametrize("fault", ["CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE"])
    def test_faults_break_the_answer_and_stand_in_the_journal(self, server: Server, fault: str) -> None:
        _answer(server, {"url": "/a"}, {"fault": fault})
        with _caller(server.target()) as caller:
            with pytest.raises(httpx.TransportError):
                caller.get("/a")
            assert caller.get("/b").status_code == 404
        assert [(call.path, call.matched) for call in server.engine.calls(server.target())] == [("/a", True), ("/b", False)]

    def test_an_answer_may_be_late(self, server: Server) -> None:
        _answer(server, {"url": "/a"}, {"fixedDelayMilliseconds": 300})
        with _caller(server.target()) as caller, pytest.raises(httpx.ReadTimeout):
            caller.get("/a", timeout=0.1)

    def test_of_mappings_of_one_priority_the_latest_answers(self, server: Server) -> None:
        for priority, body in ((5, "first"), (5, "second"), (9, "last")):
            mapping = {"priority": priority, "request": {"urlPath": "/a"}, "response": {"body": body}}
            server.engine.answer(server.target(), mapping)
        with _caller(server.target()) as caller:
            assert caller.get("/a").text == "second"

    def test_the_latest_mapping_of_a_dataset_answers(self, server: Server, tmp_path: Path) -> None:
        both = [{"request": {"urlPath": "/a"}, "response": {"body": body}} for body in ("first", "second")]
        load(server.engine, server.target(), [read(tmp_path, "mappings/both.json", json.dumps({"mappings": both}))])
        with _caller(server.target()) as caller:
            assert caller.get("/a").text == "second"

    def test_a_body_of_the_dataset_is_put_into_its_mapping(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "__files").mkdir()
        (tmp_path / "__files" / "hello.txt").write_text("hällo")
        mapping = {"request": {"url": "/a"}, "response": {"bodyFileName": "hello.txt"}}
        load(server.engine, server.target(), [read(tmp_path, "mappings/a.json", json.dumps(mapping))])
        with _caller(server.target()) as caller:
            assert caller.get("/a").text == "hällo"

    def test_a_mapping_that_the_server_refuses_is_told_with_its_line(self, server: Server, tmp_path: Path) -> None:
        before = self.digest(server)
        given = {"mappings": [json.loads(MAIL), {"request": {"url": "/a", "headers": {"X": {"resembles": "1"}}}, "response": {}}]}
        wrong = read(tmp_path, "mappings/wrong.json", json.dumps(given, indent=1))
        with pytest.raises(DefinitionError, match=r"wrong.json:1\d: outside: the stub at .* answers 422: .*"):
            load(server.engine, server.target(), [wrong])
        assert self.digest(server) == before

    # -- scenarios, journal, admin API --------------------------------------------------------------------------------

    def test_scenarios_go_from_state_to_state(self, server: Server) -> None:
        _decline_once(server)
        with _caller(server.target()) as caller, _stub_client.connect(server.target()) as admin:
            assert [caller.post("/charges").status_code for _ in range(3)] == [402, 201, 201]
            (scenario,) = admin.ask("GET", "/scenarios")["scenarios"]
            assert (scenario["name"], scenario["state"], sorted(scenario["possibleStates"])) == ("charge", "paid", ["Started", "paid"])
            admin.ask("POST", "/scenarios/reset")
            assert caller.post("/charges").status_code == 402
            admin.ask("PUT", "/scenarios/charge/state", {"state": "Started"})
            assert caller.post("/charges").status_code == 402
            with pytest.raises(_stub_client.Refused, match="does not support state nowhere"):
                admin.ask("PUT", "/scenarios/charge/state", {"state": "nowhere"})
            with pytest.raises(_stub_client.Refused, match="404"):
                admin.ask("PUT", "/scenarios/none/state", {"state": "paid"})

    def test_the_journal_tells_what_was_received(self, loaded: Server) -> None:
        with _caller(loaded.target()) as caller:
            caller.post("/charges?a=1&a=2", json={"amount": 10}, headers={"Idempotency-Key": "k-1"})
            caller.get("/nowhere")
        first, second = loaded.engine.calls(loaded.target())
        assert (first.method, first.path, first.query, first.body, first.matched) == (
            "POST",
            "/charges",
            {"a": ["1", "2"]},
            {"amount": 10},
            True,
        )
        assert first.headers["idempotency-key"] == "k-1"
        assert (second.method, second.path, second.body, second.matched) == ("GET", "/nowhere", "", False)

    def test_the_admin_api_counts_finds_and_forgets_requests(self, loaded: Server) -> None:
        with _caller(loaded.target()) as caller, _stub_client.connect(loaded.target()) as admin:
            for amount in (10, 20, 2000):
                caller.post("/charges", json={"amount": amount})
            caller.get("/nowhere")
            small = {"method": "POST", "urlPath": "/charges", "bodyPatterns": [{"matchesJsonPath": "$[?(@.amount < 1000)]"}]}
            assert admin.ask("POST", "/requests/count", small)["count"] == 2
            found = admin.ask("POST", "/requests/find", {"method": "POST", "url": "/charges"})["requests"]
            assert sorted(json.loads(one["body"])["amount"] for one in found) == [10, 20, 2000]
            assert [one["url"] for one in admin.ask("GET", "/requests/unmatched")["requests"]] == ["/nowhere"]
            events = admin.ask("GET", "/requests")["requests"]
            assert [event["request"]["url"] for event in events] == ["/nowhere", "/charges", "/charges", "/charges"]
            assert [event["wasMatched"] for event in events] == [False, True, True, True]
            by = f"/requests?matchingStub={events[1]['stubMapping']['id']}"
            assert len(admin.ask("GET", by)["requests"]) == 1
            assert len(admin.ask("GET", "/requests?limit=2")["requests"]) == 2
            assert admin.ask("GET", f"/requests/{events[0]['id']}")["request"]["url"] == "/nowhere"
            admin.ask("DELETE", f"/requests/{events[0]['id']}")
            assert len(admin.ask("POST", "/requests/remove", small)["serveEvents"]) == 2
            assert admin.ask("POST", "/requests/count", {})["count"] == 1
            admin.ask("DELETE", "/requests")
            assert admin.ask("GET", "/requests")["requests"] == []

    def test_the_admin_api_keeps_mappings(self, server: Server) -> None:
        with _stub_client.connect(server.target()) as admin:
            made = admin.ask("POST", "/mappings", {"request": {"url": "/a"}, "response": {"body": "one"}})
            assert admin.ask("GET", f"/mappings/{made['id']}")["response"] == {"status": 200, "body": "one"}
            assert made["id"] == made["uuid"]
            admin.ask("PUT", f"/mappings/{made['id']}", {"request": {"url": "/a"}, "response": {"body": "two"}})
            with _caller(server.target()) as caller:
                assert caller.get("/a").text == "two"
            with pytest.raises(_stub_client.Refused, match="already taken"):
                admin.ask("POST", "/mappings", {"id": made["id"], "request": {"url": "/b"}, "response": {}})
            several = [{"id": str(number) * 8 + "-2222-4333-8444-555555555555", "request": {"url": "/c"}, "response": {"body": str(number)}}
                       for number in (1, 2)]  # fmt: skip
            admin.ask("POST", "/mappings/import", {"mappings": several})
            listed = admin.ask("GET", "/mappings")
            assert [one["response"].get("body") for one in listed["mappings"]] == ["1", "2", "two"]
            assert listed["meta"]["total"] == 3
            options = {"duplicatePolicy": "IGNORE", "deleteAllNotInImport": True}
            admin.ask("POST", "/mappings/import", {"mappings": [{**several[0], "response": {"body": "x"}}], "importOptions": options})
            assert [one["response"]["body"] for one in admin.ask("GET", "/mappings")["mappings"]] == ["1"]
            admin.ask("DELETE", f"/mappings/{several[0]['id']}")
            assert admin.ask("GET", "/mappings")["mappings"] == []
            for method in ("GET", "PUT", "DELETE"):
                with pytest.raises(_stub_client.Refused, match="404"):
                    admin.ask(method, f"/mappings/{made['id']}", {"request": {}, "response": {}} if method == "PUT" else None)
            admin.ask("POST", "/reset")
            assert admin.ask("GET", "/health")["status"] == "healthy"

    # -- state --------------------------------------------------------------------------------------------------------

    def test_what_was_received_is_saved_and_comes_back(self, loaded: Server, tmp_path: Path) -> None:
        _decline_once(loaded)
        _answer(loaded, {"url": "/broken"}, {"fault": "EMPTY_RESPONSE"})
        with _caller(loaded.target()) as caller:
            caller.post("/charges", json={"amount": 10}, headers={"Idempotency-Key": "k-1", "Authorization": "Bearer geheim"})
            caller.post("/charges", json={"amount": 10})
            caller.put("/nowhere?a=%20b", content=b"\xff\x00")
            with contextlib.suppress(httpx.TransportError):
                caller.get("/broken")
        before, calls = self.digest(loaded), loaded.engine.calls(loaded.target())
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        assert "geheim" not in "".join(path.read_text() for path in (tmp_path / "saved").iterdir())
        loaded.empty()
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before
        again = loaded.engine.calls(loaded.target())
        assert [(c.method, c.url, c.body, c.matched) for c in again] == [(c.method, c.url, c.body, c.matched) for c in calls]
        assert again[0].headers["idempotency-key"] == "k-1"
        with _caller(loaded.target()) as caller:
            assert caller.post("/charges", json={"amount": 10}).status_code == 201  # the scenario stands where it stood

    def test_the_order_of_mappings_comes_back(self, server: Server, tmp_path: Path) -> None:
        for body in ("first", "second"):
            _answer(server, {"urlPath": "/a"}, {"body": body})
        server.engine.save(server.target(), tmp_path / "saved")
        server.empty()
        server.engine.restore(server.target(), tmp_path / "saved")
        with _caller(server.target()) as caller:
            assert caller.get("/a").text == "second"

    def test_parts_can_be_volatile(self, loaded: Server) -> None:
        before = loaded.engine.digest(loaded.target(), ["requests"])
        with _caller(loaded.target()) as caller:
            caller.post("/charges")
        assert loaded.engine.digest(loaded.target(), ["requests"]) == before
        assert loaded.engine.digest(loaded.target(), ()).parts["requests"][0] == 1

    def test_a_mapping_that_is_there_with_something_else_is_refused(self, loaded: Server, tmp_path: Path) -> None:
        load(loaded.engine, loaded.target(), self.records(tmp_path))  # the same clash with nothing
        other = json.dumps({**json.loads(PAYMENTS)["mappings"][1], "response": {"status": 500}})
        with pytest.raises(DefinitionError, match=r"other.json:1: 11111111-.*: a mapping of this id is there already, and says something"):
            load(loaded.engine, loaded.target(), [read(tmp_path, "mappings/other.json", other)])
        load(loaded.engine, loaded.target(), [read(tmp_path, "mappings/other.json", other)], upsert=True)
        with _caller(loaded.target()) as caller:
            assert caller.post("/charges", json={"amount": 2000}).status_code == 500

    def test_a_program_says_what_is_answered_and_asks_what_was_received(self, server: Server) -> None:
        named = Stub(server.target(), lambda: "step-1")
        first = named.answer({"request": {"urlPath": "/a"}, "response": {"status": 402}})
        assert named.answer({"request": {"urlPath": "/a"}, "response": {"status": 403}}) == first  # a second try
        with _caller(server.target()) as caller:
            assert caller.put("/a?x=1", json={"a": 1, "b": [2]}, headers={"X-Kind": "new"}).status_code == 403
        named.forget(first)
        named.forget(first)
        with _caller(server.target()) as caller:
            assert caller.get("/b").status_code == caller.get("/a").status_code == 404
        assert [call.method for call in named.calls(path="/a")] == ["PUT", "GET"]
        with _stub_client.connect(server.target()) as admin:
            admin.ask("POST", "/requests/remove", {"method": "GET"})
        said: list[dict[str, Any]] = [
            {}, {"method": "put"}, {"path": "/a"}, {"query": {"x": "1"}}, {"headers": {"x-kind": "new"}}, {"body": {"b": [2]}},
        ]  # fmt: skip
        assert [len(named.calls(**where)) for where in said] == [1] * len(said)
        others: list[dict[str, Any]] = [
            {"method": "GET"},
            {"path": "/"},
            {"query": {"x": "2"}},
            {"headers": {"x-kind": "old"}},
            {"body": {"b": 2}},
        ]
        assert [named.calls(**where) for where in others] == [[]] * len(others)

    def test_a_mapping_that_is_refused_leaves_the_one_that_it_was_to_replace(self, server: Server) -> None:
        named = Stub(server.target(), lambda: "step-1")
        named.answer({"request": {"urlPath": "/a"}, "response": {"body": "first"}})
        with pytest.raises(EnvironmentFailed, match="answers 422"):
            named.answer({"request": {"urlPath": "/a", "headers": {"X": {"resembles": "1"}}}, "response": {"body": "second"}})
        with _caller(server.target()) as caller:
            assert caller.get("/a").text == "first"

    def test_a_mapping_that_is_said_again_answers_before_what_came_between(self, server: Server) -> None:
        mappings = [{"id": f"{id_}-2222-4333-8444-555555555555", "response": {"body": body}, "priority": priority}
                    for id_, body, priority in (("1" * 8, "first", None), ("2" * 8, "second", 5), ("3" * 8, "never", 6))]  # fmt: skip
        for mapping in [*mappings, mappings[0]]:
            server.engine.answer(server.target(), {**mapping, "request": {"urlPath": "/a"}})
        with _caller(server.target()) as caller:
            assert caller.get("/a").text == "first"
        with _stub_client.connect(server.target()) as admin:
            assert len(admin.ask("GET", "/mappings")["mappings"]) == 3

    def test_a_scenario_may_have_any_name(self, server: Server, tmp_path: Path) -> None:
        request = {"request": {"url": "/a"}, "response": {}}
        server.engine.answer(server.target(), {"scenarioName": "a/b c%", "newScenarioState": "over", **request})
        with _caller(server.target()) as caller:
            caller.get("/a")
        before = self.digest(server)
        server.engine.save(server.target(), tmp_path / "saved")
        server.empty()
        server.engine.restore(server.target(), tmp_path / "saved")
        assert self.digest(server) == before

    def test_the_address_carries_the_password(self, server: Server) -> None:
        assert server.target().url() == f"http://admin:pa%22ss%20word@{server.address}"


MOUNTED = {
    "mappings/one.json": {"request": {"url": "/one"}, "response": {"bodyFileName": "one.txt"}, "persistent": True},
    "mappings/more/two.json": {"mappings": [{"request": {"url": "/two"}, "response": {"body": "{host} {port}"}}]},
}


@pytest.mark.parametrize("runtime", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_mounted_mappings_work_and_their_files_stay(runtime: str, tmp_path: Path) -> None:
    files = {**{name: json.dumps(mapping) for name, mapping in MOUNTED.items()}, "__files/one.txt": "one"}
    for name, text in files.items():
        (tmp_path / "stub" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stub" / name).write_text(text)
    compose = "services: {outside: {image: 'wiremock/wiremock:3.13.2', volumes: ['./stub:/home/wiremock']}}"
    with serving(runtime, compose, tmp_path) as server, _caller(server.target()) as caller:
        before = server.engine.digest(server.target(), ["requests"])
        rewinder = server.engine.rewinder(server.target(), tmp_path / "mark")
        rewinder.mark()
        assert (caller.get("/one").text, caller.get("/two").text) == ("one", "{host} {port}")
        server.engine.save(server.target(), tmp_path / "saved")
        server.empty()
        assert caller.get("/one").status_code == 404
        server.engine.restore(server.target(), tmp_path / "saved")
        assert caller.get("/one").text == "one"
        rewinder.rewind("swap")
        rewinder.close()
        assert server.engine.digest(server.target(), ()) == before
    assert {name: (tmp_path / "stub" / name).read_text() for name in files} == files


@pytest.mark.parametrize("runtime", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_mounted_mappings_are_replaced_and_forgotten_and_their_files_stay(runtime: str, tmp_path: Path) -> None:
    id_ = "11111111-2222-4333-8444-555555555555"
    path = tmp_path / "stub/mappings/one.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"id": id_, "request": {"url": "/one"}, "response": {"body": "one"}, "persistent": True}))
    for folder in (path.parent.parent, path.parent, path):
        folder.chmod(0o777)
    before = path.read_text()
    compose = "services: {outside: {image: 'wiremock/wiremock:3.13.2', volumes: ['./stub:/home/wiremock']}}"
    with serving(runtime, compose, tmp_path) as server, _caller(server.target()) as caller:
        server.engine.answer(server.target(), {"request": {"url": "/one"}, "response": {"body": "between"}})
        server.engine.answer(server.target(), {"id": id_, "request": {"url": "/one"}, "response": {"body": "two"}})
        assert caller.get("/one").text == "two"
        assert path.read_text() == before
        with _stub_client.connect(server.target()) as admin:
            admin.ask("POST", "/mappings/reset")
        assert caller.get("/one").text == "one"
        server.engine.forget(server.target(), id_)
        assert caller.get("/one").status_code == 404
    assert path.read_text() == before


def test_the_server_without_containers_refuses_by_name_what_it_does_not_know(tmp_path: Path) -> None:
    with serving("local", "services: {outside: {image: 'wiremock/wiremock:3.13.2'}}", tmp_path) as server:
        mapping = {"request": {"url": "/a"}, "response": {"transformers": ["response-template"]}}
        with pytest.raises(EnvironmentFailed, match="/response/transformers is not known"):
            server.engine.answer(server.target(), mapping)


def test_the_server_without_containers_knows_scenarios_by_quoted_names(tmp_path: Path) -> None:
    with serving("local", "services: {outside: {image: 'wiremock/wiremock:3.13.2'}}", tmp_path) as server:
        mapping = {"scenarioName": "a/b", "newScenarioState": "over", "request": {"url": "/a"}, "response": {}}
        server.engine.answer(server.target(), mapping)
        with _stub_client.connect(server.target()) as admin:
            admin.ask("PUT", "/scenarios/a%2Fb/state", {"state": "over"})
            assert [one["state"] for one in admin.ask("GET", "/scenarios")["scenarios"]] == ["over"]


@contextmanager
def _caller(target: Target) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{target.address}", timeout=10.0, trust_env=False) as client:
        yield client


def _at(server: Server, url: str) -> str:
    return f"http://{server.address}{url}"


def _differing(server: Server, asked: list[tuple[Any, httpx.Request, bool]]) -> list[Any]:
    """Those of the requests that are answered otherwise than they should be."""
    found = []
    with _caller(server.target()) as caller:
        for pattern, request, matched in asked:
            server.empty()
            _answer(server, pattern)
            if caller.send(request).status_code != (200 if matched else 404):
                found.append((pattern, str(request.url), request.content, matched))
    return found


def _answer(server: Server, request: dict[str, Any], response: dict[str, Any] | None = None) -> None:
    server.engine.answer(server.target(), {"request": request, "response": response or {"status": 200}})


def _decline_once(server: Server) -> None:
    charge = {"method": "POST", "urlPath": "/charges"}
    declined = {"requiredScenarioState": "Started", "newScenarioState": "paid", "response": {"status": 402}}
    paid = {"requiredScenarioState": "paid", "response": {"status": 201}}
    for state in (declined, paid):
        server.engine.answer(server.target(), {"scenarioName": "charge", "request": charge, **state})
