#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl trace stats, export, extract and diff: what they show and write, and their exit status.

usage: test_trace_stats.py --build DIR [--golden] [TEST...]

--golden writes tests/golden/trace-{stats,chrome,diff}.* anew instead of comparing with them.
"""

from __future__ import annotations

import collections
import fcntl
import json
import math
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unittest
from pathlib import Path

import trace_made
from trace_made import BACKEND, CLIENT, REGION_READ, REGION_WRITE, Trace, message

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
YES, NO, USAGE, COULD_NOT = range(4)

build = Path()
write_golden = False


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def trace(self, *arguments: object, status: int = YES,
              given: bytes | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([build / "poemctl", "trace", *map(str, arguments)], text=False,
                              capture_output=True, timeout=PATIENCE, input=given or b"",
                              check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, (arguments, done.stdout[-500:], done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode("ascii"),
                                           done.stderr.decode("ascii"))

    def write(self, name: str, content: object) -> Path:
        path = self.folder / name
        path.write_bytes(bytes(content))  # type: ignore[call-overload]
        return path

    def sample(self) -> Path:
        path = self.folder / "sample.pcapng"
        subprocess.run([build / "tests/unit/trace/trace_sample", path], check=True, timeout=PATIENCE)
        return path

    def golden(self, name: str, text: str) -> None:
        if write_golden:
            (GOLDEN / name).write_text(text)
        else:
            self.assertEqual(text.splitlines(), (GOLDEN / name).read_text().splitlines())

    def stats(self, *arguments: object, status: int = YES, given: bytes | None = None) -> dict:
        return json.loads(self.trace("stats", "--json", *arguments, status=status,
                                     given=given).stdout)

    def check_broken(self, *action: object) -> None:
        """No file, no trace, a damaged one, one that is cut off, and one of nothing."""
        self.assertIn("No such file", self.trace(*action, "absent", status=COULD_NOT).stderr)
        self.trace(*action, self.write("text", b"hello, this is no trace at all\n"),
                   status=COULD_NOT)
        whole = bytes(self.sample().read_bytes())
        cut = self.trace(*action, self.write("cut", whole[:5000]), status=COULD_NOT)
        self.assertIn("ends inside a block", cut.stderr)
        self.assertEqual(cut.stderr.count("\n"), 1)
        damaged = self.trace(*action, self.write("damaged", whole[:2000] + b"\xff" * 64 +
                                                 whole[2064:]), status=COULD_NOT)
        self.assertIn("offset", damaged.stderr)


class Stats(Case):
    def test_golden(self) -> None:
        self.sample()
        self.golden("trace-stats.txt", self.trace("stats", "sample.pcapng").stdout)
        self.golden("trace-stats.json", self.trace("stats", "--json", "sample.pcapng").stdout)

    def test_numbers(self) -> None:
        """Against the same made in another language."""
        chance = random.Random(3)
        trace = Trace()
        trace.session(5, "r")
        latencies = [int(chance.lognormvariate(math.log(20000), 1)) for _ in range(3000)]
        time = 0
        for i, latency in enumerate(latencies):
            trace.access(time, latency, REGION_READ, 0, 4 * (i % 8), number=i, passed=100 + i % 50,
                         error=5 if i % 100 == 0 else 0)
            time += latency + 1000
        shown = self.stats(self.write("t", trace))
        (command,) = shown["commands"]
        truth = sorted(latencies)
        self.assertEqual((command["requests"], command["replies"], command["errors"]),
                         (3000, 3000, 30))
        self.assertEqual(command["bytes"], 3000 * 32 + 2970 * 36 + 30 * 16)
        for key, exact in (("median_ns", truth[1499]), ("p99_ns", truth[2969])):
            self.assertLessEqual(abs(command["latency"][key] - exact), exact / 256, key)
        self.assertEqual(command["latency"]["max_ns"], truth[-1])
        self.assertEqual(command["latency"]["min_ns"], truth[0])
        self.assertEqual(command["latency"]["mean_ns"], sum(truth) // 3000)
        self.assertEqual(sum(n for _, _, n in command["latency"]["histogram"]), 3000)
        (region,) = shown["regions"]
        self.assertEqual(region["cell_reads"][::4], [375] * 8)
        self.assertEqual((region["name"], region["first"], region["last"]), ("BAR0", "0x0", "0x1c"))
        passed = [100 + i % 50 for i in range(3000)]
        self.assertEqual(shown["senders"]["client"]["passed"]["max_ns"], max(passed))
        self.assertEqual(shown["broker"]["own_ns"], 2 * sum(passed))
        self.assertEqual(shown["broker"]["whole_ns"], sum(truth) + sum(passed))
        columns = shown["time"]["columns"]
        self.assertEqual(sum(c["client"] for c in columns), 3000)
        self.assertEqual(sum(c["errors"] for c in columns), 30)

    def test_filter_and_pipe(self) -> None:
        whole = self.sample().read_bytes()
        shown = self.stats("--filter", "command=dma_map", "-", given=whole)
        self.assertEqual([c["command"] for c in shown["commands"]], ["DMA_MAP"])
        self.assertEqual((shown["file"], shown["filter"]), ("-", "command=dma_map"))
        self.assertEqual(self.stats("--filter", "session=999", "-", given=whole)["messages"], 0)
        self.trace("stats", "--filter", "colour=red", "-", status=USAGE, given=whole)

    def test_losses_are_told(self) -> None:
        trace = Trace()
        trace.session()
        trace.access(0, 5000, REGION_READ, 0, 0)
        trace.say(9000, CLIENT, message(trace_made.RESET), lost=4)
        trace.statistics(10000, lost=9)
        path = self.write("t", trace)
        self.assertEqual(self.stats(path)["lost"], 9)
        self.assertIn("9 messages are missing in the trace", self.trace("stats", path).stdout)

    def test_empty(self) -> None:
        shown = self.stats(self.write("t", Trace()))
        self.assertEqual((shown["messages"], shown["commands"], shown["begin"]), (0, [], None))
        self.assertIn("0 in 0 sessions", self.trace("stats", "t").stdout)

    def test_usage(self) -> None:
        for arguments in ((), ("a", "b"), ("--html",), ("--colour", "a")):
            self.trace("stats", *arguments, status=USAGE)

    def test_broken(self) -> None:
        self.check_broken("stats")
        shown = self.stats(self.folder / "cut", status=COULD_NOT)
        self.assertGreater(shown["messages"], 10)
        self.assertIn("ends inside a block", shown["broken"])

    def test_page_is_not_written_over_the_trace(self) -> None:
        path = self.sample()
        before = path.read_bytes()
        self.trace("stats", "--html", "sample.pcapng", path, status=COULD_NOT)
        self.assertEqual(path.read_bytes(), before)
        self.trace("stats", "--html", "no/such/folder", path, status=COULD_NOT)
        self.assertEqual(self.trace("stats", "--html", "-", path).stdout.count("<html"), 1)

    def test_full_disk(self) -> None:
        if not Path("/dev/full").exists():
            self.skipTest("no /dev/full")
        path = self.sample()
        for arguments in (("stats", "--html", "/dev/full"), ("export", "--chrome", "/dev/full"),
                          ("extract", "-w", "/dev/full")):
            self.assertIn("No space left", self.trace(*arguments, path, status=COULD_NOT).stderr)

    def terminal(self, columns: int, locale: str) -> str:
        """What a terminal of that width gets."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        with subprocess.Popen([build / "poemctl", "trace", "stats", self.sample()],
                              stdin=subprocess.DEVNULL, stdout=follower,
                              env={**os.environ, "LC_ALL": locale}) as process:
            os.close(follower)
            shown = b""
            while True:
                try:
                    piece = os.read(leader, 65536)
                except OSError:
                    break  # the other end is closed
                if not piece:
                    break
                shown += piece
        os.close(leader)
        self.assertEqual(process.returncode, YES)
        return shown.decode()

    def test_pictures_on_a_terminal(self) -> None:
        for columns in (60, 100, 200):
            for locale, bar in (("C.UTF-8", "█"), ("C", "#")):
                with self.subTest(columns=columns, locale=locale):
                    shown = self.terminal(columns, locale)
                    pictures = shown[shown.index("Latency of all requests"):].splitlines()
                    drawn = [line for line in pictures if "│" in line or "|" in line]
                    self.assertGreater(len(drawn), 5)
                    self.assertTrue(any(bar in line for line in drawn))
                    self.assertLessEqual(max(map(len, drawn)), columns)
                    # The longest bar and the maps use what there is.
                    self.assertGreater(max(map(len, drawn)), columns * 3 // 4)
                    self.assertEqual(shown.isascii(), locale == "C")
                    self.assertNotIn("\x1b", shown)

    def test_nothing_is_drawn_in_a_pipe(self) -> None:
        shown = self.trace("stats", self.sample()).stdout
        self.assertNotIn("Latency of all", shown)
        self.assertIn("REGION_READ", shown)

    def test_foreign_names(self) -> None:
        trace = Trace()
        trace.session(1, "a\x1b[2Jb\n\u00e9")
        trace.access(0, 5000, REGION_READ, 0, 0)
        trace.say(9000, CLIENT, message(trace_made.RESET), comment="unseen: \x1b[31m\u2028")
        path = self.write("t\x1b[1m", trace)
        for arguments in (("stats", path), ("stats", "--json", path),
                          ("export", "--chrome", "-", path), ("diff", path, path)):
            self.assertNotIn("\x1b", self.trace(*arguments).stdout)


class Memory(Case):
    """What is needed does not grow with a trace."""

    def peak(self, *arguments: object) -> int:
        """In KiB. A sanitizer keeps what was freed, unless told."""
        with open("/dev/null", "wb") as nothing:
            process = subprocess.Popen(
                [build / "poemctl", "trace", *map(str, arguments)], stdin=subprocess.DEVNULL,
                stdout=nothing, cwd=self.folder,
                env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=0:detect_leaks=0"})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertIn(process.returncode, (YES, NO), arguments)
        return usage.ru_maxrss

    def test_peaks(self) -> None:
        one = bytes(trace_made.busy(3000))
        start = sum(len(body) + 12 for _, body in blocks(one)[:2])
        self.write("one", one)
        ten = self.write("ten", one + 9 * one[start:])
        self.write("odd", bytes(trace_made.busy(3000, seed=2)) + 9 * one[start:])
        self.assertGreater(ten.stat().st_size, 8 << 20)
        for name, before, after in (("stats", (), ()), ("stats", ("--json",), ()),
                                    ("stats", ("--html", "out"), ()),
                                    ("export", ("--chrome", "out"), ()),
                                    ("extract", ("-w", "out"), ()),
                                    ("diff", (), ("odd",))):
            with self.subTest(name, before=before):
                small = self.peak(name, *before, "one", *after)
                large = self.peak(name, *before, "ten", *after)
                self.assertLess(large - small, 2048)


class Export(Case):
    def export(self, content: object, *arguments: object) -> list[dict]:
        self.trace("export", "--chrome", "out.json", *arguments, self.write("t", content))
        exported = json.loads((self.folder / "out.json").read_text())
        self.assertEqual(exported["displayTimeUnit"], "ns")
        self.check(exported["traceEvents"])
        return exported["traceEvents"]

    def check(self, events: list[dict]) -> None:
        """The rules of the format that viewers rely on."""
        names: dict[str, set] = {"process_name": set(), "thread_name": set()}
        slices = collections.defaultdict(list)
        flows: dict[int, list[dict]] = collections.defaultdict(list)
        pairs = collections.defaultdict(list)
        for e in events:
            self.assertIn(e["ph"], "MXibesfC")
            self.assertIsInstance(e["pid"], int)
            self.assertIsInstance(e["tid"], int)
            self.assertIsInstance(e["name"], str)
            if e["ph"] == "M":
                if e["name"] in names:
                    names[e["name"]].add((e["pid"], e["tid"]))
                continue
            self.assertGreaterEqual(e["ts"], 0)
            if e["ph"] == "X":
                self.assertGreaterEqual(e["dur"], 0)
                slices[e["pid"], e["tid"]].append((round(e["ts"] * 1000),
                                                   round((e["ts"] + e["dur"]) * 1000)))
            elif e["ph"] in "be":
                pairs[e["cat"], e["id"]].append(e)
            elif e["ph"] in "sf":
                flows[e["id"]].append(e)
            elif e["ph"] == "C":
                self.assertTrue(all(isinstance(v, (int, float)) for v in e["args"].values()))
        for thread, spans in slices.items():
            self.assertIn(thread, names["thread_name"])
            self.assertIn((thread[0], 0), names["process_name"])
            spans.sort()
            for before, after in zip(spans, spans[1:]):
                self.assertLessEqual(before[1], after[0], f"slices of {thread} overlap")
        for begun, ended in pairs.values():
            self.assertEqual((begun["ph"], ended["ph"]), ("b", "e"))
            self.assertLessEqual(begun["ts"], ended["ts"])
        for start, finish in flows.values():
            self.assertEqual((start["ph"], finish["ph"], finish["bp"]), ("s", "f", "e"))
            self.assertLessEqual(start["ts"], finish["ts"])
            for e in (start, finish):
                at = round(e["ts"] * 1000)
                self.assertTrue(any(a <= at <= b for a, b in slices[e["pid"], e["tid"]]),
                                "a flow's end lies on no slice")

    def test_golden(self) -> None:
        self.export(self.sample().read_bytes())
        self.golden("trace-chrome.json", (self.folder / "out.json").read_text())

    def test_busy(self) -> None:
        events = self.export(trace_made.busy(5000))
        kinds = collections.Counter(e["ph"] for e in events)
        self.assertEqual(kinds["X"], 5000)
        self.assertGreater(kinds["s"], 50)
        self.assertEqual(kinds["s"], kinds["f"])
        self.assertGreater(kinds["C"], 5)
        errors = [e for e in events if e["ph"] == "X" and "error" in e["args"]]
        self.assertEqual({e["args"]["error_name"] for e in errors}, {"EINVAL"})

    def test_many_at_once(self) -> None:
        """More requests wait at once than there are lanes; some are posted; some never answered."""
        trace = Trace()
        trace.session()
        for i in range(100):
            trace.say(i * 100, CLIENT, message(REGION_WRITE, struct.pack("<QII", 0, 0, 0), number=i,
                                               flags=trace_made.NO_REPLY if i % 5 == 0 else 0))
        for i in range(100):
            if i % 5 and i % 7:
                trace.say(20000 + i * 100, BACKEND,
                          message(REGION_WRITE, struct.pack("<QII", 0, 0, 0), number=i,
                                  flags=trace_made.REPLY))
        events = self.export(trace)
        spans = [e for e in events if e["ph"] in "Xb"]
        self.assertEqual(len(spans), 100)
        self.assertTrue(any(e["ph"] == "b" for e in spans))
        self.assertEqual(sum("no_reply" in e["args"] for e in spans), 20)
        self.assertEqual(sum("unanswered" in e["args"] for e in spans), 12)

    def test_read_out_of_order(self) -> None:
        """Directions are read independently: a later block may have been read earlier."""
        chance = random.Random(4)
        trace = Trace()
        trace.session()
        for i in range(400):
            trace.access(i * 1000 + chance.randrange(4000), chance.randrange(9000), REGION_WRITE, 0,
                         0, number=i)
            trace.say(i * 1000 + chance.randrange(4000), BACKEND,
                      message(trace_made.DMA_READ, struct.pack("<QQ", 0, 64), number=i))
        self.export(trace)

    def test_sessions_are_processes(self) -> None:
        trace = Trace()
        for number in (3, 4, 5):
            trace.session(number, f"r{number}")
        for i in range(30):
            trace.access(i * 50000, 9000, REGION_READ, 0, 0, interface=i % 3, number=i)
        events = self.export(trace)
        self.assertEqual({e["args"]["name"] for e in events if e["name"] == "process_name"},
                         {"r3/3", "r4/4", "r5/5"})
        self.assertEqual(self.export(trace, "--filter", "session=99"), [])

    def test_nothing(self) -> None:
        self.assertEqual(self.export(Trace()), [])

    def test_broken(self) -> None:
        self.check_broken("export", "--chrome", "out.json")
        self.trace("export", "--chrome", "out.json", self.folder / "cut", status=COULD_NOT)
        self.check(json.loads((self.folder / "out.json").read_text())["traceEvents"])

    def test_usage_and_source(self) -> None:
        path = self.sample()
        before = path.read_bytes()
        for arguments in ((path,), ("--chrome", "x"), ("--perfetto", "x", path)):
            self.trace("export", *arguments, status=USAGE)
        self.trace("export", "--chrome", path, path, status=COULD_NOT)
        self.assertEqual(path.read_bytes(), before)


def blocks(content: bytes) -> list[tuple[int, bytes]]:
    """Types and bodies."""
    found = []
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        found.append((kind, content[at + 8:at + size - 4]))
        at += size
    return found


class Extract(Case):
    def extract(self, path: Path, *arguments: object, status: int = YES) -> list[tuple[int, bytes]]:
        self.trace("extract", *arguments, "-w", "out.pcapng", path, status=status)
        return blocks((self.folder / "out.pcapng").read_bytes())

    def show(self) -> dict:
        return self.stats(self.folder / "out.pcapng")

    def two(self) -> Path:
        """Two sessions, losses, an end."""
        trace = Trace(payload="64")
        trace.session(7, "a", verdict="allow", audit=12)
        trace.session(8, "b")
        for i in range(20):
            trace.access(i * 1_000_000, 5000, REGION_READ if i % 2 else REGION_WRITE, 0, 4 * i,
                         number=i, interface=i % 2)
            if i == 10:
                trace.say(i * 1_000_000 + 8000, CLIENT, message(trace_made.RESET, number=99),
                          lost=6)
        trace.statistics(21_000_000, interface=0, lost=6, ended="client closed")
        trace.statistics(21_000_000, interface=1)
        return self.write("two", trace)

    def test_all_of_it_is_the_same(self) -> None:
        path = self.sample()
        taken = self.extract(path)
        given = blocks(path.read_bytes())
        self.assertEqual([k for k, _ in taken], [k for k, _ in given])
        # Statistics are told at other times; all else is byte by byte the same.
        self.assertEqual([b for k, b in taken if k in (1, 6)], [b for k, b in given if k in (1, 6)])

    def test_session(self) -> None:
        taken = self.extract(self.two(), "--session", 7)
        self.assertEqual(sum(k == 1 for k, _ in taken), 1)
        shown = self.show()
        self.assertEqual([(s["session"], s["route"], s["messages"], s["lost"], s["ended"])
                          for s in shown["sessions"]], [(7, "a", 21, 6, True)])
        comments = (self.folder / "out.pcapng").read_text("latin-1")
        for kept in ('"filter":"session=7"', '"payload":"64"', '"audit":12', "a client and a backend",
                     '"ended":"client closed"' if '"ended":"client closed"' in comments
                     else '"ended": "client closed"'):
            self.assertIn(kept, comments)
        self.assertNotIn('"late"', comments)

    def test_span(self) -> None:
        taken = self.extract(self.two(), "--after", "0.0085", "--before", "0.0125")
        shown = self.show()
        self.assertEqual({(s["session"], s["messages"], s["lost"]) for s in shown["sessions"]},
                         {(7, 5, 6), (8, 4, 0)})
        self.assertEqual([k for k, _ in taken].count(5), 2)
        # Their VERSION would have been before.
        self.assertIn('"late":true', (self.folder / "out.pcapng").read_text("latin-1"))
        self.assertEqual(self.show()["broken"], None)

    def test_losses_come_with_what_is_left(self) -> None:
        """What was lost before a message that is not wanted is told by the next one that is."""
        self.extract(self.two(), "--filter", "command=region_write")
        self.assertEqual(self.show()["lost"], 6)
        told = [struct.unpack_from("<I", body, 20 + 28 + 28)[0]
                for k, body in blocks((self.folder / "out.pcapng").read_bytes()) if k == 6]
        self.assertEqual(sum(told), 6)

    def test_filters_are_told_together(self) -> None:
        self.extract(self.two(), "--filter", "command=region_write")
        first = self.folder / "first"
        shutil.move(self.folder / "out.pcapng", first)
        self.extract(first, "--session", 7)
        self.assertIn('"filter":"command=region_write session=7"',
                      (self.folder / "out.pcapng").read_text("latin-1"))

    def test_errors_with_their_requests(self) -> None:
        trace = Trace()
        trace.session()
        for i in range(10):
            trace.access(i * 100000, 5000, REGION_READ, 0, 0, number=i, error=22 if i == 4 else 0)
        self.extract(self.write("t", trace), "--filter", "errors")
        (command,) = self.show()["commands"]
        self.assertEqual((command["requests"], command["errors"]), (1, 1))

    def test_nothing_is_wanted(self) -> None:
        taken = self.extract(self.two(), "--session", 99, status=NO)
        self.assertEqual([k for k, _ in taken], [0x0a0d0d0a])
        self.extract(self.write("t", Trace()), status=NO)

    def test_not_over_its_source(self) -> None:
        path = self.sample()
        before = path.read_bytes()
        os.link(path, self.folder / "linked")
        os.symlink(path, self.folder / "symlinked")
        for name in ("sample.pcapng", "linked", "symlinked"):
            said = self.trace("extract", "-w", name, path, status=COULD_NOT).stderr
            self.assertIn("the input trace", said)
        self.assertEqual(path.read_bytes(), before)

    def test_from_and_to_pipes(self) -> None:
        whole = self.sample().read_bytes()
        done = subprocess.run([build / "poemctl", "trace", "extract", "-w", "-", "-"], input=whole,
                              stdout=subprocess.PIPE, check=True, timeout=PATIENCE)
        self.assertEqual(len(blocks(done.stdout)), len(blocks(whole)))

    def test_broken_and_usage(self) -> None:
        self.check_broken("extract", "-w", "out.pcapng")
        self.trace("extract", "-w", "out.pcapng", self.folder / "cut", status=COULD_NOT)
        self.assertGreater(self.show()["messages"], 10)
        path = self.sample()
        for arguments in ((path,), ("-w", "x"), ("--session", "one", "-w", "x", path),
                          ("--after", "soon", "-w", "x", path), ("--session", "1 2", "-w", "x", path),
                          ("--filter", "x" * 5000, "-w", "x", path)):
            self.trace("extract", *arguments, status=USAGE)

    @unittest.skipUnless(shutil.which("tshark"), "no tshark")
    def test_tshark_reads_it(self) -> None:
        self.extract(self.two(), "--session", 7)
        done = subprocess.run(["tshark", "-r", self.folder / "out.pcapng", "-T", "fields", "-e",
                               "frame.interface_name"], capture_output=True, text=True, check=True,
                              timeout=PATIENCE)
        self.assertEqual(done.stdout.split(), ["a/7"] * 21)


class Diff(Case):
    def run_of(self, *, seed: int, shift: int = 0, changed: int = -1, extra: int = -1,
               count: int = 40) -> bytes:
        """What the same device and guest say, with ids, times, inodes and challenges of their own."""
        chance = random.Random(seed)
        fresh = "%064x" % chance.getrandbits(256)
        trace = Trace()
        trace.session(chance.randrange(1, 9999))
        number = chance.randrange(60000)
        offer = json.dumps({"capabilities": {}, "poem": {"v": 1, "challenge": fresh}}).encode()
        trace.say(0, CLIENT, message(trace_made.VERSION, struct.pack("<HH", 0, 1) + offer + b"\0",
                                     number=number), legs=1)
        inodes = [chance.randrange(1, 1 << 40) for _ in range(3)]
        for i, kind in enumerate((trace_made.MEMFD, trace_made.MEMFD, trace_made.FILE)):
            place = struct.pack("<IIQQQ", 32, 3, 0, i << 20, 1 << 20)
            trace.say(1000 + i, CLIENT, message(trace_made.DMA_MAP, place, number=number + i + 1),
                      fds=(trace_made.descriptor(kind, inodes[i], 1 << 20),))
            trace.say(2000 + i, BACKEND, message(trace_made.DMA_MAP, number=number + i + 1,
                                                 flags=trace_made.REPLY))
        for i in range(count):
            data = struct.pack("<I", i + (1 if i == changed else 0))
            trace.access(shift + 10000 * i, chance.randrange(2000, 9000), REGION_WRITE, 0, 4 * i,
                         data, number=number + 10 + i)
            if i == extra:
                trace.access(shift + 10000 * i + 9500, 100, REGION_READ, 7, 0, number=number + 9)
        return bytes(trace)

    def diff(self, a: bytes, b: bytes, *arguments: str, status: int) -> str:
        self.write("a", a)
        self.write("b", b)
        return self.trace("diff", *arguments, "a", "b", status=status).stdout

    def test_two_runs_are_the_same(self) -> None:
        said = self.diff(self.run_of(seed=1), self.run_of(seed=2, shift=77), status=YES)
        self.assertEqual(said, "87 messages are the same, 0 only in -, 0 only in +\n")

    def test_one_value_differs(self) -> None:
        said = self.diff(self.run_of(seed=1), self.run_of(seed=2, changed=20), status=NO)
        lines = said.splitlines()
        self.assertEqual([line[0] for line in lines[3:-2]], [*"   -+   "])
        self.assertEqual([line for line in lines if line[:1] in "-+"][:2], ["--- a", "+++ b"])
        gone, come = (line for line in lines if re.match(r"[-+]client", line))
        self.assertIn("0x00000014", gone)
        self.assertIn("0x00000015", come)
        self.assertRegex(lines[2], r"^@@ -\d+ at 0\.\d{6} s")

    def test_something_more(self) -> None:
        shown = json.loads(self.diff(self.run_of(seed=1), self.run_of(seed=2, extra=10), "--json",
                                     status=NO))
        self.assertEqual((shown["format"], shown["same"], shown["common"], shown["only_a"],
                          shown["only_b"]), ("poemd-trace-diff/1", False, 87, 0, 2))
        self.assertEqual([d["only"] for d in shown["differences"]], ["b", "b"])
        self.assertIn("REGION_READ(config+0x0", shown["differences"][0]["text"])

    def test_other_memory(self) -> None:
        """The same object twice is not two objects."""
        a, b = Trace(), Trace()
        for trace, inodes in ((a, (5, 6)), (b, (5, 5))):
            trace.session()
            for i, inode in enumerate(inodes):
                trace.say(i, CLIENT, message(trace_made.DMA_MAP,
                                             struct.pack("<IIQQQ", 32, 3, 0, i << 20, 1 << 20)),
                          fds=(trace_made.descriptor(trace_made.MEMFD, inode),))
        said = self.diff(bytes(a), bytes(b), status=NO)
        self.assertIn("memfd#2", said)

    def test_bytes_that_are_not_shown(self) -> None:
        a, b = Trace(), Trace()
        for trace, last in ((a, b"a"), (b, b"b")):
            trace.session()
            trace.access(0, 10, REGION_WRITE, 0, 0, bytes(60) + last)
        said = self.diff(bytes(a), bytes(b), status=NO)
        gone, come = (line[1:] for line in said.splitlines() if re.match(r"[-+]client", line))
        self.assertNotEqual(gone, come)

    def test_sample_with_itself_and_golden(self) -> None:
        path = self.sample()
        self.trace("diff", path, path)
        self.trace("extract", "--filter", "!command=region_read", "-w", "part.pcapng", path)
        self.golden("trace-diff.txt", self.trace("diff", "sample.pcapng", "part.pcapng",
                                                 status=NO).stdout)

    def test_far_longer_than_a_window(self) -> None:
        said = self.diff(self.run_of(seed=1, count=9000),
                         self.run_of(seed=2, count=9000, changed=7000, extra=4000), status=NO)
        self.assertIn("18006 messages are the same, 1 only in -, 3 only in +", said)

    def test_losses_are_told(self) -> None:
        trace = Trace()
        trace.session()
        trace.say(0, CLIENT, message(trace_made.RESET), lost=3)
        self.assertIn("3 messages are not in -", self.diff(bytes(trace), bytes(trace), status=YES))

    def test_empty(self) -> None:
        self.diff(bytes(Trace()), bytes(Trace()), status=YES)
        self.diff(bytes(Trace()), self.run_of(seed=1), status=NO)

    def test_broken_and_usage(self) -> None:
        path = self.sample()
        self.check_broken("diff", path)
        cut = self.folder / "cut"
        shown = json.loads(self.trace("diff", "--json", path, cut, status=COULD_NOT).stdout)
        self.assertFalse(shown["whole"])
        for arguments in ((path,), (path, path, path), ("-", "-"), ("--side", path, path)):
            self.trace("diff", *arguments, status=USAGE)
        self.trace("diff", "-", path, given=path.read_bytes())


def main() -> None:
    global build, write_golden
    arguments = sys.argv[1:]
    while arguments and arguments[0] in ("--build", "--golden"):
        if arguments[0] == "--build":
            build = Path(arguments[1]).resolve()
            del arguments[:2]
        else:
            write_golden = True
            del arguments[0]
    unittest.main(argv=[sys.argv[0], *arguments], verbosity=2)


if __name__ == "__main__":
    main()
