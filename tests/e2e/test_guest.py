# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A Linux guest finds the device in sysfs, maps its BAR and drives it, the broker in between."""

from __future__ import annotations

import time

from support import channel, guest, qemu
from support.case import Case
from support.qemu import Memory


class Guest(Case):
    def _boot(self, memory: Memory) -> list[str]:
        """Runs the guest to its end; returns the lines of its program on the console."""
        if guest.compiler() is None:
            self.skipTest("no C compiler to build the guest's program with")
        arguments = guest.qemu_arguments(self.folder)
        route = self.start_route(self.start_edu())
        machine = self.launch_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"),
                                   memory=memory, accel="tcg", extra=arguments)
        end = time.monotonic() + guest.BOOT_TIMEOUT_S
        console: list[str] = []
        try:
            while True:
                console.append(machine.serial.receive_line("the guest's verdict",
                                                           end - time.monotonic()))
        except channel.PeerGone:
            pass  # the guest has switched itself off
        self.assertEqual(0, machine.child.join(), "QEMU's exit status")
        said = [line.removeprefix("e2e: ") for line in console if line.startswith("e2e: ")]
        self.assertTrue(said and said[-1] == "pass", "\n".join(["the console:", *console]))
        return said

    def test_shared_memory(self) -> None:
        said = self._boot(Memory.SHARED)
        self.assertIn("10! = 3628800", said)
        self.assertTrue(any(line.startswith("DMA round trip of 4096 bytes") for line in said), said)

    def test_dma_by_messages(self) -> None:
        """The same guest where its memory cannot be mapped by the device process."""
        self._boot(Memory.PRIVATE)
