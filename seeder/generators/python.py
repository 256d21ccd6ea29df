"""Generators that are typed Python functions: `@generator` makes one of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError

from seeder.definition.duration import seconds
from seeder.errors import Mark
from seeder.events import Noticed
from seeder.generators._printed import heard
from seeder.generators.arguments import mistakes, plain, uncallable
from seeder.generators.context import Context
from seeder.passed.capability import Asked, Capability, Origin
from seeder.passed.outcome import Badly, Never
from seeder.promises import shape
from seeder.promises.formats import Schema
from seeder.protocols import World

WITHIN: Final = "30s"
Function = Callable[..., Any]


class Generator:
    """A function that can be asked for in scenarios; it stays callable as it is, for its own tests."""

    def __init__(
        self,
        function: Function,
        capability: Capability,
        inputs: type[BaseModel],
        outputs: TypeAdapter[Any],
        find: Function | None,
        undo: Function | None,
    ) -> None:
        self.__doc__, self.__name__, self.__wrapped__ = function.__doc__, function.__name__, function
        self.capability = capability
        self._inputs, self._outputs, self._find, self._undo = inputs, outputs, find, undo

    def __call__(self, *words: Any, **given: Any) -> Any:
        return self.__wrapped__(*words, **given)

    def make(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        """What the function answers, as JSON values. Raises Badly for inputs or an answer that are not as they are declared."""
        given = self._read(given)
        with self._context(world, call) as context:
            return self._told(self.__wrapped__(context, **given))

    def find(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        """What an earlier try made; None when there is nothing."""
        if self._find is None:
            return None
        with self._context(world, call) as context:
            found = self._find(context, **self._read(given))
        return None if found is None else self._told(found)

    def undo(self, world: World, call: Asked, made: Any) -> None:
        """Take back what it made. Raises as `make` does."""
        if self._undo is None:
            return
        with self._context(world, call, key="undo") as context:  # another request than the one that made it
            self._undo(context, self._outputs.validate_python(made))

    @contextmanager
    def _context(self, world: World, call: Asked, *, key: str | None = None) -> Iterator[Context]:
        """What the team's function is given; what it prints is told as its."""
        who = f"{self.capability.name} ({call.step})"
        with closing(Context(world, call, key=key or self.capability.key)) as context, heard(lambda line: world.emit(Noticed(who, line))):
            yield context

    def _read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            model = self._inputs.model_validate(given)
        except ValidationError as error:
            raise Never(f"its inputs are not as it declares them: {_first(error)}") from error
        return {name: getattr(model, name) for name in type(model).model_fields}

    def _told(self, answer: Any) -> Any:
        """The answer as its schema declares it. What is an instance already nobody has read: its values are looked at as they are told."""
        try:
            found = self._outputs.dump_python(self._outputs.validate_python(answer), mode="json", by_alias=True, warnings="none")
        except ValidationError as error:
            raise Badly(f"its answer is not as it declares it: {_first(error)}") from error
        except PydanticSerializationError as error:
            raise Badly(f"its answer is not as it declares it: {error}") from error
        for way, why in shape.mistakes(found, self.capability.outputs):
            raise Badly(f"its answer is not as it declares it: {'.'.join(map(str, way)) or 'it'}: {why}")
        return found


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, found['loc'])) or 'it'}: {found['msg']}"


