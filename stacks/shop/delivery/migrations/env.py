"""Alembic's entry: the revisions of delivery, run by the shop's shared code."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context

from delivery.models import Base
from shopkit.migrations import run

if context.config.config_file_name:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
run(Base.metadata)
