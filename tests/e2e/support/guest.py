# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The guest: Debian's cloud kernel with an initramfs whose only program is made of guest/."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

from . import qemu

# The program, and the broker's functions that it tries on its own kernel.
SOURCES = [qemu.SOURCE_DIR / name for name in
           ("tests/e2e/guest/init.c", "tests/e2e/guest/console.c", "tests/e2e/guest/measure.c",
            "base/text/hex.c", "policy/evidence/evidence_ima.c", "policy/inspector/inspector_ima.c",
            "policy/peer/peer_verity.c")]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Werror"]

# Emulated and on a machine that may be busy: generous.
BOOT_TIMEOUT_S = 300.0


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def build_init(folder: Path) -> Path:
    """Compiles the guest's program; raises with the compiler's words where that fails."""
    cc = compiler()
    if cc is None:
        raise FileNotFoundError("no C compiler")
    target = folder / "init"
    made = subprocess.run(
        [cc, "-std=c11", "-D_GNU_SOURCE", "-O1", *WARNINGS, f"-I{qemu.SOURCE_DIR}", "-static",
         "-o", str(target), *map(str, SOURCES)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode != 0:
        raise AssertionError(made.stdout)
    return target


def _cpio_entry(inode: int, name: str, mode: int, data: bytes = b"",
                device: tuple[int, int] = (0, 0)) -> bytes:
    """One member of a "newc" archive, the format that the kernel unpacks as its first root."""
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + encoded) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def write_initramfs(init: Path, target: Path) -> None:
    members = [
        ("dev", stat.S_IFDIR | 0o755, b"", (0, 0)),
        # The kernel gives it to init as standard input, output and error.
        ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)),
        ("init", stat.S_IFREG | 0o755, init.read_bytes(), (0, 0)),
        ("TRAILER!!!", 0, b"", (0, 0)),
    ]
    target.write_bytes(b"".join(_cpio_entry(number, name, mode, data, device)
                                for number, (name, mode, data, device) in enumerate(members, 1)))


def disk_arguments(disk: Path) -> list[str]:
    """Gives the guest a disk, /dev/nvme0n1: its kernel has no driver for others built in."""
    return ["-drive", f"if=none,id=disk,format=raw,file={disk}",
            "-device", "nvme,drive=disk,serial=1"]


def qemu_arguments(folder: Path, *words: str) -> list[str]:
    """Puts kernel and initramfs into FOLDER, which QEMU sees, and names them.

    WORDS: more on the kernel's command line; NAME=VALUE is in the program's environment."""
    kernel = folder / "vmlinuz"
    shutil.copyfile(qemu.guest_kernel(), kernel)
    initramfs = folder / "initramfs"
    write_initramfs(build_init(folder), initramfs)
    return ["-kernel", str(kernel), "-initrd", str(initramfs), "-no-reboot",
            "-append", " ".join(["console=ttyS0 panic=-1 quiet", *words])]
