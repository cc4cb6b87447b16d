#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What poemctl asks of a running poemd: status, sessions, and the captures of trace.

usage: test_control.py --build DIR [TEST...]
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any, Iterator, Sequence

import test_tools
from test_tools import PATIENCE, Tools, fds_of, version

TIME = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z")


class Client:
    """A vfio-user client of one socket, which has negotiated."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.request(1, version(b'{"capabilities":{}}\0'))

    def request(self, command: int, payload: bytes) -> bytes:
        self.socket.sendall(struct.pack("<HHIII", 7, command, 16 + len(payload), 0, 0) + payload)
        head = self.socket.recv(16, socket.MSG_WAITALL)
        size = struct.unpack("<HHIII", head)[2]
        return self.socket.recv(size - 16, socket.MSG_WAITALL)

    def read(self, n: int = 1) -> None:
        """Reads the vendor and device id, n times."""
        for _ in range(n):
            self.request(9, struct.pack("<QII", 0, 7, 4))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


class Broker:
    """A poemd with the route "edu", and how it is asked."""

    def __init__(self, case: Control, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.case = case
        self.process = process
        self.listen = str(folder / "r.sock")
        self.control = str(folder / "run" / "control.sock")

    def ask(self, *args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Its poemctl; "--control" stands behind the command's own words."""
        words = 2 if args[0] == "trace" else 1
        return self.case.tool("poemctl", *args[:words], "--control", self.control, *args[words:],
                              status=status)

    def json(self, *args: str) -> dict[str, Any]:
        return json.loads(self.ask(*args, "--json").stdout)

    def pid(self, role: str) -> int:
        """Of the only process with this role."""
        (found,) = (p["pid"] for p in self.json("status")["processes"] if p["role"] == role)
        return int(found)

    def traces(self) -> list[dict[str, Any]]:
        return self.json("trace", "list")["traces"]

    def await_trace(self, number: int, **members: object) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while True:
            found = [t for t in self.traces() if t["number"] == number]
            if found and all(found[0][k] == v for k, v in members.items()):
                return found[0]
            if time.monotonic() > end:
                raise AssertionError(f"{found} never has {members}")


class Control(Tools):
    """A test that asks a broker; control is what stands behind the socket's path."""

    control = ""

    @contextlib.contextmanager
    def broker(self, statements: str = "", route: str = "",
               device: Sequence[str] = ()) -> Iterator[Broker]:
        config = self.folder / "poemd.conf"
        with self.edu(*device) as edu:
            config.write_text(
                f"workers 1\ncontrol {self.folder}/run/control.sock {self.control}\n{statements}"
                f"route edu {{\n    listen {self.folder}/r.sock\n    backend {edu}\n"
                f"    sessions 4\n{route}}}\n")
            with self.running("poemd", "--config", str(config)) as process:
                yield Broker(self, process, self.folder)


