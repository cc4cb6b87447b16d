# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A Linux guest whose memory is kept from the device: it goes by messages, and only where it may."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Sequence

from support import relay
from support.qemu import Memory
from test_policy import Policy

DMA_READ = 11
DMA_WRITE = 12
ACCESS = struct.Struct("=QQ")  # address, count

# The guests have 128 MiB: the device's DMA mask lets it drive this, and nothing is there.
OUTSIDE = 0x0F00_0000


class Spy(relay.Relay):
    """Before the broker, as QEMU sees it: which memory it was asked for, and how."""

    def __init__(self, path: Path, route: Path) -> None:
        self.asked: list[tuple[int, int]] = []  # command, address
        super().__init__(path, route)

    def _changed(self, message: bytes) -> bytes:
        _, command, _, flags, _ = relay.HEADER.unpack_from(message)
        if command in (DMA_READ, DMA_WRITE) and flags & 0xF != relay.REPLY:
            self.asked.append((command, ACCESS.unpack_from(message, relay.HEADER.size)[0]))
        return super()._changed(message)


class Withheld(Policy):
    def boot(self, statements: Sequence[str], options: Sequence[str] = (),
             words: Sequence[str] = ()) -> Spy:
        """The guest runs to its end; what its QEMU was asked for."""
        route = self.start_policy(self.start_edu("edu", *options), statements)
        spy = Spy(self.folder / "spy.sock", route)
        try:
            self.said = self.boot_guest(spy.path, Memory.SHARED, *words)
        finally:
            spy.close()
        self.assertEqual(0, self.child("poemd").terminate())
        self.tool("audit", "verify", str(self.audit), "--key", f"{self.key}.pub")
        self.records: list[dict[str, Any]] = [
            json.loads(line) for line in self.audit.read_text().splitlines()]
        return spy

    def ranges(self) -> list[dict[str, str]]:
        """All that was exported, in its order."""
        return [r for record in self.records if record["event"] == "memory-exported"
                for r in record["ranges"]]

    def taint(self) -> str:
        """Of the only session, at its end."""
        ends = [r for r in self.records if r["event"] == "session-ended"]
        self.assertEqual(1, len(ends))
        taint: str = ends[0]["taint"]
        return taint

    def test_dma_both_ways_by_messages(self) -> None:
        spy = self.boot(["dma withhold"])
        self.assertTrue(any(s.startswith("DMA round trip of 4096 bytes") for s in self.said))
        self.assertEqual({DMA_READ, DMA_WRITE}, {command for command, _ in spy.asked})
        hows = [r["how"] for r in self.ranges()]
        self.assertIn("withheld", hows)
        self.assertNotIn("passed", hows)
        self.assertNotIn("D", self.taint())
        self.assertNotIn("DMA_READ denied", self.child("poemd").log())

    def test_what_lies_outside_is_answered_by_the_broker(self) -> None:
        spy = self.boot(["dma withhold"], ["--stray-dma"], [f"outside={OUTSIDE:#x}"])
        self.assertIn(f"DMA outside of memory, {OUTSIDE:#x}", self.said)
        # It was asked for what is good, before and after; for the other never.
        self.assertGreaterEqual(len(spy.asked), 4)
        self.assertNotIn(OUTSIDE, [address for _, address in spy.asked])
        device = self.child("edu").log()
        self.assertIn("DMA_READ: the client answered errno 14", device)
        self.assertIn("DMA_WRITE: the client answered errno 14", device)
        broker = self.child("poemd").log()
        self.assertIn(f"DMA_READ denied: address={OUTSIDE:#x} count=0x1000; allowed near it: 0x",
                      broker)
        self.assertIn("D", self.taint())

    def test_without_withholding_qemu_is_asked(self) -> None:
        """The same device and no words of the route: what it does reaches QEMU, which refuses."""
        spy = self.boot([], ["--stray-dma"], [f"outside={OUTSIDE:#x}"])
        self.assertEqual({OUTSIDE}, {address for _, address in spy.asked})
        self.assertIn("passed", [r["how"] for r in self.ranges()])
        self.assertNotIn("D", self.taint())
