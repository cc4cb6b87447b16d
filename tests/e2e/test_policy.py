# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A stock QEMU, and edu as a device process of which more or less is known."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Sequence

from support import edu, pci, procs, qemu, wait
from support.case import Case

COMPATIBLE = "licence of backend compatible with GPL-2.0-or-later"
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


class UnknownProgram(Policy):
    """edu as it was built: with a note, but no package owns it, and nobody has signed for it."""

    def test_is_refused(self) -> None:
        self.refused(self.start_policy(self.start_edu(), [f"{COMPATIBLE} evidence packaged"]))
        record = self.expect("deny", "E")
        self.assertIn("noted (elf-note", record["rule"]["why"])
        self.assertIn('to allow it, provide evidence of grade "packaged" or higher',
                      self.child("poemd").log())

    def test_is_let_in_tainted(self) -> None:
        self.use(self.start_policy(self.start_edu(),
                                   [f"{COMPATIBLE} evidence packaged", "otherwise taint"]))
        self.expect("allow-tainted", "E")

    def test_its_own_word_is_less_than_a_package(self) -> None:
        device = self.start_edu("edu", "--recite", "--licence", "GPL-2.0-or-later")
        self.use(self.start_policy(device, [f"{COMPATIBLE} evidence packaged", "otherwise taint",
                                            "demand recital from backend"]))
        record = self.expect("allow-tainted", "E")
        self.assertIn(("backend", "recited", "GPL-2.0-or-later"),
                      [(e["of"], e["grade"], e["licence"]) for e in record["evidence"]])

    def test_qemu_is_known_by_its_path_and_the_device_is_not(self) -> None:
        self.refused(self.start_policy(self.start_edu(), ["allow backend exe /usr/bin/true"]))
        record = self.expect("deny", "EI")
        self.assertTrue(record["client"]["exe"]["path"].endswith("/qemu-system-x86_64"))
        self.assertTrue(record["backend"]["exe"]["path"].endswith("/edu"))


class Attested(Policy):
    """An envelope says under which licence edu is."""

    def start_behind(self) -> Path:
        """A broker with a device that recites to it."""
        config, listen = self.folder / "behind.conf", self.folder / "behind.sock"
        config.write_text(f"route behind {{\nlisten {listen}\n"
                          f"backend {self.start_edu('edu', '--recite')}\n"
                          "demand recital from backend\n}\n")
        self._start("behind", "poemd", ["--config", str(config)])
        return listen

    def start_attested(self, licence: str, trusted: bool = True, program: str = "edu",
                       rules: str = f"{COMPATIBLE} evidence signed or better") -> Path:
        key, public, envelope = (self.folder / name for name in ("v.pem", "v.pub.pem", "edu.dsse"))
        for command in (["genpkey", "-algorithm", "ed25519", "-out", key],
                        ["pkey", "-in", key, "-pubout", "-out", public]):
            subprocess.run(["openssl", *command], check=True, timeout=wait.TIMEOUT_S)
        self.tool("attest", "--licence", licence, "--key", str(key), "-o", str(envelope),
                  self.program(program))
        return self.start_policy(
            self.start_edu() if program == "edu" else self.start_behind(), [rules],
            [f"envelope {envelope}", *([f"trust-key {public}"] if trusted else [])])

    def test_is_let_in(self) -> None:
        self.use(self.start_attested("GPL-2.0-or-later"))
        record = self.expect("allow", "-")
        self.assertEqual([("backend", "signed", "GPL-2.0-or-later")],
                         [(e["of"], e["grade"], e["licence"]) for e in record["evidence"]
                          if e["grade"] != "noted"])

    def test_under_another_licence_is_refused(self) -> None:
        self.refused(self.start_attested("CC-BY-NC-4.0"))
        self.expect("deny", "P")

    def test_gpl_only_admits_version_2(self) -> None:
        self.use(self.start_attested("GPL-2.0-only", rules="preset gpl-only"))
        self.expect("allow", "-")

    def test_gpl_only_admits_the_broker_itself(self) -> None:
        self.use(self.start_attested("GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception",
                                     program="poemd", rules="preset gpl-only"))
        self.expect("allow", "-")

    def test_gpl_only_refuses_apache_beside_qemu(self) -> None:
        self.refused(self.start_attested("Apache-2.0", rules="preset gpl-only"))
        record = self.expect("deny", "C")
        self.assertIn("incompatible with GPL-2.0-only: Apache-2.0", record["rule"]["why"])

    def test_by_nobody_trusted_is_refused(self) -> None:
        self.refused(self.start_attested("GPL-2.0-or-later", trusted=False))
        self.expect("deny", "E")


