# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A driver for the edu device, as docs/specs/edu.rst in QEMU's sources describes it."""

from __future__ import annotations

from . import pci, wait
from .qtest import QTest

VENDOR = 0x1234
DEVICE = 0x11E8
IDENTIFICATION = 0x0100_00ED

REG_IDENTIFICATION = 0x00
REG_LIVENESS = 0x04
REG_FACTORIAL = 0x08
REG_STATUS = 0x20
REG_IRQ_STATUS = 0x24
REG_IRQ_RAISE = 0x60
REG_IRQ_ACK = 0x64
REG_DMA_SOURCE = 0x80
REG_DMA_DESTINATION = 0x88
REG_DMA_COUNT = 0x90
REG_DMA_COMMAND = 0x98

STATUS_COMPUTING = 0x01
STATUS_IRQ = 0x80
IRQ_FACTORIAL = 0x001
IRQ_DMA = 0x100
DMA_RUN = 1
DMA_TO_MEMORY = 2
DMA_IRQ = 4

# The extra BAR of this project's own device process: see contrib/edu/regs.h.
EXTRA_BAR = 2
EXTRA_BAR_SIZE = 0x2000
DOORBELL = 0x00
DOORBELL_COUNT = 0x08
PAGE = 0x1000  # memory that QEMU may map
PAGE_SIZE = 0x1000
PAGE_FILE = "/memfd:edu-bar2"  # what it is, as /proc shows it

BUFFER = 0x40000  # where the device's DMA engine sees its own buffer
BUFFER_SIZE = 4096


class Edu:
    """The device behind a PCI function whose BARs have their addresses."""

    def __init__(self, function: pci.Function, window: int = pci.WINDOW_BASE,
                 size: int = pci.WINDOW_SIZE) -> None:
        self.function = function
        self._qtest: QTest = function.qtest
        self.bars = pci.assign_bars(function, window, window + size)
        self._base = self.bars[0]
        function.set_command(pci.COMMAND_MEMORY | pci.COMMAND_MASTER)

    def read32(self, register: int) -> int:
        return self._qtest.read32(self._base + register)

    def write32(self, register: int, value: int) -> None:
        self._qtest.write32(self._base + register, value)

    def write64(self, register: int, value: int) -> None:
        self._qtest.write64(self._base + register, value)

    def identification(self) -> int:
        return self.read32(REG_IDENTIFICATION)

    def invert(self, value: int) -> int:
        """The liveness check: what comes back is the value with every bit turned."""
        self.write32(REG_LIVENESS, value)
        return self.read32(REG_LIVENESS)

    def factorial(self, n: int) -> int:
        self.write32(REG_FACTORIAL, n)
        wait.until(lambda: not self.read32(REG_STATUS) & STATUS_COMPUTING, "the factorial")
        return self.read32(REG_FACTORIAL)

    def _dma(self, source: int, destination: int, count: int, command: int) -> None:
        self.write64(REG_DMA_SOURCE, source)
        self.write64(REG_DMA_DESTINATION, destination)
        self.write64(REG_DMA_COUNT, count)
        self.write64(REG_DMA_COMMAND, DMA_RUN | command)
        wait.until(lambda: not self.read32(REG_DMA_COMMAND) & DMA_RUN, "the end of the DMA")

    def dma_from_memory(self, address: int, offset: int, count: int, command: int = 0) -> None:
        """Guest memory at ADDRESS to OFFSET in the device's buffer."""
        self._dma(address, BUFFER + offset, count, command)

    def dma_to_memory(self, address: int, offset: int, count: int, command: int = 0) -> None:
        self._dma(BUFFER + offset, address, count, DMA_TO_MEMORY | command)

    def raise_irq(self, bits: int) -> None:
        self.write32(REG_IRQ_RAISE, bits)

    def irq_status(self) -> int:
        return self.read32(REG_IRQ_STATUS)

    def acknowledge(self, bits: int) -> None:
        self.write32(REG_IRQ_ACK, bits)

    def ring(self) -> None:
        self._qtest.write32(self.bars[EXTRA_BAR] + DOORBELL, 1)

    def rings(self) -> int:
        return self._qtest.read64(self.bars[EXTRA_BAR] + DOORBELL_COUNT)

    def write_page(self, offset: int, data: bytes) -> None:
        self._qtest.write(self.bars[EXTRA_BAR] + PAGE + offset, data)

    def read_page(self, offset: int, size: int) -> bytes:
        return self._qtest.read(self.bars[EXTRA_BAR] + PAGE + offset, size)
