"""JSON Schemas (2020-12) of every file that users write or read; `seeder schema KIND` prints them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from seeder.errors import DefinitionError, nearest

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(kind: str) -> dict[str, Any]:
    """The schema of one of KINDS. Raises DefinitionError for another name."""
    if kind not in _MAKERS:
        raise DefinitionError(kind, "there is no schema of this name", nearest(kind, KINDS))
    return {"$schema": DIALECT, "$id": f"urn:seeder:{kind}:1", **_MAKERS[kind]()}


def _manifest() -> dict[str, Any]:
    from seeder.definition.manifest_file import ManifestFile

    return ManifestFile.model_json_schema()


def _scenario() -> dict[str, Any]:
    from seeder.definition.scenario_file import ScenarioFile

    return ScenarioFile.model_json_schema()


def _generator() -> dict[str, Any]:
    from seeder.definition.generator_file import GeneratorFile

    return GeneratorFile.model_json_schema()


def _events() -> dict[str, Any]:
    from seeder.definition.event_file import EventFile

    return EventFile.model_json_schema()


def _x_seeder() -> dict[str, Any]:
    from pydantic.json_schema import models_json_schema

    from seeder.definition.extension import ServiceExtension, StackExtension

    _, definitions = models_json_schema([(ServiceExtension, "validation"), (StackExtension, "validation")])
    either = [{"$ref": f"#/$defs/{model.__name__}"} for model in (ServiceExtension, StackExtension)]
    return {"title": "x-seeder", "description": "On a service, or at the top level of a compose file.", "anyOf": either, **definitions}


def _keys() -> dict[str, Any]:
    scalar = {"type": ["string", "number", "boolean"]}
    scalars = {"type": "array", "items": scalar, "minItems": 1}
    values: dict[str, dict[str, Any]] = {
        "string": scalar,
        "hash": {"type": "object", "additionalProperties": scalar, "minProperties": 1},
        "list": scalars,
        "set": {**scalars, "uniqueItems": True},
        "zset": {"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 1},
    }
    written = [
        {
            "if": {"properties": {"type": {"const": kind}}, **({"required": ["type"]} if kind != "string" else {})},
            "then": {"properties": {"value": value}},
        }
        for kind, value in values.items()
    ]
    properties = {
        "key": {"type": "string", "minLength": 1},
        "type": {"enum": list(values), "default": "string"},
        "value": {"description": "as its type: text, {field: text}, [text], {member: score}"},
        "ttl": {"type": ["number", "null"], "exclusiveMinimum": 0, "description": "seconds from the load; without it the key stays"},
    }
    return {**_object("keys", "One line of keys.jsonl.", properties, ["key", "value"]), "allOf": written}


def _messages() -> dict[str, Any]:
    properties = {
        "subject": {"type": "string", "pattern": r"^(?!(.*\.)?[*>](\.|$))[^\s.]+(\.[^\s.]+)*$"},
        "headers": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
        "payload": {"description": "JSON, or text"},
    }
    return _object("messages", "One line of STREAM.jsonl, in the order of publication.", properties, ["subject", "payload"])


def _event() -> dict[str, Any]:
    from pydantic import TypeAdapter

    from seeder.events import EVENTS

    common = {
        "t": {"type": "number", "minimum": 0, "description": "seconds since the run's start"},
        "at": {"type": "string", "format": "date-time", "description": "wall clock, UTC"},
    }
    kinds: list[dict[str, Any]] = []
    for event in EVENTS:
        fields = copy.deepcopy(TypeAdapter(event).json_schema(mode="serialization"))
        own = fields.get("properties", {})
        properties = {**common, "event": {"const": event.kind}, **own}
        said = (event.__doc__ or "").split("\n")[0]
        kinds.append(_object(event.kind, "" if said.startswith(f"{event.__name__}(") else said, properties, list(properties)))
    return {"title": "event", "description": "One line of events.jsonl, the journal of a run.", "oneOf": kinds}


def _result() -> dict[str, Any]:
    text_or_null, seconds = {"type": ["string", "null"]}, {"type": "number", "minimum": 0}
    counts = {name: {"type": "integer", "minimum": 0} for name in ("count", "late", "strange")}
    properties = {
        "run": {"type": "string"},
        "code": {"type": "integer", "description": "the exit code"},
        "ended_by": {"type": "string", "description": "what decided the code: success, command, gate, definition, environment, ..."},
        "message": {"type": "string"},
        "seconds": seconds,
        "split": {"type": "object", "additionalProperties": seconds, "description": "seconds per stage"},
        "digest": {**text_or_null, "description": "of all stores, before the command"},
        "bundle": {**text_or_null, "description": "the folder of the bundle"},
        "kept": {"type": "boolean", "description": "the environment was kept"},
        "left": {"type": "array", "items": {"type": "string"}, "description": "what could not be removed"},
        "ended": {"type": "array", "items": {"type": "string"}, "description": "services that died while the environment was used"},
        "differing": {"type": "array", "items": {"type": "string"}, "description": "stores that differ from the bundle they came from"},
        "outputs": {"type": "object", "description": "of the scenario, without what is named like a secret"},
        "variants": {"type": "array", "items": _variant(seconds), "description": "what came of events that went wrong (--events)"},
        "waits": _object("waits", "States that were waited for.", {**counts, "seconds": seconds, "longest": seconds}, [*counts]),
        "origins": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "services, inserted: the datasets and capabilities whose records come so",
        },
        **_asked(),
    }
    whole = _object(
        "result",
        "result.json: how a run ended.",
        properties,
        [name for name in properties if name not in {*_asked(), "ended", "differing", "outputs", "waits", "variants", "origins"}],
    )
    return {**whole, "additionalProperties": True}


def _variant(seconds: Mapping[str, Any]) -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    properties = {"variant": {"type": "string"}, "result": {"enum": ["passed", "refused"]}, "seconds": seconds, "findings": texts}
    return _object("variant", "One thing that went wrong.", properties, list(properties))


def _error() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("subject", "cause", "remedy")}
    place = {"file": {"type": ["string", "null"]}, "line": {"type": ["integer", "null"], "description": "counts from 1"}}
    classes = ["usage", "definition", "environment", "gate", "timeout", "leftover", "signal", "internal"]
    properties = {
        "class": {"enum": classes, "description": "who can mend it; `internal`: a defect of seeder itself"},
        "code": {"type": "integer", "description": "the exit code"},
        "problems": {
            "type": "array",
            "minItems": 1,
            "items": _object("problem", "One thing that is wrong.", {**texts, **place}, [*texts, *place]),
        },
        "log": {"type": "string", "description": "the last lines of whatever was to blame"},
    }
    error = _object("failure", "What is wrong.", properties, list(properties))
    return _object("error", "What a command with --json prints when it fails.", {"error": error}, ["error"])


def _bundle() -> dict[str, Any]:
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    versions = dict.fromkeys(("images", "migrations", "datasets"), texts)
    properties = {
        "format": {"const": "1"},
        "id": {"type": "string", "description": "the run's"},
        "cause": {"type": "string"},
        "project": {"type": "string"},
        **_asked(),
        "inputs": {"type": "object"},
        "outputs": {"type": "object"},
        "results": {"type": "object", "description": "what each step made; without those in which something looks like a secret"},
        "versions": {"type": "object", "properties": {"seeder": {"type": "string"}, "stack": {"type": "string"}, **versions}},
        "request": {
            "type": "object",
            "description": "services, profiles, images, isolate_binds; overlays: files, from the project's folder; "
            "alone: the server of databases without services",
        },
        "stores": {"type": "object", "additionalProperties": _saved(digest), "description": "those that it holds"},
        "ended": {"type": "array", "items": {"type": "string"}, "description": "services that had died"},
        "missing": {**texts, "description": "what could not be taken, and why"},
        "files": {"type": "object", "additionalProperties": digest, "description": "SHA-256 of every other file"},
        "digest": {**digest, "description": "of this file without this key"},
    }
    whole = _object(
        "bundle", "bundle.json: what a bundle is, and the digest of every file.", properties, ["format", "id", "files", "digest"]
    )
    return {**whole, "additionalProperties": True}


def _saved(digest: Mapping[str, Any]) -> dict[str, Any]:
    properties = {
        "engine": {"type": "string"},
        "head": {"type": ["string", "null"], "description": "the revision to which migrations had brought it"},
        "digest": {"anyOf": [digest, {"type": "null"}], "description": "of what it held"},
    }
    return _object("store", "A store that was saved.", properties, list(properties))


def _asked() -> dict[str, dict[str, Any]]:
    return {
        "stack": {"type": "string"},
        "scenario": {"type": ["string", "null"]},
        "runtime": {"type": "string"},
        "seed": {"type": "integer"},
        "as_of": {"type": "string", "format": "date-time"},
        "policy": {"type": ["string", "null"]},
    }


def _object(title: str, description: str, properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    whole = {"title": title, "description": description, "type": "object", "properties": dict(properties)}
    return {**whole, "required": required, "additionalProperties": False}


_MAKERS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "manifest": _manifest,
    "scenario": _scenario,
    "events": _events,
    "generator": _generator,
    "x-seeder": _x_seeder,
    "keys": _keys,
    "messages": _messages,
    "event": _event,
    "result": _result,
    "error": _error,
    "bundle": _bundle,
}
KINDS: Final = tuple(_MAKERS)
