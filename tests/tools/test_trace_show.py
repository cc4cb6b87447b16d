#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl trace show and trace lint on the sample trace, on files that end anywhere, on files that
grow, and on sessions of real peers.

usage: test_trace_show.py --build DIR [--update] [TEST...]

--update writes tests/golden/trace-* anew instead of comparing.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
MANUAL = ROOT / "docs" / "man" / "poemctl-trace.1"
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
NEVER_MS = 1000 * PATIENCE
LATE_MS = 3000  # is waited out, and must not be while what is answered is answered
YES, NO, USAGE, COULD_NOT = range(4)

build = Path()
update = False


def run(*arguments: object, status: int = YES, **more: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([build / "poemctl", "trace", *map(str, arguments)], text=True,
                          capture_output=True, timeout=PATIENCE, check=False,
                          **{"stdin": subprocess.DEVNULL, **more})
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done


class Sample(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.sample()

    def sample(self, *blocks: int) -> Path:
        path = self.folder / "sample.pcapng"
        subprocess.run([build / "tests/unit/trace/trace_sample", path, *map(str, blocks)], check=True,
                       timeout=PATIENCE, stdin=subprocess.DEVNULL)
        return path


class Golden(Sample):
    """What the sample looks like, to the byte."""

    def compare(self, name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.write_text(text)
        self.assertEqual(path.read_text(), text, f"{name} differs; --update writes it anew")

    def test_text(self) -> None:
        self.compare("trace-show.txt", run("show", self.file).stdout)

    def test_verbose(self) -> None:
        shown = run("show", "-v", "--time", "absolute", self.file).stdout
        self.compare("trace-show-verbose.txt", shown)
        self.assertEqual(shown, run("show", "--verbose", "--time=absolute", self.file).stdout)

    def test_json(self) -> None:
        shown = run("show", "--json", self.file).stdout
        for line in shown.splitlines():
            json.loads(line)
        self.compare("trace-show.json", shown)

    def test_lint(self) -> None:
        self.compare("trace-lint.txt", run("lint", self.file, status=NO).stdout)
        shown = run("lint", "--json", self.file, status=NO).stdout
        summary = json.loads(shown.splitlines()[-1])
        found = [json.loads(line) for line in shown.splitlines()[:-1]]
        self.assertEqual(summary["errors"], sum(f["level"] == "error" for f in found))
        self.compare("trace-lint.json", shown)


class Show(Sample):
    def test_text_and_json_agree(self) -> None:
        """Each line of the one is an object of the other, with the same command and id."""
        text = [line for line in run("show", self.file).stdout.splitlines()
                if re.match(r" +\d+\.\d{6} ", line)]
        messages = [o for o in map(json.loads, run("show", "--json", self.file).stdout.splitlines())
                    if o["type"] == "message"]
        self.assertEqual(len(text), len(messages))
        for line, o in zip(text, messages):
            fields = line.split()
            self.assertEqual(fields[1], o["name"])
            self.assertEqual(int(fields[3]), o["id"])
            self.assertIn(o["command"], line)

    def test_delta(self) -> None:
        lines = run("show", "--time", "delta", "--filter", "command=DMA_MAP",
                    self.file).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines if "DMA_MAP" in line], ["+", "+"])
        self.assertIn("+    0.000000", lines[1])
        self.assertIn("+    0.000010", lines[3])

    def test_local_time(self) -> None:
        def times(how: str) -> list[str]:
            lines = run("show", "--time", how, self.file,
                        env={"TZ": "AAA-5:30"}).stdout.splitlines()
            return [line.split()[0] for line in lines if re.match(r"\d{4}-", line)]

        there = times("local")
        self.assertTrue(there)
        for local, utc in zip(there, times("absolute"), strict=True):
            self.assertTrue(local.endswith("+05:30"))
            self.assertEqual(datetime.datetime.fromisoformat(local),
                             datetime.datetime.fromisoformat(utc))

    def test_bytes(self) -> None:
        lines = run("show", "-x", "--filter", "command=DMA_MAP", self.file).stdout.splitlines()
        rows = [line for line in lines if re.match(r" +(-->|<--) [0-9a-f]{4}  ", line)]
        self.assertEqual([line for line in lines if line not in rows],
                         run("show", "--filter", "command=DMA_MAP", self.file).stdout.splitlines())
        # A request of 48 bytes, and its reply of 16, which repeats the header.
        self.assertEqual([line.split()[:2] for line in rows[:4]],
                         [["-->", "0000"], ["-->", "0010"], ["-->", "0020"], ["<--", "0000"]])
        self.assertEqual(rows[0].split()[2:6], rows[3].split()[2:6])
        for row in rows:
            self.assertLessEqual(len(row), 80)

    def test_bytes_that_were_not_kept(self) -> None:
        shown = run("show", "--hex", self.file).stdout
        self.assertRegex(shown, r"\n +\d+ more bytes were not kept\n")

    def test_filter(self) -> None:
        lines = run("show", "--filter", "errors", self.file).stdout.splitlines()
        shown = [line for line in lines if not line.startswith("===")]
        self.assertTrue(shown)
        for line in shown:
            self.assertRegex(line, r" = -E[A-Z]+ <")
        # nvme0/2 has none, and is not spoken of.
        self.assertFalse([line for line in lines if "nvme0" in line])
        # Times are the trace's, not the filter's.
        whole = run("show", self.file).stdout
        for line in shown:
            self.assertIn(line, whole)

    def test_since_and_until(self) -> None:
        begin = datetime.datetime.fromtimestamp(1795410000, datetime.timezone.utc)

        def shown(*options: str, zone: str = "UTC") -> list[str]:
            said = run("show", "--json", *options, self.file, env={"TZ": zone}).stdout
            return [o["time"] for o in map(json.loads, said.splitlines()) if "time" in o]

        whole = shown()
        at = begin.strftime("%Y-%m-%d %H:%M:%S")
        early = [t for t in whole if t < "1795410000.000480000"]
        self.assertTrue(0 < len(early) < len(whole))
        self.assertEqual(shown("--since", at), whole)
        self.assertEqual(shown("--until", at + ".00048"), early)
        self.assertEqual(shown("--since", at + ".00048"), whole[len(early):])
        self.assertEqual(shown("--since", at.replace(" ", "T") + ".00048Z", zone="AAA-5:30"),
                         whole[len(early):])
        self.assertEqual(shown("--until", at + ".00048", zone="AAA-5:30"), [])
        self.assertEqual(shown("--until", at[:10]), [])
        self.assertEqual(shown("--since", at[:10], "--filter", "errors"),
                         shown("--filter", "errors"))
        # An hour alone is one of today, when the trace is older or younger than that.
        self.assertEqual(sorted(shown("--since", "00:00Z") + shown("--until", "00:00Z")), whole)

    def on_terminal(self, *arguments: object, **env: str) -> str:
        """What a terminal gets of poemctl trace."""
        terminal, its_end = os.openpty()
        with os.fdopen(terminal, "rb", buffering=0) as shown:
            child = subprocess.Popen([build / "poemctl", "trace", *arguments], stdout=its_end,
                                     stdin=its_end, env={**os.environ, "TERM": "xterm", **env})
            os.close(its_end)
            text = b""
            # At the end of the last writer a terminal gives an error.
            with contextlib.suppress(OSError):
                while more := shown.read(4096):
                    text += more
            child.wait(timeout=PATIENCE)
        return text.decode().replace("\r\n", "\n")

    def test_pager(self) -> None:
        whole = run("show", "--color", "always", self.file).stdout
        self.assertEqual(self.on_terminal("show", self.file, PAGER="sed s/^/paged:/"),
                         re.sub("^", "paged:", whole.removesuffix("\n"), flags=re.M) + "\n")
        findings = run("lint", self.file, status=NO).stdout
        self.assertEqual(self.on_terminal("lint", self.file, PAGER="cat; echo the end"),
                         findings + "the end\n")
        for pager in ("", "cat"):
            self.assertEqual(self.on_terminal("show", self.file, PAGER=pager), whole)
        # One that ends early ends poemctl as well.
        self.assertEqual(self.on_terminal("show", self.file, PAGER="head -n 1"),
                         whole.splitlines()[0] + "\n")

    def test_times_that_make_no_sense(self) -> None:
        for time_of_day in ("soon", "2026-02-31", "18:24:05.", "18:24.5", "18:24X", ""):
            with self.subTest(time_of_day):
                said = run("show", "--since", time_of_day, self.file, status=USAGE).stderr
                self.assertIn(f'--since: "{time_of_day}" is not a time: give one such as', said)

    def test_filter_that_makes_no_sense(self) -> None:
        for more in ((), ("--follow",)):
            said = run("show", *more, "--filter", "comand=DMA_MAP", self.file, status=USAGE).stderr
            self.assertIn('character 1: unknown term "comand"; the terms are command=', said)

    def test_color(self) -> None:
        plain = run("show", self.file).stdout
        self.assertNotIn("\33", plain)
        self.assertEqual(plain, run("show", "--color", "never", self.file).stdout)
        coloured = run("show", "--color=always", self.file).stdout
        self.assertIn("\33[1mDMA_MAP\33[0m", coloured)
        self.assertEqual(plain, re.sub("\33\\[[0-9]+m", "", coloured))

    def test_usage(self) -> None:
        for arguments in ((), ("a", "b"), ("--color", "some", "a"), ("--time", "x", "a"),
                          ("--odd", "a"), ("--follow", "-")):
            self.assertIn("usage: poemctl trace show", run("show", *arguments, status=USAGE).stderr)
        for arguments in ((), ("a", "b"), ("--filter", "a", "b")):
            self.assertIn("usage: poemctl trace lint", run("lint", *arguments, status=USAGE).stderr)

    def test_no_such_file(self) -> None:
        for action in ("show", "lint"):
            said = run(action, self.folder / "none", status=COULD_NOT).stderr
            self.assertIn("none: No such file or directory", said)

    def test_standard_input(self) -> None:
        with self.file.open("rb") as f:
            piped = run("show", "-", stdin=f).stdout
        self.assertEqual(piped, run("show", self.file).stdout)

    def test_full_disk(self) -> None:
        with open("/dev/full", "w") as full:
            done = subprocess.run([build / "poemctl", "trace", "show", self.file], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, COULD_NOT)
        self.assertIn("No space left on device", done.stderr)


class CutOff(Sample):
    def whole_lines(self, shown: str, whole: set[str]) -> None:
        """What is shown of a part is what is shown of the whole, but for what waits for a reply."""
        for line in shown.splitlines():
            if line not in whole:
                self.assertTrue(line.endswith(" = no reply"), line)

    def test_at_every_block(self) -> None:
        content = self.file.read_bytes()
        whole = set(run("show", self.file).stdout.splitlines())
        size, blocks = 0, 0
        while size < len(content):
            blocks += 1
            self.sample(blocks)
            size = self.file.stat().st_size
            self.whole_lines(run("show", self.file).stdout, whole)
        self.assertGreater(blocks, 50)

    def test_anywhere(self) -> None:
        content = self.file.read_bytes()
        whole = set(run("show", self.file).stdout.splitlines())
        part = self.folder / "part"
        cut = 0
        for size in range(1, len(content), 37):
            part.write_bytes(content[:size])
            for action in ("show", "lint"):
                done = subprocess.run([build / "poemctl", "trace", action, part], text=True,
                                      capture_output=True, timeout=PATIENCE, check=False)
                if done.returncode == COULD_NOT:
                    cut += 1
                    self.assertRegex(done.stderr, r"^poemctl: trace \w+: .*part: .*\d")
                else:
                    self.assertIn(done.returncode, (YES, NO))
                if action == "show":
                    self.whole_lines(done.stdout, whole)
        self.assertGreater(cut, 300)

    def test_no_trace(self) -> None:
        other = self.folder / "other"
        for content in (b"", b"hello, world\n" * 10, bytes(1000)):
            other.write_bytes(content)
            self.assertIn("other: ", run("show", other, status=COULD_NOT).stderr)
            run("lint", other, status=COULD_NOT)

    def test_nothing_of_ours(self) -> None:
        """A whole file, of another network: no error, but nobody is to take it for a good trace."""
        other = self.folder / "other"
        other.write_bytes(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) +
                          struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20))
        for action, status in (("show", YES), ("lint", COULD_NOT), ("stats", YES)):
            with self.subTest(action=action):
                self.assertEqual(run(action, other, status=status).stderr,
                                 f"poemctl: trace {action}: {other}: the trace has no "
                                 "vfio-user session\n")


