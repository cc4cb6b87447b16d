#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Each fault of a device is named: by poemctl probe of the device itself, or by poemctl trace lint of
its session through the broker with a client that asks what QEMU asks.

usage: test_faults.py --build DIR [TEST...]

The column QEMU is what the client of QEMU 11.1 did with the same device, tried with contrib/qemu.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import fault_device
from fault_device import (DMA_MAP, ERROR, GET_INFO, GET_IRQ_INFO, GET_REGION_INFO, HEADER,
                          REGION_READ, REGION_WRITE, RESET, SET_IRQS, VERSION)

TOOLS = Path(__file__).resolve().parent
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
YES, NO, USAGE, COULD_NOT = range(4)
PROBE_MS = 700  # is waited out for devices that do not answer
CLIENT_S = 1.2  # likewise; more than the second after which lint calls it silence

OFFER = json.dumps({"capabilities": {
    "pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, "max_data_xfer_size": 1048576,
    "migration": {"max_bitmap_size": 268435456, "pgsize": 4096}, "write_multiple": True}})

# Fault: what QEMU does; what the probe prints, "" if it cannot see the fault; what lint prints.
TABLE = {
    "none": ("accepts", "QEMU 11.1 accepts the device", ""),
    "fds-32": ("refuses", "refuses it: max_msg_fds is 32, more than 16", "max_msg_fds is 32"),
    "fds-text": ("refuses", "max_msg_fds is not a non-negative", "max_msg_fds is not a non-neg"),
    "maps-65536": ("refuses", "max_dma_maps is 65536", '"max_dma_maps too large"'),
    "data-128m": ("refuses", "max_data_xfer_size is 134217728", '"malformed max_data_xfer_size"'),
    "page-2048": ("refuses", "pgsizes is 2048, less than", '"pgsizes 0x800 too small"'),
    "page-0": ("refuses", "pgsizes is 0", '"pgsizes 0x0 too small"'),
    "migration-page-1024": ("refuses", "pgsize is 1024", '"pgsize 0x400 too small"'),
    "bitmap-1t": ("refuses", "max_bitmap_size is 1099511627776", '"max_bitmap_size too large"'),
    "migration-text": ("refuses", "migration is not an object", '"malformed migration"'),
    "multiple-text": ("refuses", "write_multiple is not", '"malformed write_multiple"'),
    "version-long": ("refuses", "has 331 bytes, more than 214", '"reply larger than recv buffer"'),
    "version-major": ("refuses", "major version differs", '"incompatible server version"'),
    "version-minor": ("refuses", "minor version is higher", '"incompatible server version"'),
    "version-no-nul": ("refuses", "without a NUL", "does not end in NUL"),
    "version-json": ("refuses", "not JSON", "not JSON"),
    "version-list": ("refuses", "JSON is not an object", "JSON is not an object"),
    "version-capabilities-list": ("refuses", '"capabilities" is not', '"capabilities" is not'),
    "version-unknown": ("warns", "spurious capabilities", "note: .*spurious capabilities"),
    "version-fd": ("refuses", "unexpected fds", '"unexpected FDs in reply"'),
    "version-refused": ("refuses", "Permission denied", '"version reply: Permission denied"'),
    "version-half": ("crashes", "no answer within", "50 of 105 bytes came.*crashes"),
    "version-silent": ("refuses", "no answer within", "no-answer.*timed out waiting for reply"),
    "version-closed": ("refuses", "closed the connection", "the backend closed the connection"),
    "info-refused": ("refuses", "device info refused", "VFIO_USER_DEVICE_GET_INFO failed"),
    "info-closed": ("refuses", "closed the connection", "the backend closed the connection"),
    "info-silent": ("refuses", "no answer within", "no-answer.*timed out waiting for reply"),
    "info-half": ("crashes", "no answer within", "31 of 32 bytes came.*crashes"),
    "info-long": ("refuses", "longer than it may be", '"reply larger than recv buffer"'),
    "info-short": ("refuses", "shorter than its fixed part", "payload-short.*12 bytes"),
    "info-fd": ("refuses", "", '"unexpected FDs in reply"'),
    "regions-200": ("refuses", "more regions", '200 regions.*"invalid reply'),
    "regions-big-endian": ("refuses", "more regions", '150994944 regions.*"invalid reply'),
    "irqs-2": ("refuses", "2 types of interrupts, fewer than 3", '"unexpected number of irqs 2"'),
    "irqs-60": ("refuses", "60 types of interrupts", '"invalid reply'),
    "not-pci": ("refuses", "does not have the flag PCI", '"this isn\'t a PCI device"'),
    "bar-3000": ("aborts", "BAR0 has 3000 bytes, not a power of two", "aborts: BAR0 has 3000"),
    "bar-map-no-fd": ("accepts", "", "fds-missing"),
    "bar-refused": ("refuses", "size of BAR0 was refused", '"failed to get region 0 info"'),
    "bar-fds-2": ("refuses", "", '2 fds.*"unexpected FDs in reply"'),
    "bar-long": ("refuses", "", '"reply larger than recv buffer"'),
    "bar-caps": ("refuses", "region info: malformed", "cap_offset 8 of region 0|caps: "),
    "bar-caps-loop": ("refuses", "region info: malformed", '"reply larger than recv buffer"|caps'),
    "config-0": ("crashes", "configuration space has 0 bytes", "crashes: the configuration space"),
    "config-refused": ("refuses", "configuration space was refused", "failed to get config info"),
    "region-other": ("accepts", "region info for another region", "reply-differs"),
    "intx-no-irq": ("accepts", "interrupt pin A, but no INTx", "interrupt pin A, but no INTx"),
    "pin-9": ("refuses", "interrupt pin 9", '"invalid PCI interrupt pin 9"'),
    "set-irqs-refused": ("refuses", "", "Failed to set up TRIGGER eventfd"),
    "msix-bar-absent": ("refuses", "MSIX PBA outside of specified BAR", ""),
    "msix-beyond": ("refuses", "table of MSI-X .64 bytes at 0x1000 of BAR0", ""),
    "msix-overlap": ("refuses", "table & pba overlap", ""),
    "caps-loop": ("hangs", "QEMU 11.1 hangs: the list of capabilities loops", ""),
    "header-type-1": ("aborts", "header type 1, a bridge", "aborts: header type 1"),
    "map-refused": ("warns", "", "note: .*DMA_MAP was refused"),
    "map-silent": ("refuses", "", "DMA_MAP id 1: no-answer"),
    "config-read-refused": ("refuses", "reading the configuration space", "failed to read device"),
    "read-short": ("refuses", "another offset or length", "reply-short.*255 of 256"),
    "read-long": ("refuses", "another offset or length", '"reply larger than recv buffer"'),
    "read-count": ("refuses", "count does not agree", "count: a count does not agree"),
    "read-half": ("crashes", "no answer within", "287 of 288 bytes came.*crashes"),
    "read-half-header": ("refuses", "no answer within", "9 of 16 bytes came"),
    "read-silent": ("refuses", "no answer within", "REGION_READ id 30: no-answer"),
    "read-closed": ("crashes", "ended inside a message", "20 of 288 bytes came"),
    "read-fd": ("refuses", "", '"unexpected FDs in reply"'),
    "read-id": ("refuses", "an id other than", 'id 48879: unasked-reply.*"unexpected reply"'),
    "read-twice": ("refuses", "an id other than", 'unasked-reply.*"unexpected reply"'),
    "read-command": ("accepts", "names another command", "reply-command"),
    "read-size-15": ("refuses", "size below 16", 'header-size.*"bad header size"'),
    "read-size-more": ("refuses", "no answer within", "288 of 296 bytes came"),
    "read-size-less": ("refuses", "count does not agree", "count: "),
    "read-type-2": ("refuses", "neither command nor reply", '"unknown message type"'),
    "read-command-type": ("refuses", "longer than it may be", "wrong-direction"),
}

