"""Becomes someone else, then the program: run as a script of its own by root, for programs that refuse to run as root.

    _local_launcher.py namespace UID -- PROGRAM...    in a user namespace where root outside is UID inside
    _local_launcher.py user UID GID -- PROGRAM...     as that user
    _local_launcher.py search UID GID -- PROGRAM...   as that user, who may yet search and read every folder, as root can

A script and not a hook between fork and exec, since seeder starts programs from several threads. It imports nothing of seeder.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 28, 47, 2
_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def main(words: list[str]) -> None:
    mode, *numbers = words[: words.index("--")]
    program = words[words.index("--") + 1 :]
    if mode == "namespace":
        _enter_namespace(int(numbers[0]))
    else:
        _become(int(numbers[0]), int(numbers[1]), searching=mode == "search")
    os.execvp(program[0], program)  # noqa: S606


def _enter_namespace(inner: int) -> None:
    user, group = os.getuid(), os.getgid()
    _check(_libc().unshare(_CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{inner} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{inner} {group} 1", encoding="ascii")


def _become(user: int, group: int, *, searching: bool) -> None:
    if searching:
        # capabilities outlive the change of user, and access() counts them: servers ask it for their own files
        _check(_libc().prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0), "prctl")
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if searching:
        _keep_searching()


def _keep_searching() -> None:
    libc, header, sets = _libc(), _Header(_CAPABILITY_VERSION, 0), (_Sets * 2)()
    _check(libc.capget(ctypes.byref(header), sets), "capget")
    capability = _DAC_READ_SEARCH if sets[0].permitted & 1 << _DAC_READ_SEARCH else _DAC_OVERRIDE  # what Docker leaves to root
    bit = 1 << capability
    kept = (_Sets * 2)(_Sets(bit, bit, bit), _Sets(0, 0, 0))
    _check(libc.capset(ctypes.byref(header), kept), "capset")
    _check(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0), "prctl")


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    return libc


def _check(answer: int, call: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
