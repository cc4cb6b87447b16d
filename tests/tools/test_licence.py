#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl policy licence: what is shown, what is said, the exit status; and its manual's examples.

usage: test_licence.py --build DIR [TEST...]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong

build = Path()


class Licence(unittest.TestCase):
    def ask(self, *arguments: str | bytes, code: int,
            stdout: Any = subprocess.PIPE) -> tuple[str, str]:
        """What it shows and what it says; the exit status must be the given one."""
        done = subprocess.run([build / "poemctl", "policy", "licence", *arguments],
                              stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode(errors="replace"))
        return (done.stdout or b"").decode("ascii"), done.stderr.decode("ascii")

    def ask_json(self, *arguments: str | bytes, code: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("--json", *arguments, code=code)[0])
        self.assertEqual(found["format"], "poemd-licence/1")
        return found

    def test_the_exit_status_is_the_answer(self) -> None:
        for expression, target, code in [
                ("MIT", "GPL-2.0-only", 0),
                ("Apache-2.0", "GPL-2.0-only", 1),
                ("Apache-2.0", "GPL-2.0-or-later", 0),
                ("Apache-2.0", "gpl-3.0-OR-later", 0),
                ("LicenseRef-x", "GPL-3.0-or-later", 1),
                ("NOASSERTION", "GPL-2.0-only", 1)]:
            with self.subTest(expression=expression, target=target):
                shown, said = self.ask(expression, "--with", target, code=code)
                self.assertEqual(said, "")
                self.assertTrue(shown.startswith(expression + "\n"))

    def test_what_is_taken_and_what_fails_is_shown(self) -> None:
        shown, _ = self.ask("cddl-1.0 or (mit and apache-2.0)", "--with", "GPL-2.0-only", code=1)
        self.assertTrue(shown.startswith("CDDL-1.0 OR MIT AND Apache-2.0\n"
                                         "incompatible with GPL-2.0-only\n"))
        self.assertRegex(shown, r"(?m)^  no   CDDL-1\.0$")
        self.assertRegex(shown, r"(?m)^  yes  MIT  \(not chosen")
        self.assertRegex(shown, r"(?m)^ +https://www\.gnu\.org/licenses/license-list\.html#CDDL$")
        shown, _ = self.ask("LicenseRef-x", "--with", "GPL-2.0-only", code=1)
        self.assertIn("not known to be compatible with GPL-2.0-only", shown)

    def test_json(self) -> None:
        found = self.ask_json("gpl-2.0+ AND (Apache-1.1+ OR MIT)", "--with", "GPL-2.0-or-later",
                              code=0)
        self.assertEqual(found["expression"], "GPL-2.0-or-later AND (Apache-1.1+ OR MIT)")
        self.assertEqual((found["with"], found["compatible"], found["gpl_version"]),
                         ("GPL-2.0-or-later", "compatible", 2))
        self.assertEqual([t["taken"] for t in found["terms"]], [True, False, True])
        self.assertEqual(found["terms"][0]["notes"], ["the identifier is deprecated"])
        found = self.ask_json("Apache-1.1+", "--with", "GPL-3.0-or-later", code=0)
        self.assertEqual(found["terms"][0]["taken_as"], "Apache-2.0")
        found = self.ask_json("LicenseRef-x", "--with", "GPL-3.0-or-later", code=1)
        self.assertEqual(found["compatible"], "unknown")
        self.assertIsNone(found["terms"][0]["source"])

    def test_the_answer_ends_with_the_version_of_the_combination(self) -> None:
        for text, target, code, sentence in (
                ("Apache-2.0", "GPL-2.0-or-later", 0, "The combination could be distributed only "
                 "under GPLv3; not with QEMU, which is GPLv2."),
                ("MIT", "GPL-2.0-or-later", 0, "The combination could be distributed under GPLv2 "
                 "or GPLv3; also with QEMU, which is GPLv2."),
                ("GPL-2.0-only", "GPL-2.0-or-later", 0, "The combination could be distributed "
                 "only under GPLv2; also with QEMU, which is GPLv2."),
                ("Apache-2.0", "GPL-2.0-only", 1, "The combination could not be distributed: this "
                 "licence could be combined only with a program under GPLv3; not with QEMU, which "
                 "is GPLv2."),
                ("GPL-2.0-only AND Apache-2.0", "GPL-2.0-or-later", 1, "The combination could not "
                 "be distributed under any version of the GPL; not with QEMU, which is GPLv2."),
                ("LicenseRef-x", "GPL-2.0-only", 1, "It is not known whether the combination "
                 "could be distributed under GPLv2.")):
            with self.subTest(text=text, target=target):
                shown, _ = self.ask(text, "--with", target, code=code)
                self.assertEqual(shown.splitlines()[-1], sentence)
                found = self.ask_json(text, "--with", target, code=code)
                self.assertEqual(found["combination"], sentence)

    def test_without_another_program_the_licence_is_judged_beside_qemu(self) -> None:
        self.assertEqual(self.ask_json("Apache-2.0", code=1)["with"], "GPL-2.0-only")

    def test_a_reference_that_states_to_be_proprietary_is_incompatible(self) -> None:
        for text in ("LicenseRef-Proprietary", "LicenseRef-Qt-Commercial",
                     "LicenseRef-scancode-proprietary-license"):
            shown, _ = self.ask(text, code=1)
            self.assertIn("its name states that it is proprietary", shown)
        for text in ("LicenseRef-free-for-commercial-use", "LicenseRef-non-proprietary"):
            self.assertEqual(self.ask_json(text, code=1)["compatible"], "unknown")

    def test_a_fault_is_pointed_at(self) -> None:
        _, said = self.ask("MIT OR GPLv2", "--with", "GPL-2.0-only", code=2)
        self.assertEqual(said.splitlines()[1:3], ["    MIT OR GPLv2", "           ^^^^^"])
        found = self.ask_json("MIT OR GPLv2", "--with", "GPL-2.0-only", code=2)
        self.assertEqual((found["error"]["name"], found["error"]["at"], found["error"]["length"]),
                         ("unlisted-licence", 7, 5))
        self.assertEqual(found["error"]["hint"], "is GPL-2.0-only meant?")

    def test_foreign_bytes_are_not_shown_raw(self) -> None:
        # self.ask reads both outputs as ASCII.
        for text in (b"MIT \x1b[31m", b"MIT\nOR ISC", b"\xff\xfe", "caf\u00e9".encode()):
            shown, said = self.ask("--json", text, "--with", "GPL-2.0-only", code=2)
            self.assertNotIn("\x1b", shown + said)
            self.assertEqual(json.loads(shown)["error"]["name"], "bad-byte")

    def test_the_command_line(self) -> None:
        for arguments in ([], ["--with", "GPL-2.0-only"], ["MIT", "--with", "MIT"],
                          ["MIT", "OR", "ISC", "--with", "GPL-2.0-only"], ["--what"],
                          ["MIT", "--with", "GPL-2.0"]):
            with self.subTest(arguments=arguments):
                shown, said = self.ask(*arguments, code=2)
                self.assertEqual(shown, "")
                self.assertIn("usage: poemctl policy", said)
        done = subprocess.run([build / "poemctl", "policy", "nonsense"], capture_output=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 2)

    def test_what_cannot_be_written_is_an_error(self) -> None:
        with open("/dev/full", "wb") as full:
            _, said = self.ask("MIT", "--with", "GPL-2.0-only", code=3, stdout=full)
        self.assertIn("No space left", said)

    def test_the_manuals_examples_are_so(self) -> None:
        text = (ROOT / "docs" / "man" / "poemctl-policy.1").read_text()
        examples = re.findall(r"^\$ poemctl policy licence '([^'\n]*)' --with (\S+)\n(.*?)^\.Ed$",
                              text, re.MULTILINE | re.DOTALL)
        self.assertEqual(len(examples), 2)
        for (expression, target, printed), code in zip(examples, (0, 2)):
            shown, said = self.ask(expression, "--with", target, code=code)
            beginning = printed.partition("\\&...")[0]
            self.assertTrue((shown + said).startswith(beginning), shown + said)


def main() -> None:
    global build
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    options, rest = parser.parse_known_args()
    build = options.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
