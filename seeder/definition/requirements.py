"""What a dataset requires of a stack: its version, and how far its stores are migrated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seeder.definition.dataset import Dataset, Requirement
from seeder.definition.stack import Stack
from seeder.definition.version import satisfies
from seeder.errors import Problem, nearest
from seeder.frozen import frozen


@frozen
class Unfit:
    """Why a migration history does not fit: cause and remedy."""

    cause: str
    remedy: str


def revision_problem(wanted: str, history: Sequence[str]) -> Unfit | None:
    """Does a history, oldest first and ending at its head, fit `0003` (the head), `0003..` (that or a descendant), `..0005` (that or
    an ancestor) or `0003..0005`? A revision may be shortened as long as one alone begins so. None when it fits."""
    first, dots, last = wanted.strip().partition("..")
    if not dots:
        last = first
    if not first and not last:
        return Unfit(f"{wanted!r} names no revision", "write 0003, 0003.., ..0005 or 0003..0005")
    if not history:
        return Unfit("the history has no revisions", "")
    places = {name: _place(name, history) for name in (first, last) if name}
    for name, place in places.items():
        if place is None:
            return Unfit(f"the history has no single revision {name}", nearest(name, history))
    head = len(history) - 1
    low, high = places.get(first), places.get(last)
    if (low is not None and head < low) or (high is not None and head > high):
        return Unfit(f"the head is {history[-1]}, and {wanted} is needed", "use a dataset made for this revision, or change `requires`")
    return None


def loaded_at(dataset: Dataset, histories: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Store -> the revision at which it halts for the dataset's rows, written out. Not in it: stores of absent services, and those that
    take the rows at their head as they would without `loads_at`."""
    found = {}
    for given in dataset.loads_at:
        history = histories.get(given.subject, ())
        place = _place(given.wanted, history)
        if place is not None and place < len(history) - 1:
            found[given.subject] = history[place]
    return found


def misplaced(dataset: Dataset, stack: Stack, histories: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """What is wrong with where the dataset wants its rows to go in; `histories` as for `unmet`."""
    held = {path.parts[0] for path in dataset.files} | {"/".join(path.parts[:2]) for path in dataset.files}
    for given in dataset.loads_at:
        unfit = _no_history(given.subject, stack)
        if unfit is None and given.subject in histories and _place(given.wanted, histories[given.subject]) is None:
            unfit = Unfit(f"the history has no single revision {given.wanted}", nearest(given.wanted, histories[given.subject]))
        if unfit is None and given.subject not in held:
            unfit = Unfit(f"the dataset has no files for {given.subject}", f"put them into {given.subject}/, or remove the entry")
        if unfit:
            yield Problem(f"{dataset.label} loads_at {given.subject} {given.wanted}", unfit.cause, unfit.remedy, given.mark)


def _place(name: str, history: Sequence[str]) -> int | None:
    if name in history:
        return history.index(name)
    found = [index for index, revision in enumerate(history) if revision.startswith(name)]
    return found[0] if len(found) == 1 else None


def unmet(dataset: Dataset, stack: Stack, histories: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """What the dataset requires and does not find: the stack's version, and the migration heads of stores.

    `histories`: store -> its revisions, oldest first. Not asked are stores of absent services, and those whose migrations could not
    be read, which is told elsewhere."""
    for requirement in dataset.requires:
        unfit = _stack_unfit(requirement, stack) if requirement.subject == "stack" else _store_unfit(requirement, stack, histories)
        if unfit:
            subject = f"{dataset.label} requires {requirement.subject} {requirement.wanted}"
            yield Problem(subject, unfit.cause, unfit.remedy, requirement.mark)


def _stack_unfit(requirement: Requirement, stack: Stack) -> Unfit | None:
    try:
        fits = satisfies(stack.version, requirement.wanted)
    except ValueError as error:
        return Unfit(str(error), "")
    return None if fits else Unfit(f"stack {stack.name} is {stack.version}", "use another version of the dataset, or change `requires`")


def _store_unfit(requirement: Requirement, stack: Stack, histories: Mapping[str, Sequence[str]]) -> Unfit | None:
    store = requirement.subject
    if unfit := _no_history(store, stack):
        return unfit
    if store not in histories:
        return None
    unfit = revision_problem(requirement.wanted, histories[store])
    return unfit and Unfit(f"store {store} of stack {stack.name}: {unfit.cause}", unfit.remedy)


def _no_history(store: str, stack: Stack) -> Unfit | None:
    """Why no revision of the store can be named. A store of an absent service is not asked."""
    if store.split("/", maxsplit=1)[0] in stack.absent and store not in stack.stores:
        return None
    if store not in stack.stores:
        return Unfit(f"stack {stack.name} has no store {store}", nearest(store, sorted(stack.stores)))
    if stack.stores[store].migrate is None:
        return Unfit(f"store {store} of stack {stack.name} has no migrations", f"add `migrate` to {store}, or remove the entry")
    return None