class Growing(Sample):
    """What is common to files and pipes that grow."""

    def end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)

    def read_until(self, process: subprocess.Popen[bytes], what: str) -> str:
        assert process.stdout
        shown = b""
        while what.encode() not in shown:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            self.assertTrue(ready, f"{what} does not come after {shown!r}")
            piece = os.read(process.stdout.fileno(), 65536)
            self.assertTrue(piece, shown)
            shown += piece
        return shown.decode()

    def shown_of(self, blocks: int) -> tuple[int, str]:
        """The sample's first blocks: their size, and the last line that nothing is missing of."""
        part = self.sample(blocks)
        lines = [line for line in run("show", part).stdout.splitlines()
                 if not line.endswith("= no reply")]
        return part.stat().st_size, lines[-1]


class Follow(Growing):
    """A file that grows, with each step waited for by what is shown of it."""

    def follow(self, path: Path, *options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([build / "poemctl", "trace", "show", "--follow", *options, path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, process)
        return process

    def test_until_the_writer_is_done(self) -> None:
        content = self.file.read_bytes()
        pieces = [self.shown_of(blocks) for blocks in (25, 60)]
        self.sample()
        growing = self.folder / "growing.pcapng"
        process = self.follow(growing)
        time.sleep(0.1)  # mostly it is not there yet when it is looked for
        shown, done = "", 0
        with growing.open("wb", buffering=0) as f:
            for size, line in pieces:
                # Some bytes more: the end is in the middle of a block.
                f.write(content[done:size + 7])
                done = size + 7
                shown += self.read_until(process, line + "\n")
            f.write(content[done:])
        rest, said = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, said), (YES, b""))
        # But for what was waited for in vain, it is what would have been shown at once.
        whole = run("show", self.file).stdout.splitlines()
        lines = (shown + rest.decode()).splitlines()
        for line in lines:
            if line not in whole:
                self.assertRegex(line, "unfinished|resumed")
        self.assertGreaterEqual(len(lines), len(whole))

    def test_interrupted(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.follow(self.file)
            self.read_until(process, "DMA_MAP")
            process.send_signal(number)
            _, said = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, YES)
            self.assertRegex(said.decode(), r"^poemctl: trace show: 79 messages of 3 sessions in "
                             r"[^:]+: 4 errors, \d+ unanswered, 3 lost; replies in .* max "
                             r"\([A-Z_]+\)\n$")

    def test_interrupted_before_the_file_is_there(self) -> None:
        process = self.follow(self.folder / "never")
        # Its handlers are there when the signal is caught: SigCgt has SIGINT's bit.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = Path(f"/proc/{process.pid}/status").read_text()
            caught = int(re.search(r"SigCgt:\s*([0-9a-f]+)", status)[1], 16)
            if caught >> (signal.SIGINT - 1) & 1:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        shown, said = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, shown, said), (YES, b"", b""))

    def test_damaged(self) -> None:
        self.file.write_bytes(b"no trace at all, and never one\n" * 3)
        process = self.follow(self.file)
        _, said = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, COULD_NOT)
        self.assertIn(b"sample.pcapng: ", said)

    def test_no_such_folder(self) -> None:
        process = self.follow(self.folder / "no" / "such")
        _, said = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, COULD_NOT)
        self.assertIn(b"No such file or directory", said)


