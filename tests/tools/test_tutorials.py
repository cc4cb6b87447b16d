#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Runs the commands of docs/tutorials, and compares what they print; validates docs/LIBVIRT.

A line "    $ COMMAND" is given to a shell, with the lines "    > TEXT" that follow it. All other
lines with that indent are its output: "..." stands for any text in a line, alone for any lines.

usage: test_tutorials.py --build DIR [TEST...]
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import test_control
import test_tools
from test_tools import PATIENCE, Tools

DOCS = Path(__file__).resolve().parents[2] / "docs"
INDENT = "    "
# A line that no command prints, in which its exit status follows.
END = "-- end of the command --"


class Step:
    """A command, and the output that its tutorial shows."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.expected: list[str] = []

    def pattern(self) -> str:
        out = ""
        for line in self.expected:
            if line == "...":
                out += r"(?:[^\n]*\n)*"
            else:
                out += r"[^\n]*".join(re.escape(x) for x in line.split("...")) + "\n"
        return out


def steps_of(text: str) -> list[Step]:
    steps: list[Step] = []
    for line in text.splitlines():
        if line.startswith(f"{INDENT}$ "):
            steps.append(Step(line[len(INDENT) + 2:]))
        elif line.startswith(f"{INDENT}>"):
            steps[-1].command += "\n" + line[len(INDENT) + 2:]
        elif line.startswith(INDENT):
            steps[-1].expected.append(line[len(INDENT):])
    return steps


class Tutorials(Tools):
    def follow(self, name: str) -> None:
        steps = steps_of((DOCS / "tutorials" / name).read_text())
        self.assertGreater(len(steps), 5)
        script = "".join(f"{s.command}\necho '{END}'\n" for s in steps) + "kill $(jobs -p); wait\n"
        environment = dict(os.environ, PATH=f"{test_tools.build}:{os.environ['PATH']}")
        environment.pop("POEMD_CONTROL", None)
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
        printed = done.stdout.split(f"{END}\n")
        for step, text in zip(steps, printed):
            self.assertRegex(text, rf"\A{step.pattern()}\Z", f"{name}: {step.command}")
        self.assertEqual(len(printed), len(steps) + 1, done.stdout)

    def test_debug_a_device(self) -> None:
        self.follow("debug-a-device")

    def test_forty_vms(self) -> None:
        self.folder.chmod(0o755)
        self.follow("forty-vms")

    def test_first_report(self) -> None:
        self.follow("first-report")


class Libvirt(Tools):
    @unittest.skipUnless(shutil.which("virt-xml-validate") and shutil.which("xmllint"),
                         "libvirt's schemas are not installed: contrib/packages schemas")
    def test_domain(self) -> None:
        text = (DOCS / "LIBVIRT").read_text()
        domain = self.folder / "domain.xml"
        domain.write_text(text[text.index(f"{INDENT}<domain"):text.index("</domain>") + 9])
        done = subprocess.run(["virt-xml-validate", domain, "domain"], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    # Only the tests of this file.
    del Tools
    test_control.main()
