#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl poem and poemctl recite: against a real edu, through one and two real brokers, and against
servers that are a script here, which makes its recitals by itself.

usage: test_recite.py --build DIR [TEST...]
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any, Callable

import test_tools
from test_tools import ERROR, PATIENCE, REPLY, Tools, answer, version

ROOT = Path(__file__).resolve().parents[2]
POEM = (ROOT / "poem" / "poem.txt").read_bytes()
DIGEST = hashlib.sha256(POEM).hexdigest()
LICENCE = "GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception"


def take_raw(client: socket.socket) -> bytes:
    """A whole request, as it came."""
    head = client.recv(16, socket.MSG_WAITALL)
    size = struct.unpack("<HHIII", head)[2]
    return head + client.recv(size - 16, socket.MSG_WAITALL)


def recital(request: bytes, poem: bytes = POEM) -> dict[str, Any]:
    """What PROTOCOL.poem says, without the project's code."""
    asked = json.loads(request[20:-1])["capabilities"]["poem"]
    message = (b"poemd recital v1 server\0" + bytes.fromhex(asked["challenge"])
               + hashlib.sha256(request).digest())
    return {"text": poem.decode(), "sha256": hashlib.sha256(poem).hexdigest(), "licence": LICENCE,
            "proof": hmac.new(poem, message, "sha256").hexdigest()}


def reciter(change: Callable[[dict[str, Any]], object]) -> Callable[[socket.socket], None]:
    """A server that recites well, but for a change of its reply's capabilities."""
    def serve(client: socket.socket) -> None:
        request = take_raw(client)
        caps: dict[str, Any] = {"poem": {"v": 1, "recital": recital(request)}, "licence": LICENCE}
        change(caps)
        text = json.dumps({"capabilities": caps}).encode() + b"\0"
        answer(client, struct.unpack("<H", request[:2])[0], 1, version(text))
        client.recv(1)
    return serve


