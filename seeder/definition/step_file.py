"""The steps of a scenario, as they are written."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, Tag, WithJsonSchema, model_validator

from seeder.definition.event_file import Headers, Subject
from seeder.definition.expect_file import ExpectItem
from seeder.definition.extension import Strict
from seeder.definition.fields import Duration, Text, UrlPath, told_by
from seeder.definition.references import only

_FORMS: Final = {"use": "UseItem", "eventually": "EventuallyItem", "events": "EventsItem", "expect": "ExpectedItem"}


class WatchItem(Strict):
    """A state that a service comes to."""

    get: Annotated[Text, Field(description="the service")]
    path: UrlPath
    until: Annotated[dict[str, Any], Field(description="a part of the JSON body", min_length=1)]
    within: Duration = 5.0


Through = Annotated[Literal["services"] | None, Field(description="`services`: what inserts records into a store is refused")]


def _times(value: Any) -> int | str | None:
    if value is None or (isinstance(value, str) and only(value)):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"count is a whole number from 0, or one reference to one, and {value!r} is neither")


Times = Annotated[
    int | str, PlainValidator(_times), WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}]})
]


class UseItem(Strict):
    """A capability that is asked for, or the state of another scenario."""

    use: Annotated[Text, Field(description="the capability: NAME; or scenario/NAME: the steps of that scenario")]
    with_: Annotated[dict[str, Any], Field(alias="with", description="its inputs")] = {}
    for_each: Annotated[list[Any] | Text | None, Field(description="a list, or a reference to one: once for each member, `${each}`")] = None
    count: Annotated[Times | None, Field(description="so many times, or a reference; `${index}` from 0")] = None
    after: Annotated[list[Text], Field(description="steps that are done before, whose results it is not given")] = []
    through: Through = None

    @model_validator(mode="after")
    def _one_of(self) -> UseItem:
        if isinstance(self.for_each, str) and not only(self.for_each):
            raise ValueError(f"for_each is a list, or one reference to one, and {self.for_each!r} is neither")
        return self


class EventuallyItem(Strict):
    """A state that is waited for."""

    eventually: WatchItem
    meanwhile: Annotated[dict[str, list[Any]], Field(description="field: the values that it may have on the way")] = {}
    after: list[Text] = []


class OccurrenceItem(Strict):
    """One event: of a type that a file of `testdata/events` tells, or to a subject."""

    type: Annotated[Text | None, Field(description="OrderPlaced and the like")] = None
    subject: Annotated[Subject | None, Field(description="where it is published, without a type")] = None
    with_: Annotated[Any, Field(alias="with", description="its payload; `${NAME.payload.FIELD}` of events before it")] = None
    headers: Headers = {}

    @model_validator(mode="after")
    def _exactly_one(self) -> OccurrenceItem:
        if (self.type is None) == (self.subject is None):
            raise ValueError("needs exactly one of type, subject")
        return self


class EventsItem(Strict):
    """Events that are published one after another, each by a name."""

    events: Annotated[dict[str, OccurrenceItem], Field(min_length=1, description="in the order of publication")]
    store: Annotated[Text | None, Field(description="may be left out where one store holds messages")] = None
    after: list[Text] = []


class ExpectedItem(Strict):
    """What must hold once the steps before it are done."""

    expect: Annotated[list[ExpectItem], Field(min_length=1)]
    after: list[Text] = []


StepItem = Annotated[
    Annotated[UseItem, Tag("UseItem")]
    | Annotated[EventuallyItem, Tag("EventuallyItem")]
    | Annotated[EventsItem, Tag("EventsItem")]
    | Annotated[ExpectedItem, Tag("ExpectedItem")],
    told_by(_FORMS),
]
