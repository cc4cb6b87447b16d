# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A guest drives its device while the broker reads its configuration again and again."""

from __future__ import annotations

import subprocess
import threading

from support.case import Case
from support.qemu import Memory

RELOADS = 200
ROUTE = 'route {name} {{\n    listen "{listen}"\n    backend "{backend}"\n{more}}}\n'


class Reloads(Case):
    """200 of them: a route comes and goes, words of the guest's own route change, a file is wrong."""

    def setUp(self) -> None:
        super().setUp()
        self.need_broker()
        self.backend = self.start_edu()
        self.config = self.folder / "poemd.conf"
        self.control = self.folder / "control.sock"
        self.write(0)
        self._start("poemd", "poemd", ["--config", str(self.config)])
        self.wrong: list[str] = []

    def write(self, n: int) -> None:
        text = f'control "{self.control}"\n' + ROUTE.format(
            name="edu", listen=self.folder / "edu-route.sock", backend=self.backend,
            more="    drain-timeout 2s\n" if n % 2 else "")
        if n % 3 == 0:
            text += ROUTE.format(name="other", listen=self.folder / "other.sock",
                                 backend=self.folder / "nothing.sock", more="")
        self.config.write_text(text + ("nonsense\n" if n % 7 == 6 else ""))

    def reload(self, n: int) -> None:
        self.write(n)
        done = subprocess.run([self.program("poemctl"), "reload", "--control", str(self.control)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != (1 if n % 7 == 6 else 0):
            self.wrong.append(f"reload {n}: {done.returncode}: {done.stdout}{done.stderr}")

    def test_under_a_guest(self) -> None:
        machine = self.launch_guest(self.folder / "edu-route.sock", Memory.SHARED, "repeat=1")
        self.await_guest(machine, "repeats")

        def reload_all() -> None:
            for n in range(RELOADS):
                self.reload(n)
            machine.serial.send_line("enough")

        thread = threading.Thread(target=reload_all)
        thread.start()
        try:
            said = self.hear_guest(machine)
        finally:
            thread.join()
        self.assertEqual([], self.wrong)
        self.assertRegex("\n".join(said), r"repeated [1-9]\d* times")
