# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Migration of a QEMU from one device process to another, through two routes.

QEMU 11.1's vfio-user client does not support it, and does not say so: it registers no migration
handlers for the device (it never asks it for VFIO_USER_DEVICE_FEATURE) and, other than vfio-pci for
a kernel device without them, no blocker either. The migration therefore ends well, memory and the
machine's own devices arrive, and of the vfio-user device nothing: no device state, and not even the
PCI registers that QEMU itself keeps. The tests below say exactly that. A QEMU that learns to do
better makes them fail; then the device's own migration support is to be put to the test here.
"""

from __future__ import annotations

from typing import Any

from support import edu, pci, qemu
from support.case import Case
from support.qemu import Qemu

RAM = 0x0100_0000
DATA = bytes((11 * i + 5) & 0xFF for i in range(512))


class Migration(Case):
    def setUp(self) -> None:
        super().setUp()
        routes = self.start_routes({name: self.start_edu(f"edu-{name}") for name in ("from", "to")})
        channel = f"unix:{self.folder}/migration.sock"
        self.source = self._machine("source", routes["from"])
        self.device = edu.Edu(pci.Function(self.source.qtest, 0, 4))
        self.assertEqual(0xFFFF_FFFE, self.device.invert(1))
        self.source.qtest.write(RAM, DATA)
        self.target = self._machine("target", routes["to"], "-incoming", channel)
        self.result = self._migrate(channel)

    def _machine(self, name: str, route: Any, *extra: str) -> Qemu:
        return self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                               name=name, extra=extra)

    def _migrate(self, channel: str) -> dict[str, Any]:
        qmp = self.source.qmp
        qmp.execute("migrate-set-capabilities",
                    capabilities=[{"capability": "events", "state": True}])
        qmp.execute("migrate", uri=channel)
        status = "setup"
        while status not in ("completed", "failed"):
            status = qmp.wait_event("MIGRATION")["data"]["status"]
        result: dict[str, Any] = qmp.execute("query-migrate")
        self.assertEqual("completed", result["status"], result)
        self.target.qmp.wait_event("RESUME")
        return result

    def test_memory_arrives(self) -> None:
        self.assertEqual(DATA, self.target.qtest.read(RAM, len(DATA)))

    def test_qemu_moves_no_device_state(self) -> None:
        self.assertEqual(0, self.result["vfio"]["transferred"])
        function = pci.Function(self.target.qtest, 0, 4)
        self.assertEqual(0, function.read32(pci.BAR0) & ~0xF, "QEMU moved the BAR's address")
        self.assertEqual(0, edu.Edu(function).read32(edu.REG_LIVENESS), "the device's state moved")

    def test_both_routes_still_work(self) -> None:
        """The target drives a device as new as after a reset; the source's is as it was."""
        arrived = edu.Edu(pci.Function(self.target.qtest, 0, 4))
        self.assertEqual(120, arrived.factorial(5))
        arrived.dma_from_memory(RAM, 0, len(DATA))
        arrived.dma_to_memory(RAM + 0x1000, 0, len(DATA))
        self.assertEqual(DATA, self.target.qtest.read(RAM + 0x1000, len(DATA)))
        self.assertEqual(0xFFFF_FFFE, self.device.read32(edu.REG_LIVENESS))
