# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Waiting for events with a bound.

Nothing here sleeps for a while and hopes. A wait is on a descriptor, or asks the device again as a
guest's driver would; the bound is generous, since it only decides when a hung test is given up.
"""

from __future__ import annotations

import os
import select
import time
from typing import Callable

TIMEOUT_S = 60.0


class TimedOut(AssertionError):
    """Something that should have happened did not."""


def readable(fd: int, what: str, timeout: float = TIMEOUT_S) -> None:
    """Returns when FD can be read (data or end of file)."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    if not poller.poll(timeout * 1000):
        raise TimedOut(f"waited {timeout:.0f} s for {what}")


def readable_any(fds: list[int], what: str, timeout: float = TIMEOUT_S) -> list[int]:
    """Returns those of FDS that can be read."""
    poller = select.poll()
    for fd in fds:
        poller.register(fd, select.POLLIN)
    ready = poller.poll(timeout * 1000)
    if not ready:
        raise TimedOut(f"waited {timeout:.0f} s for {what}")
    return [fd for fd, _ in ready]


def until(condition: Callable[[], bool], what: str, timeout: float = TIMEOUT_S) -> None:
    """Asks CONDITION, which makes a round trip to the device or a daemon, until it is true."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimedOut(f"asked for {timeout:.0f} s: {what}")
        os.sched_yield()
