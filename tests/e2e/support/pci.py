# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""PCI as firmware and drivers see it, by configuration mechanism 1 through qtest."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from .qtest import QTest

CONFIG_ADDRESS = 0xCF8
CONFIG_DATA = 0xCFC

VENDOR_ID = 0x00
DEVICE_ID = 0x02
COMMAND = 0x04
STATUS = 0x06
BAR0 = 0x10
SECONDARY_BUS = 0x19
SUBORDINATE_BUS = 0x1A
MEMORY_BASE = 0x20
MEMORY_LIMIT = 0x22
CAPABILITIES = 0x34
INTERRUPT_LINE = 0x3C
INTERRUPT_PIN = 0x3D

COMMAND_MEMORY = 1 << 1
COMMAND_MASTER = 1 << 2
COMMAND_INTX_DISABLE = 1 << 10
STATUS_CAPABILITIES = 1 << 4

CAP_MSI = 0x05
CAP_EXPRESS = 0x10

MSI_CONTROL = 2
MSI_ADDRESS = 4
MSI_ENABLE = 1 << 0
MSI_64BIT = 1 << 7

EXPRESS_SLOT_CONTROL = 0x18
EXPRESS_SLOT_STATUS = 0x1A
SLOT_POWER_INDICATOR_ON = 1 << 8
SLOT_POWER_INDICATOR_OFF = 3 << 8
SLOT_POWER_INDICATOR_MASK = 3 << 8
SLOT_POWER_OFF = 1 << 10
SLOT_PRESENT = 1 << 6

# The part of q35's 32-bit PCI hole that the tests hand out; nothing else is decoded there.
WINDOW_BASE = 0xE000_0000
WINDOW_SIZE = 0x0100_0000
ABSENT = 0xFFFF


class Bar(NamedTuple):
    number: int
    size: int
    is_64bit: bool


class Function:
    """One PCI function, addressed as firmware does."""

    def __init__(self, qtest: QTest, bus: int, device: int, function: int = 0) -> None:
        self.qtest = qtest
        self._select = 1 << 31 | bus << 16 | device << 11 | function << 8

    def read8(self, offset: int) -> int:
        self.qtest.out32(CONFIG_ADDRESS, self._select | offset & ~3)
        return self.qtest.in8(CONFIG_DATA + (offset & 3))

    def read16(self, offset: int) -> int:
        self.qtest.out32(CONFIG_ADDRESS, self._select | offset & ~3)
        return self.qtest.in16(CONFIG_DATA + (offset & 3))

    def read32(self, offset: int) -> int:
        self.qtest.out32(CONFIG_ADDRESS, self._select | offset)
        return self.qtest.in32(CONFIG_DATA)

    def write8(self, offset: int, value: int) -> None:
        self.qtest.out32(CONFIG_ADDRESS, self._select | offset & ~3)
        self.qtest.out8(CONFIG_DATA + (offset & 3), value)

    def write16(self, offset: int, value: int) -> None:
        self.qtest.out32(CONFIG_ADDRESS, self._select | offset & ~3)
        self.qtest.out16(CONFIG_DATA + (offset & 3), value)

    def write32(self, offset: int, value: int) -> None:
        self.qtest.out32(CONFIG_ADDRESS, self._select | offset)
        self.qtest.out32(CONFIG_DATA, value)

    def identity(self) -> tuple[int, int]:
        return self.read16(VENDOR_ID), self.read16(DEVICE_ID)

    def present(self) -> bool:
        return self.read16(VENDOR_ID) != ABSENT

    def capabilities(self) -> Iterator[tuple[int, int]]:
        """(id, offset) of each capability; a loop or a wild pointer ends in an error."""
        if not self.read16(STATUS) & STATUS_CAPABILITIES:
            return
        seen: set[int] = set()
        offset = self.read8(CAPABILITIES) & ~3
        while offset:
            if offset < 0x40 or offset in seen:
                raise AssertionError(f"capability list is broken at {offset:#x}")
            seen.add(offset)
            yield self.read8(offset), offset
            offset = self.read8(offset + 1) & ~3

    def find_capability(self, wanted: int) -> int:
        for capability, offset in self.capabilities():
            if capability == wanted:
                return offset
        raise AssertionError(f"no capability {wanted:#x}")

    def bars(self) -> list[Bar]:
        """The memory BARs, sized by writing ones; decoding must be off."""
        found = []
        index = 0
        while index < 6:
            register = BAR0 + 4 * index
            self.write32(register, 0xFFFF_FFFF)
            low = self.read32(register)
            is_64bit = low & 7 == 4
            if low & 1 == 0 and low & ~0xF:
                found.append(Bar(index, (~(low & ~0xF) & 0xFFFF_FFFF) + 1, is_64bit))
            index += 2 if is_64bit else 1
        return found

    def set_bar(self, bar: Bar, address: int) -> None:
        self.write32(BAR0 + 4 * bar.number, address & 0xFFFF_FFFF)
        if bar.is_64bit:
            self.write32(BAR0 + 4 * bar.number + 4, address >> 32)

    def set_command(self, bits: int) -> None:
        self.write16(COMMAND, bits)

    def enable_msi(self, address: int, data: int) -> None:
        """Lets the function signal its one message by writing DATA to ADDRESS."""
        offset = self.find_capability(CAP_MSI)
        control = self.read16(offset + MSI_CONTROL)
        self.write32(offset + MSI_ADDRESS, address & 0xFFFF_FFFF)
        if control & MSI_64BIT:
            self.write32(offset + MSI_ADDRESS + 4, address >> 32)
            self.write16(offset + MSI_ADDRESS + 8, data)
        else:
            self.write16(offset + MSI_ADDRESS + 4, data)
        self.write16(offset + MSI_CONTROL, control | MSI_ENABLE)


