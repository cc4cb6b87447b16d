# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Devices that are silent for a while: QEMU waits 5 s for a reply, and a later one would cost it the
device. The broker answers in the device's stead before, and the VM keeps it."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from support import edu, pci, qemu
from support.case import Case, alone
from support.procs import Child
from support.qemu import Qemu

ALL_ONES = 0xFFFF_FFFF  # what a read gives that failed
QEMU_WAITS_S = 5.0
ANSWER_AFTER_S = 4.5
RAM = 0x200_0000
PATTERN = bytes((7 * i + 3) & 0xFF for i in range(edu.BUFFER_SIZE))


class Silence:
    """One device process that is stopped for so many seconds, and a guest that polls it meanwhile."""

    def __init__(self, seconds: float, machine: Qemu, process: Child) -> None:
        self.seconds = seconds
        self._machine = machine
        self._process = process
        self._device = edu.Edu(pci.Function(machine.qtest, 0, 4))
        self.values: list[int] = []  # of reads that began while it was silent
        self.longest_read = 0.0
        self.longest_command = 0.0

    def _poll(self, over: threading.Event) -> None:
        while not over.is_set() or not self.values:
            begin = time.monotonic()
            self.values.append(self._device.identification())
            self.longest_read = max(self.longest_read, time.monotonic() - begin)

    def pass_by(self) -> None:
        over = threading.Event()
        wake = threading.Timer(self.seconds, lambda: (
            self._process.send_signal(signal.SIGCONT), over.set()))
        self._process.send_signal(signal.SIGSTOP)
        wake.start()
        poll = threading.Thread(target=self._poll, args=(over,))
        poll.start()
        while not over.wait(0.1):
            begin = time.monotonic()
            self._machine.qmp.execute("query-status")
            self.longest_command = max(self.longest_command, time.monotonic() - begin)
        poll.join()
        wake.join()

    def is_right(self) -> bool:
        """Everything that the device can do."""
        ram = self._machine.qtest
        ram.write(RAM, PATTERN)
        self._device.dma_from_memory(RAM, 0, len(PATTERN))
        self._device.dma_to_memory(RAM + 0x10_0000, 0, len(PATTERN))
        return (self._device.identification() == edu.IDENTIFICATION
                and self._device.invert(1) == 0xFFFF_FFFE and self._device.factorial(5) == 120
                and ram.read(RAM + 0x10_0000, len(PATTERN)) == PATTERN)


class SilentDevices(Case):
    """All at the same time, each in a QEMU of its own."""

    @alone
    def test_each_lives_on(self) -> None:
        self.need_broker()
        names = {f"edu-{seconds}": seconds for seconds in (3.0, 4.4, 4.6, 7.0, 30.0)}
        routes = self.start_routes({name: self.start_edu(name, "--no-mmap") for name in names})
        silences = []
        for name, seconds in names.items():
            machine = self.start_qemu(
                qemu.vfio_user("edu0", routes[name], bus="pcie.0", addr="4"), name=f"qemu-{name}")
            silences.append(Silence(seconds, machine, self.child(name)))
        with ThreadPoolExecutor(len(silences)) as pool:
            list(pool.map(Silence.pass_by, silences))
        for silence in silences:
            with self.subTest(seconds=silence.seconds):
                self.assertTrue(silence.is_right())
                self.assertLess(silence.longest_read, QEMU_WAITS_S)
                self.assertLess(silence.longest_command, QEMU_WAITS_S)
                self.assertLessEqual(set(silence.values), {ALL_ONES, edu.IDENTIFICATION})
                if silence.seconds < ANSWER_AFTER_S - 1:
                    self.assertEqual(edu.IDENTIFICATION, silence.values[0])
                elif silence.seconds > ANSWER_AFTER_S + 1:
                    self.assertEqual(ALL_ONES, silence.values[0])
        log = self.child("poemd").log()
        self.assertIn("answered with ETIMEDOUT", log)
        self.assertNotIn("stalled", log)
