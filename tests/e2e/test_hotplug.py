# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Devices that come and go while the machine runs: QEMU connects and disconnects in mid-life."""

from __future__ import annotations

from pathlib import Path

from support import edu, pci, qemu
from support.case import Case
from support.qemu import NATIVE_HOTPLUG, Qemu

PORT_SLOT = 3
BUS = 1


class Hotplug(Case):
    def setUp(self) -> None:
        super().setUp()
        self.route: Path = self.start_route(self.start_edu())
        self.machine: Qemu = self.start_qemu(qemu.root_port("rp0", PORT_SLOT),
                                             extra=NATIVE_HOTPLUG)
        self.port = pci.RootPort(self.machine.qtest, 0, PORT_SLOT)
        self.port.open_bridge(BUS, pci.WINDOW_BASE, pci.WINDOW_SIZE)
        self.function = pci.Function(self.machine.qtest, BUS, 0)

    def _plug(self) -> edu.Edu:
        self.machine.plug(qemu.vfio_user("edu0", self.route, bus="rp0"))
        self.assertTrue(self.port.occupied())
        self.port.power_on()
        self.assertEqual((edu.VENDOR, edu.DEVICE), self.function.identity())
        return edu.Edu(self.function)

    def _unplug(self) -> None:
        self.machine.unplug("edu0")
        self.port.power_off()
        self.machine.wait_unplugged("edu0")
        self.assertFalse(self.port.occupied())
        self.assertFalse(self.function.present())

    def test_plug_and_unplug_and_plug(self) -> None:
        """After an unplug the route serves the next connection, of the same QEMU here."""
        self.assertFalse(self.function.present())
        for n in (5, 6, 7):
            device = self._plug()
            self.assertEqual(edu.IDENTIFICATION, device.identification())
            self.assertEqual({5: 120, 6: 720, 7: 5040}[n], device.factorial(n))
            self._unplug()

    def test_dma_after_replug(self) -> None:
        """The second session's DMA goes to the maps of its own, not of the first one."""
        self._plug()
        self._unplug()
        device = self._plug()
        ram = self.machine.qtest
        data = bytes(range(256))
        ram.write(0x200_0000, data)
        device.dma_from_memory(0x200_0000, 0, len(data))
        device.dma_to_memory(0x300_0000, 0, len(data))
        self.assertEqual(data, ram.read(0x300_0000, len(data)))

    def test_quit_with_the_device_plugged(self) -> None:
        self._plug()
        self.machine.quit()
        again = self.start_qemu(qemu.vfio_user("edu0", self.route, bus="pcie.0", addr="4"))
        self.assertEqual((edu.VENDOR, edu.DEVICE), pci.Function(again.qtest, 0, 4).identity())
