"""An image's tag says what is in it: the same checkout never builds twice, a changed one always builds."""

from __future__ import annotations

import pytest

from seeder.errors import EnvironmentFailed
from seeder.runtimes._docker_build import tag


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text("ARG BASE=python:3.13-slim\nFROM ${BASE} AS base\nFROM base\nCOPY . /app\n")
    (tmp_path / ".dockerignore").write_text("# not these\n*.log\nnode_modules\n!keep.log\n")
    (tmp_path / "app.py").write_text("print(1)")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "run.sh").write_text("true")
    return tmp_path


def tag_of(context, identify=lambda image: f"id of {image}", **build):
    return tag({"context": str(context), "dockerfile": "Dockerfile", **build}, identify)


def test_what_is_ignored_or_merely_touched_does_not_count(context):
    before = tag_of(context)
    (context / "debug.log").write_text("noise")
    (context / "node_modules").mkdir()
    (context / "node_modules" / "big.js").write_text("noise")
    (context / "app.py").write_text("print(1)")
    assert tag_of(context) == before


@pytest.mark.parametrize("change", ["content", "mode", "name", "kept", "link", "dockerfile"])
def test_what_the_build_sees_counts(context, change):
    before = tag_of(context)
    if change == "content":
        (context / "sub" / "run.sh").write_text("false")
    elif change == "mode":
        (context / "sub" / "run.sh").chmod(0o755)
    elif change == "name":
        (context / "app.py").rename(context / "main.py")
    elif change == "kept":
        (context / "keep.log").write_text("")
    elif change == "link":
        (context / "link").symlink_to("app.py")
    else:
        (context / "Dockerfile").write_text("FROM python:3.13-slim\n")
    assert tag_of(context) != before


def test_arguments_target_and_base_images_count(context):
    tags = [tag_of(context), tag_of(context, args={"A": "1"}), tag_of(context, target="base"), tag_of(context, args={"BASE": "redis:8"})]
    tags.append(tag_of(context, identify=lambda image: "newer" if image == "python:3.13-slim" else None))
    assert len(set(tags)) == len(tags)


def test_the_base_image_is_looked_up_with_arguments_filled_in(context):
    asked: list[str] = []
    tag_of(context, identify=asked.append, args={"BASE": "redis:8"})
    assert "redis:8" in asked


def test_a_dockerfile_that_is_not_there_is_named(context):
    with pytest.raises(EnvironmentFailed, match=r"Other.*cannot be read"):
        tag_of(context, dockerfile="Other")
