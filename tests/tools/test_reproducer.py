#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl trace export --test: sessions of edu, captured by a real poemd, as programs in C and in
Python, run against edu as it was, and against edu with faults.

usage: test_reproducer.py --build DIR [TEST...]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

import test_tools
from test_replay import GET_INFO, READ, ReplayCase, Story, access
from test_tools import MANUALS, PATIENCE

STRICT = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror"]


class Reproducer(ReplayCase):
    def program(self, trace: str, language: str, *options: str) -> list[str]:
        """The command that runs the session."""
        text = self.tool("poemctl", "trace", "export", "--test", language, *options, trace).stdout
        source = self.folder / {"c": "session.c", "python": "session.py"}[language]
        source.write_text(text, encoding="ascii")
        if language == "python":
            return [sys.executable, str(source)]
        built = self.folder / "session"
        subprocess.run([*STRICT, "-o", built, source], check=True, timeout=PATIENCE,
                       stdin=subprocess.DEVNULL)
        return [str(built)]

    def run_program(self, program: list[str], *args: str) -> tuple[int, str]:
        done = subprocess.run([*program, *args], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout + done.stderr

    def each(self, trace: str, *faults: str) -> list[tuple[int, str]]:
        """What the programs in both languages say of edu with these faults."""
        said = []
        for language in "c", "python":
            program = self.program(trace, language)
            with self.subTest(language=language), self.edu(*faults) as path:
                said.append(self.run_program(program, path))
        return said

    def test_same(self) -> None:
        for client in (["edu-drive"], ["edu-drive", "--no-mmap"], ["poemctl", "probe"]):
            with self.subTest(client=client):
                for status, text in self.each(self.capture(client)):
                    self.assertEqual(status, 0, text)
                    self.assertIn("same: ", text)

    def test_differences_are_named(self) -> None:
        trace = self.capture(["poemctl", "probe"])
        for status, text in self.each(trace, "--fault", "error:DEVICE_GET_INFO:22"):
            self.assertEqual(status, 1, text)
            self.assertRegex(text, r"message \d+ \(DEVICE_GET_INFO reply\): error is 22 "
                                   r"\(Invalid argument\), recorded ")
        for status, text in self.each(trace, "--fault", "oversized:DEVICE_GET_INFO:8"):
            self.assertEqual(status, 1, text)
            self.assertIn("(DEVICE_GET_INFO reply): size is 40, recorded 32", text)

    def test_fields_are_named(self) -> None:
        """A made trace, since no fault of edu changes a field alone."""
        story = Story(begin=False)
        offer = b'\0\0\0\0{"capabilities":{}}\0'
        story.ask(0, 1, offer)
        story.answer(0, 1, offer)
        story.ask(1, GET_INFO, bytes([16, 0, 0, 0]) + bytes(12))
        story.answer(1, GET_INFO, bytes([16, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0]))
        story.ask(2, READ, access(0, 0, 4))
        story.answer(2, READ, access(0, 0, 4, b"\1\0\0\0"))
        trace = self.write(story)
        for language in "c", "python":
            program = self.program(trace, language)
            with self.edu() as path:
                status, text = self.run_program(program, path)
            self.assertEqual(status, 1, text)
            self.assertIn("(DEVICE_GET_INFO reply): num_regions is 0x9, recorded 0x8", text)
            self.assertRegex(text, r"\(REGION_READ reply\): data byte 0 is 0xed, recorded 0x1")

    def test_dead_device(self) -> None:
        trace = self.capture(["edu-drive"])
        for language in "c", "python":
            program = self.program(trace, language)
            self.assertEqual(self.run_program(program, str(self.folder / "none"))[0], 3)
            self.assertEqual(self.run_program(program)[0], 2)
            with self.dying() as path:
                status, text = self.run_program(program, path)
            self.assertEqual(status, 3, text)
            self.assertIn("the device closed the connection before message ", text)

    def test_a_program_that_cannot_run(self) -> None:
        """No file may have a size, so there is no memory to map."""
        def no_memory() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

        trace = self.capture(["edu-drive"])
        for language in "c", "python":
            program = self.program(trace, language)
            with self.subTest(language=language), self.edu() as path:
                done = subprocess.run([*program, path], capture_output=True, text=True,
                                      timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False,
                                      preexec_fn=no_memory)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn("File too large", done.stderr)

    def dying(self) -> contextlib.AbstractContextManager[str]:
        def serve(client: socket.socket) -> None:
            test_tools.take(client)
        return self.script(serve)

    def test_the_examples_of_the_manual(self) -> None:
        manual = (MANUALS / "poemctl-trace-stats.1").read_text(encoding="ascii")
        lines = [line[2:] for line in manual.splitlines()
                 if line.startswith("$ ") and "session" in line]
        self.assertEqual(len(lines), 4)
        os.rename(self.capture(["edu-drive"]), self.folder / "session.pcapng")
        with self.edu() as path:
            os.symlink(path, self.folder / "device.sock")
            done = subprocess.run(["sh", "-ec", "\n".join(lines)], capture_output=True, text=True,
                                  timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False,
                                  cwd=self.folder,
                                  env={**os.environ,
                                       "PATH": f"{test_tools.build}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("same: "), 2)

    def test_the_head_says_what_is_missing(self) -> None:
        story = Story()
        story.ask(1, READ, access(0, 0, 4))
        story.answer(1, READ, access(0, 0, 4, b"abcd"), kept=32)
        trace = self.write(story)
        for language in "c", "python":
            text = self.tool("poemctl", "trace", "export", "--test", language, trace).stdout
            self.assertIn("message 4 (REGION_READ reply): 4 of 36 bytes are not in the trace, and "
                          "are not checked", text)
            self.assertIn("message 3 (REGION_READ): BAR0+0x0, 4", text)

    def test_a_trace_cannot_add_code(self) -> None:
        offer = b'\0\0\0\0{"*/":"int x = \'\';","/*":"\\n"}\0'
        # In UTF-7, "+AAo-" is the end of a line, and so of a comment of Python's.
        for route in "*/ int x = ''; /*", "\nimport os\n", "coding: utf-7 +AAo-exit(9)":
            story = Story(begin=False, route=route)
            story.ask(0, 1, offer)
            story.answer(0, 1, offer)
            trace = self.write(story)
            for language in "c", "python":
                with self.subTest(route=route, language=language):
                    self.assertEqual(self.run_program(self.program(trace, language))[0], 2)

    def test_session(self) -> None:
        trace = self.write(Story())
        whole = self.tool("poemctl", "trace", "export", "--test", "c", trace).stdout
        one = self.tool("poemctl", "trace", "export", "--test", "c", "--session", "1", trace)
        self.assertEqual(one.stdout, whole)
        none = self.tool("poemctl", "trace", "export", "--test", "c", "--session", "7", trace,
                         status=3)
        self.assertIn("the trace has no message of that session", none.stderr)
        wrong = self.tool("poemctl", "trace", "export", "--chrome", "-", "--session", "1", trace,
                          status=2)
        self.assertIn("--session is for --test", wrong.stderr)

    def test_what_cannot_be_written(self) -> None:
        story = Story()
        story.ask(1, READ, access(0, 0, 4), kept=20)
        done = self.tool("poemctl", "trace", "export", "--test", "c", self.write(story), status=3)
        self.assertIn("message 3 (REGION_READ) cannot be sent", done.stderr)
        done = self.tool("poemctl", "trace", "export", "--test", "c", "--sqlite", "x", "y",
                         status=2)
        self.assertIn("one of --chrome, --sqlite and --test is needed", done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=Path)
    known, rest = parser.parse_known_args()
    test_tools.build = known.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