class Spawned(Policy):
    """edu as the broker starts it."""

    def start_spawned(self, *statements: str) -> Path:
        command = f"'{self.program('edu')}' --fd %fd"
        return self.start_policy(f'spawn "{command}" user {os.getuid()}', statements)

    def test_works_again_and_again(self) -> None:
        route = self.start_spawned("same-process end")
        for _ in range(3):
            self.use(route)
        self.assertEqual(0, self.child("poemd").terminate())
        log = self.child("poemd").log()
        self.assertEqual(3, log.count("exited with status 0 after its session"), log)
        self.assertEqual(3, log.count("wrote: edu: info: a client has connected"), log)

    def test_is_the_process_that_was_started(self) -> None:
        self.use(self.start_spawned(f"allow backend exe {self.program('edu')}",
                                    f"{COMPATIBLE} evidence packaged", "otherwise taint"))
        record = self.expect("allow-tainted", "E")
        self.assertIn(f"device pid={record['backend']['pid']} started", self.child("poemd").log())
        self.assertEqual(os.getuid(), record["backend"]["uid"])

    def test_that_cannot_be_started_is_refused(self) -> None:
        route = self.start_policy('spawn "/nowhere/edu %fd"', [])
        machine = self.launch_qemu(qemu.vfio_user("edu0", route))
        self.assertIn("version reply: Connection refused", machine.refusal())


class Packaged(Policy):
    """edu in a Debian package, which is installed for this test's processes alone."""

    def build(self, licence: str) -> Path:
        tree = self.folder / "package"
        program = tree / "usr/lib" / PACKAGE / "edu"
        copyright_file = tree / "usr/share/doc" / PACKAGE / "copyright"
        for folder in (tree / "DEBIAN", program.parent, copyright_file.parent):
            folder.mkdir(parents=True)
        shutil.copy(self.program("edu"), program)
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
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, package], check=True,
                       stdout=subprocess.DEVNULL, timeout=wait.TIMEOUT_S)
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

    def start_packaged(self, licence: str) -> Path:
        inside = self.install(self.build(licence))
        device = self.folder / "packaged.sock"
        argv = [*inside, f"/usr/lib/{PACKAGE}/edu", "--socket-path", str(device)]
        procs.start_ready("edu", lambda fd: [*argv, "--ready-fd", str(fd)], self.folder,
                          self._children.append)
        return self.start_policy(device, [f"{COMPATIBLE} evidence packaged or better"],
                                 inside=inside)

    def test_is_let_in(self) -> None:
        self.use(self.start_packaged("GPL-2+"))
        record = self.expect("allow", "-")
        self.assertIn(("packaged", "dpkg", "GPL-2.0-or-later"),
                      [(e["grade"], e["source"], e["licence"]) for e in record["evidence"]
                       if e["of"] == "backend"])

    def test_under_another_licence_is_refused(self) -> None:
        self.refused(self.start_packaged("BSD-4-clause"))
        record = self.expect("deny", "C")
        self.assertIn("packaged (dpkg", record["rule"]["why"])

    def test_leaves_nothing_installed(self) -> None:
        self.install(self.build("GPL-2+"))
        self.assertFalse(Path("/usr/lib", PACKAGE).exists())
        self.assertNotEqual(0, subprocess.run(["dpkg", "--status", PACKAGE], check=False,
                                              capture_output=True).returncode)
