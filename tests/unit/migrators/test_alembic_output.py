"""What is shown of a failed run of Alembic."""

from __future__ import annotations

from seeder.migrators._alembic_output import own

LOG = """\
INFO  [alembic.runtime.migration] Running upgrade 0002 -> 0003
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/work/.venv/lib/python3.13/site-packages/alembic/config.py", line 636, in main
    CommandLine(prog=prog).main(argv=argv)
    ~~~~~~~~~~~~~~~~~~~~~~^^^^^^^^^^^
  File "/work/migrations/env.py", line 30, in <module>
    context.run_migrations()
  File "/usr/lib/python3/dist-packages/alembic/op.py", line 2, in step
    step()
  File "/work/migrations/versions/0003.py", line 8, in upgrade
    raise ValueError("no such\\ncurrency")
ValueError: no such
currency
"""


def test_frames_of_packages_and_of_python_are_left_out():
    assert own(LOG).splitlines() == [
        line for line in LOG.splitlines() if not any(word in line for word in ("frozen", "packages", "CommandLine", "~~~", "step()"))
    ]
