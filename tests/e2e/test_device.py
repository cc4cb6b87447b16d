# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The device as QEMU shows it, driven through qtest in the guest's place."""

from __future__ import annotations

import math
import os
from pathlib import Path

from support import edu, pci, procs, qemu, wait
from support.case import Case
from support.qemu import Memory, Qemu

SLOT = 4
RAM = 0x0100_0000  # guest memory well above the firmware's and the ROMs' shadows
PATTERN = bytes((7 * i + 3) & 0xFF for i in range(edu.BUFFER_SIZE))


class DeviceCase(Case):
    """One device on bus 0, reached through one route."""

    memory = Memory.SHARED
    edu_options: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        route = self.start_route(self.start_edu("edu", *self.edu_options))
        self.machine: Qemu = self.start_qemu(
            qemu.vfio_user("edu0", route, bus="pcie.0", addr=f"{SLOT:x}"), memory=self.memory)
        self.function = pci.Function(self.machine.qtest, 0, SLOT)

    def device(self) -> edu.Edu:
        return edu.Edu(self.function)


class Pci(DeviceCase):
    def test_identity(self) -> None:
        self.assertEqual((edu.VENDOR, edu.DEVICE), self.function.identity())

    def test_bars(self) -> None:
        """The registers' 1 MiB and the extra BAR of 8 KiB, at places of the test's choice."""
        sizes = {bar.number: bar.size for bar in self.function.bars()}
        self.assertEqual({0: 1 << 20, edu.EXTRA_BAR: edu.EXTRA_BAR_SIZE}, sizes)

    def test_msi_capability(self) -> None:
        self.assertIn(pci.CAP_MSI, [capability for capability, _ in self.function.capabilities()])

    def test_config_space_holds_what_is_written(self) -> None:
        self.function.write8(pci.INTERRUPT_LINE, 0x5A)
        self.assertEqual(0x5A, self.function.read8(pci.INTERRUPT_LINE))


class Registers(DeviceCase):
    def test_identification(self) -> None:
        self.assertEqual(edu.IDENTIFICATION, self.device().identification())

    def test_liveness(self) -> None:
        device = self.device()
        for value in (0, 1, 0xDEAD_BEEF, 0xFFFF_FFFF):
            self.assertEqual(value ^ 0xFFFF_FFFF, device.invert(value))

    def test_factorial(self) -> None:
        device = self.device()
        for n in (0, 1, 5, 10, 12, 13):
            self.assertEqual(math.factorial(n) & 0xFFFF_FFFF, device.factorial(n))

    def test_bar_can_be_moved(self) -> None:
        """The guest may give the registers another address at any time."""
        self.assertEqual(edu.IDENTIFICATION, self.device().identification())
        self.function.set_command(0)
        moved = edu.Edu(self.function, window=pci.WINDOW_BASE + pci.WINDOW_SIZE)
        self.assertEqual(edu.IDENTIFICATION, moved.identification())

    def test_system_reset_resets_the_device(self) -> None:
        device = self.device()
        device.invert(0)
        self.machine.qmp.execute("system_reset")
        self.machine.qmp.wait_event("RESET")
        self.assertEqual(0, self.device().read32(edu.REG_LIVENESS))


class ExtraBar(DeviceCase):
    """The BAR of which one page is memory that QEMU has mapped: its fd came through the broker."""

    def setUp(self) -> None:
        super().setUp()
        self.edu = self.device()

    def _device_side(self, offset: int, size: int) -> bytes:
        """The page as the device process has it."""
        pid = self.child("edu").pid
        fd = next(fd for fd, name in procs.open_files(pid).items()
                  if name.startswith(edu.PAGE_FILE))
        with open(f"/proc/{pid}/fd/{fd}", "rb", buffering=0) as page:
            return os.pread(page.fileno(), size, edu.PAGE + offset)

    def test_page_is_shared(self) -> None:
        data = bytes(range(1, 65))
        self.edu.write_page(32, data)
        self.assertEqual(data, self._device_side(32, len(data)))
        self.assertEqual(data, self.edu.read_page(32, len(data)))

    def test_page_is_mapped_by_qemu(self) -> None:
        maps = Path(f"/proc/{self.machine.child.pid}/maps").read_text().splitlines()
        shared = [line for line in maps if edu.PAGE_FILE in line]
        self.assertEqual(1, len(shared), shared)
        self.assertEqual("rw-s", shared[0].split()[1])

    def test_broker_keeps_no_memory(self) -> None:
        """What it passed on, guest memory and the device's page, it has closed."""
        self.need_broker()
        broker = self.child("poemd").pid
        for pid in (broker, *procs.children_of(broker)):
            files = procs.open_files(pid).values()
            # Its own: how its workers begin, and what the next one must know of their sessions.
            own = ("/memfd:poemd-settings", "/memfd:poemd-sessions", "/memfd:poemd-state")
            kept = [f for f in files if f.startswith("/memfd:") and not f.startswith(own)]
            self.assertEqual([], kept)

    def test_doorbell(self) -> None:
        self.assertEqual(0, self.edu.rings())
        for n in range(1, 4):
            self.edu.ring()
            self.assertEqual(n, self.edu.rings())


