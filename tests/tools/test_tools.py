#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl probe and edu-drive against a real edu, through a real poemd, and against servers that
are a script here: what is shown, what is said, and the exit status.

usage: test_tools.py --build DIR [--golden] [TEST...]

--golden writes tests/golden/probe-edu.* anew instead of comparing with them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Callable, Iterator

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MANUALS = Path(__file__).resolve().parents[2] / "docs" / "man"
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
LATE_MS = "3000"  # is waited out, and must not be while what is answered is answered
REPLY, ERROR = 1, 0x20

build = Path()
write_golden = False


def fds_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class Tools(unittest.TestCase):
    def setUp(self) -> None:
        self._exit = contextlib.ExitStack()
        self.addCleanup(self._exit.close)
        self.folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory()))
        self.fds = fds_of(os.getpid())
        self.addCleanup(self._same_fds)

    def _same_fds(self) -> None:
        # Cleanups run backwards: this runs when all else is closed, but for the folder.
        self.assertEqual(fds_of(os.getpid()), self.fds, "the test left fds")

    @contextlib.contextmanager
    def running(self, program: str, *args: str) -> Iterator[subprocess.Popen[bytes]]:
        """A daemon, once it says that it is ready. It must end well when it is asked to."""
        ready, its_end = os.pipe()
        with open(self.folder / f"{program}.log", "wb") as log:
            process = subprocess.Popen(
                [build / program, *args, "--ready-fd", str(its_end)],
                pass_fds=[its_end], stdin=subprocess.DEVNULL, stderr=log)
        os.close(its_end)
        try:
            self.assertEqual(os.read(ready, 1), b"\n", f"{program} did not become ready")
            yield process
        finally:
            os.close(ready)
            process.terminate()
            process.wait(PATIENCE)

    @contextlib.contextmanager
    def edu(self, *args: str) -> Iterator[str]:
        path = str(self.folder / "edu")
        with self.running("edu", "--socket-path", path, *args):
            yield path

    @contextlib.contextmanager
    def poemd(self, backend: str) -> Iterator[str]:
        path = str(self.folder / "poemd")
        with self.running("poemd", "--listen", path, "--backend", backend):
            yield path

    @contextlib.contextmanager
    def script(self, serve: Callable[[socket.socket], None]) -> Iterator[str]:
        """A server that takes one client, which serve talks to; then it closes."""
        path = str(self.folder / "script")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen(1)
            failure: list[BaseException] = []

            def run() -> None:
                try:
                    with listening.accept()[0] as client:
                        client.settimeout(PATIENCE)
                        serve(client)
                except BaseException as caught:  # told by the test's own thread
                    failure.append(caught)

            thread = threading.Thread(target=run)
            thread.start()
            try:
                yield path
            finally:
                # Nobody may have come: then accept ends with an error.
                listening.shutdown(socket.SHUT_RDWR)
                thread.join(PATIENCE)
            self.assertEqual(failure, [])

    def tool(self, *args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([build / args[0], *args[1:]], capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def probe(self, *args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.tool("poemctl", "probe", *args, status=status)


# ---- a server that is a script ----

def take(client: socket.socket) -> tuple[int, int, bytes]:
    """A request: its id, command and payload. Command 0: the client has closed."""
    head = client.recv(16, socket.MSG_WAITALL)
    if len(head) < 16:
        return 0, 0, b""
    ident, command, size, _, _ = struct.unpack("<HHIII", head)
    return ident, command, client.recv(size - 16, socket.MSG_WAITALL) if size > 16 else b""


def answer(client: socket.socket, ident: int, command: int, payload: bytes = b"",
           flags: int = REPLY, error: int = 0) -> None:
    head = struct.pack("<HHIII", ident, command, 16 + len(payload), flags, error)
    client.sendall(head + payload)


def version(text: bytes) -> bytes:
    return struct.pack("<HH", 0, 0) + text


def device(config: bytes, reply_json: bytes = b"{}\0",
           stop_at: int = 0) -> Callable[[socket.socket], None]:
    """A PCI device with a configuration space alone, which closes on command stop_at."""
    def serve(client: socket.socket) -> None:
        while True:
            ident, command, payload = take(client)
            if command in (0, stop_at):
                return
            if command == 1:
                answer(client, ident, 1, version(reply_json))
            elif command == 4:
                answer(client, ident, 4, struct.pack("<IIII", 16, 3, 9, 5))
            elif command == 5:
                index = struct.unpack("<IIII", payload[:16])[2]
                size = len(config) if index == 7 else 0
                answer(client, ident, 5, struct.pack("<IIIIQQ", 32, 3 if size else 0, index, 0,
                                                     size, 0))
            elif command == 7:
                index = struct.unpack("<IIII", payload)[2]
                answer(client, ident, 7, struct.pack("<IIII", 16, 0, index, 0))
            elif command == 9:
                answer(client, ident, 9, payload + config)
            else:
                answer(client, ident, command, flags=REPLY | ERROR, error=95)
    return serve


# ---- poemctl probe ----

class Probe(Tools):
    def golden(self, name: str, text: str) -> None:
        path = GOLDEN / name
        if write_golden:
            path.write_text(text, encoding="ascii")
        self.assertEqual(text, path.read_text(encoding="ascii"))

    def both(self, path: str) -> tuple[str, str]:
        text = self.probe(path).stdout.replace(path, "SOCKET")
        form = self.probe("--json", path).stdout.replace(path, "SOCKET")
        return text, form

    def test_golden(self) -> None:
        with self.edu() as path:
            text, form = self.both(path)
        self.golden("probe-edu.txt", text)
        self.golden("probe-edu.json", form)

    def test_manual_names_every_member(self) -> None:
        manual = (MANUALS / "poemctl.1").read_text(encoding="ascii")
        named = {word for line in manual.splitlines() if re.match(r"\.((It|Pq) )?Va ", line)
                 for word in line.split()}

        def members(value: object) -> Iterator[str]:
            if isinstance(value, dict):
                for key, inner in value.items():
                    yield key
                    # What the two sides said of themselves is not the tool's.
                    if key not in ("offered", "answered"):
                        yield from members(inner)
            elif isinstance(value, list):
                for inner in value:
                    yield from members(inner)

        form = json.loads((GOLDEN / "probe-edu.json").read_text(encoding="ascii"))
        self.assertEqual(set(members(form)) - named, set())

    def test_same_through_the_broker(self) -> None:
        with self.edu() as path, self.poemd(path) as front:
            direct_text, direct = self.both(path)
            front_text, fronted = self.both(front)
        # In VERSION the broker has its own word, of which QEMU warns; from there on nothing is its.
        warned = re.sub(r'QEMU 11.1 warns: capabilities has "poem", which .*\n', "", front_text)
        self.assertNotEqual(warned, front_text)
        self.assertEqual(warned.partition("\nDevice: ")[2],
                         direct_text.partition("\nDevice: ")[2])
        forms = [json.loads(direct), json.loads(fronted)]
        offers = [form.pop("version") for form in forms]
        for form in forms:
            self.assertTrue(form["profile"].pop("accepted"))
            form.pop("profile")
        self.assertEqual(forms[1], forms[0])
        for key in ("major", "minor", "offered", "max_msg_fds", "max_data_xfer_size"):
            self.assertEqual(offers[1][key], offers[0][key])
        self.assertTrue(offers[1]["fits_qemu"])

    def test_leaves_the_device_as_it_was(self) -> None:
        with self.edu() as path:
            first = self.probe("--json", path).stdout
            self.assertEqual(self.probe("--json", path).stdout, first)

    def test_asks_nothing_that_changes_the_device(self) -> None:
        asked: set[int] = set()
        flags: list[int] = []
        inner = device(bytes(256))

        def serve(client: socket.socket) -> None:
            ours, theirs = socket.socketpair()
            thread = threading.Thread(target=inner, args=[theirs])
            thread.start()
            with ours, theirs:
                while True:
                    ident, command, payload = take(client)
                    if command == 0:
                        break
                    asked.add(command)
                    if command == 16:
                        flags.append(struct.unpack("<II", payload[:8])[1])
                    answer(ours, ident, command, payload, flags=0)
                    ident, command, payload = take_whole(ours, client)
                ours.shutdown(socket.SHUT_RDWR)
                thread.join(PATIENCE)

        def take_whole(source: socket.socket, target: socket.socket) -> tuple[int, int, bytes]:
            head = source.recv(16, socket.MSG_WAITALL)
            size = struct.unpack("<HHIII", head)[2]
            body = source.recv(size - 16, socket.MSG_WAITALL) if size > 16 else b""
            target.sendall(head + body)
            return 0, 0, b""

        with self.script(serve) as path:
            self.probe(path)
        # VERSION, infos, IO fds, reads, features: no write, no reset, no interrupt, no DMA.
        self.assertEqual(asked - {1, 4, 5, 6, 7, 9, 16}, set())
        for value in flags:
            self.assertTrue(value & 0x40000 or value >> 16 == 1, hex(value))

    def test_backend_absent(self) -> None:
        with self.poemd(str(self.folder / "none")) as front:
            done = self.probe(front, status=1)
            self.assertIn(f"{front}: version refused: Connection refused (ECONNREFUSED)",
                          done.stderr)
            self.assertIn("start the backend", done.stderr)
            self.assertEqual(done.stdout, "")
            form = json.loads(self.probe("--json", front, status=1).stdout)
        self.assertEqual(form["refused"], {
            "question": "version", "errno": "ECONNREFUSED",
            "text": "version refused: Connection refused (ECONNREFUSED)"})

    def test_busy(self) -> None:
        with self.edu() as path, self.poemd(path) as front, \
                socket.socket(socket.AF_UNIX) as other:
            other.settimeout(PATIENCE)
            other.connect(front)
            answer(other, 1, 1, version(b"{}\0"), flags=0)
            take(other)
            done = self.probe(front, status=1)
        self.assertIn("version refused: Device or resource busy (EBUSY)", done.stderr)

    def test_refused_info(self) -> None:
        def serve(client: socket.socket) -> None:
            answer(client, take(client)[0], 1, version(b"{}\0"))
            answer(client, take(client)[0], 4, flags=REPLY | ERROR, error=13)

        with self.script(serve) as path:
            done = self.probe(path, status=1)
        self.assertIn("device info refused: Permission denied (EACCES)", done.stderr)

    def test_nobody_there(self) -> None:
        done = self.probe(str(self.folder / "none"), status=3)
        self.assertIn("connect: No such file or directory (ENOENT)", done.stderr)
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.folder / "stale"))
        done = self.probe(str(self.folder / "stale"), status=3)
        self.assertIn("connect: Connection refused (ECONNREFUSED)", done.stderr)
        self.assertIn("no server listens", done.stderr)

    def test_silence(self) -> None:
        with self.script(lambda client: self.assertEqual(len(client.recv(4096)), 214) or
                         client.recv(1)) as path:
            done = self.probe("--timeout", "50", path, status=3)
        self.assertIn("version: no answer within 50 ms", done.stderr)
        self.assertIn("check that it is a vfio-user server", done.stderr)

    def test_malformed_versions(self) -> None:
        deep = b'{"a":' * 100 + b"1" + b"}" * 100
        for reply in (b'{"a":1,"a":2}\0', b"{}", b"{}\0x\0", deep + b"\0", b"[]\0", b"\xff\0",
                      b'{"capabilities":[]}\0', b'{"capabilities":{"max_msg_fds":-1}}\0',
                      b'{"capabilities":{"twin_socket":{"supported":true,"fd_index":0}}}\0'):
            def serve(client: socket.socket, reply: bytes = reply) -> None:
                answer(client, take(client)[0], 1, version(reply))
                client.recv(1)

            with self.subTest(reply=reply), self.script(serve) as path:
                done = self.probe(path, status=3)
                self.assertIn("version: malformed answer: ", done.stderr)
            os.unlink(path)

    def test_foreign_text_is_escaped(self) -> None:
        words = b'{"\\u001b[2J":"\x7f\xc2\x9b31m","b":"\\n"}\0'
        with self.script(device(bytes(256), words)) as path:
            text = self.probe(path).stdout
        os.unlink(path)
        with self.script(device(bytes(256), words)) as path:
            form = self.probe("--json", path).stdout
        for out in (text, form):
            self.assertTrue(re.fullmatch(r"[\x20-\x7e\t\n]*", out), repr(out))
        self.assertIn(r'{"\u001b[2j":"\u007f\u009b31m","b":"\n"}', text.lower())
        self.assertEqual(json.loads(form)["version"]["answered"], json.loads(words[:-1]))

    def test_a_hostile_path_is_escaped(self) -> None:
        done = self.probe(str(self.folder / "a\x1b[2J\nb"), status=2)
        self.assertNotIn("\x1b", done.stderr)
        self.assertIn("a\\x1b[2J\\x0ab", done.stderr)

    def test_a_reply_too_large_for_qemu(self) -> None:
        for pad, fits in ((0, True), (1, False)):
            body = b'{"a":"%s"}\0' % (b"x" * (194 - 9 + pad))
            with self.subTest(pad=pad), self.script(device(bytes(256), body)) as path:
                form = json.loads(self.probe("--json", path, status=0 if fits else 1).stdout)
                self.assertEqual(form["version"]["answer_bytes"], 214 + pad)
                self.assertEqual(form["version"]["fits_qemu"], fits)
            os.unlink(path)

    def test_capabilities_that_loop(self) -> None:
        config = bytearray(4096)
        config[0x06] = 0x10
        config[0x34] = 0x40
        config[0x40:0x42] = bytes([0x01, 0x50])
        config[0x50:0x52] = bytes([0x77, 0x40])
        config[0x100:0x104] = struct.pack("<I", 0x1 | 1 << 16 | 0x100 << 20)
        with self.script(device(bytes(config))) as path:
            form = json.loads(self.probe("--json", path, status=1).stdout)
        self.assertEqual([f["effect"] for f in form["profile"]["findings"]], ["hangs"])
        listed = form["pci"]["capabilities"]
        self.assertEqual([cap["id"] for cap in listed["list"]], ["0x01", "0x77"])
        self.assertIsNone(listed["list"][1]["name"])
        self.assertEqual(listed["broken"], "the list loops")
        self.assertEqual(len(form["pci"]["extended_capabilities"]["list"]), 1)
        self.assertEqual(form["pci"]["extended_capabilities"]["broken"], "the list loops")

    def test_extended_capabilities(self) -> None:
        """As lspci -vv shows them."""
        config = bytearray(4096)
        config[0x100:0x10c] = struct.pack("<III", 0x3 | 1 << 16 | 0x110 << 20, 0x55667788,
                                          0x11223344)
        config[0x110:0x118] = struct.pack("<II", 0xb | 1 << 16 | 0x120 << 20,
                                          0xabcd | 2 << 16 | 0x1c << 20)
        config[0x120:0x134] = struct.pack("<IIIHHHH", 0x10 | 1 << 16, 0, 0, 7, 8, 0, 0)
        with self.script(device(bytes(config))) as path:
            text = self.probe(path).stdout
        os.unlink(path)
        with self.script(device(bytes(config))) as path:
            form = json.loads(self.probe("--json", path).stdout)
        self.assertIn("[100 v1] Device Serial Number 11-22-33-44-55-66-77-88\n", text)
        self.assertIn("[110 v1] Vendor Specific Information: ID=abcd Rev=2 Len=01c\n", text)
        self.assertIn("InitialVFs=7 TotalVFs=8 NumVFs=0\n", text)
        listed = form["pci"]["extended_capabilities"]["list"]
        self.assertEqual([one["detail"] for one in listed],
                         [{"serial": "0x1122334455667788"},
                          {"id": "0xabcd", "revision": 2, "length": "0x01c"},
                          {"initial_vfs": 7, "total_vfs": 8, "num_vfs": 0}])

    def test_a_server_that_closes_on_what_it_does_not_know(self) -> None:
        with self.script(device(bytes(256), stop_at=16)) as path:
            done = self.probe("--json", path, status=3)
        form = json.loads(done.stdout)
        self.assertEqual(form["device"]["regions"], 9)
        self.assertIn("device feature probe: the other side closed", form["incomplete"])
        self.assertIn("some questions could not be asked", done.stderr)
        self.assertIsNone(form["features"]["migration"])

    def test_a_server_that_closes_in_the_middle(self) -> None:
        with self.script(device(bytes(256), stop_at=5)) as path:
            done = self.probe(path, status=3)
        self.assertIn("region info: the other side closed the connection", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_too_many_regions(self) -> None:
        def serve(client: socket.socket) -> None:
            answer(client, take(client)[0], 1, version(b"{}\0"))
            answer(client, take(client)[0], 4, struct.pack("<IIII", 16, 3, 65, 5))
            client.recv(1)

        with self.script(serve) as path:
            done = self.probe(path, status=3)
        self.assertIn("more regions or interrupt types than 64", done.stderr)

    def test_usage(self) -> None:
        for args in ([], ["a", "b"], ["--timeout", "0", "a"], ["--timeout", "600001", "a"],
                     ["--timeout", "5x", "a"], ["--what", "a"]):
            with self.subTest(args=args):
                done = self.probe(*args, status=2)
                self.assertIn("usage: poemctl probe", done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertIn("probe", self.tool("poemctl", status=2).stderr)
        self.assertIn("probe", self.tool("poemctl", "--help").stdout)
        self.assertIn("no command", self.tool("poemctl", "prob", status=2).stderr)
        # Every command and action says how it is used, and by its whole name what it does not take.
        for words in (["probe"], ["status"], ["trace", "show"], ["trace", "stop"],
                      ["policy", "check"], ["audit"]):
            with self.subTest(words=words):
                self.assertIn(f"usage: poemctl {' '.join(words)} ",
                              self.tool("poemctl", *words, "--help").stdout)
        for words in (["probe"], ["trace", "show"], ["policy", "check"]):
            with self.subTest(words=words):
                self.assertIn(f"poemctl: {' '.join(words)}: unrecognized option",
                              self.tool("poemctl", *words, "--what", status=2).stderr)
        self.assertRegex(self.tool("poemctl", "--version").stdout, r"^poemctl [0-9.]+\n$")

    def test_full_disk(self) -> None:
        with self.edu() as path, open("/dev/full", "wb") as full:
            for form in ([], ["--json"]):
                done = subprocess.run([build / "poemctl", "probe", *form, path], stdout=full,
                                      stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 3)
                self.assertIn(b"No space left on device", done.stderr)


# ---- edu-drive ----

class Drive(Tools):
    def test_every_way(self) -> None:
        with self.edu("--twin-socket") as path, self.poemd(path) as front:
            for args in ([], ["--no-mmap"], ["--twin-socket"], ["--no-mmap", "--twin-socket"]):
                for target in (path, front):
                    with self.subTest(args=args, broker=target == front):
                        said = self.tool("edu-drive", *args, target).stdout
                        self.assertIn("went to the device and came back unchanged", said)
                        self.assertEqual("DMA_READ came" in said, "--no-mmap" in args)
                        self.assertEqual("DMA_WRITE came" in said, "--no-mmap" in args)

    def test_a_device_that_fails(self) -> None:
        for fault, step in (("exit:DEVICE_RESET", '"reset" failed'),
                            ("short:VERSION", '"negotiate" failed'),
                            ("missing:DMA_MAP", '"DMA round trip" failed')):
            with self.subTest(fault=fault), self.edu("--fault", fault) as path:
                said = self.tool("edu-drive", "--timeout", LATE_MS, path, status=1).stderr
                self.assertIn(step, said)

    def test_usage(self) -> None:
        for args in ([], ["a", "b"], ["--timeout", "0", "a"], ["--what", "a"]):
            with self.subTest(args=args):
                self.assertIn("usage: edu-drive",
                              self.tool("edu-drive", *args, status=2).stderr)


def main() -> None:
    global build, write_golden
    args = sys.argv[1:]
    if "--golden" in args:
        args.remove("--golden")
        write_golden = True
    if len(args) < 2 or args[0] != "--build":
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    build = Path(args[1]).resolve()
    unittest.main(argv=[sys.argv[0], *args[2:]])


if __name__ == "__main__":
    main()
