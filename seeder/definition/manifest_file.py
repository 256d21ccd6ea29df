"""What stands in manifest.yaml, as it is written."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from seeder.definition.dataset import Kind, Privacy
from seeder.definition.extension import Auth, Gates, Strict
from seeder.definition.fields import Duration, Moment, Name, Text, VersionText, Whole
from seeder.definition.version import satisfies

REFUSED_IN_POLICY = ("scale",)


def _wanted(requires: dict[str, str]) -> dict[str, str]:
    if "stack" in requires:
        satisfies("0", requires["stack"])
    return requires


def _is_here(kind: object) -> object:
    if kind == "recipe":
        raise ValueError("recipes are not supported yet")
    return kind


class DefaultsItem(Strict):
    """What a command takes when it is not said."""

    stack: Name | None = None
    runtime: Annotated[Text, Field(description="auto, docker, local, attached")] = "auto"
    policy: Name | None = None
    seed: Annotated[int, Field(strict=True)] = 42
    as_of: Annotated[Moment, Field(description="the reference time of all data")] = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class StackItem(Strict):
    compose: Annotated[Text | list[Text], Field(description="one compose file or a list, later ones merged over earlier ones")]
    version: Annotated[VersionText, Field(description="the application's version, which datasets may require")]
    profiles: Annotated[list[Text], Field(description="compose profiles that are always on")] = []


class SeedItem(Strict):
    """A program that loads, run once services are ready."""

    command: Annotated[list[Text], Field(min_length=1)]
    within: Annotated[Duration, Field(description="time limit, e.g. 20m", json_schema_extra={"default": "10m"})] = 600.0
    inputs: Annotated[list[Text], Field(description="globs of files that decide what it does; without them its result is not kept")] = []


class DatasetItem(Strict):
    name: Name
    kind: Annotated[Kind, BeforeValidator(_is_here)]
    version: VersionText
    path: Annotated[Text, Field(description="its folder, relative to the manifest")]
    requires: Annotated[
        dict[str, Text], AfterValidator(_wanted), Field(description="`stack`: a range such as >=2.3,<3; a store: 0003 or 0003..")
    ] = {}
    loads_at: Annotated[
        dict[str, Text], Field(description="store: the revision at which its rows are loaded; migrations go over them")
    ] = {}
    natural_keys: Annotated[dict[str, Annotated[list[Text], Field(min_length=1)]], Field(description="store.table: columns")] = {}
    owner: Text | None = None
    privacy: Privacy | None = None
    captured_at: Moment | None = None
    seed: SeedItem | None = None
    gates: Gates = Gates.model_construct()


class PolicyItem(Strict):
    """What data an environment of some kind may hold."""

    sources: Annotated[list[Literal["reference", "config", "golden", "synthetic", "fixture"]], Field(description="empty: any")] = []
    rows: Annotated[Whole | None, Field(description="most rows")] = None
    privacy: Annotated[Literal["raw", "masked", "no-pii", "strict"] | None, Field(description="least privacy")] = None
    max_age: Annotated[Duration | None, Field(description="greatest age of data that says when it was captured")] = None
    attached: Annotated[bool, Field(strict=True, description="environments may attach to shared systems")] = True


def _url(text: str) -> str:
    if "://" not in text and "$" not in text:
        raise ValueError(f"{text!r} is no address; write it as scheme://host:port")
    return text


Url = Annotated[str, AfterValidator(_url)]


class SharedClaim(Strict):
    """A JSON Web Token that seeder signs (HS256), sent as `Authorization: Bearer`."""

    name: Annotated[Text, Field(description="the claim that carries the run's mark")]
    key: Annotated[Text, Field(description="the secret that the service checks the signature with: ${NAME}")]
    beside: Annotated[dict[str, Any], Field(description="its other claims, such as sub, iss, aud; iat and exp are added")] = {}


class SharedService(Strict):
    """How a service of a shared system is reached; `${NAME}` stands for a variable."""

    url: Annotated[Url, Field(description="its base address, e.g. https://orders.staging.example")]
    auth: Annotated[Auth | None, Field(description="as in x-seeder, where it differs from the stack's")] = None
    header: Annotated[Text | None, Field(description="the header by which it knows the tenant")] = None
    claim: Annotated[SharedClaim | None, Field(description="the claim of a token by which it knows the tenant")] = None


class Shown(Strict):
    """Where things that a capability makes show the mark of their run."""

    output: Annotated[Text | None, Field(description="a field of what the capability answers")] = None
    column: Annotated[Text | None, Field(description="store.table.column of the row that it makes")] = None


class TargetItem(Strict):
    """A system that exists already and is shared."""

    stack: Name
    attachable: Annotated[bool, Field(strict=True, description="environments may attach to it")] = False
    isolation: Annotated[Literal["prefix", "tenant"], Field(description="how what a run makes is told from what others make")]
    services: Annotated[dict[str, SharedService], Field(min_length=1)]
    stores: Annotated[dict[str, Url], Field(description="store: its address, with credentials")] = {}
    ranges: Annotated[
        dict[str, Annotated[list[Whole], Field(min_length=2, max_length=2)]],
        Field(description="store.table.column: first and last number that rows of datasets may get there"),
    ] = {}
    messages: Annotated[bool, Field(strict=True, description="steps may publish messages there, which nobody can take back")] = False
    marks: Annotated[dict[str, Shown], Field(description="capability: where what it makes shows the mark of its run")] = {}


class ManifestFile(Strict):
    """manifest.yaml: the index of a project and its version mapping."""

    seeder: Annotated[Literal["1"], Field(description="version of this format")]
    project: Name
    defaults: DefaultsItem = DefaultsItem.model_construct()
    stacks: Annotated[dict[Name, StackItem], Field(min_length=1)]
    datasets: list[DatasetItem] = []
    policies: dict[Name, PolicyItem] = {}
    targets: Annotated[dict[Name, TargetItem], Field(description="systems that exist already and may be attached to")] = {}
