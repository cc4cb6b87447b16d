#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The hook that checks commit messages: which it takes, and what it says of the others."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HOOK = Path(__file__).resolve().parents[2] / "contrib/git-hooks/commit-msg"
BODY = "\n\nWhy, and how it was tested.\n"


def check(message: str) -> str:
    """What the hook says of a message; "" if it takes it."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(message)
        file.flush()
        done = subprocess.run([HOOK, file.name], stderr=subprocess.PIPE, text=True, timeout=60)
    if (done.returncode == 0) != (done.stderr == ""):
        raise AssertionError(f"status {done.returncode}: {done.stderr}")
    return done.stderr


class CommitMessages(unittest.TestCase):
    def test_good_ones(self) -> None:
        for subject in ("base: read numbers in one place", "proxy/relay, trace: one direction",
                        "a: " + "x" * 69):
            self.assertEqual(check(subject + BODY), "", subject)

    def test_of_git_itself(self) -> None:
        for message in ("Merge branch 'a'\n", 'Revert "x"\n', "fixup! base: x\n"):
            self.assertEqual(check(message), "", message)

    def test_comments_and_diffs_are_not_read(self) -> None:
        scissors = "\n# ------------------------ >8 ------------------------\ndiff\n"
        self.assertEqual(check("# hint\nbase: x" + BODY + scissors), "")
        self.assertIn("no body", check("base: x\n\n# only a comment\n" + scissors))

    def test_faults(self) -> None:
        for message, fault in (("read numbers" + BODY, "does not begin with"),
                               ("a: " + "x" * 70 + BODY, "73 characters"),
                               ("base: x." + BODY, "full stop"),
                               ("base: x\nmore\n", "not empty"),
                               ("base: x\n", "no body"),
                               ("", "does not begin with")):
            self.assertIn(fault, check(message), message)


if __name__ == "__main__":
    # As all tests here, it is given --build FOLDER, of which it needs nothing.
    unittest.main(argv=sys.argv[:1])
