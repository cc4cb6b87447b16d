#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What an operator of many machines asks poemctl: status of forty routes, and doctor.

usage: test_operator.py --build DIR [TEST...]
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import resource
import socket
import struct
import subprocess
import unittest
from typing import Any, Iterator

import test_control
import test_tools
from test_control import Client, Control
from test_tools import PATIENCE

LINES, COLUMNS = 24, 80


class Many(Control):
    """A broker with forty routes."""

    @contextlib.contextmanager
    def forty(self) -> Iterator[None]:
        config = self.folder / "poemd.conf"
        edu = f'backend spawn "{test_tools.build}/edu --fd %fd"'
        config.write_text(f"""workers 2
            control {self.folder}/c.sock
            route web@ {{
                instances {" ".join(f"{i:02}" for i in range(39))}
                listen {self.folder}/%i.sock
                {edu}
                sessions 2
                demand recital from client
                otherwise taint
            }}
            route disk {{
                listen {self.folder}/disk.sock
                {edu}
            }}
            """)
        with self.running("poemd", "--config", str(config)):
            yield

    def ask(self, *args: str, status: int = 0) -> str:
        return self.tool("poemctl", "status", "--control", str(self.folder / "c.sock"), *args,
                         status=status).stdout


class Status(Many):
    def test_forty_routes_fit_a_screen(self) -> None:
        with self.forty(), contextlib.ExitStack() as clients:
            idle = self.ask()
            for i in range(12):
                clients.enter_context(Client(f"{self.folder}/{i:02}.sock"))
            clients.enter_context(Client(f"{self.folder}/11.sock"))
            busy = self.ask().splitlines()
        self.assertIn("\nroutes         40 in order: 0 in use, 40 not in use\n", idle)
        self.assertIn("routes         28 in order: 0 in use, 28 not in use", busy)
        # The worst first.
        self.assertIn("attention      web@11: full, 2 of 2 sessions, taint R", busy)
        self.assertIn("               web@00: tainted, 1 of 2 sessions, taint R", busy)
        self.assertEqual(busy[-1], "               and 3 more: poemctl status --state tainted")
        self.assertLess(len(busy), LINES)
        # A path may be longer than a line.
        self.assertEqual([x for x in busy[2:] if len(x) > COLUMNS], [])

    def test_filters(self) -> None:
        with self.forty(), Client(f"{self.folder}/07.sock"), Client(f"{self.folder}/disk.sock"):
            tainted = self.ask("--state", "tainted")
            busy = json.loads(self.ask("--state", "busy", "--json"))["routes"]
            some = json.loads(self.ask("--json", "web@1?"))["routes"]
            both = self.ask("--state", "idle", "disk")
        self.assertIn("\nroute web@07: 1 of 2 sessions, 1 since the start, taint R\n", tainted)
        self.assertEqual(tainted.count("route "), 1)
        self.assertEqual([(r["name"], r["state"]) for r in busy], [("disk", "busy")])
        self.assertEqual([r["name"] for r in some], [f"web@{i}" for i in range(10, 20)])
        self.assertNotIn("route disk", both)

    def test_watch(self) -> None:
        """On a terminal, one screen after the other, and not only once."""
        with self.forty():
            here, there = pty.openpty()
            with subprocess.Popen([test_tools.build / "poemctl", "status", "--watch", "--control",
                                   self.folder / "c.sock"], stdout=there) as watching:
                os.close(there)
                shown = b""
                while shown.count(b"\033[H\033[J") < 2:
                    shown += os.read(here, 65536)
                watching.terminate()
            os.close(here)
        self.assertTrue(shown.startswith(b"\033[H\033[Jpoemd "))
        self.assertIn(b"routes         40 in order", shown)


