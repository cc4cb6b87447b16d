# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A Linux guest finds the device in sysfs, maps its BAR and drives it, the broker in between."""

from __future__ import annotations

from support.case import Case
from support.qemu import Memory


class Guest(Case):
    def _boot(self, memory: Memory) -> list[str]:
        return self.boot_guest(self.start_route(self.start_edu()), memory)

    def test_shared_memory(self) -> None:
        said = self._boot(Memory.SHARED)
        self.assertIn("10! = 3628800", said)
        self.assertTrue(any(line.startswith("DMA round trip of 4096 bytes") for line in said), said)

    def test_dma_by_messages(self) -> None:
        """The same guest where its memory cannot be mapped by the device process."""
        self._boot(Memory.PRIVATE)
