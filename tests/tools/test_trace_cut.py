#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A trace that ends at any byte: Wireshark's own reader takes what stands before, and so does
poemctl; neither is silent about the cut.

usage: test_trace_cut.py --build DIR [TEST...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
PATIENCE = 240  # seconds; only ever waited out where something has gone wrong
# The step through exhaustive ranges: every byte only in tests/run soak.
STEP = 1 if os.environ.get("POEMD_SOAK") else 7
PACKET = 6
BATCH = 500

build = Path()


def ends(data: bytes) -> list[tuple[int, bool]]:
    """Where each block ends, and whether it is a packet."""
    found = []
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("=II", data, at)
        at += size
        found.append((at, kind == PACKET))
    return found


class Cut(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        sample = self.folder / "sample"
        subprocess.run([build / "tests" / "unit" / "trace" / "trace_sample", sample], check=True)
        self.data = sample.read_bytes()
        self.ends = ends(self.data)

    def packets(self, size: int) -> int:
        """How many of them are whole in so many bytes."""
        return sum(1 for end, packet in self.ends if packet and end <= size)

    def cut(self, size: int) -> Path:
        path = self.folder / f"{size:05}"
        path.write_bytes(self.data[:size])
        return path

    def places(self) -> list[int]:
        """Round some blocks' ends, and in their middle."""
        chosen = self.ends[0:3] + self.ends[30:32] + self.ends[-2:]
        cuts = {end + by for end, _ in chosen for by in (-30, -1, 0, 1)}
        return sorted(cut for cut in cuts if self.ends[0][0] <= cut <= len(self.data))

    def test_every_byte_in_wiresharks_reader(self) -> None:
        # What ends inside the section header it may take for a file of another kind.
        sizes = range(self.ends[0][0], len(self.data) + 1)
        between = {end for end, _ in self.ends}
        for begin in range(0, len(sizes), BATCH):
            batch = sizes[begin:begin + BATCH:STEP]
            paths = [self.cut(size) for size in batch]
            done = subprocess.run(["capinfos", "-T", "-r", "-M", "-c", *paths], text=True,
                                  capture_output=True, timeout=PATIENCE, check=False)
            counts = dict(line.split("\t") for line in done.stdout.splitlines())
            for size, path in zip(batch, paths):
                # One that ends before its first interface does is in no line.
                self.assertEqual(counts.get(str(path), "0"), str(self.packets(size)), path.name)
                complains = f'The file "{path}" appears to have been cut short' in done.stderr
                self.assertEqual(complains, size not in between, path.name)
                path.unlink()

    def test_tshark(self) -> None:
        for size in self.places():
            with self.subTest(size=size):
                done = subprocess.run(["tshark", "-r", self.cut(size)], text=True,
                                      capture_output=True, timeout=PATIENCE, check=False)
                self.assertEqual(len(done.stdout.splitlines()), self.packets(size))
                whole = size in {end for end, _ in self.ends}
                self.assertEqual(done.returncode == 0, whole, done.stderr)
                self.assertEqual("cut short" in done.stderr, not whole)

    def test_poemctl(self) -> None:
        for size in self.places():
            with self.subTest(size=size):
                done = subprocess.run([build / "poemctl", "trace", "stats", "--json",
                                       self.cut(size)], text=True, capture_output=True,
                                      timeout=PATIENCE, check=False)
                whole = size in {end for end, _ in self.ends}
                self.assertEqual(done.returncode, 0 if whole else 3, done.stderr)
                self.assertEqual("the file ends inside" in done.stderr, not whole)
                self.assertIn(f'"messages": {self.packets(size)}', done.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", type=Path, required=True)
    arguments, rest = parser.parse_known_args()
    build = arguments.build.resolve()
    if not (shutil.which("tshark") and shutil.which("capinfos")):
        print("no tshark here", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *rest])
