"""What stands in a scenario file, as it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from seeder.definition.expect_file import ExpectItem
from seeder.definition.extension import Gates, Strict
from seeder.definition.fields import Name, Text, VersionText
from seeder.definition.step_file import StepItem, Through

REFUSED: Final = ("faults",)


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


Expected = Annotated[
    list[ExpectItem] | dict[str, list[ExpectItem]],
    Field(description="whichever event it befalls; or, by the name of the event, for each that it says something of"),
]


class Variants(Strict):
    """What went wrong with the events: what is expected then. Where nothing is said, consumers bear it, and `expect` holds."""

    missing: Annotated[Expected, Field(description="an event is not published")] = []
    duplicated: Annotated[Expected, Field(description="an event is published twice, with the same id")] = []
    out_of_order: Annotated[Expected, Field(description="an event is published after the one that follows it")] = []
    late: Annotated[Expected, Field(description="an event is published once consumers have seen all others")] = []
    malformed: Annotated[Expected, Field(description="the second half of an event's payload is cut off")] = []
    replayed: Annotated[list[ExpectItem], Field(description="all are published again, once consumers have seen them")] = []


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
    caches: Annotated[
        dict[Name, Literal["disabled"]], Field(description="SERVICE: disabled, by the variables that `x-seeder.cache.disable` of it names")
    ] = {}
    steps: Annotated[dict[str, StepItem], Field(description="make the state, through capabilities; kept as a layer")] = {}
    act: Annotated[
        dict[str, StepItem], Field(description="what is done in the state, before it is expected to be as told; never kept")
    ] = {}
    expect: Annotated[list[ExpectItem], Field(description="checked before the command")] = []
    variants: Annotated[
        Variants, Field(description="what is expected instead of `expect` once something went wrong with the events of a step of `act`")
    ] = Variants.model_construct()
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
        caches=read(dict[Name, Literal["disabled"]], data.get("caches"), {}),
        data=[read(Text, item, "") for item in items("data")],
        steps={name: item for name, item in named("steps") if item},
        act={name: item for name, item in named("act") if item},
        expect=[read(ExpectItem, item, None) for item in items("expect")],
        variants=read(Variants, data.get("variants"), Variants.model_construct()),
        outputs=read(dict[str, Any], data.get("outputs"), {}),
        gates=read(Gates, data.get("gates"), Gates.model_construct()),
    )
