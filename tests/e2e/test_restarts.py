# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Devices that die or hang under a stock QEMU, on routes with "on backend loss hold": the VM goes on
with the next process. POEMD_RESTARTS in the environment is the number of deaths of each kind; from
60 on, the times that devices are away are those of real upgrades."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Sequence

from support import edu, pci, procs, qemu, wait
from support.case import Case, Settings
from support.policy import Policy
from support.procs import Child
from support.qemu import Qemu

RESTARTS = int(os.environ.get("POEMD_RESTARTS", "6"))
FULL = RESTARTS >= 60

# Deaths of one QEMU's devices: behind the first messages, which are those of realizing it, and of a
# driver's begin.
DEVICES = 10
MESSAGES = 60

ALL_ONES = 0xFFFF_FFFF  # what a read gives that failed
QEMU_WAITS_S = 5.0
FIRST_SLOT = 4
ROOM = 0x20_0000  # in the window, for one device's BARs
RAM = 0x200_0000
PATTERN = bytes((7 * i + 3) & 0xFF for i in range(edu.BUFFER_SIZE))
MSI_DATA = 0x4321


class Driver:
    """One device of a machine, and what a driver does with it."""

    def __init__(self, machine: Qemu, place: int = 0) -> None:
        self._machine = machine
        self._function = pci.Function(machine.qtest, 0, FIRST_SLOT + place)
        self._message = RAM + 0x1000 * place
        self.device = edu.Edu(self._function, pci.WINDOW_BASE + ROOM * place, ROOM)
        machine.qtest.write32(self._message, 0)
        self._function.enable_msi(self._message, MSI_DATA)
        self.wrong: list[str] = []
        self.longest_s = 0.0

    def access(self) -> int:
        """Reads what no device forgets, and what it does; returns the former."""
        begin = time.monotonic()
        ident = self.device.identification()
        self.longest_s = max(self.longest_s, time.monotonic() - begin)
        if ident not in (edu.IDENTIFICATION, ALL_ONES):
            self.wrong.append(f"identification {ident:#x}")
        return ident

    def invert(self) -> None:
        """A register keeps what is written, unless the device has begun anew since, or is away."""
        value = random.getrandbits(32)
        begin = time.monotonic()
        inverted = self.device.invert(value)
        self.longest_s = max(self.longest_s, time.monotonic() - begin)
        if inverted not in (value ^ ALL_ONES, 0, ALL_ONES):
            self.wrong.append(f"{inverted:#x} for {value:#x}")

    def go_on(self, over: threading.Event) -> None:
        """Uses the device until it is over, at least once."""
        while True:
            self.access()
            self.invert()
            if over.is_set():
                return

    def read_on(self, over: threading.Event) -> None:
        """Reads until it is over; nothing may fail meanwhile."""
        while not over.is_set():
            if self.access() == ALL_ONES:
                self.wrong.append("a failed read")

    def check(self) -> None:
        """Everything works: registers, DMA, interrupts."""
        ram = self._machine.qtest
        place = RAM + 0x10_0000
        if self.device.identification() != edu.IDENTIFICATION:
            self.wrong.append("identification")
        if self.device.invert(1) != ALL_ONES - 1 or self.device.factorial(5) != 120:
            self.wrong.append("registers")
        ram.write(place, PATTERN)
        self.device.dma_from_memory(place, 0, len(PATTERN))
        self.device.dma_to_memory(place + 0x10000, 0, len(PATTERN))
        if ram.read(place + 0x10000, len(PATTERN)) != PATTERN:
            self.wrong.append("DMA")
        ram.write(place + 0x10000, bytes(len(PATTERN)))
        # The first ones may be the interrupt that each vector gets after a restart.
        for bit in range(3):
            ram.write32(self._message, 0)
            self.device.raise_irq(1 << bit)
            wait.until(lambda: ram.read32(self._message) == MSI_DATA, "an MSI")
            self.device.acknowledge(1 << bit)


