# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The frame of every end-to-end test: a folder, processes, and nothing left of them afterwards."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Callable, Sequence

from . import channel, guest, procs, qemu, wait
from .procs import Child
from .qemu import Qemu


class Settings:
    """What the command line of tests/e2e/run decided."""

    build = qemu.SOURCE_DIR / "build"
    direct = False  # without the broker: QEMU talks to the device process itself
    no_qemu = ""  # why there is no QEMU, or empty


def alone(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that asserts how long something takes: no other runs beside it."""
    setattr(test, "alone", True)
    return test


def runs_alone(case: unittest.TestCase) -> bool:
    return getattr(getattr(case, case.id().rpartition(".")[2], None), "alone", False)


class Case(unittest.TestCase):
    """One test. Everything it starts is ended by pid; a failure prints every process's log."""

    def setUp(self) -> None:
        if Settings.no_qemu:
            self.skipTest(Settings.no_qemu)
        self._children: list[Child] = []
        self._logs = ""
        fds = _open_fds()
        self.addCleanup(self._check_fds, fds)
        self.folder = Path(tempfile.mkdtemp(prefix="poemd-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self._end_children)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        self._logs = ""
        bad = _count_bad(result)
        result = super().run(result)
        if _count_bad(result) > bad and self._logs:
            sys.stderr.write(self._logs)
        return result

    def _end_children(self) -> None:
        """Clients first, as they were started last; then keeps their words for a failure."""
        wrong = []
        for child in reversed(self._children):
            try:
                wrong.append(child.end())
            except wait.TimedOut as error:
                wrong.append(str(error))
        wrong += [f"left behind: {orphan}" for orphan in procs.reap_orphans()]
        self._logs = "".join(f"--- {child.name}: {' '.join(child.argv)}\n{child.log()}"
                             for child in self._children)
        wrong = [what for what in wrong if what]
        self.assertEqual([], wrong)

    def _check_fds(self, before: set[str]) -> None:
        left = _open_fds() - before
        self.assertEqual(set(), left, "descriptors of the test itself left open")

    def program(self, name: str) -> str:
        path = Settings.build / name
        if not os.access(path, os.X_OK):
            self.fail(f"{path} is not there: build it, or tell --build DIR")
        return str(path)

    def start_edu(self, name: str = "edu", *options: str) -> Path:
        """Starts a device process; returns the path of its socket, which accepts by now."""
        path = self.folder / f"{name}.sock"
        self._start(name, "edu", ["--socket-path", str(path), *options])
        return path

    def start_route(self, backend: Path, name: str = "poemd") -> Path:
        """Starts a broker in front of BACKEND; returns the path that QEMU is to connect to."""
        if Settings.direct:
            return backend
        path = self.folder / f"{name}.sock"
        self._start(name, "poemd", ["--listen", str(path), "--backend", str(backend)])
        return path

    def start_routes(self, backends: dict[str, Path], words: str = "") -> dict[str, Path]:
        """One broker with a route for each name, and these words of the file before them; returns
        the paths that QEMU is to connect to."""
        if Settings.direct:
            return backends
        listen = {name: self.folder / f"route-{name}.sock" for name in backends}
        config = self.folder / "poemd.conf"
        config.write_text(words + "".join(
            f'route {name} {{\n    listen "{listen[name]}"\n    backend "{backend}"\n}}\n'
            for name, backend in backends.items()))
        self._start("poemd", "poemd", ["--config", str(config)])
        return listen

    def child(self, name: str) -> Child:
        """The process that was started under that name, the latest if there were several."""
        return next(child for child in reversed(self._children) if child.name == name)

    def _start(self, name: str, program: str, options: Sequence[str]) -> Child:
        argv = [self.program(program), *options]
        return procs.start_ready(name, lambda fd: [*argv, "--ready-fd", str(fd)], self.folder,
                                 self._children.append)

    def start_qemu(self, *devices: dict[str, Any], **options: Any) -> Qemu:
        """Starts QEMU and waits until all its devices are realized."""
        machine = self.launch_qemu(*devices, **options)
        machine.wait_ready()
        return machine

    def launch_qemu(self, *devices: dict[str, Any], **options: Any) -> Qemu:
        """Starts QEMU, which may yet refuse its devices."""
        machine = Qemu(self.folder, self._children.append, devices=devices, **options)
        self.addCleanup(machine.close)
        return machine

    def boot_guest(self, route: Path, memory: qemu.Memory, *words: str) -> list[str]:
        """Runs a guest with the device to its end; returns the lines of its program on the console.

        WORDS: see guest.qemu_arguments."""
        return self.hear_guest(self.launch_guest(route, memory, *words))

    def launch_guest(self, route: Path, memory: qemu.Memory, *words: str) -> Qemu:
        """Starts a guest with the device."""
        if guest.compiler() is None:
            self.skipTest("no C compiler to build the guest's program with")
        arguments = guest.qemu_arguments(self.folder, *words)
        return self.launch_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                                memory=memory, accel="tcg", extra=arguments)

    def await_guest(self, machine: Qemu, word: str) -> None:
        """Waits until the guest's program says WORD."""
        end = time.monotonic() + guest.BOOT_TIMEOUT_S
        line = ""
        while line != f"e2e: {word}":
            line = machine.serial.receive_line(f'the guest\'s "{word}"', end - time.monotonic())

    def hear_guest(self, machine: Qemu, timeout: float = guest.BOOT_TIMEOUT_S) -> list[str]:
        """Waits for a guest's end; returns the lines of its program on the console."""
        end = time.monotonic() + timeout
        console: list[str] = []
        try:
            while True:
                console.append(machine.serial.receive_line("the guest's verdict",
                                                           end - time.monotonic()))
        except channel.PeerGone:
            pass  # the guest has switched itself off
        self.assertEqual(0, machine.child.join(), "QEMU's exit status")
        said = [line.removeprefix("e2e: ") for line in console if line.startswith("e2e: ")]
        self.assertTrue(said and said[-1] == "pass", "\n".join(["the console:", *console]))
        return said

    def need_broker(self) -> None:
        if Settings.direct:
            self.skipTest("about the broker, which is left out")


def _open_fds() -> set[str]:
    """This process's descriptors and what they are, but for the one that lists them."""
    fds = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            fds.add(f"{fd} -> {os.readlink(f'/proc/self/fd/{fd}')}")
        except FileNotFoundError:
            pass
    return fds


def _count_bad(result: unittest.TestResult | None) -> int:
    return 0 if result is None else len(result.failures) + len(result.errors)
