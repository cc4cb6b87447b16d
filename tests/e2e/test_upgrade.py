# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The broker goes on as another program while a guest, or a test, drives its device: nothing is
wrong or lost. POEMD_UPGRADES in the environment is the number of upgrades of each test."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from support import edu, pci, procs, qemu
from support.case import Case, alone
from test_kills import Traffic

UPGRADES = int(os.environ.get("POEMD_UPGRADES", "10"))

# The longest that an access may take, in seconds.
PAUSE_S = 1.0


class Upgrades(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()
        self.control = self.folder / "control.sock"
        self.listen = self.folder / "route.sock"
        self.wrong: list[str] = []

    def start(self, *edu_options: str) -> None:
        backend = self.start_edu("edu", *edu_options)
        self._start("poemd", "poemd", ["--listen", str(self.listen), "--backend", str(backend),
                                       "--control", str(self.control), "--workers", "1"])

    def _workers(self) -> set[int]:
        workers = set()
        for pid in procs.children_of(self.child("poemd").pid):
            try:
                if Path(f"/proc/{pid}/comm").read_text() == "poemd-worker\n":
                    workers.add(pid)
            except (FileNotFoundError, ProcessLookupError):
                pass
        return workers

    def upgrade(self, n: int) -> None:
        """Upgrades, and waits until there is a worker, and none of the earlier program's."""
        before = self._workers()
        done = subprocess.run([self.program("poemctl"), "upgrade", "--control", str(self.control)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.wrong.append(f"upgrade {n}: {done.returncode}: {done.stdout}{done.stderr}")
        end = time.monotonic() + 10
        while not (now := self._workers()) or now & before:
            if time.monotonic() > end:
                self.wrong.append(f"upgrade {n}: workers {before}, then {now}")
                return
            time.sleep(0.01)

    def test_under_a_guest(self) -> None:
        self.start()
        machine = self.launch_guest(self.listen, qemu.Memory.SHARED, "repeat=1")
        self.await_guest(machine, "repeats")

        def upgrade_all() -> None:
            for n in range(UPGRADES):
                self.upgrade(n)
            machine.serial.send_line("enough")

        thread = threading.Thread(target=upgrade_all)
        thread.start()
        try:
            said = self.hear_guest(machine)
        finally:
            thread.join()
        self.assertEqual([], self.wrong)
        self.assertRegex("\n".join(said), r"repeated [1-9]\d* times")

    @alone
    def test_under_traffic(self) -> None:
        self.start("--no-mmap")
        machine = self.start_qemu(qemu.vfio_user("edu0", self.listen, bus="pcie.0", addr="4"))
        device = edu.Edu(pci.Function(machine.qtest, 0, 4))
        traffic = Traffic(device)
        traffic.start()
        for n in range(UPGRADES):
            self.upgrade(n)
        begin = traffic.rounds
        while traffic.is_alive() and traffic.rounds < begin + 2:
            time.sleep(0.001)
        traffic.end()
        print(f"{UPGRADES} upgrades: {traffic.rounds} rounds, longest "
              f"{max(traffic.times_s) * 1000:.0f} ms, doorbells {device.rings() - traffic.rounds:+d}")
        self.assertEqual([], self.wrong)
        self.assertEqual(0, traffic.wrong)
        self.assertLess(max(traffic.times_s), PAUSE_S)
        self.assertEqual(traffic.rounds, device.rings())
        self.assertEqual(edu.IDENTIFICATION, device.identification())
