# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Workers that are killed under a QEMU that reads, writes and rings: its device lives, nothing is
wrong or lost. POEMD_KILLS in the environment is the number of deaths of each kind."""

from __future__ import annotations

import heapq
import os
import random
import signal
import statistics
import threading
import time
import unittest
from pathlib import Path
from typing import Callable

from support import edu, inject, pci, procs, qemu
from support.case import Case, alone

KILLS = int(os.environ.get("POEMD_KILLS", "25"))

# The longest that an access may take: QEMU gives up after 5 s.
PAUSE_S = 4.0

# Beginnings and ends of system calls: of two round trips and a doorbell, about.
POINTS = 24

# How often monitor and workers are killed at once.
TAKEOVERS = int(os.environ.get("POEMD_TAKEOVERS", "5"))

# A monitor that dies sooner is started again after a pause, which doubles.
LIVES_S = 1.2

BROKER = ("poemd-monitor\n", "poemd-worker\n")

ALL_ONES = 0xffff_ffff

DEVICES = 10
FIRST_SLOT = 4
WINDOW = 0x100_0000  # for one device's BARs


class Traffic(threading.Thread):
    """Accesses without end: a posted write and a read that must fit it, then a doorbell."""

    def __init__(self, device: edu.Edu) -> None:
        super().__init__()
        self._device = device
        self._over = threading.Event()
        self.rounds = 0
        self.wrong = 0
        self.times_s: list[float] = []

    def run(self) -> None:
        while not self._over.is_set():
            value = random.getrandbits(32)
            begin = time.monotonic()
            self.wrong += self._device.invert(value) != value ^ ALL_ONES
            self._device.ring()
            self.times_s.append(time.monotonic() - begin)
            self.rounds += 1

    def end(self) -> None:
        self._over.set()
        self.join()


class Kills(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()

    def _worker(self) -> int | None:
        """The pid of the broker's only worker, if it has one at the moment."""
        for pid in procs.children_of(self.child("poemd").pid):
            try:
                if Path(f"/proc/{pid}/comm").read_text() == "poemd-worker\n":
                    return pid
            except FileNotFoundError:
                pass
        return None

    def _kill_one(self, number: int, traffic: Traffic, steps: int | None) -> None:
        """Kills a worker that is at work, after so many steps if given, once the last one is."""
        begin = traffic.rounds
        while traffic.is_alive() and traffic.rounds < begin + 2:
            time.sleep(0.001)
        worker = None
        while worker is None and traffic.is_alive():
            worker = self._worker()
        if worker is not None and steps is not None:
            inject.end_at(worker, steps, number)
        elif worker is not None:
            os.kill(worker, number)

    def _kill(self, number: int, steps: Callable[[int], int | None] = lambda i: None) -> None:
        backend = self.start_edu("edu", "--no-mmap")
        listen = self.folder / "route.sock"
        self._start("poemd", "poemd", ["--listen", str(listen), "--backend", str(backend),
                                       "--workers", "1"])
        machine = self.start_qemu(qemu.vfio_user("edu0", listen, bus="pcie.0", addr="4"))
        device = edu.Edu(pci.Function(machine.qtest, 0, 4))
        traffic = Traffic(device)
        traffic.start()
        for i in range(KILLS):
            self._kill_one(number, traffic, steps(i))
        begin = traffic.rounds
        while traffic.is_alive() and traffic.rounds < begin + 2:
            time.sleep(0.001)
        traffic.end()
        # One of the longest rounds for each death: the time until its message was answered.
        pauses = heapq.nlargest(KILLS, traffic.times_s)
        print(f"{KILLS} times {signal.Signals(number).name}: {traffic.rounds} rounds, pause "
              f"{statistics.median(pauses) * 1000:.0f} ms, longest {pauses[0] * 1000:.0f} ms, "
              f"doorbells {device.rings() - traffic.rounds:+d}")
        self.assertEqual(0, traffic.wrong)
        self.assertLess(pauses[0], PAUSE_S)
        self.assertEqual(traffic.rounds, device.rings())
        self.assertEqual(edu.IDENTIFICATION, device.identification())

    def test_ten_devices(self) -> None:
        """Of one QEMU, through the same worker: all of them live when it is killed."""
        names = [f"edu{i}" for i in range(DEVICES)]
        routes = self.start_routes({name: self.start_edu(name, "--no-mmap") for name in names},
                                   "workers 1\n")
        machine = self.start_qemu(*(qemu.vfio_user(name, routes[name], bus="pcie.0",
                                                   addr=f"{FIRST_SLOT + i:x}")
                                    for i, name in enumerate(names)))
        devices = [edu.Edu(pci.Function(machine.qtest, 0, FIRST_SLOT + i),
                           pci.WINDOW_BASE + i * WINDOW, WINDOW) for i in range(DEVICES)]
        for _ in range(3):
            worker = None
            while worker is None:
                worker = self._worker()
            os.kill(worker, signal.SIGKILL)
            for i, device in enumerate(devices):
                self.assertEqual(i ^ ALL_ONES, device.invert(i))
                self.assertEqual(edu.IDENTIFICATION, device.identification())

    def _kill_all(self) -> int:
        """Kills the monitor and the workers. Returns how many processes these were."""
        killed = 0
        for pid in procs.children_of(self.child("poemd").pid):
            try:
                if Path(f"/proc/{pid}/comm").read_text() in BROKER:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            except (FileNotFoundError, ProcessLookupError):
                pass
        return killed

    @alone
    def test_monitor_and_workers_killed(self) -> None:
        """As from the kernel's killer of whole groups, but for the keeper."""
        backend = self.start_edu("edu", "--no-mmap")
        listen = self.folder / "route.sock"
        self._start("poemd", "poemd", ["--listen", str(listen), "--backend", str(backend),
                                       "--workers", "2"])
        machine = self.start_qemu(qemu.vfio_user("edu0", listen, bus="pcie.0", addr="4"))
        device = edu.Edu(pci.Function(machine.qtest, 0, 4))
        traffic = Traffic(device)
        traffic.start()
        for _ in range(TAKEOVERS):
            begin = traffic.rounds
            while traffic.is_alive() and traffic.rounds < begin + 2:
                time.sleep(0.001)
            time.sleep(LIVES_S)
            self.assertGreater(self._kill_all(), 0)
        begin = traffic.rounds
        while traffic.is_alive() and traffic.rounds < begin + 2:
            time.sleep(0.001)
        traffic.end()
        pauses = heapq.nlargest(TAKEOVERS, traffic.times_s)
        print(f"{TAKEOVERS} times monitor and workers: {traffic.rounds} rounds, pause "
              f"{statistics.median(pauses) * 1000:.0f} ms, longest {pauses[0] * 1000:.0f} ms, "
              f"doorbells {device.rings() - traffic.rounds:+d}")
        self.assertEqual(0, traffic.wrong)
        self.assertLess(pauses[0], PAUSE_S)
        self.assertEqual(traffic.rounds, device.rings())
        self.assertEqual(edu.IDENTIFICATION, device.identification())

    @alone
    def test_killed(self) -> None:
        """SIGKILL may fall into a send, of which only the kernel knows whether it was made."""
        self._kill(signal.SIGKILL)

    @alone
    def test_aborted(self) -> None:
        self._kill(signal.SIGABRT)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to trace a worker")
    @alone
    def test_aborted_at_each_point(self) -> None:
        """At each system call of a round trip in turn: when it begins, or when it has ended."""
        self._kill(signal.SIGABRT, lambda i: 1 + i % POINTS)
