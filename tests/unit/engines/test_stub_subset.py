"""What the stub server without containers does not know is refused by name, with file and line; everything else WireMock's way."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.dataset import Part
from seeder.definition.manifest import StackEntry
from seeder.definition.service import Service
from seeder.engines.stubserver import jsonpath, subset
from seeder.errors import DefinitionError, Mark
from seeder.registry import ENGINES, LOADERS, traits
from seeder.runtimes.local import Local

REFUSED: list[tuple[Any, str, str]] = [
    ({"request": {"urlPathTemplate": "/a/{id}"}}, "request.urlPathTemplate", "is not known"),
    ({"request": {"cookies": {"a": {"equalTo": "1"}}}}, "request.cookies", "is not known"),
    ({"request": {"basicAuth": {}}}, "request.basicAuth", "is not known"),
    ({"request": {"multipartPatterns": []}}, "request.multipartPatterns", "is not known"),
    ({"request": {"method": {"oneOf": ["GET"]}}}, "request.method", "is no name of a method"),
    ({"request": {"url": "/a", "urlPath": "/a"}}, "request.urlPath", "stands beside url"),
    ({"request": {"urlPattern": "(a"}}, "request.urlPattern", "is no regular expression that Python reads"),
    ({"request": {"headers": {"A": {"equalToJson": "{}"}}}}, "request.headers.A.equalToJson", "matches no text"),
    ({"request": {"headers": {"A": {"or": []}}}}, "request.headers.A.or", "is no matcher that is known"),
    ({"request": {"bodyPatterns": [{"contains": "a"}, {"matchesXPath": "//a"}]}}, "request.bodyPatterns.1.matchesXPath", "is no matcher"),
    (
        {"request": {"bodyPatterns": [{"equalToJson": '["${json-unit.any-string}"]'}]}},
        "request.bodyPatterns.0.equalToJson",
        "JsonUnit",
    ),
    ({"request": {"bodyPatterns": [{"equalToJson": "{"}]}}, "request.bodyPatterns.0.equalToJson", "is not JSON"),
    ({"request": {"bodyPatterns": [{"matchesJsonPath": "$.a.min()"}]}}, "request.bodyPatterns.0.matchesJsonPath", "the function min()"),
    ({"response": {"transformers": ["response-template"]}}, "response.transformers", "is not known"),
    ({"response": {"proxyBaseUrl": "http://a"}}, "response.proxyBaseUrl", "is not known"),
    ({"response": {"delayDistribution": {}}}, "response.delayDistribution", "is not known"),
    ({"response": {"fault": "OTHER"}}, "response.fault", "knows CONNECTION_RESET_BY_PEER"),
    ({"response": {"status": "200"}}, "response.status", "is no whole number"),
    ({"postServeActions": []}, "postServeActions", "is not known"),
    ({"priority": "high"}, "priority", "is no whole number"),
    ({"name": 5}, "name", "is no text"),
    ({"scenarioName": ["a"]}, "scenarioName", "is no text"),
    ({"request": {"headers": [{"A": {"equalTo": "1"}}]}}, "request.headers", "is no object"),
    ({"request": {"queryParameters": "a=1"}}, "request.queryParameters", "is no object"),
    ({"request": {"bodyPatterns": 5}}, "request.bodyPatterns", "is no list"),
    ({"request": {"bodyPatterns": [{"matchesJsonPath": "$[?(@.a =~ /(b/)]"}]}}, "request.bodyPatterns.0.matchesJsonPath", "no regular"),
    ({"response": {"headers": [{"A": "1"}]}}, "response.headers", "is no object"),
    ({"response": {"statusMessage": 3}}, "response.statusMessage", "is no text"),
    ({"response": {"bodyFileName": ["a"]}}, "response.bodyFileName", "is no text"),
    ({"response": {"base64Body": "%%%"}}, "response.base64Body", "is no base64"),
    ({"response": {"base64Body": 3}}, "response.base64Body", "is no base64"),
]


@pytest.mark.parametrize(("mapping", "place", "cause"), REFUSED, ids=[place for _, place, _ in REFUSED])
def test_what_is_not_known_is_named(mapping: Any, place: str, cause: str) -> None:
    [(found, why)] = subset.beyond({"request": {}, "response": {}, **mapping})
    assert ".".join(map(str, found)) == place
    assert cause in why


@pytest.mark.parametrize("expression", ["a", "$.a[", "$.a[?(@.b ~ 1)]", "$.a[?(@.b in ['x'])]", "$.a.sum()", "$.a b", "$[?(@.a == )]"])
def test_a_path_that_is_not_known_is_named(expression: str) -> None:
    with pytest.raises(jsonpath.Unknown):
        jsonpath.compiled(expression)


@pytest.mark.parametrize(("expression", "found"), [
    ("$", {"a": [1, 2, 3], "b": {"c": 4}}),
    ("$.a[1:]", [2, 3]),
    ("$.a[:-1]", [1, 2]),
    ("$.a[0,2]", [1, 3]),
    ("$.a.length()", 3),
    ("$['a','b']", [[1, 2, 3], {"c": 4}]),
    ("$.b.*", [4]),
    ("$..[0]", [1]),
    ("$.a[?(@ > 1)]", [2, 3]),
    ("$.z", jsonpath.MISSING),
])  # fmt: skip
def test_a_path_leads_to_a_value_or_a_list(expression: str, found: Any) -> None:
    document = {"a": [1, 2, 3], "b": {"c": 4}}
    assert jsonpath.compiled(expression).find(document, document) == found


def test_a_dataset_is_refused_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mappings" / "one.json"
    path.parent.mkdir()
    path.write_text('{\n\t"request": {"url": "/a"},\n\t"response": {\n\t\t"proxyBaseUrl": "http://a"\n\t}\n}\n')
    [problem] = ENGINES.get("stub").beyond(Part("mappings", "outside", "mappings/one.json", path, "json"))  # type: ignore[attr-defined]
    assert str(problem) == (
        f"{path}:4: response.proxyBaseUrl: response.proxyBaseUrl is not known without containers\n"
        "    -> use --runtime docker, or write it otherwise"
    )


def test_mounted_mappings_and_options_are_refused_with_their_places(write: Callable[..., Path]) -> None:
    stub = json.dumps({"mappings": [{"request": {}, "response": {"transformers": ["x"]}}]}, indent=1)
    folder = write({
        "compose.yaml": (
            "services:\n  outside:\n    image: wiremock/wiremock:3.13.2\n    volumes: ['./stub:/home/wiremock']\n"
            "    command: [--verbose, --global-response-templating, --https-port, '8443']\n"
        ),
        "stub/mappings/deep/one.json": stub,
    })  # fmt: skip
    stack = read_stack(StackEntry(name="small", compose=(folder / "compose.yaml",), version="1"), engines=traits(), environment={})
    found = [(n.message, str(n.mark)) for n in Local().survey(stack) if n.refused]
    assert found == [
        ("the option --global-response-templating is not known without containers", f"{folder / 'compose.yaml'}:2"),
        ("the option --https-port is not known without containers", f"{folder / 'compose.yaml'}:2"),
        ("response.transformers is not known without containers", f"{folder / 'stub/mappings/deep/one.json'}:6"),
    ]


def test_a_misspelt_key_is_wrong_wherever_it_runs_and_told_with_its_line_and_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "mappings" / "one.json"
    path.parent.mkdir()
    request = '"methd": "GET",\n      "url": "/a",\n      "headers": {\n        "A": {"equalsTo": "1"}\n      }'
    response = '"response": {"statu": 200, "new": 1}'
    path.write_text(f'{{"mappings": [\n  {{\n    "request": {{\n      {request}\n    }},\n    {response}\n  }}\n]}}\n')
    part = Part("mappings", "outside", "mappings/one.json", path, "json")
    with pytest.raises(DefinitionError) as refused:
        LOADERS.get("mappings").read(part, datetime.datetime.now(datetime.UTC))
    told = [(one.subject, one.remedy, one.mark.line) for one in refused.value.problems if one.mark]
    assert told == [
        ("request.methd", "did you mean 'method'?", 4),
        ("request.headers.A.equalsTo", "did you mean 'equalTo'?", 7),
        ("response.statu", "did you mean 'status'?", 10),
    ]
    assert list(ENGINES.get("stub").beyond(part)) == []  # type: ignore[attr-defined]  (it is told once)


def test_the_servers_port_is_that_of_its_options() -> None:
    def port(**given: Any) -> int:
        service = Service("outside", Mark(Path("compose.yaml"), 1), image="wiremock/wiremock:3.13.2", **given)
        return ENGINES.get("stub").launch(service).port

    assert port() == 8080
    assert port(command=("--port", "9000")) == 9000
    assert port(environment={"WIREMOCK_OPTIONS": "--verbose --port=9001"}) == 9001
    with pytest.raises(DefinitionError, match="port is no port"):
        port(command=("--port", "many"))
