# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Debian's packages: built twice, installed, used, upgraded under a session, removed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
import time
import unittest
from pathlib import Path

from root import SOURCE, Root, copy_tree, output

BUILD_PACKAGES = ("build", "package")
MAIN_JOB = "debian/tests/main-job"
SOCKET = "/run/poemd/edu.sock"
# Nothing is uploaded to Debian, so there is no report of a package that is wanted.
LINTIAN = ["--allow-root", "--suppress-tags", "initial-upload-closes-no-bugs", "--fail-on",
           "error,warning"]
CONFIG = """control /run/poemd/control.sock
route edu {
    listen /run/poemd/edu.sock
    backend /run/edu.sock
}
"""
ACCOUNTS = ["poemd-exporter", "poemd-inspector", "poemd-tracer", "poemd-worker"]


class Session:
    """A client of vfio-user that stays; DEVICE_GET_INFO is answered while its session lives."""

    def __init__(self, root: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        # A path may have 107 bytes: shorter by way of an fd.
        folder = os.open(root / "run/poemd", os.O_PATH)
        self.sock.connect(f"/proc/self/fd/{folder}/edu.sock")
        os.close(folder)
        self.sock.settimeout(60)
        self.ask(1, struct.pack("<HH", 0, 0) + b'{"capabilities":{}}\0')

    def ask(self, command: int, payload: bytes) -> bytes:
        self.sock.sendall(struct.pack("<HHIII", 7, command, 16 + len(payload), 0, 0) + payload)
        _, _, size, flags, error = struct.unpack("<HHIII", self.sock.recv(16, socket.MSG_WAITALL))
        assert flags == 1, f"an error reply: {os.strerror(error)}"
        return self.sock.recv(size - 16, socket.MSG_WAITALL)

    def device_regions(self) -> int:
        regions: int = struct.unpack("<IIII", self.ask(4, struct.pack("<IIII", 16, 0, 0, 0)))[2]
        return regions


class Debian(unittest.TestCase):
    """One release. The packages are built once, in a root of their own."""

    release = ""
    builder: Root

    @classmethod
    def setUpClass(cls) -> None:
        if os.geteuid() != 0:
            raise unittest.SkipTest("roots need the root user")
        cls.builder = Root(cls.release)
        cls.addClassCleanup(cls.builder.remove)
        names = output(SOURCE / "contrib/packages", "--list", *BUILD_PACKAGES).split()
        if cls.release != "bookworm":
            names.append("systemd-dev")
        cls.builder.install(*names)
        begin = time.monotonic()
        cls.debs = cls.build("/srv/poemd")
        sizes = " ".join(f"{deb.name.split('_')[0]}={deb.stat().st_size}" for deb in cls.debs)
        print(f"{cls.release}: built in {time.monotonic() - begin:.0f} s; bytes: {sizes}", flush=True)

    @classmethod
    def build(cls, tree: str, *environment: str, umask: str = "022") -> list[Path]:
        copy_tree(cls.builder.path / tree.lstrip("/"))
        cls.builder.run("env", "DEB_BUILD_OPTIONS=nocheck", *environment, "sh", "-c",
                        f"umask {umask}; {tree}/packaging/build deb --out {tree}-packages")
        return sorted(Path(f"{cls.builder.path}{tree}-packages").glob("*.deb"))

    def fresh(self) -> Root:
        root = Root(self.release)
        self.addCleanup(root.remove)
        folder = root.path / "packages"
        folder.mkdir()
        for deb in self.debs:
            if "-dbgsym_" not in deb.name:
                shutil.copy(deb, folder)
        copy_tree(root.path / "srv/poemd")
        shutil.copytree(root.path / "srv/poemd/packaging/debian", root.path / "srv/poemd/debian")
        return root

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait()

    def install(self, root: Root, *names: str) -> str:
        return root.install(*(f"/packages/{deb.name}" for deb in self.debs
                              if deb.name.split("_")[0] in names))


class Bookworm(Debian):
    release = "bookworm"

    def test_another_build_elsewhere_has_the_same_bytes(self) -> None:
        others = self.build("/opt/another/user", "TZ=Asia/Kolkata", "HOME=/nonexistent", "LC_ALL=C",
                            "TMPDIR=/var/tmp", "USER=somebody", umask="027")
        self.assertEqual([deb.name for deb in self.debs], [deb.name for deb in others])
        self.assertGreater(len(others), 5)
        for one, other in zip(self.debs, others):
            self.assertEqual(hashlib.sha256(one.read_bytes()).hexdigest(),
                             hashlib.sha256(other.read_bytes()).hexdigest(), one.name)

    def test_lintian_has_no_finding(self) -> None:
        changes, = self.debs[0].parent.glob("*.changes")
        output("lintian", *LINTIAN, changes)

    def test_main_job_on_a_fresh_system(self) -> None:
        root = self.fresh()
        begin = time.monotonic()
        self.install(root, "poemd", "poemctl", "poemd-edu")
        installed = time.monotonic()
        root.run("sh", "-c", f"cd /srv/poemd && {MAIN_JOB} edu-drive {SOCKET}")
        print(f"{self.release}: installed in {installed - begin:.0f} s, a session and its report"
              f" {time.monotonic() - installed:.1f} s later", flush=True)

    def test_a_guest_of_a_stock_qemu_uses_the_device(self) -> None:
        """Debian 12 has no QEMU with vfio-user: that of contrib/qemu/root stands in."""
        qemu = Path(output(SOURCE / "contrib/qemu/root").splitlines()[-1])
        kernel = max(qemu.glob("boot/vmlinuz-*-cloud-amd64"))
        root = self.fresh()
        self.install(root, "poemd", "poemctl", "poemd-edu")
        root.install("gcc", "libc6-dev", "libevent-dev", "libssl-dev", "python3", "util-linux", "mount")
        output("cp", "-a", qemu, root.path / "qemu")  # device nodes as such
        run = "/srv/poemd/contrib/qemu/run --root /qemu --bind /run/poemd --"
        root.run("env", f"QEMU={run}", f"KERNEL=/qemu/{kernel.relative_to(qemu)}", "sh", "-c",
                 f"cd /srv/poemd && {MAIN_JOB} debian/tests/guest {SOCKET}")

    def next_version(self, root: Root) -> list[str]:
        """The same packages under a higher version, as they are in the root."""
        paths = []
        (root.path / "next").mkdir()
        for deb in root.path.glob("packages/poem[dc]*_amd64.deb"):
            name = deb.name.split("_")[0]
            root.run("dpkg-deb", "--raw-extract", f"/packages/{deb.name}", f"/next/{name}")
            control = root.path / "next" / name / "DEBIAN/control"
            control.write_text(re.sub(r"(?<=[ (])(= )?0\.1\.0-1\b", r"\g<1>0.1.0-2",
                                      control.read_text()))
            root.run("dpkg-deb", "--build", f"/next/{name}", f"/packages/{name}_next.deb")
            paths.append(f"/packages/{name}_next.deb")
        self.assertEqual(3, len(paths))
        return paths

    def test_upgrade_keeps_sessions_and_purge_leaves_nothing(self) -> None:
        root = self.fresh()
        self.install(root, "poemd", "poemctl", "poemd-edu")
        (root.path / "etc/poemd/poemd.conf").write_text(CONFIG)
        device = root.start("edu", "--socket-path", "/run/edu.sock")
        self.addCleanup(self.end, device)
        broker = root.start("poemd", "--config", "/etc/poemd/poemd.conf")
        self.addCleanup(self.end, broker)
        session = Session(root.path)
        self.addCleanup(session.sock.close)
        self.assertEqual(9, session.device_regions(), root.log())

        said = root.install(*self.next_version(root))
        self.assertEqual(9, session.device_regions(), said + root.log())
        self.assertIsNone(broker.poll(), root.log())
        program = os.readlink(f"/proc/{broker.pid}/exe")
        if "upgrade" in root.run("poemctl", "--help"):
            self.assertIn("goes on as the new version, with its sessions", said)
            self.assertNotIn("(deleted)", program)
        else:
            self.assertIn("goes on as version 0.1.0-1:", said)

        session.sock.close()
        self.end(broker)
        self.end(device)
        root.run("apt-get", "-q", "-y", "purge", "poemd", "poemctl", "poemd-edu")
        left = [path for path in root.path.rglob("*poem*")
                if path.relative_to(root.path).parts[0] not in ("packages", "next", "srv", "proc")]
        self.assertEqual([], left)
        accounts = re.findall(r"^(\S*poem\S*?):", (root.path / "etc/passwd").read_text(), re.MULTILINE)
        self.assertEqual(ACCOUNTS, sorted(accounts))


class Trixie(Debian):
    release = "trixie"

    def test_autopkgtest_with_the_qemu_of_the_packages(self) -> None:
        """Also of a guest: backports have a QEMU with vfio-user."""
        root = self.fresh()
        tree = root.path.with_suffix(".tree")
        self.addCleanup(shutil.rmtree, tree)
        shutil.copytree(root.path / "srv/poemd", tree)
        said = root.with_mounts("autopkgtest", f"{tree}/",
                                *(deb for deb in self.debs if "-dbgsym_" not in deb.name),
                                "--", "chroot", root.path)
        summary = dict(re.findall(r"^(\S+) +(PASS|FAIL|SKIP)", said, re.MULTILINE))
        self.assertEqual({"session": "PASS", "qemu": "PASS", "library": "PASS"}, summary, said)


del Debian  # only its releases are tests