class Poem(Tools):
    def poem(self, *args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.tool("poemctl", "poem", *args, status=status)

    def test_shown(self) -> None:
        said = self.poem().stdout
        self.assertTrue(said.startswith(POEM.decode()))
        self.assertIn(DIGEST, said)
        self.assertIn("904 bytes", said)
        self.assertIn(LICENCE, said)

    def test_json(self) -> None:
        form = json.loads(self.poem("--json").stdout)
        self.assertEqual(form["text"].encode(), POEM)
        self.assertEqual(form["sha256"], DIGEST)
        self.assertEqual(form["bytes"], len(POEM))
        self.assertEqual(POEM.count(form["refrain"].encode() + b"\n"), 5)
        self.assertEqual(form["licence"], LICENCE)
        self.assertEqual(form["grant"], (ROOT / "poem" / "COPYRIGHT").read_text())

    def test_grant(self) -> None:
        self.assertEqual(self.poem("--grant").stdout, (ROOT / "poem" / "COPYRIGHT").read_text())

    def test_check(self) -> None:
        path = self.folder / "poem"
        for content, status, said in (
                (POEM, 0, "the same poem"),
                (POEM[:-1], 1, "difference is in line 26"),
                (POEM + b"\n", 1, "difference is in line 27"),
                (POEM.replace(b"brass", b"glass"), 1, "difference is in line 9"),
                (POEM.replace(b"\n", b"\r\n"), 1, "difference is in line 1"),
                (b"", 1, "empty"), (b"a\0b", 1, "NUL"), (b"\xff", 1, "not UTF-8"),
                (b"x" * 8193, 1, "longer than 8,192")):
            with self.subTest(said=said):
                path.write_bytes(content)
                self.assertIn(said, self.poem("--check", str(path), status=status).stdout)
                form = json.loads(self.poem("--json", "--check", str(path), status=status).stdout)
                self.assertEqual(form["same"], status == 0)
                known = form["sha256"] is None or form["sha256"] == hashlib.sha256(
                    content).hexdigest()
                self.assertTrue(known)
        self.assertIn("No such file", self.poem("--check", "/nonexistent", status=3).stderr)
        self.assertIn("Is a directory", self.poem("--check", str(self.folder), status=3).stderr)

    def test_usage(self) -> None:
        for args in (["x"], ["--grant", "--check", "x"], ["--what"], ["--check"]):
            with self.subTest(args=args):
                self.assertIn("usage: poemctl poem", self.poem(*args, status=2).stderr)

    def test_full_disk(self) -> None:
        for form in ([], ["--json"], ["--grant"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([test_tools.build / "poemctl", "poem", *form], stdout=full,
                                      stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, 3)


class Recite(Tools):
    def recite(self, *args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.tool("poemctl", "recite", *args, status=status)

    def form(self, *args: str, status: int = 0) -> dict[str, Any]:
        form: dict[str, Any] = json.loads(self.recite("--json", *args, status=status).stdout)
        self.assertEqual(form["stands"], status == 0)
        self.assertEqual(form["why"] is None, status == 0)
        return form

    def test_a_device(self) -> None:
        with self.edu("--recite", "--licence", "GPL-2.0-only") as path:
            said = self.recite(path).stdout
            form = self.form(path)
        self.assertIn("\tTHE BROKER AT THE DOOR\n", said)
        self.assertIn(f"SHA-256: {DIGEST}", said)
        self.assertIn("Licence: GPL-2.0-only", said)
        self.assertEqual(form["licence"], "GPL-2.0-only")
        self.assertEqual(form["poem"]["title"], "THE BROKER AT THE DOOR")
        self.assertEqual(form["poem"]["sha256"], DIGEST)
        self.assertEqual(form["via"], [])
        self.assertEqual(form["device"], {"recites": True, "licence": form["licence"]})

    def test_a_device_that_does_not(self) -> None:
        with self.edu() as path:
            self.assertIn("no recital", self.recite(path, status=1).stderr)
            self.assertIsNone(self.form(path, status=1)["declared"])
        with self.edu("--licence", "BSD-3-Clause") as path:
            self.assertIn("Declares: BSD-3-Clause", self.recite(path, status=1).stdout)
            self.assertEqual(self.form(path, status=1)["declared"], "BSD-3-Clause")

    def test_another_poem(self) -> None:
        other = self.folder / "other"
        other.write_text("All the world's a stage,\nand all the men and women\n")
        with self.edu("--recite") as path:
            self.assertIn("another poem", self.recite("--poem", str(other), path, status=1).stderr)
        with self.edu("--recite", "--poem", str(other)) as path:
            self.assertIn("another poem", self.recite(path, status=1).stderr)
            form = self.form("--poem", str(other), path)
            self.assertEqual(form["poem"]["title"], "All the world's a stage,")

    def test_through_brokers(self) -> None:
        far = str(self.folder / "far")
        for args, recites, licence in ((["--recite"], True, LICENCE), ([], False, None),
                                       (["--licence", "MIT"], False, "MIT")):
            with self.subTest(args=args), self.edu(*args) as path, self.poemd(path) as front:
                form = self.form(front)
                self.assertEqual([hop["recited"] for hop in form["via"]], [recites])
                self.assertEqual(form["via"][0]["licence"], licence)
                self.assertEqual(form["device"], {"recites": recites,
                                                  "licence": licence if recites else None})
                self.assertEqual(form["licence"], LICENCE)
                said = self.recite(front).stdout
                self.assertEqual("DOES NOT RECITE" in said, not recites)
                with self.running("poemd", "--listen", far, "--backend", front):
                    form = self.form(far)
                    self.assertEqual([hop["recited"] for hop in form["via"]], [True, recites])
                    self.assertEqual(len({hop["by"] for hop in form["via"]}), 2)

    def test_a_script_recites(self) -> None:
        with self.script(reciter(lambda caps: None)) as path:
            self.assertEqual(self.form(path)["licence"], LICENCE)

    def test_a_script_does_not(self) -> None:
        def put(*keys: str, value: object) -> Callable[[dict[str, Any]], object]:
            def change(caps: dict[str, Any]) -> None:
                for key in keys[:-1]:
                    caps = caps[key]
                caps[keys[-1]] = value
            return change

        def told(what: str, change: Callable[[dict[str, Any]], object]) -> None:
            with self.subTest(what=what), self.script(reciter(change)) as path:
                self.assertIn(what, self.form(path, status=1)["why"])
            os.unlink(path)

        old = recital(b"\0" * 20 + json.dumps(
            {"capabilities": {"poem": {"challenge": "00" * 32}}}).encode() + b"\0")
        hop = {"by": "11" * 16, "recited": "yes"}
        told("no recital", lambda caps: caps["poem"].pop("recital"))
        told("no recital", lambda caps: caps.pop("poem"))
        told("the refrain was recited", put("poem", value="Say this aloud."))
        told("proof", put("poem", "recital", value=old))
        told("digest", put("poem", "recital", "text", value=POEM.decode().replace("a", "b")))
        told("malformed", put("poem", "recital", "sha256", value=DIGEST.upper()))
        told("malformed", put("licence", value="\x1b[2J"))
        told("version", put("poem", "v", value=2))
        told("loop", put("poem", "via", value=[hop, hop]))
        told("8 brokers", put("poem", "via", value=[
            {"by": f"{i:032x}", "recited": "yes"} for i in range(9)]))

    def test_malformed_replies(self) -> None:
        for text in (b'{"capabilities":{"poem":{"v":1,"v":1}}}\0', b"[]\0", b"\xff\0",
                     b'{"capabilities":{"licence":"\\u0000"}}\0'):
            def serve(client: socket.socket, text: bytes = text) -> None:
                request = take_raw(client)
                answer(client, struct.unpack("<H", request[:2])[0], 1, version(text))
                client.recv(1)

            with self.subTest(text=text), self.script(serve) as path:
                done = self.tool("poemctl", "recite", path, status=1)
                self.assertIn("malformed", done.stderr)
                self.assertEqual(done.stdout, "")
            os.unlink(path)

    def test_refused(self) -> None:
        def serve(client: socket.socket) -> None:
            request = take_raw(client)
            answer(client, struct.unpack("<H", request[:2])[0], 1, flags=REPLY | ERROR, error=13)

        with self.script(serve) as path:
            form = self.form(path, status=1)
        self.assertEqual(form["refused"], "EACCES")

    def test_could_not(self) -> None:
        self.assertIn("No such file", self.recite(str(self.folder / "none"), status=3).stderr)
        with self.script(lambda client: client.recv(4096) and None) as path:
            self.assertIn("closed", self.recite(path, status=3).stderr)
        os.unlink(path)
        with self.script(lambda client: (take_raw(client), client.recv(1)) and None) as path:
            done = self.recite("--timeout", "50", path, status=3)
            self.assertIn("no answer within 50 ms", done.stderr)
        self.assertIn("No such file", self.recite("--poem", "/nonexistent", path, status=3).stderr)

    def test_each_challenge_is_new(self) -> None:
        seen: set[str] = set()

        def serve(client: socket.socket) -> None:
            asked = json.loads(take_raw(client)[20:-1])["capabilities"]["poem"]
            seen.add(asked["challenge"])

        for _ in range(3):
            with self.script(serve) as path:
                self.recite(path, status=3)
            os.unlink(path)
        self.assertEqual(len(seen), 3)
        for challenge in seen:
            self.assertRegex(challenge, r"^[0-9a-f]{64}$")

    def test_output_is_printable(self) -> None:
        odd = self.folder / "odd"
        odd.write_bytes("\x1b[2J é \x7f\n".encode())
        with self.edu("--recite", "--poem", str(odd)) as path:
            for args in ([], ["--json"]):
                said = self.recite(*args, "--poem", str(odd), path).stdout
                self.assertTrue(re.fullmatch(r"[\x20-\x7e\t\n]*", said), repr(said))

    def test_usage(self) -> None:
        for args in ([], ["a", "b"], ["--timeout", "0", "a"], ["--what", "a"]):
            with self.subTest(args=args):
                done = self.recite(*args, status=2)
                self.assertIn("usage: poemctl recite", done.stderr)
                self.assertEqual(done.stdout, "")

    def test_edu_options(self) -> None:
        for args in (["--licence", ""], ["--licence", "x" * 257], ["--licence", "a\nb"],
                     ["--poem", "x"]):
            with self.subTest(args=args):
                done = self.tool("edu", "--socket-path", str(self.folder / "edu"), *args, status=2)
                self.assertIn("edu: ", done.stderr)
        done = self.tool("edu", "--socket-path", str(self.folder / "edu"), "--recite", "--poem",
                         "/nonexistent", status=3)
        self.assertIn("No such file", done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", type=Path, required=True)
    arguments, rest = parser.parse_known_args()
    test_tools.build = arguments.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