def generator(
    name: str,
    *,
    version: str,
    owner: str,
    contact: str = "",
    origin: Origin = "services",
    key: str | None = None,
    find: Function | None = None,
    undo: Function | Literal["nothing"] | None = None,
    within: str = WITHIN,
    shared: bool = True,
) -> Callable[[Function], Generator]:
    """Make a capability of a function `f(ctx, *, input: type = default, ...) -> type`.

    `name` is DOMAIN.WHAT_IT_DOES; `owner` the team that is told what goes wrong, `contact` where it is reached. The first paragraph of
    the docstring describes it. `origin`: "services" acts as the product would, "inserted" writes into a store. With `key` its requests
    carry an Idempotency-Key that begins so; `find(ctx, **inputs)` answers what an earlier try made, or None: with one of them a try of
    which nobody knows what came of it is followed by another. `undo(ctx, made)` takes back what it answered, and does no harm where
    that is gone already; "nothing" says that there is nothing to take back: it only looks, or what it changed goes with what it was
    given. `within`: of one try. `shared=False`: it touches what is not its own, and is refused in a system that others use, too.
    """

    def made(function: Function) -> Generator:
        told = {"name": name, "version": version, "owner": owner, "contact": contact, "origin": origin, "key": key, "within": within}
        if wrong := [*mistakes(told), *plain(function, find, undo)]:
            raise Badly("; ".join(wrong))
        hints = _hints(function)
        with _readable(function, hints):
            inputs, outputs = _inputs(function, hints), TypeAdapter[Any](hints["return"])
        if wrong := list(uncallable(list(inputs.model_fields), find, undo)):
            raise Badly("; ".join(wrong))
        file, line = inspect.getsourcefile(function) or "", inspect.getsourcelines(function)[1]
        capability = Capability(
            name=name,
            version=version,
            owner=owner,
            inputs=inputs.model_json_schema(schema_generator=Schema),
            outputs=outputs.json_schema(mode="serialization", schema_generator=Schema),
            mark=Mark(Path(file), line),
            contact=contact,
            description=inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0].replace("\n", " "),
            origin=origin,
            key=key,
            finds=find is not None,
            undo=undo.__name__ if callable(undo) else undo or "",
            within=seconds(within),
            shared=shared,
        )
        return Generator(function, capability, inputs, outputs, find, undo if callable(undo) else None)

    return made


def _inputs(function: Function, hints: Mapping[str, Any]) -> type[BaseModel]:
    """A model of what it takes beside the context. Raises Badly for parameters that cannot be given by name, or have no type."""
    fields = dict[str, Any]()
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
        raise Badly("takes no context: its first parameter is ctx")
    for one in parameters[1:]:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            raise Badly(f"takes whatever is given ({one}): name what it takes beside ctx, each with its type, behind `*`")
        if one.kind is not one.KEYWORD_ONLY:
            raise Badly(f"{one.name} stands before `*`: what it takes beside ctx is given by name")
        if one.name not in hints:
            raise Badly(f"{one.name} has no type")
        fields[one.name] = (hints[one.name], ... if one.default is one.empty else _default(one, hints[one.name]))
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False, validate_default=True)
    return create_model(f"{function.__name__}_inputs", __config__=config, **fields)


@contextmanager
def _readable(function: Function, hints: Mapping[str, Any]) -> Iterator[None]:
    """Raises Badly for the first type of which no JSON values are known."""
    try:
        yield
    except PydanticSchemaGenerationError as error:
        _, *asked = inspect.signature(function).parameters  # nobody gives the context
        for name in (*asked, "return"):
            try:
                TypeAdapter[Any](hints[name])
            except PydanticSchemaGenerationError:
                whose, called = "its answer" if name == "return" else name, inspect.formatannotation(hints[name])
                cause = f"{whose} is of type {called}, which cannot be written as JSON: take a plain type, a dataclass or a pydantic model"
                raise Badly(cause) from error
        raise


def _default(one: inspect.Parameter, hint: Any) -> Any:
    """What it is where nothing is given. Raises Badly for what could not be given either."""
    if not isinstance(one.default, FieldInfo):
        try:
            TypeAdapter[Any](hint).validate_python(one.default)
        except ValidationError as error:
            raise Badly(
                f"the default {one.default!r} of {one.name} is not of its type: {error.errors(include_url=False)[0]['msg']}"
            ) from error
    return one.default


def _hints(function: Function) -> dict[str, Any]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise Badly(f"a type cannot be read: {error}") from error
    if hints.get("return", type(None)) is type(None):
        raise Badly("answers nothing: give it a type that it returns, with the ids of what it made")
    return hints