class Live(Growing):
    """A trace that comes by a pipe or a FIFO: what has come is shown before more comes."""

    def live(self, path: object = "-", **more: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([build / "poemctl", "trace", "show", path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.addCleanup(self.end, process)
        return process

    def test_until_the_writer_is_done(self) -> None:
        content = self.file.read_bytes()
        pieces = [self.shown_of(blocks) for blocks in (25, 60)]
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        for kind in ("pipe", "fifo"):
            with self.subTest(kind=kind):
                if kind == "pipe":
                    process = self.live(stdin=subprocess.PIPE, bufsize=0)
                    out = process.stdin
                else:
                    process = self.live(fifo, stdin=subprocess.DEVNULL)
                    out = fifo.open("wb", buffering=0)
                shown, done = "", 0
                for size, line in pieces:
                    out.write(content[done:size + 7])
                    done = size + 7
                    shown += self.read_until(process, line + "\n")
                out.write(content[done:])
                out.close()
                process.stdin = None
                rest, said = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, said), (YES, b""))
                self.assertIn("ends: 76 messages", rest.decode())

    def test_findings(self) -> None:
        """lint prints them before the trace ends."""
        whole = run("lint", self.file, status=NO).stdout.splitlines()
        process = subprocess.Popen([build / "poemctl", "trace", "lint", "-"], bufsize=0,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        process.stdin.write(self.file.read_bytes()[:-100])
        self.read_until(process, whole[0] + "\n")

    def test_request_without_reply(self) -> None:
        """It is not held back until its reply comes."""
        content = self.file.read_bytes()
        first = next(blocks for blocks in range(2, 20)
                     if run("show", self.sample(blocks)).stdout.endswith(" = no reply\n"))
        size = self.sample(first).stat().st_size
        process = self.live(stdin=subprocess.PIPE, bufsize=0)
        process.stdin.write(content[:size])
        self.read_until(process, "<unfinished ...>")

    def test_interrupted(self) -> None:
        """The writer of the same pipeline may still send its end."""
        content = self.file.read_bytes()
        size, line = self.shown_of(60)
        for whole in (False, True):
            with self.subTest(whole=whole):
                process = self.live(stdin=subprocess.PIPE, bufsize=0)
                process.stdin.write(content[:size])
                self.read_until(process, line + "\n")
                process.send_signal(signal.SIGINT)
                if whole:
                    process.stdin.write(content[size:])
                    process.stdin.close()
                    process.stdin = None
                shown, said = process.communicate(timeout=PATIENCE) if whole else (b"", b"")
                if not whole:
                    self.assertEqual(process.wait(timeout=PATIENCE), YES)
                    said = process.stderr.read()
                self.assertRegex(said, rb"^poemctl: trace show: \d+ messages of ")
                self.assertEqual(b"ends: 76 messages" in shown, whole)


class Peers(unittest.TestCase):
    """Sessions through the broker: edu, well-behaved and not, and the project's own clients."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The broker's processes give their rights away, and the folder is theirs to use.
        self.folder.chmod(0o755)
        self.trace = self.folder / "trace.pcapng"

    def start(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Runs it, once it has said that it is ready."""
        ours, its = os.pipe()
        process = subprocess.Popen([build / program, *map(str, arguments), "--ready-fd", str(its)],
                                   pass_fds=[its], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(its)
        self.addCleanup(self.stop, process)
        with os.fdopen(ours, "rb") as ready:
            self.assertEqual(ready.read(1), b"\n", program)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=PATIENCE)

    def capture(self, edu: tuple[str, ...], *clients: tuple[str, ...]) -> None:
        """What the clients and edu say to each other, in self.trace."""
        device = self.start("edu", "--socket-path", self.folder / "edu.sock", *edu)
        broker = self.start("poemd", "--listen", self.folder / "l.sock", "--backend",
                            self.folder / "edu.sock", "--trace", self.trace)
        for client in clients:
            subprocess.run([build / client[0], *client[1:], self.folder / "l.sock"],
                           timeout=PATIENCE, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        self.stop(broker)
        self.stop(device)

    def found(self, status: int) -> list[tuple[str, str, str]]:
        lines = run("lint", "--json", self.trace, status=status).stdout.splitlines()
        return [(f["rule"], f["party"], f["command"]) for f in map(json.loads, lines)
                if f["type"] == "finding"]

    def test_good_ones(self) -> None:
        self.capture((), ("poemctl", "probe"), ("edu-drive",), ("edu-drive", "--no-mmap"))
        self.assertEqual(self.found(YES), [])
        shown = run("show", self.trace).stdout
        self.assertIn("DEVICE_SET_IRQS(MSI, DATA_EVENTFD|ACTION_TRIGGER", shown)
        self.assertIn("<-- ", shown)
        self.assertIn("unseen: guest memory", shown)
        self.assertRegex(shown, r"REGION_WRITE\(config\+0x4 COMMAND, 2, 0x0006 \(Mem\|BusMaster\)")
        self.assertNotIn("malformed", shown)

    def test_eventfds_have_their_numbers(self) -> None:
        """The kernel has one inode for all of them, and a worker without files still tells them."""
        self.capture((), ("edu-drive",))
        shown = [json.loads(line) for line in run("show", "--json", self.trace).stdout.splitlines()]
        given = [fd for one in shown if one.get("command") == "DEVICE_SET_IRQS"
                 for fd in one.get("fds", ())]
        self.assertEqual([fd["kind"] for fd in given], ["eventfd"])
        self.assertEqual([fd["device"] for fd in given], [0])
        self.assertNotEqual([fd["inode"] for fd in given], [0])

    def test_faults(self) -> None:
        """edu misbehaves as it is told, and lint says how."""
        for fault, rule, ms in (("unasked:REGION_READ", "unasked-reply", NEVER_MS),
                                ("oversized:REGION_READ", "count", NEVER_MS),
                                ("exit:REGION_READ", "no-answer", NEVER_MS),
                                ("missing:REGION_READ", "no-answer", LATE_MS),
                                ("short:REGION_READ", "incomplete", LATE_MS),
                                (f"late:REGION_READ:{NEVER_MS}", "no-answer", LATE_MS)):
            with self.subTest(fault=fault):
                self.capture(("--fault", fault), ("edu-drive", "--timeout", str(ms)))
                self.assertIn((rule, "backend", "REGION_READ"), self.found(NO))
                self.trace.unlink()


class Manual(Sample):
    """The examples of poemctl-trace(1) are what the programs print."""

    def test_examples(self) -> None:
        text = subprocess.run(["mandoc", "-T", "ascii", MANUAL], check=True, text=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE).stdout
        text = re.sub(".\b", "", text)
        examples = re.findall(r"^ +\$ poemctl trace ((?:show|lint) .*sample\.pcapng)\n((?: {11}.*\n)+)",
                              text, re.M)
        self.assertGreaterEqual(len(examples), 2)
        for arguments, printed in examples:
            words = [str(self.file) if word == "sample.pcapng" else word
                     for word in shlex.split(arguments)]
            status = NO if words[0] == "lint" else YES
            # The page breaks long lines at will: words are compared.
            self.assertEqual(printed.split(), run(*words, status=status).stdout.split())


def main() -> None:
    global build, update
    arguments = sys.argv[1:]
    if "--update" in arguments:
        arguments.remove("--update")
        update = True
    if len(arguments) < 2 or arguments[0] != "--build":
        sys.exit("usage: test_trace_show.py --build DIR [--update] [TEST...]")
    build = Path(arguments[1]).resolve()
    unittest.main(argv=[sys.argv[0], *arguments[2:]])


if __name__ == "__main__":
    main()
