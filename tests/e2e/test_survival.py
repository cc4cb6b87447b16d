# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Each second one of the broker's processes is killed, but for the keeper, while a VM uses its
device and short sessions come and go: nothing is wrong, no process has more fds or memory at the end
than at the beginning, and the audit log is whole. POEMD_SURVIVAL_S in the environment is the time."""

from __future__ import annotations

import collections
import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterator

from support import edu, pci, procs, qemu, wait
from support.policy import Policy
from test_kills import Traffic

SURVIVAL_S = int(os.environ.get("POEMD_SURVIVAL_S", "5"))

KEEPER, MONITOR, WORKER = "poemd-keeper", "poemd-monitor", "poemd-worker"
WORKERS = 2
CAST = {KEEPER: 1, MONITOR: 1, WORKER: WORKERS, "poemd-inspect": 1, "poemd-tracer": 1,
        "poemd-exporter": 1}
# What dies at once.
VICTIMS = [(MONITOR,), (WORKER,), ("poemd-inspect",), ("poemd-tracer",), ("poemd-exporter",),
           (MONITOR, WORKER)]

# Between two looks at all processes of the machine.
MOMENT_S = 0.02

# For which a look at the metrics waits.
SCRAPE_S = 10

# What a process may have more at the end: queues that it keeps for the next session, and what lies
# unused in malloc's heap.
SLACK_KIB = 1024


def _in_turn() -> Iterator[tuple[str, ...]]:
    """Each kind of victims as often as the others, in no order."""
    while True:
        yield from random.sample(VICTIMS, len(VICTIMS))


class Visits(threading.Thread):
    """Short sessions, one after the other, each followed by a look at the metrics."""

    def __init__(self, poemctl: str, listen: Path, metrics: Path) -> None:
        super().__init__()
        self._argv = [poemctl, "probe", str(listen)]
        self._metrics = metrics
        self._over = threading.Event()
        self.answers: collections.Counter[int] = collections.Counter()
        self.scrapes: collections.Counter[bool] = collections.Counter()

    def probe(self) -> int:
        return subprocess.run(self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=wait.TIMEOUT_S,
                              check=False).returncode

    def scrape(self) -> bool:
        """Returns whether the figures came; the exporter may die meanwhile."""
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(SCRAPE_S)
            sock.connect(str(self._metrics))
            try:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while part := sock.recv(65536):
                    answer += part
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                return False
        return answer.startswith(b"HTTP/1.1 200 OK\r\n")

    def run(self) -> None:
        while not self._over.is_set():
            self.answers[self.probe()] += 1
            self.scrapes[self.scrape()] += 1

    def end(self) -> None:
        self._over.set()
        self.join()


class Survival(Policy):
    def _cast(self) -> dict[str, list[int]]:
        """The broker's processes in a moment, by name."""
        time.sleep(MOMENT_S)
        found: dict[str, list[int]] = {name: [] for name in CAST}
        left = [self.child("poemd").pid]
        while left:
            pid = left.pop()
            try:
                name = Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name in found:
                found[name].append(pid)
            # The inspector is the monitor's child.
            left += procs.children_of(pid) if name in (KEEPER, MONITOR) else []
        return found

    def _await_cast(self) -> dict[str, list[int]]:
        """Waits until all processes are there, under their names."""
        wait.until(lambda: {name: len(pids) for name, pids in self._cast().items()} == CAST,
                   f"all of {CAST}; there are {self._cast()}")
        return self._cast()

    def _weigh(self) -> dict[str, tuple[int, int]]:
        """For each kind of process the most fds, and the most KiB of its own, that one has; of the
        keeper's the files in memory that it has count, too."""
        weights = {}
        for name, pids in self._await_cast().items():
            fds, kib = 0, 0
            for pid in pids:
                try:
                    fds = max(fds, len(procs.open_files(pid)))
                    status = Path(f"/proc/{pid}/status").read_text()
                except (FileNotFoundError, ProcessLookupError):
                    return {}
                own = [line for line in status.splitlines() if line.startswith("RssAnon:")]
                kib = max(kib, *(int(line.split()[1]) for line in own), 0)
            weights[name] = (fds, kib + (self._kept_kib(pids[0]) if name == KEEPER else 0))
        return weights

    def _kept_kib(self, keeper: int) -> int:
        """Of memory in files that have no other name."""
        inodes = {}
        for fd, what in procs.open_files(keeper).items():
            if what.startswith("/memfd:"):
                state = os.stat(f"/proc/{keeper}/fd/{fd}")
                inodes[state.st_ino] = state.st_blocks // 2
        return sum(inodes.values())

    def _weigh_less_than(self, before: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Waits until no process has more than then; returns what they have."""
        def is_settled() -> bool:
            nonlocal after
            after = self._weigh()
            return all(name in after and after[name][0] <= fds and after[name][1] <= kib + SLACK_KIB
                       for name, (fds, kib) in before.items())

        after: dict[str, tuple[int, int]] = {}
        try:
            wait.until(is_settled, "the broker to be what it was")
        except wait.TimedOut as error:
            raise AssertionError(f"fds and KiB before {before}, after {after}") from error
        return after

    def _kill(self, names: tuple[str, ...]) -> None:
        cast = self._cast()
        for pid in [pid for name in names for pid in cast[name]]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _start_all(self) -> Path:
        self.metrics = self.folder / "metrics.sock"
        self.visited = self.folder / "visited-route.sock"
        words = [f"trace {self.folder}/capture.pcapng rotate 1 keep 1",
                 f"allow backend exe {self.program('edu')}"]
        return self.start_policy(
            self.start_edu("edu", "--no-mmap"), words,
            [f"workers {WORKERS}", f"metrics unix {self.metrics}",
             "route visited {", f"listen {self.visited}",
             f"backend {self.start_edu('visited')}", *words[1:], "}"])

    def test_a_death_each_second(self) -> None:
        machine = self.start_qemu(qemu.vfio_user("edu0", self._start_all(), bus="pcie.0", addr="4"))
        device = edu.Edu(pci.Function(machine.qtest, 0, 4))
        visits = Visits(self.program("poemctl"), self.visited, self.metrics)
        traffic = Traffic(device)
        self.assertEqual(0, visits.probe())
        before = self._weigh()
        visits.start()
        traffic.start()
        end = time.monotonic() + SURVIVAL_S
        kills: collections.Counter[tuple[str, ...]] = collections.Counter()
        for victims in _in_turn():
            if time.monotonic() > end or not traffic.is_alive() or not visits.is_alive():
                break
            begin = traffic.rounds
            time.sleep(1)
            # On a busy machine deaths must not come faster than the broker begins anew.
            while traffic.is_alive() and traffic.rounds < begin + 2:
                time.sleep(MOMENT_S)
            self._kill(victims)
            kills[victims] += 1
        visits.end()
        traffic.end()
        after = self._weigh_less_than(before)
        print(f"{sum(kills.values())} deaths in {SURVIVAL_S} s: {traffic.rounds} rounds, longest "
              f"{max(traffic.times_s) * 1000:.0f} ms; {visits.answers[0]} short sessions, "
              f"{visits.answers.total() - visits.answers[0]} failed; {visits.scrapes[True]} scrapes, "
              f"{visits.scrapes[False]} failed; fds and KiB before {before}, after {after}")
        self.assertEqual(0, traffic.wrong)
        self.assertEqual(traffic.rounds, device.rings())
        self.assertEqual(edu.IDENTIFICATION, device.identification())
        self.assertEqual(0, visits.probe())
        self.assertTrue(visits.scrape())
        machine.quit()
        machine.close()
        self.assertEqual(0, self.child("poemd").terminate())
        self.tool("audit", "verify", str(self.audit), "--key", f"{self.key}.pub")
