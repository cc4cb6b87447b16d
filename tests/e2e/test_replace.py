# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A guest computes, copies memory and takes MSIs, while its device is replaced again and again by
another process. POEMD_REPLACEMENTS in the environment is how often; POEMD_OTHER_EDU another build
of edu, with which the first one takes turns (default: the same one)."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import guest, procs, qemu
from support.case import Case
from support.procs import Child

REPLACEMENTS = int(os.environ.get("POEMD_REPLACEMENTS", "10"))
OTHER_EDU = os.environ.get("POEMD_OTHER_EDU")


def pause_ms(sorted_us: list[int], percent: int) -> float:
    return sorted_us[min(len(sorted_us) * percent // 100, len(sorted_us) - 1)] / 1000


class Replacements(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()
        self.control = self.folder / "control.sock"
        self.listen = self.folder / "route.sock"
        self.wrong: list[str] = []
        self.pauses_us: list[int] = []

    def _start_broker(self, backend: Path) -> None:
        config = self.folder / "poemd.conf"
        config.write_text(f'workers 1\ncontrol "{self.control}"\nroute edu {{\n'
                          f'    listen "{self.listen}"\n    backend "{backend}"\n'
                          f'    mappable strip\n}}\n')
        self._start("poemd", "poemd", ["--config", str(config)])

    def _start_device(self, n: int) -> tuple[Child, Path]:
        """One of the two builds in turn, at one of two places."""
        program = OTHER_EDU if OTHER_EDU and n % 2 else self.program("edu")
        path = self.folder / f"edu{n % 2}.sock"
        return procs.start_ready(
            f"edu{n % 2}",
            lambda fd: [program, "--socket-path", str(path), "--ready-fd", str(fd)],
            self.folder, self._children.append), path

    def _replace(self, path: Path) -> None:
        done = subprocess.run(
            [self.program("poemctl"), "replace", "--json", "--control", str(self.control),
             "--backend", str(path), "1"], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False)
        if done.returncode == 0:
            self.pauses_us.append(json.loads(done.stdout)["replacements"][0]["pause-us"])
        else:
            self.wrong.append(f"poemctl: {done.returncode}: {done.stdout}{done.stderr}")

    def _replace_all(self, device: Child) -> None:
        for n in range(1, REPLACEMENTS + 1):
            following, path = self._start_device(n)
            self._replace(path)
            device.terminate()
            self._children.remove(device)
            device = following

    def test_under_a_guest(self) -> None:
        device, path = self._start_device(0)
        self._start_broker(path)
        machine = self.launch_guest(self.listen, qemu.Memory.SHARED, "repeat=1")
        self.await_guest(machine, "repeats")

        # The devices are this thread's: they end with the thread that has started them.
        with ThreadPoolExecutor(1) as pool:
            heard = pool.submit(self.hear_guest, machine,
                                guest.BOOT_TIMEOUT_S + REPLACEMENTS)
            try:
                self._replace_all(device)
            finally:
                machine.serial.send_line("enough")
            said = heard.result()
        self.assertEqual([], self.wrong)
        self.assertEqual(REPLACEMENTS, len(self.pauses_us))
        self.assertRegex("\n".join(said), r"repeated [1-9]\d* times")
        self.pauses_us.sort()
        repeated = next(line for line in said if line.startswith("repeated"))
        print(f"{REPLACEMENTS} replacements: the pause was {pause_ms(self.pauses_us, 50):.1f} ms "
              f"(median), {pause_ms(self.pauses_us, 99):.1f} ms (99 %), "
              f"{pause_ms(self.pauses_us, 100):.1f} ms at most; the guest {repeated}")
