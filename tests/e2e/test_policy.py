# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A stock QEMU, and edu as a device process of which more or less is known."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support import qemu, wait
from support.policy import COMPATIBLE, PACKAGE, PackagedPolicy, Policy


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


class Packaged(PackagedPolicy):
    """edu in a Debian package, which is installed for this test's processes alone."""

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
