# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A QEMU from the root folder that contrib/qemu/root keeps, started and spoken to by a test."""

from __future__ import annotations

import enum
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any, Callable, Sequence

from .channel import LineChannel
from .procs import Child
from .qmp import Qmp
from .qtest import QTest

SOURCE_DIR = Path(__file__).resolve().parents[3]
MAKE_ROOT = SOURCE_DIR / "contrib" / "qemu" / "root"
RUN = SOURCE_DIR / "contrib" / "qemu" / "run"
BUILD_WITH_POEM = SOURCE_DIR / "contrib" / "qemu" / "build"
MEMORY_SIZE = 128 << 20


class NoQemu(Exception):
    """There is no QEMU to test with; the text says why."""


# q35 leaves unplugging to ACPI by default; the port's own slot registers are simpler to drive.
NATIVE_HOTPLUG = ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"]


def root() -> Path:
    """The root folder, made if it is not there yet."""
    return Path(_output([str(MAKE_ROOT)]))


def require() -> None:
    """Raises NoQemu where QEMU cannot be had or not be run: no root user, no network, no right to
    mount (a confined container)."""
    if os.geteuid() != 0:
        raise NoQemu("a chroot needs the root user")
    root()
    _output([str(RUN), "--", "--version"])


def root_with_poem() -> Path:
    """The root folder of the QEMU that demands the poem; it is not made here."""
    return Path(_output([str(BUILD_WITH_POEM), "--have"]))


def _output(argv: list[str]) -> str:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="backslashreplace", check=False)
    if done.returncode != 0:
        raise NoQemu(done.stderr.strip() or f"{argv[0]} ended with status {done.returncode}")
    return done.stdout.removesuffix("\n")


def guest_kernel() -> Path:
    """The guest kernel's path on this side of the chroot."""
    kernels = sorted(root().glob("usr/lib/modules/*-cloud-amd64/vmlinuz"))
    kernels += sorted(root().glob("boot/vmlinuz-*-cloud-amd64"))
    if not kernels:
        raise NoQemu(f"{root()} holds no cloud kernel")
    return kernels[-1]


class Memory(enum.Enum):
    """How the guest's memory is allocated, and thereby how a device process reaches it."""

    SHARED = f"memory-backend-memfd,id=mem,size={MEMORY_SIZE},share=on"  # DMA_MAP brings an fd
    PRIVATE = f"memory-backend-ram,id=mem,size={MEMORY_SIZE}"  # DMA by DMA_READ and DMA_WRITE


def vfio_user(name: str, path: Path, **properties: Any) -> dict[str, Any]:
    """A -device or device_add description of what is behind the vfio-user socket at PATH."""
    return {"driver": "vfio-user-pci", "id": name,
            "socket": {"type": "unix", "path": str(path)}, **properties}


def root_port(name: str, slot: int) -> dict[str, Any]:
    """A PCI Express port into which devices can be plugged; it is device SLOT of bus 0."""
    return {"driver": "pcie-root-port", "id": name, "bus": "pcie.0", "addr": f"{slot:x}",
            "chassis": slot, "slot": slot}


class Qemu:
    """One QEMU process and its control channels. close() must be called; the case does."""

    def __init__(self, folder: Path, register: Callable[[Child], None], *,
                 devices: Sequence[dict[str, Any]] = (), memory: Memory = Memory.SHARED,
                 accel: str = "qtest", name: str = "qemu", extra: Sequence[str] = (),
                 root_folder: Path | None = None) -> None:
        self._sockets: list[socket.socket] = []
        theirs: dict[str, socket.socket] = {}
        ours: dict[str, socket.socket] = {}
        for channel in ("qmp", "qtest", "serial"):
            ours[channel], theirs[channel] = socket.socketpair()
        self.qmp = Qmp(ours["qmp"])
        self.qtest = QTest(ours["qtest"])
        self.serial = LineChannel(ours["serial"], "serial console")
        try:
            argv = [str(RUN), *(["--root", str(root_folder)] if root_folder else []),
                    "--bind", str(folder), "--",
                    "-machine", "q35,memory-backend=mem", "-object", memory.value,
                    "-accel", accel, "-display", "none", "-nodefaults", "-no-user-config"]
            for channel, sock in theirs.items():
                argv += ["-chardev", f"socket,id={channel},fd={sock.fileno()}"]
            argv += ["-qmp", "chardev:qmp", "-serial", "chardev:serial"]
            if accel == "qtest":
                argv += ["-qtest", "chardev:qtest", "-qtest-log", "/dev/null"]
            for device in devices:
                argv += ["-device", json.dumps(device)]
            self.child = Child(name, [*argv, *extra], folder,
                               pass_fds=[sock.fileno() for sock in theirs.values()])
        except BaseException:
            self.close()
            raise
        finally:
            for sock in theirs.values():
                sock.close()
        register(self.child)

    def close(self) -> None:
        """Closes this side's channels; the process itself belongs to whoever registered it."""
        self.qmp.close()
        self.qtest.close()
        self.serial.close()

    def wait_ready(self) -> None:
        """Returns when all devices of the command line are realized."""
        self.qmp.negotiate()

    def refusal(self) -> str:
        """What QEMU said when it ended instead of coming up."""
        status = self.child.join()
        if status != 1:
            raise AssertionError(f"QEMU ended with status {status}, not 1, as it does where it"
                                 " refuses its command line")
        return self.child.log()

    def quit(self) -> None:
        self.qmp.execute("quit")
        status = self.child.join()
        if status != 0:
            raise AssertionError(f"QEMU ended with status {status}")

    def unplug(self, device: str) -> None:
        """Asks for the removal; the guest, or the test in its place, has to agree to it."""
        self.qmp.execute("device_del", id=device)

    def wait_unplugged(self, device: str) -> None:
        self.qmp.wait_event("DEVICE_DELETED", device=device)

    def plug(self, device: dict[str, Any]) -> None:
        self.qmp.execute("device_add", **device)
