"""What stands in a scenario file, as it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from seeder.definition.extension import Gates, Strict
from seeder.definition.fields import Duration, Name, Text, UrlPath, VersionText
from seeder.definition.references import only

REFUSED: Final = ("faults",)
_FORMS: Final = {"query": "QueryItem", "http": "HttpItem", "event": "EventItem", "key": "KeyItem", "stub": "StubItem"}


class InputItem(Strict):
    """A typed input. Without a default it must be given."""

    type: Literal["string", "integer", "number", "boolean"]
    default: str | int | float | bool | None = None
    enum: list[str | int | float | bool] = []
    minimum: float | None = None
    maximum: float | None = None
    pattern: Annotated[str | None, Field(description="a regular expression that is found in the text")] = None
    description: str = ""

    @model_validator(mode="after")
    def _limits(self) -> InputItem:
        if (self.minimum is not None or self.maximum is not None) and self.type not in ("integer", "number"):
            raise ValueError(f"minimum and maximum are for numbers, and this is {self.type}")
        if self.pattern is not None and self.type != "string":
            raise ValueError(f"pattern is for strings, and this is {self.type}")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern is not a regular expression: {error}") from None
        return self


class QueryItem(Strict):
    """A query's answer."""

    store: Text
    query: Annotated[Text, Field(description="one statement; `:name` are parameters")]
    with_: Annotated[dict[str, Any], Field(alias="with", description="parameters; outputs and inputs are known by name")] = {}
    equals: Annotated[Any, Field(description="a scalar, or rows as lists")]
    within: Duration = 5.0


class HttpItem(Strict):
    """A service's answer."""

    http: Annotated[Text, Field(description="the service")]
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: UrlPath
    status: Annotated[int, Field(strict=True, ge=100, le=599)] = 200
    equals: Annotated[Any, Field(description="a part of the JSON body")] = None
    within: Duration = 5.0


class EventItem(Strict):
    """Messages that were published."""

    event: Annotated[Text, Field(description="the subject")]
    store: Annotated[Text | None, Field(description="may be left out where one store holds messages")] = None
    where: Annotated[dict[str, Any], Field(description="a part of the payload")] = {}
    at_least: Annotated[int, Field(strict=True, ge=1)] = 1
    within: Duration = 5.0


class KeyItem(Strict):
    """A key of a cache: its value, or whether it is there."""

    key: Text
    store: Annotated[Text | None, Field(description="may be left out where one store holds keys")] = None
    equals: Any = None
    exists: Annotated[bool | None, Field(strict=True)] = None
    within: Duration = 5.0

    @model_validator(mode="after")
    def _exactly_one(self) -> KeyItem:
        if ("equals" in self.model_fields_set) == (self.exists is not None):
            raise ValueError("needs exactly one of equals, exists")
        return self


class CallItem(Strict):
    """A call that a stub received, as far as it matters."""

    method: Text | None = None
    path: Annotated[UrlPath | None, Field(description="without the query")] = None
    query: dict[str, str | int | float | bool] = {}
    headers: dict[str, str | int | float | bool] = {}
    body: Annotated[Any, Field(description="a part of the JSON body, or the text")] = None


class StubItem(Strict):
    """Calls that a stub received: at least so many, or so many exactly."""

    stub: Annotated[Text, Field(description="the store")]
    where: CallItem = CallItem.model_construct()
    at_least: Annotated[int, Field(strict=True, ge=1)] = 1
    count: Annotated[int | None, Field(strict=True, ge=0, description="exactly so many, when it is looked")] = None
    within: Duration = 5.0

    @model_validator(mode="after")
    def _one_number(self) -> StubItem:
        if self.count is not None and "at_least" in self.model_fields_set:
            raise ValueError("takes at_least or count, not both")
        return self


class WatchItem(Strict):
    """A state that a service comes to."""

    get: Annotated[Text, Field(description="the service")]
    path: UrlPath
    until: Annotated[dict[str, Any], Field(description="a part of the JSON body", min_length=1)]
    within: Duration = 5.0


Through = Annotated[Literal["services"] | None, Field(description="`services`: what inserts records into a store is refused")]


