# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A kernel with fs-verity and IMA, Debian's own, measures a file in a guest, where the broker's own
functions read its digest and its list."""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

from support import guest
from support.case import Case

BLOCK = 4096
# Of enum inspection_ima.
LISTED, ABSENT, NO_SHA256 = 1, 2, 3


def verity_digest(data: bytes) -> str:
    """The fs-verity digest of a file with SHA-256, blocks of 4 KiB and no salt."""
    level = data
    while len(level) > BLOCK or level is data:
        level = b"".join(hashlib.sha256(level[at:at + BLOCK].ljust(BLOCK, b"\0")).digest()
                         for at in range(0, len(level), BLOCK))
    root = level if len(level) == 32 else hashlib.sha256(level.ljust(BLOCK, b"\0")).digest()
    return hashlib.sha256(struct.pack("<BBBBIQ64s32s144x", 1, 1, 12, 0, 0, len(data), root,
                                      b"")).hexdigest()


class Measured(Case):
    def _disk(self) -> Path:
        mkfs = shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin")
        if mkfs is None:
            self.skipTest("no mkfs.ext4")
        disk = self.folder / "disk"
        with open(disk, "wb") as image:
            image.truncate(32 << 20)
        subprocess.run([mkfs, "-q", "-O", "verity", "-b", str(BLOCK), str(disk)], check=True)
        return disk

    def test_a_file_on_a_real_kernel(self) -> None:
        if guest.compiler() is None:
            self.skipTest("no C compiler to build the guest's program with")
        data = guest.build_init(self.folder).read_bytes() + b"measured"
        digest = hashlib.sha256(data).hexdigest()
        machine = self.launch_qemu(accel="tcg", extra=[
            *guest.qemu_arguments(self.folder, "ima_policy=tcb", f"measure={digest}"),
            *guest.disk_arguments(self._disk())])
        said = self.hear_guest(machine)
        self.assertIn(f"ima after: {LISTED}, PCR 10", said)
        self.assertTrue({f"ima before: {ABSENT}, PCR 0", f"ima before: {NO_SHA256}, PCR 0"} &
                        set(said), said)
        self.assertIn("verity before: ", said)
        self.assertIn(f"verity after: sha256:{verity_digest(data)}", said)
        lists = [line.removeprefix("list ") for line in said if line.startswith("list ")]
        self.assertTrue(any(f" sha256:{digest} /disk/program" in line for line in lists), lists)
