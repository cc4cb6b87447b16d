# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A process that is ended at a chosen point, by ptrace: where a system call begins or ends."""

from __future__ import annotations

import ctypes
import os
import signal

SYSCALL, DETACH, SEIZE, INTERRUPT = 24, 17, 0x4206, 0x4207
TRACESYSGOOD = 1
WAIT_ALL = 0x40000000
AT_CALL = signal.SIGTRAP | 0x80

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Gone(Exception):
    """The process has ended by itself."""


def _ptrace(request: int, pid: int, data: int = 0) -> None:
    if _libc.ptrace(request, pid, None, data) < 0:
        raise Gone(os.strerror(ctypes.get_errno()))


def _stopped_by(pid: int) -> int:
    """Waits for a stop. Returns its signal; of an interrupt or a new process it is SIGTRAP."""
    _, status = os.waitpid(pid, WAIT_ALL)
    if not os.WIFSTOPPED(status):
        raise Gone("ended")
    return os.WSTOPSIG(status)


def end_at(pid: int, steps: int, number: int) -> None:
    """Lets pid run until so many system calls have begun or ended, then sends it the signal."""
    _ptrace(SEIZE, pid, TRACESYSGOOD)
    _ptrace(INTERRUPT, pid)
    stop = _stopped_by(pid)
    while steps > 0:
        _ptrace(SYSCALL, pid, 0 if stop in (AT_CALL, signal.SIGTRAP) else stop)
        stop = _stopped_by(pid)
        steps -= stop == AT_CALL
    _ptrace(DETACH, pid, number)