class Status(Control):
    def test_json(self) -> None:
        with self.broker() as b, Client(b.listen):
            said = b.json("status")
            processes = said.pop("processes")
            names = [Path(f"/proc/{p['pid']}/comm").read_text().strip() for p in processes]
        config = self.folder / "poemd.conf"
        self.assertRegex(said.pop("since"), TIME)
        self.assertGreaterEqual(said.pop("ms"), 0)
        worker = said["workers"][0].pop("pid")
        self.assertGreater(said.pop("longest-turn-us"), 0)
        self.assertGreater(said["workers"][0].pop("longest-turn-us"), 0)
        self.assertEqual([p["role"] for p in processes], ["keeper", "monitor", "worker"])
        self.assertEqual(processes[0]["pid"], b.process.pid)
        self.assertEqual(processes[2]["pid"], worker)
        self.assertEqual(len({p["pid"] for p in processes}), 3)
        self.assertEqual(names, ["poemd-keeper", "poemd-monitor", "poemd-worker"])
        self.assertEqual(said, {
            "format": "poemd-status/1", "version": "0.1.0", "pid": b.process.pid,
            "upgrade": None,
            "configuration": {"file": str(config),
                              "sha256": hashlib.sha256(config.read_bytes()).hexdigest()},
            "taint": "-", "observed": "-", "taints": [], "audit": None,
            "sessions": {"now": 1, "most": 1024, "begun": 1, "resumed": 0},
            "workers": [{"ready": True, "sessions": 1}],
            "routes": [{"name": "edu", "listen": b.listen, "listening": True,
                        "backend": str(self.folder / "edu"), "spawn": None, "devices": None,
                        "sessions": {"now": 1, "most": 4, "begun": 1, "resumed": 0,
                                     "restartable": 0, "replaceable": 0},
                        "taint": "-", "observed": "-", "overdue": 0, "state": "busy",
                        "restarts": {"held": 0, "held-ms": 0, "replaced": 0, "rejected": 0,
                                     "replacements": 0, "pause-us": 0}}],
            "traces": []})

    def test_text(self) -> None:
        with self.broker() as b:
            self.assertEqual(b.ask("status").stderr, "")
            lines = b.ask("status").stdout.splitlines()
        config = self.folder / "poemd.conf"
        digest = hashlib.sha256(config.read_bytes()).hexdigest()
        self.assertRegex(lines[0], rf"^poemd 0\.1\.0, pid {b.process.pid}, up \d+ s since \d{{4}}-")
        self.assertRegex(lines.pop(6), r"^worker         pid \d+, 0 sessions, longest turn \d+\.\d ms$")
        self.assertRegex(lines.pop(3), r"^longest turn   \d+\.\d ms$")
        self.assertEqual(lines[1:], [
            f"configuration  {config}, sha256 {digest}",
            "all routes     0 of 1024 sessions, 0 since the start",
            "audit log      none",
            "taint          -",
            "route edu: 0 of 4 sessions, 0 since the start, taint -",
            f"    {b.listen} -> {self.folder}/edu"])

    def test_taint_is_said_in_words(self) -> None:
        with self.broker(route="    demand recital from client\n    otherwise taint\n") as b:
            with Client(b.listen):
                said = b.json("status")
                text = b.ask("status").stdout
        self.assertEqual(said["taint"], "R")
        self.assertEqual([t["letter"] for t in said["taints"]], ["R"])
        self.assertIn(f"taint          R\n               R: {said['taints'][0]['meaning']}\n", text)
        self.assertEqual(said["routes"][0]["taint"], "R")

    def test_audit_log(self) -> None:
        key = self.folder / "key.pem"
        log = self.folder / "audit.log"
        self.tool("poemctl", "audit", "keygen", "--name", "test", str(key))
        with self.broker(f"audit {log} key {key}\n") as b:
            with Client(b.listen):
                said = b.json("status")["audit"]
                party = b.json("sessions")["sessions"][0]["backend"]
            records = said.pop("records")
            self.assertEqual(said, {"file": str(log), "failing": False})
            # broker-start, config, session-opened and the verdict are there at the least.
            self.assertGreaterEqual(records, 4)
            self.assertIn(f"{log}, ", b.ask("status").stdout)
        digest = hashlib.sha256((test_tools.build / "edu").read_bytes()).hexdigest()
        self.assertEqual(party["exe"]["sha256"], digest)

    def test_command_line_alone(self) -> None:
        control = str(self.folder / "c.sock")
        with self.edu() as edu, self.running("poemd", "--listen", str(self.folder / "p.sock"),
                                             "--backend", edu, "--control", control):
            said = json.loads(self.tool("poemctl", "status", "--json", "--control", control).stdout)
            text = self.tool("poemctl", "status", "--control", control).stdout
        self.assertIsNone(said["configuration"])
        self.assertIn("configuration  the command line\n", text)

    def test_which_socket(self) -> None:
        nowhere = str(self.folder / "no.sock")
        with self.broker() as b:
            os.environ["POEMD_CONTROL"] = b.control
            try:
                self.tool("poemctl", "status")
                self.tool("poemctl", "status", "--control", nowhere, status=3)
            finally:
                del os.environ["POEMD_CONTROL"]
            said = self.tool("poemctl", "status", "--control", nowhere, status=3).stderr
            self.assertIn(f'cannot connect to "{nowhere}": No such file or directory', said)
            self.assertIn('no running poemd uses this path', said)
            # A route's own socket is of another type.
            self.tool("poemctl", "status", "--control", b.listen, status=3)
        self.tool("poemctl", "status", "--control", b.control, status=3)

    def test_usage(self) -> None:
        for args in (["x", "y"], ["--what"], ["--control"], ["--state", "x"], ["--watch"]):
            with self.subTest(args=args):
                self.assertIn("usage: poemctl status",
                              self.tool("poemctl", "status", *args, status=2).stderr)

    def test_what_answers_may_be_anything(self) -> None:
        """Its words go to a terminal: what is no poemd is told from one."""
        ok, last = struct.pack("<IIII", 0x6d656f70, 0, 0, 0), struct.pack("<IIII", 0x6d656f70, 0, 1, 0)
        for answer, why in ((b"", "poemd ended the connection"), (b"\0", "not from a poemd"),
                            (ok, "not from a poemd"),
                            (ok + b"[]", "poemd ended the connection"), (ok + b'{"a":1', "not from a poemd"),
                            (ok + b'{"a":1,"a":2}', "not from a poemd"),
                            (last + b'{"broker":{"version":"\\u001b[2J"}}', "not from a poemd"),
                            (last + b'{"broker":{"\\u001b[2J":1}}', "not from a poemd"),
                            (struct.pack("<IIII", 1, 0, 1, 0) + b"{}", "not from a poemd"),
                            (struct.pack("<IIII", 0x6d656f70, 9, 1, 0) + b"{}", "not from a poemd")):
            with self.subTest(answer=answer), \
                    socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
                path = self.folder / "fake"
                path.unlink(missing_ok=True)
                listening.bind(str(path))
                listening.listen()
                asking = subprocess.Popen(
                    [test_tools.build / "poemctl", "status", "--control", path],
                    stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                with listening.accept()[0] as there:
                    there.recv(4096)
                    if answer:
                        there.send(answer)
                out, said = asking.communicate(timeout=PATIENCE)
                self.assertIn(why, said)
                self.assertEqual((asking.returncode, out), (3, ""))


class Sessions(Control):
    SHARES = ('its route shares BAR memory with the client: it needs "mappable strip" or '
              '"mappable adopt"')

    def test_json(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            client.read(3)
            said = b.json("sessions")
            self.assertEqual(b.json("sessions", "edu")["sessions"][0]["number"], 1)
        self.assertEqual(set(said), {"format", "sessions"})
        self.assertEqual(said["format"], "poemd-sessions/1")
        s = said["sessions"][0]
        self.assertRegex(s.pop("since"), TIME)
        self.assertGreaterEqual(s.pop("ms"), 0)
        self.assertGreater(s.pop("worker"), 0)
        client_said, backend = s.pop("client"), s.pop("backend")
        self.assertEqual(s, {
            "number": 1, "route": "edu", "state": "relaying", "resumed": 0,
            "verdict": "allow", "taint": "-",
            "observed": "-",
            "rule": {"line": 0, "why": "this route has no rules"}, "permissive": False,
            "licences": [],
            "to-backend": {"messages": 3, "bytes": 3 * 32, "fds": 0},
            "to-client": {"messages": 3, "bytes": 3 * 36, "fds": 0}, "overdue": 0,
            "restart": {"possible": False, "held": False,
                        "why": 'its route has no "on backend loss hold"'},
            "replace": {"possible": False, "migration": None, "why": self.SHARES}})
        self.assertEqual(client_said["pid"], os.getpid())
        self.assertEqual(client_said["uid"], os.getuid())
        self.assertEqual(backend["exe"]["path"], str(test_tools.build / "edu"))
        self.assertEqual(backend["unknown"]["sha256"], "not inspected")

    def test_text(self) -> None:
        with self.broker(route="    assign licence MIT to backend exe "
                               f"{test_tools.build}/edu\n    licence of backend compatible with "
                               "GPL-2.0-or-later evidence assigned\n") as b:
            self.assertEqual(b.ask("sessions").stdout, "")
            with Client(b.listen) as client:
                client.read()
                lines = b.ask("sessions").stdout.splitlines()
                licences = b.json("sessions")["sessions"][0]["licences"]
        self.assertEqual(licences, [{"of": "backend", "grade": "assigned", "source": "operator",
                                     "licence": "MIT"}])
        self.assertRegex(lines[0], r"^1 edu: relaying for \d+ s, allow-tainted, taint O$")
        self.assertRegex(lines[1], rf"^    client   pid {os.getpid()} uid {os.getuid()} /")
        self.assertRegex(lines[2], rf"^    backend  pid \d+ uid {os.getuid()} "
                                   rf"{test_tools.build}/edu, MIT \(assigned, operator\)$")
        self.assertRegex(lines[3], "^    because  ")
        self.assertEqual(lines[4:], ["    to-backend 1 message, 32 bytes, 0 fds",
                                     "    to-client  1 message, 36 bytes, 0 fds",
                                     "    restart    it ends with its device: its route has no "
                                     '"on backend loss hold"',
                                     f"    replace    its device cannot be replaced: {self.SHARES}"])

    def test_virtual_machine(self) -> None:
        """The name by the client's command line is shown, and a rule can ask for it."""
        name = 'we"b\n1'
        program = ("import sys; sys.path.insert(0, sys.argv[1]); import test_control as t\n"
                   "with t.Client(sys.argv[2]): print(flush=True); sys.stdin.read()")
        with self.broker(route="    allow client vm web1\n    otherwise taint\n") as b:
            with subprocess.Popen([sys.executable, "-c", program, Path(__file__).parent, b.listen,
                                   "-name", f"guest={name},process=x"], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
                self.assertEqual(p.stdout and p.stdout.readline(), "\n")
                text = b.ask("sessions").stdout
                (session,) = b.json("sessions")["sessions"]
                p.communicate()
        shown = r"we\x22b\x0a1"
        self.assertEqual((session["client"]["vm"], session["client"]["vm-by"]),
                         (shown, "command-line"))
        self.assertIn(f' vm "{shown}" ', text)
        self.assertEqual(session["rule"]["why"],
                         f'no "allow client vm" names the client\'s vm, which is {shown}')
        self.assertNotIn("vm", session["backend"])

    def test_overdue(self) -> None:
        """Requests that the broker answered, of a session and then of its route."""
        with self.broker(route="    answer-after 50ms\n",
                         device=("--fault", "missing:REGION_READ")) as b:
            with Client(b.listen) as client:
                client.read(2)
                lines = b.ask("sessions").stdout.splitlines()
                self.assertEqual(b.json("sessions")["sessions"][0]["overdue"], 2)
            while b.json("sessions")["sessions"]:
                pass
            self.assertEqual(b.json("status")["routes"][0]["overdue"], 2)
            status = b.ask("status").stdout
        self.assertEqual(lines[-1], "    overdue    2 requests answered in the device's stead")
        self.assertIn(", 2 requests answered in the device's stead\n", status)

    def test_end(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            self.assertEqual(b.ask("sessions", "--end", "1").stdout, "session 1: ending\n")
            self.assertEqual(client.socket.recv(1), b"")
            # The client may see it before the monitor has heard of it.
            while (said := b.ask("sessions", "--end", "1").stdout) == "session 1: ending\n":
                pass
            self.assertEqual(said, "session 1: already over\n")
            self.assertIn("there is no session 2",
                          b.ask("sessions", "--end", "2", status=1).stderr)
            self.assertIn("there is no session 18446744073709551615",
                          b.ask("sessions", "--end", "18446744073709551615", status=1).stderr)
        self.assertIn("reason=ended-by-operator", (self.folder / "poemd.log").read_text())

    def test_no_such_route(self) -> None:
        with self.broker() as b:
            self.assertIn('there is no route "x"', b.ask("sessions", "x", status=1).stderr)
            b.ask("sessions", "x" * 65, status=1)

    def test_usage(self) -> None:
        for args in (["a", "b"], ["--what"], ["--end", "0"], ["--end", "-1"], ["--end", "1x"],
                     ["--end", "18446744073709551616"], ["--end", "1", "edu"], ["--end", "1", "--json"]):
            with self.subTest(args=args):
                self.assertIn("usage: poemctl sessions",
                              self.tool("poemctl", "sessions", *args, status=2).stderr)


class Trace(Control):
    def shown(self, path: Path) -> list[str]:
        """The messages of a trace as poemctl shows them."""
        said = self.tool("poemctl", "trace", "show", "--color", "never", str(path)).stdout
        return [line for line in said.splitlines() if not line.startswith("===")]

    def test_of_a_route(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            self.assertEqual(b.ask("trace", "start", "--route", "edu", "-w", str(path)).stdout, "1\n")
            with Client(b.listen) as client:
                client.read(5)
            listed = b.await_trace(1, messages=14)
            listed.pop("bytes")
            self.assertEqual(listed, {
                "number": 1, "session": None, "route": "edu", "file": None, "filter": None,
                "state": "running", "why": None, "payload": 64, "memory-mib": 0, "sessions": 0,
                "messages": 14, "lost": 0, "files": 1})
            self.assertEqual(b.json("status")["traces"], b.traces())
            self.assertEqual(b.ask("trace", "stop", "1").stdout, "")
            b.await_trace(1, state="ended", why="asked")
            self.assertIn("there is no capture 1", b.ask("trace", "stop", "1", status=1).stderr)
            self.assertIn("1 route edu, 0 sessions: ended, asked\n    14 messages, 0 lost, ",
                          b.ask("trace", "list").stdout)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 5)

    def test_in_the_middle_of_a_session(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b, Client(b.listen) as one:
            one.read(3)
            b.ask("trace", "start", "-w", str(path), "--payload", "0", "1")
            self.assertEqual(b.await_trace(1, state="running", sessions=1)["session"], 1)
            one.read(2)
            b.await_trace(1, messages=4)
            b.ask("trace", "stop", "1")
            one.read(2)
            b.await_trace(1, state="ended", messages=4)
        self.assertEqual(len(self.shown(path)), 2)

    def test_filter(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            b.ask("trace", "start", "--route", "edu", "-w", str(path), "--filter",
                  "command=REGION_READ from=client")
            with Client(b.listen) as client:
                client.read(2)
            b.await_trace(1, messages=2, filter="command=REGION_READ from=client")
            said = b.ask("trace", "start", "--route", "edu", "-w", str(self.folder / "no"),
                         "--filter", "command=FOO", status=2).stderr
            self.assertIn("FOO", said)
            self.assertFalse((self.folder / "no").exists())

    def test_flight_recorder(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b, Client(b.listen) as client:
            b.ask("trace", "start", "-w", str(path), "--memory", "1", "1")
            b.await_trace(1, state="running", **{"memory-mib": 1})
            client.read(3)
            before = path.stat().st_size  # the section's header alone
            self.assertLess(before, 200)
            b.ask("trace", "dump", "1")
            end = time.monotonic() + PATIENCE
            while path.stat().st_size == before:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.01)
            b.ask("trace", "stop", "1")
            b.await_trace(1, state="ended")
            self.assertIn("there is no capture 7", b.ask("trace", "dump", "7", status=1).stderr)
            b.ask("trace", "start", "-w", str(self.folder / "plain"), "1")
            b.await_trace(2, state="running")
            self.assertIn(
                "the capture is not a flight recorder", b.ask("trace", "dump", "2", status=1).stderr
            )
        self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 3)

    def start(self, b: Broker, *args: str, **popen: Any) -> subprocess.Popen[str]:
        """A poemctl that waits for the end of its capture, once that runs."""
        number = len(b.traces()) + 1
        process = subprocess.Popen(
            [test_tools.build / "poemctl", "trace", "start", "--control", b.control, "--route",
             "edu", *args], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **popen)
        b.await_trace(number, state="running")
        return process

    def test_waits_until_a_signal(self) -> None:
        for i, number in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)):
            path = self.folder / f"{i}.pcapng"
            with self.subTest(signal=number), self.broker() as b:
                process = self.start(b, "--wait", "-w", str(path), stdout=subprocess.PIPE)
                with Client(b.listen) as client:
                    client.read(2)
                # A message is in the capture right after it was delivered.
                b.await_trace(1, messages=8)
                process.send_signal(number)
                out, said = process.communicate(timeout=PATIENCE)
                self.assertEqual(process.returncode, 0, said)
                self.assertEqual(out, "1\n")
                self.assertRegex(said, r"trace 1 ended: asked; 8 messages, 0 lost, \d+ bytes\n$")
                b.await_trace(1, state="ended", why="asked", messages=8)
            self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 2)

    def test_a_pipe_is_waited_for(self) -> None:
        with self.broker() as b:
            process = self.start(b, stdout=subprocess.PIPE)
            with Client(b.listen) as client:
                client.read(2)
            b.await_trace(1, messages=8)
            process.send_signal(signal.SIGINT)
            assert process.stdout and process.stderr
            trace = process.stdout.buffer.read()
            self.assertEqual(process.wait(PATIENCE), 0)
            self.assertIn("trace 1 ended: asked; 8 messages", process.stderr.read())
            process.stdout.close()
            process.stderr.close()
        path = self.folder / "t.pcapng"
        path.write_bytes(trace)
        self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 2)

    def test_a_reader_that_goes(self) -> None:
        with self.broker() as b:
            process = self.start(b, stdout=subprocess.PIPE)
            assert process.stdout and process.stderr
            process.stdout.close()
            with Client(b.listen) as client:
                client.read(2)
            self.assertIn("trace 1 ended: reader gone", process.stderr.read())
            self.assertEqual(process.wait(PATIENCE), 0)
            process.stderr.close()
            with Client(b.listen) as client:
                client.read(2)

    def test_who_waits_and_is_killed(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            process = self.start(b, "--wait", "-w", str(path), stdout=subprocess.DEVNULL)
            with Client(b.listen) as client:
                client.read()
                b.await_trace(1, messages=6)
                process.kill()
                process.communicate(timeout=PATIENCE)
                b.await_trace(1, state="ended", why="asked", messages=6)
                client.read()
        self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 1)

    def test_a_session_that_ends(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            with Client(b.listen) as client:
                process = subprocess.Popen(
                    [test_tools.build / "poemctl", "trace", "start", "--control", b.control,
                     "--wait", "-w", path, "1"], stdin=subprocess.DEVNULL, text=True,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                b.await_trace(1, state="running", sessions=1)
                # Its worker may begin in the middle of the first read.
                while b.traces()[0]["messages"] < 2:
                    client.read()
            said = process.communicate(timeout=PATIENCE)[1]
            self.assertRegex(said, r"trace 1 ended: session ended; \d+ messages, 0 lost")
            self.assertEqual(process.returncode, 0)

    def test_poemd_ends(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            process = self.start(b, "--wait", "-w", str(path), stdout=subprocess.DEVNULL)
            with Client(b.listen) as client:
                client.read()
        said = process.communicate(timeout=PATIENCE)[1]
        self.assertIn("trace 1 ended: shutdown; 6 messages", said)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 1)

    def test_the_monitor_is_killed(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            process = self.start(b, "--wait", "-w", str(path), stdout=subprocess.DEVNULL)
            os.kill(b.pid("monitor"), signal.SIGKILL)
            with Client(b.listen) as client:
                client.read()
        said = process.communicate(timeout=PATIENCE)[1]
        self.assertIn("trace 1 ended: shutdown; 6 messages", said)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(sum("REGION_READ" in line for line in self.shown(path)), 1)

    def test_no_fd_is_left(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            before = 0
            for i in range(6):
                path = self.folder / f"{i}.pcapng"
                b.ask("trace", "start", "-w", str(path), *(["--route", "edu"] if i % 2 else ["1"]))
                b.await_trace(i + 1, state="running")
                client.read()
                b.ask("trace", "stop", str(i + 1))
                b.await_trace(i + 1, state="ended")
                if i == 0:  # It has started the tracer.
                    before = fds_of(b.pid("monitor"))
            # A client's own fd may be there for a moment after it has its answer, and a file of
            # /proc is, whenever a child's heartbeat is looked at.
            end = time.monotonic() + PATIENCE
            now = fds_of(b.pid("monitor"))
            while now > before and time.monotonic() < end:
                time.sleep(0.01)
                now = fds_of(b.pid("monitor"))
            self.assertLessEqual(now, before)

    def test_where_it_may_go(self) -> None:
        full = self.folder / "full"
        full.write_text("mine\n")
        missing = self.folder / "missing" / "t.pcapng"
        with self.broker() as b, Client(b.listen):
            for path, why in ((full, "the file is not empty"), (missing, "No such file"),
                              (self.folder, "Is a directory"),
                              (self.folder / "r.sock", "No such device or address")):
                with self.subTest(path=path):
                    self.assertIn(why, b.ask("trace", "start", "-w", str(path), "1",
                                             status=3).stderr)
            empty = self.folder / "empty"
            empty.touch()
            b.ask("trace", "start", "-w", str(empty), "1")
            self.assertEqual([t["number"] for t in b.traces()], [1])
            ours, theirs = os.openpty()
            try:
                done = subprocess.run(
                    [test_tools.build / "poemctl", "trace", "start", "--control", b.control, "1"],
                    stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, text=True,
                    timeout=PATIENCE, check=False)
            finally:
                os.close(ours)
                os.close(theirs)
            self.assertIn("a capture is not for a terminal", done.stderr)
            self.assertEqual(done.returncode, 3)
        self.assertEqual(full.read_text(), "mine\n")

    def test_what_there_is_not(self) -> None:
        path = self.folder / "t.pcapng"
        with self.broker() as b:
            for args, why in ((["--route", "x"], "no such route"), (["17"], "no such session")):
                with self.subTest(args=args):
                    said = b.ask("trace", "start", "-w", str(path), *args, status=1).stderr
                    self.assertIn(why, said)
                    self.assertFalse(path.exists(), "a file is left")

    def test_usage(self) -> None:
        for args in (["start"], ["start", "x"], ["start", "1", "2"], ["start", "--route", "r", "1"],
                     ["start", "--payload", "x", "1"], ["start", "--payload", "1048577", "1"],
                     ["start", "--memory", "1025", "1"], ["start", "--filter", "x" * 512, "1"],
                     ["start", "--route", "x" * 65], ["stop"], ["stop", "x"], ["dump"],
                     ["dump", "1", "2"], ["list", "1"], ["stop", "--json", "1"]):
            with self.subTest(args=args):
                self.assertIn("usage: poemctl trace",
                              self.tool("poemctl", "trace", *args, status=2).stderr)


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    test_tools.build = Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])


if __name__ == "__main__":
    main()
