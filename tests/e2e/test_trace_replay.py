# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What a QEMU said to the device is captured, and said again without it: to the device as it was,
to one that fails; and a QEMU realizes a device that is played from a trace."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from support import edu, pci, qemu, wait
from support.case import Case
from support.procs import Child
from support.qemu import Memory, Qemu

SLOT = 4
RAM = 0x0100_0000
PATTERN = bytes((5 * i + 1) & 0xFF for i in range(1024))
TIMEOUT_S = 60


class Replayed(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()
        self.trace = self.folder / "trace.pcapng"

    def start_traced(self, backend: Path) -> Path:
        """A broker whose route is captured, guest memory and all."""
        path = self.folder / "traced.sock"
        config = self.folder / "traced.conf"
        config.write_text(f'route edu0 {{\n    listen "{path}"\n    backend "{backend}"\n'
                          f'    trace "{self.trace}" payload guest\n}}\n')
        self._start("traced", "poemd", ["--config", str(config)])
        return path

    def end_traced(self) -> None:
        """The capture is all on disk then."""
        self.assertEqual(0, self.child("traced").terminate())

    def replay(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        done = subprocess.run(
            [self.program("poemctl"), "trace", "replay", "--json", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=TIMEOUT_S, check=False)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def check_equal(self, *masks: str) -> dict[str, Any]:
        """Every reply of a new device is the recorded one; of one with a fault, not. What both said
        was by the specification."""
        lint = subprocess.run([self.program("poemctl"), "trace", "lint", str(self.trace)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              timeout=TIMEOUT_S, check=False)
        self.assertEqual(0, lint.returncode, lint.stdout)
        options = [word for mask in masks for word in ("--mask", mask)]
        said = self.replay(*options, str(self.trace), str(self.start_edu("again")))
        self.assertEqual(0, said["found"])
        self.assertEqual(said["compared"], said["equal"] + said["masked"])
        faulty = self.start_edu("faulty", "--fault", "unasked:20")
        found = self.replay(*options, str(self.trace), str(faulty), status=1)
        self.assertGreater(found["found"], 0)
        return said


class Machine(Replayed):
    """Without a guest: the test itself drives the device."""

    def drive(self, memory: Memory) -> None:
        route = self.start_traced(self.start_edu())
        machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr=f"{SLOT:x}"),
                                  memory=memory)
        self.use(machine, PATTERN)
        self.end_traced()

    def use(self, machine: Qemu, memory: bytes) -> None:
        """The same requests each time; what comes back by DMA is the recorded pattern."""
        device = edu.Edu(pci.Function(machine.qtest, 0, SLOT))
        self.assertEqual((edu.VENDOR, edu.DEVICE), device.function.identity())
        self.assertEqual(edu.IDENTIFICATION, device.identification())
        self.assertEqual(120, device.factorial(5))
        machine.qtest.write(RAM, memory)
        device.dma_from_memory(RAM, 0, len(PATTERN))
        device.dma_to_memory(RAM + 0x10000, 0, len(PATTERN))
        self.assertEqual(PATTERN, machine.qtest.read(RAM + 0x10000, len(PATTERN)))
        machine.quit()

    def test_shared_memory(self) -> None:
        self.drive(Memory.SHARED)
        said = self.check_equal()
        self.assertGreater(said["equal"], 60)

    def test_dma_by_messages(self) -> None:
        """What the device reads of the guest's memory is what it was."""
        self.drive(Memory.PRIVATE)
        self.check_equal()

    def test_a_qemu_realizes_a_played_device(self) -> None:
        self.drive(Memory.PRIVATE)
        path = self.folder / "played.sock"
        played = Child("played", [self.program("poemctl"), "trace", "replay", "--as-device",
                                  "--leg", "client", "--json", str(self.trace), str(path)],
                       self.folder)
        self._children.append(played)
        self.wait_listening(played)
        machine: Qemu = self.start_qemu(
            qemu.vfio_user("edu0", path, bus="pcie.0", addr=f"{SLOT:x}"), memory=Memory.PRIVATE)
        # Whatever it reads of the memory now, it writes what was read then.
        self.use(machine, bytes(len(PATTERN)))
        self.assertEqual(0, played.join(), played.log())

    def wait_listening(self, played: Child) -> None:
        wait.until(lambda: "listening at" in played.log(), "the played device to listen")


class Guest(Replayed):
    """A boot, captured: every reply is the same the next time."""

    def boot(self, memory: Memory) -> None:
        self.boot_guest(self.start_traced(self.start_edu()), memory)
        self.end_traced()

    def test_boot(self) -> None:
        self.boot(Memory.SHARED)
        self.check_equal()

    def test_boot_with_dma_by_messages(self) -> None:
        self.boot(Memory.PRIVATE)
        self.check_equal()
