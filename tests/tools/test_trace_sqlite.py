#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl trace export --sqlite: the tables agree with what show, stats and lint report of the same
trace, and each query of the manual runs and finds something.

usage: test_trace_sqlite.py --build DIR [TEST...]
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MANUAL = Path(__file__).resolve().parents[2] / "docs/man/poemctl-trace-stats.1"
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong

build = Path()


def poemctl(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run([build / "poemctl", *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def queries() -> list[str]:
    """The literal displays of the manual that are queries."""
    found = re.findall(r"^\.Bd -literal -offset indent\n(SELECT.*?)\n\.Ed$", MANUAL.read_text(),
                       re.MULTILINE | re.DOTALL)
    return [query.replace("\\-", "-").replace("\\&", "") for query in found]


class Sqlite(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.trace = Path(folder.name, "t.pcapng")
        self.out = Path(folder.name, "t.db")
        subprocess.run([build / "tests/unit/trace/trace_sample", self.trace], check=True,
                       timeout=PATIENCE)

    def export(self, *words: object) -> sqlite3.Connection:
        done = poemctl("trace", "export", "--sqlite", self.out, *words, self.trace)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        db = sqlite3.connect(self.out)
        self.addCleanup(db.close)
        return db

    def one(self, db: sqlite3.Connection, query: str) -> object:
        return db.execute(query).fetchone()[0]

    def test_each_query_of_the_manual_finds_something(self) -> None:
        db = self.export()
        self.assertEqual(len(queries()), 10)
        for query in queries():
            with self.subTest(query=query):
                self.assertNotEqual(db.execute(query).fetchall(), [])

    def test_agrees_with_stats_and_lint(self) -> None:
        db = self.export()
        stats = json.loads(poemctl("trace", "stats", "--json", self.trace).stdout)
        self.assertEqual(self.one(db, "SELECT count(*) FROM message"), stats["messages"])
        self.assertEqual(self.one(db, "SELECT sum(by_broker) FROM message"), stats["made"])
        lint = [json.loads(line) for line in
                poemctl("trace", "lint", "--json", self.trace).stdout.splitlines()]
        self.assertEqual(
            db.execute("SELECT session.name, finding.number, level, rule FROM finding "
                       "JOIN session ON session.id = finding.session").fetchall(),
            [(line["name"], line.get("number"), line["level"], line["rule"])
             for line in lint if line["type"] == "finding"])

    def test_pairs_are_those_of_show(self) -> None:
        db = self.export()
        shown = {}
        for line in poemctl("trace", "show", "--json", self.trace).stdout.splitlines():
            message = json.loads(line)
            if message["type"] == "message" and message.get("reply"):
                key = (message["name"], message["number"])
                shown[key] = message["reply"]["latency_ns"]
        pairs = {(name, number): latency for name, number, latency in db.execute(
            "SELECT session.name, request.number, latency_ns FROM request "
            "JOIN session ON session.id = request.session WHERE reply IS NOT NULL")}
        self.assertTrue(shown)
        for key, latency in shown.items():
            self.assertEqual(pairs[key], latency)

    def test_a_filter_selects_messages(self) -> None:
        db = self.export("--filter", "command=dma_map")
        self.assertEqual(db.execute("SELECT DISTINCT command FROM message").fetchall(),
                         [("DMA_MAP",)])
        self.assertEqual(self.one(db, "SELECT filter FROM trace"), "command=dma_map")

    def test_a_file_that_exists_is_not_changed(self) -> None:
        self.out.write_text("mine")
        done = poemctl("trace", "export", "--sqlite", self.out, self.trace)
        self.assertEqual(done.returncode, 3)
        self.assertIn("this file exists", done.stderr)
        self.assertEqual(self.out.read_text(), "mine")

    def test_each_name_is_that_of_a_file(self) -> None:
        for name in (":memory:", "file:t.db?mode=memory"):
            with self.subTest(name=name):
                done = subprocess.run([build / "poemctl", "trace", "export", "--sqlite", name,
                                       self.trace], cwd=self.out.parent, check=False,
                                      timeout=PATIENCE)
                self.assertEqual(done.returncode, 0)
                db = sqlite3.connect(self.out.with_name(name))
                self.addCleanup(db.close)
                self.assertGreater(self.one(db, "SELECT count(*) FROM message"), 70)

    def test_a_trace_that_is_cut_off_is_written_as_far_as_it_goes(self) -> None:
        self.trace.write_bytes(self.trace.read_bytes()[:-10])
        done = poemctl("trace", "export", "--sqlite", self.out, self.trace)
        self.assertEqual(done.returncode, 3)
        db = sqlite3.connect(self.out)
        self.addCleanup(db.close)
        self.assertGreater(self.one(db, "SELECT count(*) FROM message"), 70)
        self.assertIn("ends inside", str(self.one(db, "SELECT broken FROM trace")))

    def test_one_form_is_asked_for(self) -> None:
        for words in ((), ("--sqlite", self.out, "--chrome", self.out)):
            self.assertEqual(poemctl("trace", "export", *words, self.trace).returncode, 2)


if __name__ == "__main__":
    build = Path(sys.argv[sys.argv.index("--build") + 1]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
