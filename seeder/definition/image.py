"""The name of an image, taken apart: `registry:5000/library/postgres:17@sha256:...`."""

from __future__ import annotations


def repository(image: str) -> str:
    """Without registry, tag and digest, in small letters: `bitnami/postgresql`, and `postgres` for Docker's own."""
    *owners, last = image.partition("@")[0].split("/")
    if owners and ({".", ":"} & set(owners[0]) or owners[0] == "localhost"):
        owners = owners[1:]
    return "/".join([*owners, last.partition(":")[0]]).removeprefix("library/").lower()


def base(image: str) -> str:
    """The last part of the repository: the same program, whoever packed it."""
    return repository(image).rpartition("/")[2]


def tag(image: str) -> str:
    """`17-alpine`; empty when the image has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
