# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Packages of rpm and the OCI image, made on this machine, unpacked and tried."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from root import SOURCE, output

CONFIG = """\
route edu {
    listen /run/poemd/edu.sock
    backend /run/poemd/device.sock
}
"""


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        # Short: sockets are below it.
        cls.out = Path(tempfile.mkdtemp(prefix="poemd-"))
        cls.addClassCleanup(shutil.rmtree, cls.out)
        output(SOURCE / "packaging/build", "rpm", "oci", "--out", cls.out)

    def folder(self) -> Path:
        path = Path(tempfile.mkdtemp(dir=self.out))
        path.chmod(0o755)
        return path

    def started(self, *command: object) -> None:
        """Starts a server, and returns when it accepts connections."""
        ready, its_end = os.pipe()
        process = subprocess.Popen([*map(str, command), "--ready-fd", str(its_end)],
                                   stdin=subprocess.DEVNULL, pass_fds=[its_end])
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        os.close(its_end)
        self.assertEqual(b"\n", os.read(ready, 1), command)
        os.close(ready)

    def unpack_rpms(self) -> Path:
        """Of all packages but the source and symbols, into one folder, by rpm itself."""
        target = self.folder()
        files = [path for path in self.out.glob("*.rpm")
                 if not path.name.endswith(".src.rpm") and "-debug" not in path.name]
        names = {path.name.split("-0.1.0-")[0] for path in files}
        self.assertEqual({"poemd", "poemctl", "poemd-edu", "libpoem-devel", "poemd-doc"}, names)
        output("rpm", "--root", target, "--initdb")
        # Debian's rpm would otherwise advise against it.
        debian = ["--force-debian"] if Path("/etc/debian_version").exists() else []
        output("rpm", *debian, "--root", target, "--install", "--nodeps", "--noscripts", *files)
        return target

    def test_programs_of_rpm_make_a_session(self) -> None:
        target, folder = self.unpack_rpms(), self.folder()
        self.started(target / "usr/bin/edu", "--socket-path", folder / "device.sock")
        self.started(target / "usr/sbin/poemd", "--listen", folder / "edu.sock",
                     "--backend", folder / "device.sock")
        output(target / "usr/bin/edu-drive", folder / "edu.sock")

    def test_rpm_has_the_unit_and_all_documents(self) -> None:
        target = self.unpack_rpms()
        for path in ("usr/lib/systemd/system/poemd.service", "usr/share/doc/poemd/THREATS",
                     "usr/share/poemd/presets/gpl-only.conf", "usr/share/man/man8/poemd.8.gz"):
            self.assertTrue((target / path).is_file() or (target / path.removesuffix(".gz")).is_file(),
                            path)

    def unpack_image(self) -> tuple[Path, dict[str, object]]:
        archive, = self.out.glob("*.oci.tar")
        print(f"oci: {archive.stat().st_size} bytes", flush=True)
        layout, bundle = self.folder(), self.folder() / "bundle"
        output("tar", "-C", layout, "-xf", archive)
        output("umoci", "unpack", "--image", f"{layout}:0.1.0", bundle)
        config: dict[str, object] = json.loads((bundle / "config.json").read_text())
        return bundle / "rootfs", config

    def test_image_starts_poemd_and_makes_a_session(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("a chroot needs the root user")
        rootfs, config = self.unpack_image()
        process = config["process"]
        assert isinstance(process, dict)
        self.assertEqual(["/usr/sbin/poemd", "--config", "/etc/poemd/poemd.conf"], process["args"])
        (rootfs / "etc/poemd/poemd.conf").write_text(CONFIG)
        run = rootfs / "run/poemd"
        # Another program than those of the image is the device: that of the packages of rpm.
        programs = self.unpack_rpms() / "usr/bin"
        self.started(programs / "edu", "--socket-path", run / "device.sock")
        mounts = 'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" "$@"'
        self.started("unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", mounts,
                     rootfs, *process["args"])
        output(programs / "edu-drive", run / "edu.sock")
        self.assertIn("poemd", output("chroot", rootfs, "/usr/bin/poemctl", "--help"))
