# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A test of poemctl audit, with the folder, log and key that each begins with."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PATIENCE = 120  # seconds; only ever waited out where something has gone wrong


class AuditCase(unittest.TestCase):
    build = Path()  # where poemctl is; set by run()

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.log = self.folder / "audit.log"
        self.key = self.folder / "key.pub"
        self.said = self.audit("keygen", "--name", "example.org/poemd", self.folder / "key").stdout

    def audit(self, *arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([self.build / "poemctl", "audit", *map(str, arguments)], text=True,
                              capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def files(self) -> list[Path]:
        """The log's files, the oldest first."""
        return [*sorted(self.folder.glob("audit.log.0*")), self.log]


def set_build(usage: str | None) -> None:
    """Takes --build DIR from the command line, or exits with the usage."""
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        print(usage)
        sys.exit(2)
    AuditCase.build = Path(sys.argv[2]).resolve()


def run() -> int:
    """Runs the tests of the main module, or those that the command line names."""
    return 0 if unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False).result \
        .wasSuccessful() else 1