class Doctor(Control):
    def doctor(self, *args: str) -> dict[str, list[dict[str, Any]]]:
        """The findings of each check; the exit status is 1 if there is a wrong one."""
        done = subprocess.run([test_tools.build / "poemctl", "doctor", "--json", *args],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        said = json.loads(done.stdout)
        self.assertEqual(done.returncode, any(f["level"] == "wrong" for f in said["findings"]))
        self.assertEqual(said["format"], "poemd-doctor/1")
        found: dict[str, list[dict[str, Any]]] = {}
        for f in said["findings"]:
            found.setdefault(f["check"], []).append(f)
        return found

    def levels(self, found: dict[str, list[dict[str, Any]]], *checks: str) -> list[str]:
        return [f["level"] for c in checks for f in found[c]]

    def test_in_order(self) -> None:
        """As far as this test can make it so: kernel and AppArmor are the host's."""
        with self.broker() as b:
            said = subprocess.run([test_tools.build / "poemctl", "doctor", "--control", b.control],
                                  capture_output=True, text=True, timeout=PATIENCE,
                                  check=False).stdout
        for line in ("ok       limits         open files for all sessions",
                     "ok       devices        the sockets and programs of devices",
                     "ok       memory         the memory that virtual machines share with devices"):
            self.assertIn(line + "\n", said)

    def test_without_a_configuration(self) -> None:
        found = self.doctor("--config", "/nowhere", "--control", "/nowhere.sock")
        self.assertEqual(self.levels(found, "poemd", "configuration", "limits", "memory"),
                         ["note", "wrong", "skipped", "skipped"])
        self.assertIn("/nowhere: No such file", found["configuration"][0]["text"])

    def test_a_faulty_configuration(self) -> None:
        config = self.folder / "poemd.conf"
        config.write_text("wrokers 1\n")
        found = self.doctor("--config", str(config))["configuration"]
        self.assertIn('unknown word "wrokers"', found[0]["text"])

    def test_places(self) -> None:
        key = self.folder / "key.pem"
        self.tool("poemctl", "audit", "keygen", "--name", "test", str(key))
        config = self.folder / "poemd.conf"
        open_to_all = self.folder / "x"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        config.write_text(f"audit {self.folder}/log key {key}\nroute r {{\n"
                          f"listen {open_to_all}/r.sock\nbackend {self.folder}/no.sock\n}}\n")
        key.chmod(0o644)
        found = self.doctor("--config", str(config), "--control", "/nowhere.sock")
        texts = [f["text"] for f in found["places"] if f["level"] == "wrong"]
        self.assertTrue(any("every user can write to it" in t and str(open_to_all) in t for t in texts))
        self.assertTrue(any(f"read the audit log's key \"{key}\"" in t for t in texts))
        self.assertIn(f'chmod 600 "{key}"', [f["mend"] for f in found["places"]])
        self.assertIn("no device listens at", found["devices"][0]["text"])

    def test_limits(self) -> None:
        config = self.folder / "poemd.conf"
        config.write_text("max-sessions 4000\nroute r {\nlisten /run/r.sock\nbackend /run/s.sock\n}")
        done = subprocess.run(
            [test_tools.build / "poemctl", "doctor", "--config", config, "--control", "/nowhere"],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000)))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"wrong    limits         a process started here may open "
                                      r"1000 files, which is too few for 4000 sessions\n"
                                      r" +set LimitNOFILE=\d+ in the unit")

    def test_memory(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            client.read()
            without = self.doctor("--control", b.control)["memory"]
            with open(self.folder / "m", "wb+") as memory:
                memory.truncate(4096)
                # DMA_MAP with an fd.
                socket.send_fds(client.socket, [
                    struct.pack("<HHIIIIIQQQ", 9, 2, 48, 0, 0, 32, 3, 0, 0, 4096)],
                    [memory.fileno()])
                client.socket.recv(16, socket.MSG_WAITALL)
            shared = self.doctor("--control", b.control)["memory"]
        self.assertIn("route edu: the client of session 1 shares no memory", without[0]["text"])
        self.assertIn("share=on", without[0]["mend"])
        self.assertEqual(shared[0]["level"], "ok")

    @unittest.skipIf(os.getuid(), "only root can try what other users may")
    def test_clients(self) -> None:
        self.folder.chmod(0o755)
        with self.broker(route="    allow client user nobody\n") as b:
            closed = self.doctor("--control", b.control)["clients"]
            os.chown(b.listen, 65534, -1)
            opened = self.doctor("--control", b.control)["clients"]
        self.assertEqual(closed[0]["text"], "route edu: user nobody cannot connect to "
                                            f'"{b.listen}": Permission denied')
        self.assertIn("owner nobody", closed[0]["mend"])
        self.assertEqual(opened[0]["level"], "ok")


if __name__ == "__main__":
    # Only the tests of this file.
    del Control, Many
    test_control.main()