build = Path()


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([build / "poemctl", *map(str, arguments)], text=True, check=False,
                          capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


class Client:
    """Asks what QEMU asks when it realizes a device, until something goes wrong."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(CLIENT_S)
        self.socket.connect(str(path))

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def ask(self, number: int, code: int, payload: bytes = b"", fds: tuple[int, ...] = ()) -> None:
        message = HEADER.pack(number, code, 16 + len(payload), 0, 0) + payload
        socket.send_fds(self.socket, [message], fds)
        _, _, size, flags, _ = HEADER.unpack(self.read(16))
        self.read(size - 16)
        if code == VERSION and flags & ERROR:
            raise EOFError

    def realize(self) -> None:
        self.ask(0, VERSION, bytes(4) + OFFER.encode() + b"\0")
        self.ask(1, DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096))
        self.ask(2, GET_INFO, struct.pack("<IIII", 16, 0, 0, 0))
        for index in range(9):
            self.ask(3 + index, GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, index, 0, 0, 0))
        for index in range(5):
            self.ask(20 + index, GET_IRQ_INFO, struct.pack("<IIII", 16, 0, index, 0))
        self.ask(30, REGION_READ, struct.pack("<QII", 0, fault_device.CONFIG, 256))
        self.ask(31, REGION_WRITE, struct.pack("<QII", 4, fault_device.CONFIG, 2) + b"\6\0")
        with open(os.eventfd(0), "rb", buffering=0) as interrupt:
            self.ask(32, SET_IRQS, struct.pack("<IIIII", 20, 0x24, 0, 0, 1), (interrupt.fileno(),))
        self.ask(33, RESET)


class Faults(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The broker's processes give their rights away, and the folder is theirs to use.
        self.folder.chmod(0o755)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """Runs a program that writes a line to its --ready-fd when it is ready."""
        ours, its = os.pipe()
        process = subprocess.Popen([*map(str, arguments), "--ready-fd", str(its)], pass_fds=[its],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        os.close(its)
        self.addCleanup(self.end, process)
        with os.fdopen(ours, "rb") as ready:
            self.assertEqual(ready.read(1), b"\n", arguments)
        return process

    def device(self, fault: str) -> Path:
        path = self.folder / fault
        self.start(sys.executable, TOOLS / "fault_device.py", path, fault)
        return path

    def capture(self, fault: str, device: Path) -> Path:
        trace = self.folder / f"{fault}.pcapng"
        listen = self.folder / f"{fault}.l"
        broker = self.start(build / "poemd", "--listen", listen, "--backend", device, "--trace",
                            trace)
        client = Client(listen)
        try:
            client.realize()
        except (EOFError, OSError):
            pass
        client.socket.close()
        self.end(broker)
        return trace

    def test_table(self) -> None:
        for fault, (qemu, probed, linted) in TABLE.items():
            with self.subTest(fault=fault, qemu=qemu):
                device = self.device(fault)
                probe = command("probe", "--timeout", PROBE_MS, device)
                self.assertRegex(probe.stdout + probe.stderr, probed or "accepts the device")
                self.assertEqual("accepts the device" in probe.stdout, probe.returncode == YES)
                lint = command("trace", "lint", self.capture(fault, device))
                self.assertRegex(lint.stdout, linted or "messages: ")
                # Named by one of the two commands, which then does not exit 0.
                if qemu in ("refuses", "aborts", "crashes", "hangs"):
                    self.assertIn(True, (probe.returncode != YES, lint.returncode == NO))
                if fault == "none":
                    self.assertEqual((probe.returncode, lint.returncode), (YES, YES), lint.stdout)

    def test_profiles(self) -> None:
        """The specification allows what QEMU does not."""
        device = self.device("fds-32")
        for profile, status in (("qemu", NO), ("spec", YES), ("cloud-hypervisor", YES)):
            with self.subTest(profile=profile):
                self.assertEqual(command("probe", "--for", profile, device).returncode, status)
        trace = self.capture("fds-32", device)
        self.assertEqual(command("trace", "lint", trace).returncode, NO)
        self.assertEqual(command("trace", "lint", "--for", "spec", trace).returncode, YES)
        form = json.loads(command("probe", "--json", device).stdout)["profile"]
        self.assertEqual(form, {"program": "QEMU 11.1", "accepted": False, "findings": [
            {"effect": "refuses", "text": "max_msg_fds is 32, more than 16",
             "prints": "malformed max_msg_fds"}]})

    def test_every_fault_is_in_the_table(self) -> None:
        """But for those that QEMU accepts, and that the specification allows."""
        left = set(fault_device.FAULTS) - set(TABLE)
        self.assertEqual(left, {"regions-8", "bar-huge", "config-100", "config-8192",
                                "config-write-only", "irq-refused", "intx-no-pin",
                                "intx-no-eventfd", "msix-no-irq", "msix-fewer-irqs", "vendor-ffff",
                                "read-slow", "write-refused", "reset-refused"})


def main() -> None:
    global build
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        sys.exit("usage: test_faults.py --build DIR [TEST...]")
    build = Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])


if __name__ == "__main__":
    main()
