# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""How runners of long tests report, in the lines that tests/support/tally counts."""

from __future__ import annotations

import time
import traceback
import unittest
from typing import Any


class Outcome(unittest.TestResult):
    """One line a test as it ends; failures with their reason at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0
        self.failed: set[str] = set()
        self._begin = time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._begin = time.monotonic()

    def _line(self, word: str, test: unittest.TestCase, more: str = "") -> None:
        seconds = time.monotonic() - self._begin
        print(f"{word:4} {test.id()} ({seconds:.1f} s){more}", flush=True)

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1
        self._line("ok", test)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._failure(test, err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._failure(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failure(test, err)

    def _failure(self, test: unittest.TestCase, err: Any) -> None:
        # A test may fail in itself and again in what is to be found clean after it: it counts once.
        if test.id() not in self.failed:
            self.failed.add(test.id())
            self._line("FAIL", test)
        traceback.print_exception(*err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._line("skip", test, f": {reason}")

    def counts(self) -> tuple[int, int, int]:
        """How many passed, failed, were skipped."""
        return self.passed, len(self.failed), len(self.skipped)

    def close(self) -> int:
        """Prints the counts; returns the exit status."""
        print("{} passed, {} failed, {} skipped".format(*self.counts()))
        return 1 if self.failed else 0
