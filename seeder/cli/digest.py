"""`seeder digest`: what the stores hold, as one number each."""

from __future__ import annotations

import click

from seeder.cli import _inside, _options
from seeder.errors import counted


@click.command()
@click.argument("store", required=False)
@_inside.run_option
@_options.as_json
def command(store: str | None, run: str | None, as_json: bool) -> None:
    """Recompute the digests of an environment's stores (or of STORE) from what they hold now.

    Equal states have equal digests, on every runtime and machine. Columns that the stack declares volatile are left out and named.
    """
    from seeder import present
    from seeder.cli import _render
    from seeder.definition.request import named
    from seeder.evidence import digest

    where = _inside.found(run)
    targets = present.targets(where)
    chosen = targets if store is None else {store: named(targets, store, "store")}
    with _inside.explained(where):
        total, stores = digest.of(chosen)
    volatile = [f"{name}.{column}" for name, (_, columns) in sorted(chosen.items()) for column in columns]
    without = sorted(set(chosen) - set(stores))
    if as_json:
        told = {name: {"digest": one.digest, "parts": one.parts} for name, one in stores.items()}
        _render.answer({"digest": None if store else total, "stores": told, "volatile": volatile, "without": without})
        return
    width = max((len(name) for name in [*stores, "total"]), default=0)
    for name, one in stores.items():
        records = sum(count for count, _ in one.parts.values())
        click.echo(f"{name:<{width}}  {one.digest}  {counted(records, 'record')} in {counted(len(one.parts), 'part')}")
    if store is None:
        click.echo(f"{'total':<{width}}  {total}")
    for label, names in (("left out, volatile", volatile), ("have no digest", without)):
        if names:
            click.echo(f"{label}: {', '.join(names)}")