class Restarts(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()

    def route(self, name: str, statements: str) -> str:
        return (f'route {name} {{\n    listen "{self.listen(name)}"\n'
                f'    backend "{self.backend(name)}"\n    on backend loss {statements}\n}}\n')

    def listen(self, name: str) -> Path:
        return self.folder / f"route-{name}.sock"

    def backend(self, name: str) -> Path:
        return self.folder / f"{name}.sock"

    def start_held(self, routes: dict[str, str]) -> None:
        """A broker with a route for each name, behind which a session is held so."""
        config = self.folder / "poemd.conf"
        config.write_text("workers 1\n" + "".join(map(self.route, routes, routes.values())))
        self._start("poemd", "poemd", ["--config", str(config)])

    def start_driver(self, name: str) -> Driver:
        return Driver(self.start_qemu(
            qemu.vfio_user("edu0", self.listen(name), bus="pcie.0", addr=f"{FIRST_SLOT:x}"),
            name=f"qemu-{name}"))

    def await_log(self, text: str) -> None:
        wait.until(lambda: text in self.child("poemd").log(), f'"{text}" in the log')

    def replace_dead(self, names: list[str]) -> None:
        """Starts each of these devices again, as soon as it has ended."""
        poller = select.poll()
        dead = {self.child(name).pid_fd: self.child(name) for name in names}
        for fd in dead:
            poller.register(fd, select.POLLIN)
        while dead:
            ready = poller.poll(wait.TIMEOUT_S * 1000)
            if not ready:
                raise wait.TimedOut(f"{', '.join(c.name for c in dead.values())} do not die")
            for fd, _ in ready:
                poller.unregister(fd)
                child = dead.pop(fd)
                child.join()
                self.start_edu(child.name)


class Killed(Restarts):
    def _drive(self, machine: Qemu, firsts: list[Child]) -> list[Driver]:
        """Realizes the devices, and uses each until its first process has ended."""
        machine.wait_ready()
        drivers = [Driver(machine, i) for i in range(len(firsts))]
        for driver, first in zip(drivers, firsts):
            while first.running():
                driver.access()
        return drivers

    def _kill_after(self, messages: list[int]) -> None:
        """So many messages are answered; the next one finds no device any more."""
        names = [f"edu{n}" for n in messages]
        for name, n in zip(names, messages):
            self.start_edu(name, "--fault", f"exit:{n + 1}")
        self.start_held({name: "hold 60s" for name in names})
        firsts = [self.child(name) for name in names]
        machine = self.launch_qemu(*[
            qemu.vfio_user(name, self.listen(name), bus="pcie.0", addr=f"{FIRST_SLOT + i:x}")
            for i, name in enumerate(names)])
        with ThreadPoolExecutor(1) as pool:
            driven = pool.submit(self._drive, machine, firsts)
            self.replace_dead(names)
            drivers = driven.result()
        for name, driver in zip(names, drivers):
            with self.subTest(name):
                driver.check()
                self.assertEqual([], driver.wrong)
        self.assertNotIn("ended: reason=backend", self.child("poemd").log())

    def test_after_each_message(self) -> None:
        """A quick run takes some of the messages."""
        if not FULL:
            self._kill_after([1 + i * MESSAGES // DEVICES for i in range(DEVICES)])
            return
        for first in range(1, MESSAGES, DEVICES):
            self._kill_after(list(range(first, first + DEVICES)))
            self._end_children()
            self._children.clear()

    def test_again_and_again(self) -> None:
        self.start_edu("edu")
        self.start_held({"edu": "hold 60s"})
        driver = self.start_driver("edu")
        fds = 0
        for n in range(RESTARTS):
            over = threading.Event()
            traffic = threading.Thread(target=driver.go_on, args=(over,))
            traffic.start()
            self.child("edu").kill()
            self.start_edu("edu")
            over.set()
            traffic.join()
            driver.check()
            if n == 0:
                fds = self._fds()
        print(f"{RESTARTS} restarts: the longest access took {driver.longest_s * 1000:.0f} ms")
        self.assertEqual([], driver.wrong)
        self.assertEqual(fds, self._fds())

    def _fds(self) -> int:
        """Of the broker's processes."""
        broker = self.child("poemd").pid
        return sum(len(procs.open_files(pid)) for pid in
                   (broker, *procs.children_of(broker)))


class Outages(Restarts):
    """Each in a QEMU of its own, all at the same time."""

    def pass_by(self, times_s: tuple[float, ...], go: Callable[[str], object],
                come: Callable[[str], object], statements: str) -> list[Driver]:
        """Lets each of so many devices be away for such a time; returns their drivers."""
        names = [f"edu{i}" for i in range(len(times_s))]
        for name in names:
            self.start_edu(name)
        self.start_held({name: statements for name in names})
        drivers = [self.start_driver(name) for name in names]
        overs = [threading.Event() for _ in names]
        with ThreadPoolExecutor(len(names)) as pool:
            going = [pool.submit(d.go_on, over) for d, over in zip(drivers, overs)]
            for name in names:
                go(name)
            begin = time.monotonic()
            for name, seconds, over in zip(names, times_s, overs):
                time.sleep(max(0.0, begin + seconds - time.monotonic()))
                come(name)
                over.set()
            for gone in going:
                gone.result()
        for driver, seconds in zip(drivers, times_s):
            print(f"away for {seconds} s: the longest access took {driver.longest_s * 1000:.0f} ms")
            self.assertLess(driver.longest_s, QEMU_WAITS_S)
        return drivers

    def check_all(self, drivers: list[Driver]) -> None:
        for driver in drivers:
            wait.until(lambda d=driver: d.access() == edu.IDENTIFICATION,  # type: ignore[misc]
                       "the device to answer")
            driver.check()
            self.assertEqual([], driver.wrong)

    def test_down(self) -> None:
        times = (0.1, 0.3, 4.0, 12.0, 29.0) if FULL else (0.1, 0.3, 1.5)
        self.check_all(self.pass_by(times, lambda name: self.child(name).kill(), self.start_edu,
                                    "hold 60s" if FULL else "hold 60s\n    answer-after 1s"))

    def test_down_for_too_long(self) -> None:
        """The device is gone, and the VM goes on without it."""
        driver, = self.pass_by(
            (40.0 if FULL else 1.0,), lambda name: self.child(name).kill(), lambda name: None,
            "hold 30s" if FULL else "hold 300ms")
        self.await_log("ended: reason=backend-lost")
        self.assertEqual(ALL_ONES, driver.access())
        self.start_edu("edu0")

    def test_hung(self) -> None:
        """A process that is stopped counts as lost once it has missed three requests."""
        drivers = self.pass_by((3.0, 4.4, 4.9, 30.0) if FULL else (1.5,),
                               lambda name: self.child(name).send_signal(signal.SIGSTOP),
                               lambda name: self.child(name).send_signal(signal.SIGCONT),
                               "hold 60s" if FULL else "hold 60s\n    answer-after 300ms")
        self.check_all(drivers)
        self.await_log("its device is gone (backend-silent)")


class Adopted(Restarts):
    """The device's memory, which QEMU has mapped, is that of its next process, too."""

    def _start(self, name: str, program: str, options: Sequence[str]) -> Child:
        """A device opens its memory itself, where it would be that of a predecessor."""
        if program != "edu":
            return super()._start(name, program, options)
        argv = ["sh", "-c", 'exec 9<>"$0"; exec "$@"', str(self.memory), self.program(program),
                *options, "--bar2-fd", "9"]
        return procs.start_ready(name, lambda fd: [*argv, "--ready-fd", str(fd)], self.folder,
                                 self._children.append)

    def _device_side(self, size: int) -> bytes:
        with open(f"/proc/{self.child('edu').pid}/fd/9", "rb", buffering=0) as page:
            return os.pread(page.fileno(), size, edu.PAGE)

    def test_its_memory(self) -> None:
        self.memory = self.folder / "bar2"
        self.start_edu("edu")
        # As a device does that leaves no name of it.
        self.memory.unlink()
        self.start_held({"edu": f"hold 60s\n    mappable adopt {self.memory}"})
        driver = self.start_driver("edu")
        for n in range(3):
            before = bytes([n + 1]) * 64
            after = bytes([n + 101]) * 64
            driver.device.write_page(0, before)
            self.child("edu").kill()
            wait.until(self.memory.is_symlink, "the memory to be offered")
            self.start_edu("edu")
            driver.check()
            self.assertEqual([], driver.wrong)
            # The monitor hears of the new process when it has begun to answer.
            wait.until(lambda: not os.path.lexists(self.memory), "the offer to end")
            self.assertEqual(before, self._device_side(64))
            driver.device.write_page(0, after)
            self.assertEqual(after, self._device_side(64))
        maps = Path(f"/proc/{self.child('qemu-edu').pid}/maps").read_text()
        self.assertIn(f"{self.memory} (deleted)", maps)

    def test_other_memory_is_refused(self) -> None:
        self.memory = self.folder / "bar2"
        self.start_edu("edu")
        self.memory.unlink()
        self.start_held({"edu": f"hold 60s\n    mappable adopt {self.memory}"})
        driver = self.start_driver("edu")
        self.child("edu").kill()
        wait.until(self.memory.is_symlink, "the memory to be offered")
        offered, self.memory = self.memory, self.folder / "other"
        self.start_edu("edu")
        self.await_log("its memory of region 2 is not that which the client has mapped")
        self.child("edu").terminate()
        self.memory = offered
        self.start_edu("edu")
        driver.check()
        self.assertEqual([], driver.wrong)


class Others(Policy):
    """Processes that are not what the device was."""

    def start_held(self, *rules: str) -> Driver:
        self.start_edu("edu")
        listen = self.start_policy(self.folder / "edu.sock", ["on backend loss hold 60s", *rules])
        return Driver(self.start_qemu(
            qemu.vfio_user("edu0", listen, bus="pcie.0", addr=f"{FIRST_SLOT:x}")))

    def refuse_and_go_on(self, driver: Driver, other: Child, text: str) -> str:
        """Returns why the other process was refused, as the record has it."""
        wait.until(lambda: text in self.child("poemd").log(), f'"{text}" in the log')
        other.terminate()
        self.start_edu("edu")
        driver.check()
        self.assertEqual([], driver.wrong)
        self.assertEqual(0, self.child("poemd").terminate())
        self.tool("audit", "verify", str(self.audit), "--key", f"{self.key}.pub")
        records = [json.loads(line) for line in self.audit.read_text().splitlines()
                   if line.startswith("{")]
        events = [record.get("event") for record in records]
        self.assertIn("backend-refused", events)
        self.assertIn("backend-replaced", events[events.index("backend-refused"):])
        refused = records[events.index("backend-refused")]
        return refused.get("difference") or refused["rule"]["why"]

    def test_another_program_is_denied(self) -> None:
        driver = self.start_held(f"allow backend exe {self.program('edu')}")
        program = self.folder / "other"
        shutil.copy(self.program("edu"), program)
        self.child("edu").kill()
        argv = [str(program), "--socket-path", str(self.folder / "edu.sock")]
        other = procs.start_ready("other", lambda fd: [*argv, "--ready-fd", str(fd)], self.folder,
                                  self._children.append)
        why = self.refuse_and_go_on(driver, other, "another process of its device: deny")
        self.assertIn("exe", why)

    def test_less_is_refused(self) -> None:
        driver = self.start_held()
        self.child("edu").kill()
        self.start_edu("edu", "--max-data-xfer", "4096")
        why = self.refuse_and_go_on(driver, self.child("edu"), "is not taken")
        self.assertEqual("VERSION: max_data_xfer_size is 4096, 1048576 was promised", why)


class Replaced(Restarts):
    def test_while_it_runs(self) -> None:
        """Registers, DMA and interrupts go on, and each access is answered right."""
        control = self.folder / "control.sock"
        self.start_edu("edu")
        config = self.folder / "poemd.conf"
        config.write_text(f'workers 1\ncontrol "{control}"\n' + self.route("edu", "hold 60s"))
        self._start("poemd", "poemd", ["--config", str(config)])
        driver = self.start_driver("edu")
        pauses = []
        for n in range(RESTARTS):
            after = self.start_edu(f"after{n}")
            value = random.getrandbits(32)
            driver.device.invert(value)
            over = threading.Event()
            traffic = threading.Thread(target=driver.read_on, args=(over,))
            traffic.start()
            answer = json.loads(subprocess.run(
                [Settings.build / "poemctl", "replace", "--json", "--control", control,
                 "--backend", after, "1"], check=True, capture_output=True).stdout)
            over.set()
            traffic.join()
            pauses.append(answer["replacements"][0]["pause-us"])
            self.assertEqual(value ^ ALL_ONES, driver.device.read32(edu.REG_LIVENESS))
            driver.check()
        pauses.sort()
        print(f"{RESTARTS} replacements: the pause was {pauses[len(pauses) // 2] / 1000:.1f} ms (median), "
              f"{pauses[len(pauses) * 99 // 100] / 1000:.1f} ms (99 %), "
              f"{pauses[-1] / 1000:.1f} ms at most; the longest access took "
              f"{driver.longest_s * 1000:.0f} ms")
        self.assertEqual([], driver.wrong)
