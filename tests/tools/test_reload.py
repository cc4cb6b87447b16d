#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl reload and poemctl stop on a running poemd: what they print and exit with, and what the
audit log keeps of it.

usage: test_reload.py --build DIR [TEST...]
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import test_control
import test_tools
from test_control import Broker, Client, Control

DENY = "    allow client user 61000\n"


class Reload(Control):
    def config(self) -> Path:
        return self.folder / "poemd.conf"

    def change(self, old: str, new: str) -> None:
        text = self.config().read_text()
        self.assertIn(old, text)
        self.config().write_text(text.replace(old, new))

    def digest(self) -> str:
        return hashlib.sha256(self.config().read_bytes()).hexdigest()

    def warnings(self, b: Broker) -> list[str]:
        """What is said of the folder that the test is in: it depends on the machine."""
        return b.json("reload", "--dry-run")["warnings"]

    def test_text(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            self.assertEqual(b.ask("reload").stdout, f"{self.config()}: reloaded, no difference\n")
            self.change("    sessions 4\n", "    sessions 5\n" + DENY)
            self.config().write_text(self.config().read_text() + f"route more {{\n    listen "
                                     f"{self.folder}/m.sock\n    backend {self.folder}/m\n}}\n")
            said = b.ask("reload", "--dry-run").stdout
            self.assertRegex(said, r"\Aroute edu: changed: sessions, allow\n"
                                   r"route more: added\n"
                                   r"session 1 of route edu: denied by the new rules: .*\n"
                                   rf"{self.config()}: would reload\n\Z")
            self.assertFalse((self.folder / "m.sock").exists())
            said = b.ask("reload").stdout
            self.assertEqual(said, "route edu: changed: sessions, allow\nroute more: added\n"
                                   f"{self.config()}: reloaded\n")
            self.assertTrue((self.folder / "m.sock").exists())
            client.read()

    def test_a_wrong_file(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            before = b.json("status")["configuration"]["sha256"]
            self.change("workers 1", "workers 2\nfoo")
            done = b.ask("reload", status=1)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, rf"\A{self.config()}:2:1: error: unknown word \"foo\".*\n"
                                          r"    hint: .*\n\Z")
            checked = self.tool("poemd", "--check", "--config", str(self.config()), status=1)
            self.assertEqual(done.stderr, checked.stderr)
            self.change("foo", "")
            self.assertIn(f"{self.config()}:1:9: error: \"workers\" cannot change",
                          b.ask("reload", status=1).stderr)
            said = json.loads(b.ask("reload", "--json", status=1).stdout)
            self.assertEqual((said["outcome"], said["new"], said["errors"][0]["line"]),
                             ("wrong", None, 1))
            self.change("workers 2", "workers 1")
            for statement, said in (("listen", "listen on"), ("trace", "write")):
                text = self.config().read_text()
                self.config().write_text(text + "route more {\n    " + "".join(
                    f"{w} {self.folder}{'/none' if w == statement else ''}/{w}\n    "
                    for w in ("listen", "backend", "trace")) + "}\n")
                line = len(text.splitlines()) + (2 if statement == "listen" else 4)
                for how in ((), ("--dry-run",)):
                    self.assertRegex(b.ask("reload", *how, status=1).stderr,
                                     rf"\A{self.config()}:{line}:\d+: error: cannot {said} "
                                     rf"\"{self.folder}/none/{statement}\": its folder is "
                                     r"missing\n    hint: create it first\n\Z")
                self.config().write_text(text)
            self.config().unlink()
            self.assertIn("No such file", b.ask("reload", status=3).stderr)
            self.assertEqual(b.json("status")["configuration"]["sha256"], before)
            client.read()

    def test_json_and_the_end_of_denied_sessions(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            old = self.digest()
            warnings = self.warnings(b)
            self.change("    sessions 4\n", "    sessions 4\n" + DENY)
            said = b.json("reload", "--end-denied")
            session = said["sessions"][0]
            self.assertIn(session.pop("end"), ("ending", "ended"))
            self.assertIn("client's user", session.pop("why"))
            self.assertEqual(said, {
                "format": "poemd-reload/1", "outcome": "reloaded", "file": str(self.config()),
                "old": old, "new": self.digest(), "why": None, "errors": [], "warnings": warnings,
                "differences": [{"route": "edu", "change": "changed", "words": ["allow"]}],
                "sessions": [{"number": 1, "route": "edu", "verdict": "deny"}]})
            self.assertEqual(client.socket.recv(1), b"")
            b.ask("reload", "--end-denied", "--dry-run", status=2)

    def report(self, log: Path, key: Path) -> dict[str, Any]:
        return json.loads(self.tool("poemctl", "audit", "report", "--format", "json", "--key",
                                    f"{key}.pub", str(log)).stdout)

    def test_audit(self) -> None:
        log, key = self.folder / "audit.log", self.folder / "key"
        self.tool("poemctl", "audit", "keygen", "--name", "example.org/poemd", str(key))
        digests = []
        with self.broker(f"audit {log} key {key}\n") as b:
            for old, new in ((4, 5), (5, 6), (6, 5)):
                with Client(b.listen) as client:
                    client.read()
                digests.append(self.digest())
                self.change(f"    sessions {old}\n", f"    sessions {new}\n")
                b.ask("reload")
            with Client(b.listen) as client:
                client.read()
            digests.append(self.digest())
        self.tool("poemctl", "audit", "verify", "--key", f"{key}.pub", str(log))
        records = [json.loads(line) for line in log.read_text().splitlines()]
        reloaded = [r for r in records if r["event"] == "reloaded"]
        self.assertEqual([(r["old"], r["new"]) for r in reloaded],
                         list(zip(digests, digests[1:])))
        self.assertEqual(sorted(reloaded[0]["by"]), ["pid", "uid"])
        verdicts = [r["configuration"] for r in records if r["event"] == "verdict"]
        self.assertEqual(verdicts, digests)
        # The text that is in force again is in the log again.
        text = [r for r in records if r["event"] == "config"]
        self.assertEqual([r["sha256"] for r in text], digests)
        for r in text:
            self.assertEqual(hashlib.sha256("\n".join(r["lines"]).encode()).hexdigest(),
                             r["sha256"])
        report = self.report(log, key)
        self.assertEqual([s["configuration"] for s in report["sessions"]], digests)
        self.assertEqual({p["sha256"] for p in report["policies"]}, set(digests))

    def test_captures_come_and_go(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            one, other = self.folder / "one.pcapng", self.folder / "other.pcapng"
            self.change("    sessions 4\n", f"    sessions 4\n    trace {one}\n")
            b.ask("reload")
            b.await_trace(1, state="running", file=str(one))
            client.read()
            b.await_trace(1, messages=2)
            self.change(f"trace {one}", f"trace {one} payload 1")
            self.assertIn("cannot change in the same file", b.ask("reload", status=1).stderr)
            self.change(f"trace {one} payload 1", f"trace {other} payload 1")
            b.ask("reload")
            b.await_trace(1, state="ended", why="asked")
            b.await_trace(2, state="running", file=str(other))
            client.read(2)
            b.await_trace(2, messages=4)
            self.change(f"    trace {other} payload 1\n", "")
            b.ask("reload")
            b.await_trace(2, state="ended", why="asked")
            client.read()
        for path, reads in ((one, 1), (other, 2)):
            shown = self.tool("poemctl", "trace", "show", str(path)).stdout
            self.assertEqual(shown.count("REGION_READ"), reads, shown)

    def key(self, name: str) -> Path:
        """A new public key; the private one is in a file beside it."""
        path, private = self.folder / name, self.folder / f"{name}.private"
        private.touch(0o600)
        private.write_bytes(subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"],
                                           check=True, capture_output=True).stdout)
        path.write_bytes(subprocess.run(["openssl", "pkey", "-pubout"], check=True,
                                        input=private.read_bytes(), capture_output=True).stdout)
        return path

    def inspectors(self, b: Broker) -> list[int]:
        found = []
        monitor = b.pid("monitor")
        for child in Path(f"/proc/{monitor}/task/{monitor}/children").read_text().split():
            with contextlib.suppress(OSError):
                if b"--inspector" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
        return found

    def await_inspectors(self, b: Broker, n: int) -> list[int]:
        end = time.monotonic() + test_tools.PATIENCE
        while len(self.inspectors(b)) != n and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(len(self.inspectors(b)), n)
        return self.inspectors(b)

    def test_keys_whose_contents_change(self) -> None:
        key = self.key("key")
        rule = "    licence of client osi-approved evidence signed\n    otherwise taint\n"
        with self.broker(f"trust-key {key}\n", rule) as b, Client(b.listen) as client:
            first = self.await_inspectors(b, 1)
            self.assertEqual(b.json("reload")["differences"], [])
            self.assertEqual(self.await_inspectors(b, 1), first)
            self.key("key")
            said = b.json("reload")
            self.assertEqual(said["differences"],
                             [{"route": None, "change": "changed", "words": ["trust-key"]}])
            # The one with the old key goes, since no handshake needs it.
            end = time.monotonic() + test_tools.PATIENCE
            while self.inspectors(b) == first or len(self.inspectors(b)) != 1:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            client.read()
            client.socket.close()
            with Client(b.listen) as another:
                another.read()

    def test_a_revoked_envelope_denies_the_sessions_that_it_let_in(self) -> None:
        key, envelope, revoked = self.key("key"), self.folder / "envelope", self.folder / "revoked"
        self.tool("poemctl", "attest", str(test_tools.build / "edu"), "--licence", "MIT", "--key",
                  f"{key}.private", "-o", str(envelope))
        revoked.write_text("")
        rule = "    licence of backend osi-approved evidence signed\n"
        with self.broker(f"trust-key {key}\nenvelope {envelope}\nrevoked {revoked}\n",
                         rule) as b, Client(b.listen) as client:
            client.read()
            self.assertEqual(b.json("reload", "--dry-run")["sessions"], [])
            revoked.write_text(hashlib.sha256(envelope.read_bytes()).hexdigest() + " wrong\n")
            said = b.json("reload", "--dry-run")
            self.assertEqual(said["differences"][0]["words"], ["revoked"])
            self.assertEqual([s["verdict"] for s in said["sessions"]], ["deny"])
            # With another key, it may have evidence that is not known of it.
            self.change(f"trust-key {key}\n", f"trust-key {key}\ntrust-key {self.key('more')}\n")
            said = b.json("reload", "--dry-run")
            self.assertEqual([s["verdict"] for s in said["sessions"]], ["unknown"])
            self.change(f"trust-key {self.folder}/more\n", "")
            client.read()
            b.ask("reload", "--end-denied")
            self.assertEqual(client.socket.recv(1), b"")

    def test_stop(self) -> None:
        with self.broker() as b:
            self.assertEqual(b.ask("stop").stdout, "stopped\n")
            self.assertEqual(b.process.wait(test_tools.PATIENCE), 0)

    def test_drain(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            stopping = subprocess.Popen(
                [test_tools.build / "poemctl", "stop", "--control", b.control, "--drain"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            self.assertEqual(stopping.stdout.readline(), "waiting for the end of 1 session\n")
            client.read()
            self.assertFalse(Path(b.listen).exists())
            client.socket.close()
            self.assertEqual(stopping.communicate(timeout=test_tools.PATIENCE)[0], "stopped\n")
            self.assertEqual(b.process.wait(test_tools.PATIENCE), 0)


if __name__ == "__main__":
    # Only the tests of this file.
    del Control
    test_control.main()
