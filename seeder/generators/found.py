"""Where generators come from: the folder `generators` beside the stack's compose file, Python or HTTP, and packages that offer some."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from seeder import fingerprint, protocols
from seeder.definition.offered import offered
from seeder.definition.stack import Stack
from seeder.errors import Collector, DefinitionError, Mark
from seeder.generators import declared
from seeder.generators._printed import heard
from seeder.generators.python import Generator
from seeder.passed.outcome import Badly
from seeder.registry import ENGINES

FOLDER: Final = "generators"
GROUP: Final = "seeder.generators"  # the entry points of packages; each names a module
_REMEDY: Final = "the team that owns the file mends it; Python must be able to import it by itself"
Generators = dict[str, protocols.Generator]


def of(stack: Stack) -> Generators:
    """Every generator by the name of its capability. Raises DefinitionError with all that cannot be imported, and names that two have."""
    problems, found, folder = Collector(), Generators(), stack.project_dir / FOLDER
    modules = [*_own(stack), *_in_folder(folder, problems), *_in_packages(problems)]
    for one in [*_of_modules(modules), *declared.in_folder(folder, stack, problems)]:
        other = found.setdefault(one.capability.name, one)
        if other is not one:
            cause = f"{other.capability.mark} offers this capability too"
            problems.add(one.capability.name, cause, "rename one of them", one.capability.mark)
    problems.raise_if_any(DefinitionError)
    return found


def _own(stack: Stack) -> Iterator[tuple[ModuleType, str]]:
    """What seeder itself offers to a stack that has a store for it."""
    engines = {store.engine for store in stack.stores.values()} & set(ENGINES.names())
    if any(isinstance(ENGINES.get(name), protocols.Caches) for name in engines):
        from seeder.generators import cache

        yield cache, fingerprint.content(Path(cache.__file__))


def _of_modules(modules: Iterable[tuple[ModuleType, str]]) -> Iterator[protocols.Generator]:
    """Those that were written in them, not those that they import."""
    for module, digest in modules:
        for value in vars(module).values():
            if isinstance(value, Generator) and value.__wrapped__.__module__ == module.__name__:
                value.capability = replace(value.capability, digest=digest)
                yield value


def _in_folder(folder: Path, problems: Collector) -> Iterator[tuple[ModuleType, str]]:
    files = sorted(folder.glob("*.py"))
    if not files:
        return
    digest = fingerprint.tree(folder, fingerprint.inventory(folder))
    with _beside(folder):
        modules = [_imported(path, digest, problems) for path in files]
    yield from ((module, digest) for module in modules if module)


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """What stands in the folder is found by its bare name meanwhile, and by nobody else afterwards: another stack's generators, and the
    tests of whoever runs them, have modules of the same name. Those that imported one keep it."""
    names = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()} - set(sys.stdlib_module_names)
    theirs = _taken(names)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _taken(names)
        sys.modules.update(theirs)


def _taken(names: Collection[str]) -> dict[str, ModuleType]:
    """The modules of these names and all below them, which are not known any more."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}


def _imported(path: Path, digest: str, problems: Collector) -> ModuleType | None:
    """The file as a module of a name that no other file has, nor this one once something in its folder is edited."""
    name = f"seeder_generators_{fingerprint.text(f'{path.resolve()} {digest}')[:12]}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with heard(lambda line: print(f"{path.name}: {line}", file=sys.stderr)):  # noqa: T201  (nobody but who asks is told)
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (it is the team's file: whatever is wrong with it is told with its line)
        del sys.modules[name]
        problems.add(path.name, _said(error), _REMEDY, Mark(path, _line(error, path)))
        return None
    return module


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, Badly) else f"cannot be imported: {type(error).__name__}: {error}"


def _line(error: BaseException, path: Path) -> int:
    """The last line of the file that was at work."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (frames[-1] if frames else 1) or 1


def _in_packages(problems: Collector) -> Iterator[tuple[ModuleType, str]]:
    for entry in offered(GROUP):
        try:
            module: Any = entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  (as above)
            problems.add(entry.name, f"{entry.value} cannot be imported: {error}", "mend or uninstall the package that offers it")
            continue
        version = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        yield module, fingerprint.text(f"{version} {_files(module)}")


def _files(module: ModuleType) -> str:
    """The digest of the package that the module is in: an installed one may be edited in its place, and keep its version. One of a
    namespace that others share counts from its own folder; one that is a file alone is that."""
    top = sys.modules.get(module.__name__.partition(".")[0], module)
    file = Path(top.__file__ or module.__file__ or "")
    if "." not in module.__name__ and not hasattr(module, "__path__"):
        return fingerprint.content(file)
    return fingerprint.tree(file.parent, fingerprint.inventory(file.parent))