class ExtraBarUnmapped(DeviceCase):
    """The same page where the device gives no fd for it: every access is a message."""

    edu_options = ("--no-mmap",)

    def test_page(self) -> None:
        device = self.device()
        maps = Path(f"/proc/{self.machine.child.pid}/maps").read_text()
        self.assertNotIn(edu.PAGE_FILE, maps)
        data = bytes(range(1, 65))
        device.write_page(32, data)
        self.assertEqual(data, device.read_page(32, len(data)))


class Dma(DeviceCase):
    """DMA over guest memory that the device process has mapped: no message carries it."""

    def setUp(self) -> None:
        super().setUp()
        self.edu = self.device()

    def test_round_trip(self) -> None:
        ram = self.machine.qtest
        ram.write(RAM, PATTERN)
        self.edu.dma_from_memory(RAM, 0, len(PATTERN))
        self.edu.dma_to_memory(RAM + 0x10000, 0, len(PATTERN))
        self.assertEqual(PATTERN, ram.read(RAM + 0x10000, len(PATTERN)))

    def test_touches_nothing_else(self) -> None:
        ram = self.machine.qtest
        ram.write(RAM, bytes([0xAA]) * 256)
        ram.write(RAM + 0x1000, PATTERN[:64])
        self.edu.dma_from_memory(RAM + 0x1000, 128, 64)
        self.edu.dma_to_memory(RAM + 100, 128, 51)
        self.assertEqual(bytes([0xAA]) * 100 + PATTERN[:51] + bytes([0xAA]) * 105,
                         ram.read(RAM, 256))

    def test_across_a_page_boundary(self) -> None:
        ram = self.machine.qtest
        ram.write(RAM + 0xF80, PATTERN[:256])
        self.edu.dma_from_memory(RAM + 0xF80, 0, 256)
        self.edu.dma_to_memory(RAM + 0x2FC0, 0, 256)
        self.assertEqual(PATTERN[:256], ram.read(RAM + 0x2FC0, 256))

    def test_at_the_end_of_memory(self) -> None:
        ram = self.machine.qtest
        top = qemu.MEMORY_SIZE - len(PATTERN)
        ram.write(top, PATTERN)
        self.edu.dma_from_memory(top, 0, len(PATTERN))
        self.edu.dma_to_memory(RAM, 0, len(PATTERN))
        self.assertEqual(PATTERN, ram.read(RAM, len(PATTERN)))


class DmaByMessages(Dma):
    """The same where QEMU gives no descriptor for its memory: DMA_READ and DMA_WRITE carry it."""

    memory = Memory.PRIVATE


class DmaByMessagesTwinOffered(DmaByMessages):
    """And where the device would like a second socket for its commands. QEMU knows no twin socket:
    they have to come on the first one."""

    edu_options = ("--twin-socket",)


class Interrupts(DeviceCase):
    """QEMU signals the guest when the device process writes an eventfd that came by SET_IRQS."""

    MESSAGE_PLACE = RAM + 0x8000

    def setUp(self) -> None:
        super().setUp()
        self.edu = self.device()

    def _enable_msi(self, data: int) -> None:
        # An MSI is a write by the device, so its target may be plain memory: there it can be seen.
        self.machine.qtest.write32(self.MESSAGE_PLACE, 0)
        self.function.enable_msi(self.MESSAGE_PLACE, data)

    def _await_message(self, data: int) -> None:
        ram = self.machine.qtest
        wait.until(lambda: ram.read32(self.MESSAGE_PLACE) == data, "the MSI to reach memory")
        ram.write32(self.MESSAGE_PLACE, 0)

    def test_msi_raised_by_hand(self) -> None:
        self._enable_msi(0x4321)
        self.edu.raise_irq(0x10)
        self._await_message(0x4321)
        self.assertEqual(0x10, self.edu.irq_status())
        self.edu.acknowledge(0x10)
        self.assertEqual(0, self.edu.irq_status())

    def test_msi_again_and_again(self) -> None:
        self._enable_msi(0x77)
        for bit in range(8):
            self.edu.raise_irq(1 << bit)
            self._await_message(0x77)
            self.edu.acknowledge(1 << bit)

    def test_msi_of_the_factorial(self) -> None:
        self._enable_msi(0x11)
        self.edu.write32(edu.REG_STATUS, edu.STATUS_IRQ)
        self.assertEqual(120, self.edu.factorial(5))
        self._await_message(0x11)
        self.assertEqual(edu.IRQ_FACTORIAL, self.edu.irq_status())

    def test_msi_of_dma(self) -> None:
        self._enable_msi(0x22)
        self.edu.dma_to_memory(RAM, 0, 16, edu.DMA_IRQ)
        self._await_message(0x22)
        self.assertEqual(edu.IRQ_DMA, self.edu.irq_status())

    def test_intx(self) -> None:
        """The pin goes up, stays up until the device is acknowledged, and comes again."""
        qtest = self.machine.qtest
        qtest.intercept_irqs("ioapic")
        self.assertEqual(set(), qtest.raised_lines())
        for bits in (1, 2):
            self.edu.raise_irq(bits)
            wait.until(lambda: len(qtest.raised_lines()) == 1, "the interrupt pin to go up")
            self.edu.acknowledge(bits)
            wait.until(lambda: not qtest.raised_lines(), "the interrupt pin to go down")
