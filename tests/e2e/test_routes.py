# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Routes: several at a time, one after another, and refused ones as QEMU's user sees them."""

from __future__ import annotations

import signal

from support import edu, pci, qemu, wait
from support.case import Case
from support.qemu import Qemu
from support.qmp import QmpError

WINDOW = 0x0080_0000
ALL_ONES = 0xFFFF_FFFF  # what a read gives where no device answers


def device_at(machine: Qemu, slot: int, window: int = pci.WINDOW_BASE) -> edu.Edu:
    return edu.Edu(pci.Function(machine.qtest, 0, slot), window, WINDOW)


class TwoRoutes(Case):
    """Two device processes behind one broker, in one QEMU."""

    def setUp(self) -> None:
        super().setUp()
        routes = self.start_routes({name: self.start_edu(f"edu-{name}") for name in ("a", "b")})
        self.machine = self.start_qemu(
            qemu.vfio_user("a", routes["a"], bus="pcie.0", addr="4"),
            qemu.vfio_user("b", routes["b"], bus="pcie.0", addr="5"))
        self.a = device_at(self.machine, 4)
        self.b = device_at(self.machine, 5, pci.WINDOW_BASE + WINDOW)

    def test_each_has_its_own_state(self) -> None:
        self.assertEqual(0xFFFF_FFFE, self.a.invert(1))
        self.assertEqual(0xFFFF_FFFD, self.b.invert(2))
        self.assertEqual(0xFFFF_FFFE, self.a.read32(edu.REG_LIVENESS))
        self.assertEqual(120, self.a.factorial(5))
        self.assertEqual(720, self.b.factorial(6))
        self.assertEqual(120, self.a.read32(edu.REG_FACTORIAL))

    def test_dma_from_one_to_the_other(self) -> None:
        """Through the guest's memory, which both device processes have mapped."""
        ram = self.machine.qtest
        data = bytes((3 * i) & 0xFF for i in range(1024))
        ram.write(0x200_0000, data)
        self.a.dma_from_memory(0x200_0000, 0, len(data))
        self.a.dma_to_memory(0x210_0000, 0, len(data))
        self.b.dma_from_memory(0x210_0000, 0, len(data))
        self.b.dma_to_memory(0x220_0000, 0, len(data))
        self.assertEqual(data, ram.read(0x220_0000, len(data)))

    def test_one_is_lost_the_other_lives(self) -> None:
        lost = self.child("edu-a")
        lost.kill()
        self.assertEqual(720, self.b.factorial(6))
        self.assertEqual(edu.IDENTIFICATION, self.b.identification())


class Succession(Case):
    """A route serves one QEMU after another, however the one before it ended."""

    def test_qemu_killed_and_started_again(self) -> None:
        route = self.start_route(self.start_edu())
        for n in range(3):
            machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                                      name=f"qemu{n}")
            device = device_at(machine, 4)
            self.assertEqual(0, device.read32(edu.REG_FACTORIAL), "a new session, a new device")
            self.assertEqual(120, device.factorial(5))
            machine.child.send_signal(signal.SIGKILL)
            self.assertEqual(-signal.SIGKILL, machine.child.join())

    def test_qemu_quits_and_is_started_again(self) -> None:
        route = self.start_route(self.start_edu())
        for n in range(3):
            machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                                      name=f"qemu{n}")
            self.assertEqual(edu.IDENTIFICATION, device_at(machine, 4).identification())
            machine.quit()

    def _lose(self, machine: Qemu, device: edu.Edu, name: str) -> None:
        """Kills a process behind QEMU's socket. QEMU, which never connects again, goes on without
        the device. It would not if its socket were closed with a request of its unread: then its
        next read fails with ECONNRESET instead of ending, and QEMU 11.1.3 aborts (it sets an error
        twice). That is what a device process that dies does to it; the broker in between does not.
        """
        self.child(name).kill()
        # A broker's workers outlive it for a moment, and a read in that moment is still answered.
        wait.until(lambda: device.identification() == ALL_ONES, "QEMU to lose the device")
        self.assertEqual("running", machine.qmp.execute("query-status")["status"])

    def test_device_process_killed_and_started_again(self) -> None:
        self.need_broker()
        route = self.start_route(self.start_edu())
        for n in range(3):
            machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                                      name=f"qemu{n}")
            device = device_at(machine, 4)
            self.assertEqual(120, device.factorial(5))
            self._lose(machine, device, "edu")
            self.start_edu()

    def test_broker_killed_and_started_again(self) -> None:
        """It leaves its socket's name behind, which the next one takes over; the device process
        sees its client go and serves the next."""
        self.need_broker()
        backend = self.start_edu()
        for n in range(3):
            route = self.start_route(backend)
            machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                                      name=f"qemu{n}")
            device = device_at(machine, 4)
            self.assertEqual(120, device.factorial(5))
            self._lose(machine, device, "poemd")


class Refusals(Case):
    """What QEMU's user reads when the broker says no: the errno of its VERSION reply."""

    def setUp(self) -> None:
        super().setUp()
        self.need_broker()

    def test_backend_absent(self) -> None:
        route = self.start_route(self.folder / "nothing-here.sock")
        machine = self.launch_qemu(qemu.vfio_user("edu0", route))
        self.assertIn("version reply: Connection refused", machine.refusal())

    def test_backend_absent_then_there(self) -> None:
        """A refused device may be plugged again; the route is not spoilt."""
        route = self.start_route(self.folder / "edu.sock")
        machine = self.start_qemu(qemu.root_port("rp0", 3))
        with self.assertRaisesRegex(QmpError, "version reply: Connection refused"):
            machine.plug(qemu.vfio_user("edu0", route, bus="rp0"))
        self.start_edu()
        machine.plug(qemu.vfio_user("edu0", route, bus="rp0"))

    def test_route_in_use(self) -> None:
        route = self.start_route(self.start_edu())
        first = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"), name="first")
        second = self.launch_qemu(qemu.vfio_user("edu0", route), name="second")
        self.assertIn("version reply: Device or resource busy", second.refusal())
        self.assertEqual(120, device_at(first, 4).factorial(5), "the first one is not disturbed")