def assign_bars(function: Function, base: int, end: int) -> dict[int, int]:
    """Gives each memory BAR a place in [BASE, END); returns BAR index -> address."""
    places: dict[int, int] = {}
    cursor = base
    for bar in sorted(function.bars(), key=lambda bar: bar.size, reverse=True):
        cursor = (cursor + bar.size - 1) & ~(bar.size - 1)
        if cursor + bar.size > end:
            raise AssertionError(f"BAR {bar.number} of {bar.size:#x} bytes does not fit")
        function.set_bar(bar, cursor)
        places[bar.number] = cursor
        cursor += bar.size
    return places


class RootPort(Function):
    """A PCI Express root port of bus 0 and the one slot behind it."""

    def open_bridge(self, bus: int, base: int, size: int) -> None:
        """Makes BUS reachable behind the port, with the memory window [BASE, BASE + SIZE)."""
        self.write8(SECONDARY_BUS, bus)
        self.write8(SUBORDINATE_BUS, bus)
        self.write16(MEMORY_BASE, base >> 16)
        self.write16(MEMORY_LIMIT, (base + size - 1) >> 16)
        self.set_command(COMMAND_MEMORY | COMMAND_MASTER)

    def _slot_control(self, indicator: int, power: int) -> None:
        offset = self.find_capability(CAP_EXPRESS) + EXPRESS_SLOT_CONTROL
        control = self.read16(offset) & ~(SLOT_POWER_INDICATOR_MASK | SLOT_POWER_OFF)
        self.write16(offset, control | indicator | power)

    def power_on(self) -> None:
        self._slot_control(SLOT_POWER_INDICATOR_ON, 0)

    def power_off(self) -> None:
        """The guest's consent to an unplug request."""
        self._slot_control(SLOT_POWER_INDICATOR_OFF, SLOT_POWER_OFF)

    def occupied(self) -> bool:
        offset = self.find_capability(CAP_EXPRESS) + EXPRESS_SLOT_STATUS
        return bool(self.read16(offset) & SLOT_PRESENT)
