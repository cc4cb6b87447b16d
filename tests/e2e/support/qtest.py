# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""QEMU's qtest protocol: the test takes the place of the processor.

See docs/devel/testing/qtest.rst in QEMU's sources.
"""

from __future__ import annotations

import socket

from .channel import LineChannel


class QTest:
    def __init__(self, sock: socket.socket) -> None:
        self._channel = LineChannel(sock, "qtest")
        # Levels of intercepted interrupt lines, as QEMU reports them between two answers.
        self._lines: dict[int, bool] = {}

    def close(self) -> None:
        self._channel.close()

    def _note_irq(self, line: str) -> None:
        _, edge, number = line.split()
        self._lines[int(number)] = edge == "raise"

    def _command(self, command: str) -> str:
        self._channel.send_line(command)
        while True:
            line = self._channel.receive_line(f"the answer to qtest's {command!r}")
            if line.startswith("IRQ "):
                self._note_irq(line)
                continue
            word, _, rest = line.partition(" ")
            if word != "OK":
                raise AssertionError(f"qtest: {command!r} was answered {line!r}")
            return rest

    def in32(self, port: int) -> int:
        return int(self._command(f"inl {port:#x}"), 16)

    def in16(self, port: int) -> int:
        return int(self._command(f"inw {port:#x}"), 16)

    def in8(self, port: int) -> int:
        return int(self._command(f"inb {port:#x}"), 16)

    def out32(self, port: int, value: int) -> None:
        self._command(f"outl {port:#x} {value:#x}")

    def out16(self, port: int, value: int) -> None:
        self._command(f"outw {port:#x} {value:#x}")

    def out8(self, port: int, value: int) -> None:
        self._command(f"outb {port:#x} {value:#x}")

    def read32(self, address: int) -> int:
        return int(self._command(f"readl {address:#x}"), 16)

    def read64(self, address: int) -> int:
        return int(self._command(f"readq {address:#x}"), 16)

    def write32(self, address: int, value: int) -> None:
        self._command(f"writel {address:#x} {value:#x}")

    def write64(self, address: int, value: int) -> None:
        self._command(f"writeq {address:#x} {value:#x}")

    def read(self, address: int, size: int) -> bytes:
        return bytes.fromhex(self._command(f"read {address:#x} {size:#x}").removeprefix("0x"))

    def write(self, address: int, data: bytes) -> None:
        self._command(f"write {address:#x} {len(data):#x} 0x{data.hex()}")

    def intercept_irqs(self, qom_path: str) -> None:
        """From now on levels of the named device's input lines are reported."""
        self._command(f"irq_intercept_in {qom_path}")

    def raised_lines(self) -> set[int]:
        """The intercepted lines that are up now."""
        # Any command will do: levels that changed before it are reported before its answer.
        self.in8(0x80)
        return {number for number, up in self._lines.items() if up}