class UseItem(Strict):
    """A capability that is asked for, or the state of another scenario."""

    use: Annotated[Text, Field(description="the capability: NAME; or scenario/NAME: the steps of that scenario")]
    with_: Annotated[dict[str, Any], Field(alias="with", description="its inputs")] = {}
    for_each: Annotated[list[Any] | Text | None, Field(description="a list, or a reference to one: once for each member, `${each}`")] = None
    count: Annotated[
        Annotated[int, Field(strict=True, ge=0)] | Text | None, Field(description="so many times, or a reference; `${index}` from 0")
    ] = None
    after: Annotated[list[Text], Field(description="steps that are done before, whose results it is not given")] = []
    through: Through = None

    @model_validator(mode="after")
    def _one_of(self) -> UseItem:
        if self.for_each is not None and self.count is not None:
            raise ValueError("takes for_each or count, not both")
        if isinstance(self.for_each, str) and not only(self.for_each):
            raise ValueError(f"for_each is a list, or one reference to one, and {self.for_each!r} is neither")
        if isinstance(self.count, str) and not only(self.count):
            raise ValueError(f"count is a whole number from 0, or one reference to one, and {self.count!r} is neither")
        return self


class EventuallyItem(Strict):
    """A state that is waited for."""

    eventually: WatchItem
    meanwhile: Annotated[dict[str, list[Any]], Field(description="field: the values that it may have on the way")] = {}
    after: list[Text] = []


def _step_form(item: Any) -> str | None:
    found = [name for form, name in (("use", "UseItem"), ("eventually", "EventuallyItem")) if isinstance(item, Mapping) and form in item]
    return found[0] if len(found) == 1 else None


StepItem = Annotated[
    Annotated[UseItem, Tag("UseItem")] | Annotated[EventuallyItem, Tag("EventuallyItem")],
    Discriminator(_step_form, custom_error_type="form", custom_error_message="is a mapping with exactly one of use, eventually"),
]


def _form(item: Any) -> str | None:
    found = [name for form, name in _FORMS.items() if isinstance(item, Mapping) and form in item]
    return found[0] if len(found) == 1 else None


ExpectItem = Annotated[
    Annotated[QueryItem, Tag("QueryItem")]
    | Annotated[HttpItem, Tag("HttpItem")]
    | Annotated[EventItem, Tag("EventItem")]
    | Annotated[KeyItem, Tag("KeyItem")]
    | Annotated[StubItem, Tag("StubItem")],
    Discriminator(_form, custom_error_type="form", custom_error_message=f"is a mapping with exactly one of {', '.join(_FORMS)}"),
]


class ScenarioFile(Strict):
    """A business state that can be asked for, and what is expected of it."""

    scenario: Name
    version: VersionText
    stack: Name
    owner: Text | None = None
    description: str = ""
    tags: list[Text] = []
    inputs: dict[str, InputItem] = {}
    through: Through = None
    data: Annotated[list[Text], Field(description="datasets: NAME or NAME@VERSION, a version may be shortened")] = []
    steps: Annotated[dict[str, StepItem], Field(description="make the state, through capabilities; kept as a layer")] = {}
    act: Annotated[
        dict[str, StepItem], Field(description="what is done in the state, before it is expected to be as told; never kept")
    ] = {}
    expect: Annotated[list[ExpectItem], Field(description="checked before the command")] = []
    outputs: Annotated[dict[str, Any], Field(description="what the command and tests are told")] = {}
    gates: Gates = Gates.model_construct()


def sound(data: Mapping[str, Any]) -> ScenarioFile:
    """What of a file with mistakes is right by itself, so that the rest of it is looked at, too. An item of `expect` or `data` with a
    mistake leaves its place empty, a name that cannot be read is empty."""

    def read(kind: Any, given: Any, instead: Any) -> Any:
        try:
            return TypeAdapter(kind).validate_python(given)
        except ValidationError:
            return instead

    def items(key: str) -> list[Any]:
        given = data.get(key)
        return given if isinstance(given, list) else []

    def named(key: str) -> list[tuple[str, Any]]:
        given = data.get(key)
        return [(name, read(StepItem, item, None)) for name, item in given.items()] if isinstance(given, Mapping) else []

    inputs = data.get("inputs")
    read_inputs = {name: read(InputItem, item, None) for name, item in (inputs.items() if isinstance(inputs, Mapping) else ())}
    return ScenarioFile.model_construct(
        scenario=read(Name, data.get("scenario"), ""),
        version=read(VersionText, data.get("version"), ""),
        stack=read(Name, data.get("stack"), ""),
        owner=None,
        through=read(Through, data.get("through"), None),
        description=read(str, data.get("description"), ""),
        tags=read(list[Text], data.get("tags"), []),
        inputs={name: item for name, item in read_inputs.items() if item},
        data=[read(Text, item, "") for item in items("data")],
        steps={name: item for name, item in named("steps") if item},
        act={name: item for name, item in named("act") if item},
        expect=[read(ExpectItem, item, None) for item in items("expect")],
        outputs=read(dict[str, Any], data.get("outputs"), {}),
        gates=read(Gates, data.get("gates"), Gates.model_construct()),
    )
