# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The programs under test as child processes: started with a log, waited for and ended by
pidfd.

A child gets a kill signal from the kernel if the test runner dies, so that no crash of the tests
leaves one behind. Grandchildren whose parent went become the runner's own (it is their subreaper),
so that a program which leaves processes behind is found out.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
from pathlib import Path
from typing import Callable, Sequence

from . import wait

# A program that complains without end must not fill the disk. QEMU's memfd counts as a file too.
MAX_FILE_BYTES = 256 << 20

# Of a long log its two ends are shown.
LOG_END_BYTES = 20_000


class Child:
    """A running program. Its output goes to a log file in the test's folder."""

    def __init__(self, name: str, argv: Sequence[str], folder: Path,
                 pass_fds: Sequence[int] = (), obeys_sigterm: bool = False) -> None:
        self.name = name
        self.obeys_sigterm = obeys_sigterm
        self.argv = list(argv)
        self._log_path = folder / f"{name}.log"
        with open(self._log_path, "ab") as log:
            self._popen = subprocess.Popen(
                ["prlimit", f"--fsize={MAX_FILE_BYTES}", "--",
                 "setpriv", "--pdeathsig", "KILL", "--", *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=pass_fds)
        self._pid_fd = os.pidfd_open(self._popen.pid)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def pid_fd(self) -> int:
        """Readable when the program has ended; -1 once that was noticed."""
        return self._pid_fd

    def log(self) -> str:
        """What the program wrote so far; of very much, the beginning and the end."""
        with open(self._log_path, "rb") as log:
            text = log.read(2 * LOG_END_BYTES)
            size = os.fstat(log.fileno()).st_size
            if size > 2 * LOG_END_BYTES:
                log.seek(size - LOG_END_BYTES)
                left_out = size - 2 * LOG_END_BYTES
                text = text[:LOG_END_BYTES] + b"\n[%d bytes]\n" % left_out + log.read()
        return text.decode(errors="backslashreplace")

    def running(self) -> bool:
        if self._pid_fd < 0:
            return False
        poller = select.poll()
        poller.register(self._pid_fd, select.POLLIN)
        return not poller.poll(0)

    def join(self, timeout: float = wait.TIMEOUT_S) -> int:
        """Waits for the end; returns the exit status, or minus the signal's number."""
        if self._pid_fd >= 0:
            wait.readable(self._pid_fd, f"{self.name} (pid {self.pid}) to end", timeout)
            os.close(self._pid_fd)
            self._pid_fd = -1
        return self._popen.wait()

    def send_signal(self, number: signal.Signals) -> None:
        if self._pid_fd >= 0:
            signal.pidfd_send_signal(self._pid_fd, number)

    def kill(self) -> None:
        """SIGKILL, and wait: nothing of it is left afterwards."""
        self.send_signal(signal.SIGKILL)
        self.join()

    def terminate(self) -> int:
        """SIGTERM; returns the exit status. A program that does not end is killed and reported."""
        self.send_signal(signal.SIGTERM)
        try:
            return self.join()
        except wait.TimedOut:
            self.kill()
            raise

    def end(self) -> str:
        """Ends the program at the end of a test; returns what was wrong with it, or nothing.

        One that obeys SIGTERM must be alive until then, and end well: a crash in the middle of a
        test, or a sanitizer's complaint at the end, is not to pass unnoticed.
        """
        if self._pid_fd < 0:
            return ""
        if not self.obeys_sigterm:
            self.kill()
            return ""
        early = not self.running()
        status = self.terminate()
        if early:
            return f"{self.name} ended in the middle of the test, status {status}"
        return f"{self.name}: status {status} after SIGTERM" if status != 0 else ""


def start_ready(name: str, argv_with_fd: Callable[[int], Sequence[str]], folder: Path,
                register: Callable[[Child], None]) -> Child:
    """Starts a program that tells on a descriptor that it is ready, and waits until it is.

    ARGV_WITH_FD gets the descriptor's number. REGISTER is called as soon as the program runs, so
    that it is ended also when it never becomes ready.
    """
    read_fd, write_fd = os.pipe()
    try:
        try:
            child = Child(name, argv_with_fd(write_fd), folder, pass_fds=[write_fd],
                          obeys_sigterm=True)
        finally:
            os.close(write_fd)
        register(child)
        # A program that dies closes its end: that too makes the descriptor readable.
        wait.readable(read_fd, f"{name} to be ready")
        if os.read(read_fd, 1) != b"\n":
            raise AssertionError(f"{name} ended (status {child.join()}) before it was ready")
        return child
    finally:
        os.close(read_fd)


PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Makes this process the parent of whatever its descendants leave behind."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def children_of(parent: int) -> list[int]:
    """Pids of a process's children, ended ones included."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                stat = Path("/proc", entry, "stat").read_text(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            # The name in parentheses may hold anything; the fields after it do not.
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry))
    return found


def open_files(pid: int) -> dict[int, str]:
    """Descriptor -> what it is, of another process."""
    found = {}
    for entry in Path("/proc", str(pid), "fd").iterdir():
        try:
            found[int(entry.name)] = os.readlink(entry)
        except FileNotFoundError:
            pass  # closed since
    return found


def reap_orphans(timeout: float = wait.TIMEOUT_S) -> list[str]:
    """Waits for processes that ended programs left behind; a worker may need a moment to notice
    that its parent is gone. Kills those that stay, and returns what they were."""
    stayed = []
    for pid in children_of(os.getpid()):
        pid_fd = os.pidfd_open(pid)
        try:
            wait.readable(pid_fd, f"orphan {pid}", timeout)
        except wait.TimedOut:
            command = Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ")
            stayed.append(f"{pid}: {command.decode(errors='backslashreplace')}")
            signal.pidfd_send_signal(pid_fd, signal.SIGKILL)
        finally:
            os.close(pid_fd)
        os.waitpid(pid, 0)
    return stayed
