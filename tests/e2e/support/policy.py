# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The frame of tests about rules: a broker with an audit log, and a device of a Debian package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Sequence

from . import edu, pci, procs, qemu, wait
from .case import Case

COMPATIBLE = "licence of backend compatible with GPL-2.0-only"  # as QEMU is
PACKAGE = "poemd-test-edu"

# Waits for SIGTERM as the owner of a mount namespace, and ends well.
HOLD = ("import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM});"
        'os.write(int(sys.argv[1]), b"\\n"); signal.sigwait({signal.SIGTERM})')

# Installs the package $2 where nobody else sees it: over /usr and dpkg's database lie layers in $1.
INSTALL = """
mount -t tmpfs none "$1"
for dir in usr var/lib/dpkg; do
    mkdir -p "$1/$dir/upper" "$1/$dir/work"
    mount -t overlay -o "lowerdir=/$dir,upperdir=$1/$dir/upper,workdir=$1/$dir/work" none "/$dir"
done
dpkg --log=/dev/null --no-triggers --install "$2"
"""


class Policy(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()
        self.audit = self.folder / "audit.log"
        self.key = self.folder / "audit.pem"

    def tool(self, *argv: str) -> str:
        done = subprocess.run([self.program("poemctl"), *argv], capture_output=True, text=True,
                              timeout=wait.TIMEOUT_S, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def start_policy(self, backend: Path | str, statements: Sequence[str],
                     global_statements: Sequence[str] = (), inside: Sequence[str] = ()) -> Path:
        """A broker with these rules and an audit log; INSIDE: the command that runs it.

        BACKEND: a socket, or what "backend" says."""
        self.tool("audit", "keygen", "--name", "test", str(self.key))
        listen = self.folder / "policy.sock"
        config = self.folder / "policy.conf"
        config.write_text("\n".join([
            f"audit {self.audit} key {self.key}", *global_statements,
            "route edu {", f"listen {listen}", f"backend {backend}", *statements, "}", ""]))
        argv = [*inside, self.program("poemd"), "--config", str(config)]
        procs.start_ready("poemd", lambda fd: [*argv, "--ready-fd", str(fd)], self.folder,
                          self._children.append)
        return listen

    def use(self, route: Path) -> None:
        """The device works, and QEMU goes."""
        machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"))
        self.assertEqual(120, edu.Edu(pci.Function(machine.qtest, 0, 4)).factorial(5))
        machine.quit()
        machine.close()

    def refused(self, route: Path) -> None:
        machine = self.launch_qemu(qemu.vfio_user("edu0", route))
        self.assertIn("version reply: Permission denied", machine.refusal())

    def verdict(self) -> dict[str, Any]:
        """The only one, in the log of a broker that has been stopped; which verifies."""
        self.assertEqual(0, self.child("poemd").terminate())
        self.tool("audit", "verify", str(self.audit), "--key", f"{self.key}.pub")
        records = [json.loads(line) for line in self.audit.read_text().splitlines()
                   if line.startswith("{")]
        verdicts: list[dict[str, Any]] = [r for r in records if r.get("event") == "verdict"]
        self.assertEqual(1, len(verdicts))
        return verdicts[0]

    def expect(self, verdict: str, taint: str) -> dict[str, Any]:
        record = self.verdict()
        self.assertEqual((verdict, taint), (record["verdict"], record["taint"]),
                         record["rule"]["why"])
        return record


class PackagedPolicy(Policy):
    """Programs in a Debian package, which is installed for this test's processes alone."""

    def build(self, licence: str, *programs: str) -> Path:
        tree = self.folder / "package"
        folder_of_programs = tree / "usr/lib" / PACKAGE
        copyright_file = tree / "usr/share/doc" / PACKAGE / "copyright"
        for folder in (tree / "DEBIAN", folder_of_programs, copyright_file.parent):
            folder.mkdir(parents=True)
        for program in programs or ("edu",):
            shutil.copy(self.program(program), folder_of_programs)
        copyright_file.write_text(
            "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
            f"Files: *\nCopyright: 2026 The poemd authors\nLicense: {licence}\n")
        architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.strip()
        (tree / "DEBIAN/control").write_text(
            f"Package: {PACKAGE}\nVersion: 1\nArchitecture: {architecture}\n"
            "Maintainer: The poemd authors <poemd@example.org>\n"
            "Description: edu for one test\n")
        package = self.folder / "edu.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, package],
                       check=True, stdout=subprocess.DEVNULL, timeout=wait.TIMEOUT_S)
        return package

    def install(self, package: Path) -> list[str]:
        """The command that runs others where the package is installed."""
        layers = self.folder / "layers"
        layers.mkdir()
        private = ["unshare", "--mount", "--propagation", "private", "--"]
        tried = subprocess.run([*private, "sh", "-e", "-c", INSTALL, "sh", layers, package],
                               capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            if os.environ.get("CI") == "true":
                self.fail(tried.stderr)
            self.skipTest(f"no package can be installed for a test alone: {tried.stderr.strip()}")
        argv = [*private, "sh", "-e", "-c", INSTALL + 'exec python3 -c "$3" "$4"', "sh",
                str(layers), str(package), HOLD]
        holder = procs.start_ready("holder", lambda fd: [*argv, str(fd)], self.folder,
                                   self._children.append)
        # In a chroot a mount namespace alone would lead out of it.
        return ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", f"--root=/proc/{holder.pid}/root",
                f"--wd=/proc/{holder.pid}/root", "--"]

    def start_program(self, inside: Sequence[str], name: str, *options: str,
                      environment: Sequence[str] = ()) -> None:
        """Starts a program of the package; INSIDE: see install."""
        argv = [*inside, "env", *environment, f"/usr/lib/{PACKAGE}/{name}", *options]
        procs.start_ready(name, lambda fd: [*argv, "--ready-fd", str(fd)], self.folder,
                          self._children.append)

    def start_packaged(self, licence: str,
                       rules: str = f"{COMPATIBLE} evidence packaged or better",
                       environment: Sequence[str] = ()) -> Path:
        """A device of a package under LICENCE, with a broker in front that has these RULES."""
        inside = self.install(self.build(licence))
        device = self.folder / "packaged.sock"
        self.start_program(inside, "edu", "--socket-path", str(device), environment=environment)
        return self.start_policy(device, [rules], inside=inside)
