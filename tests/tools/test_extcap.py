#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""contrib/wireshark/poemd-extcap in tshark: the routes of a running poemd are interfaces of which
tshark captures live, while an edu is driven through it.

usage: test_extcap.py --build DIR [TEST...]
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any, Iterator

import test_tools
from test_control import Broker, Client, Control
from test_tools import PATIENCE

SKIPPED = 77
DISSECTOR = Path(__file__).resolve().parents[2] / "contrib" / "wireshark" / "vfio_user.lua"

# Wireshark believes no environment of root's: it is somebody else's tshark then.
ROOT = os.geteuid() == 0
NOBODY = 65534


class Extcap(Control):
    control = f"mode 0660 group {NOBODY}" if ROOT else ""

    def setUp(self) -> None:
        super().setUp()
        self.home = self.folder / "home"
        self.home.mkdir()
        extcap = self.folder / "extcap"
        extcap.mkdir()
        shutil.copy(test_tools.build / "contrib" / "wireshark" / "poemd-extcap", extcap)
        # The tree and its build may be where nobody else comes.
        shutil.copy(test_tools.build / "poemctl", self.folder)
        shutil.copy(DISSECTOR, self.folder)
        if ROOT:
            self.folder.chmod(0o755)
            os.chown(self.home, NOBODY, NOBODY)
        self.environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C.UTF-8",
            "WIRESHARK_EXTCAP_DIR": str(extcap), "POEMCTL": str(self.folder / "poemctl"),
            "POEMD_CONTROL": str(self.folder / "run" / "control.sock")}

    def start(self, *command: str, **popen: Any) -> subprocess.Popen[str]:
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
        return subprocess.Popen(command, env=self.environment, cwd=self.home, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **other, **popen)

    def run_it(self, *command: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*command)
        out, said = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, out + said)
        return out, said

    def extcap(self, *args: str, status: int = 0) -> tuple[str, str]:
        return self.run_it(f"{self.folder}/extcap/poemd-extcap", *args, status=status)

    def test_asked_as_wireshark_asks(self) -> None:
        one = ("--extcap-interface", "poemd:edu")
        with self.broker():
            out, said = self.extcap("--extcap-interfaces", "--extcap-version=4.0")
            self.assertEqual(said, "")
            self.assertEqual(out.splitlines()[1:],
                             ["interface {value=poemd:edu}{display=vfio-user route edu}"])
            self.assertEqual(self.extcap(*one, "--extcap-dlts")[0],
                             "dlt {number=252}{name=WIRESHARK_UPPER_PDU}{display=vfio-user}\n")
            self.assertEqual([line.split("}")[1] for line in
                              self.extcap("--extcap-interface=poemd:edu", "--extcap-config")[0]
                              .splitlines()], ["{call=--payload", "{call=--control"])
            for text, wrong in (("errors", False), ("", False), ("region=1 !fds", False),
                                ("errrors", True), ("slower=1 day", True)):
                out = self.extcap(*one, "--extcap-capture-filter", text)[0]
                self.assertEqual(out != "", wrong, f"{text!r}: {out}")
        # Nobody to ask: nothing to list, and no complaint.
        out, said = self.extcap("--extcap-interfaces")
        self.assertEqual((len(out.splitlines()), said), (1, ""))
        for args in (["--extcap-dlts"], ["--what"], ["--extcap-interface"],
                     ["--extcap-interface", "eth0", "--extcap-dlts"], [*one, "--capture"], [*one]):
            with self.subTest(args=args):
                self.assertTrue(self.extcap(*args, status=1)[1].startswith("poemd-extcap: "))

    def test_listed_by_tshark(self) -> None:
        with self.broker():
            self.assertIn("poemd:edu (vfio-user route edu)\n", self.run_it("tshark", "-D")[0])
            out, said = self.run_it("tshark", "-i", "poemd:edu", "-L")
            self.assertIn("WIRESHARK_UPPER_PDU (vfio-user)", out + said)
        self.assertNotIn("poemd:edu", self.run_it("tshark", "-D")[0])

    @contextlib.contextmanager
    def capturing(self, b: Broker, number: int, *args: str) -> Iterator[Path]:
        """tshark captures; at the end it is told to stop, as by Ctrl-C."""
        path = self.home / f"{number}.pcapng"
        process = self.start("tshark", "-i", "poemd:edu", "-w", str(path), *args)
        b.await_trace(number, state="running")
        yield path
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, out + said)
        b.await_trace(number, state="ended")

    def await_packets(self, path: Path, n: int) -> None:
        """Live: the file grows while the capture runs."""
        end = time.monotonic() + PATIENCE
        while len(self.fields(path, "frame.number")) < n:
            self.assertLess(time.monotonic(), end, f"{path} never has {n} packets")

    def fields(self, path: Path, *fields: str) -> list[str]:
        args = [word for field in fields for word in ("-e", field)]
        process = self.start("tshark", "-X", f"lua_script:{self.folder}/{DISSECTOR.name}",
                             "-r", str(path), "-T", "fields", *args)
        # A file that is being written may end inside a packet.
        return process.communicate(timeout=PATIENCE)[0].splitlines()

    def test_live(self) -> None:
        with self.broker() as b:
            with self.capturing(b, 1) as path:
                with Client(b.listen) as client:
                    client.read(3)
                    self.await_packets(path, 10)
                with Client(b.listen) as client:
                    client.read(1)
                self.await_packets(path, 16)
            said = self.fields(path, "vfio_user_capture.session", "vfio_user.command")
            self.assertEqual(b.traces()[0]["messages"], 16)
        version, read = "1\t1", "1\t9"
        self.assertEqual(said, [version] * 4 + [read] * 6 +
                         ["2" + line[1:] for line in [version] * 4 + [read] * 2])

    def test_filter_and_payload(self) -> None:
        with self.broker() as b, Client(b.listen) as client:
            with self.capturing(b, 1, "-f", "command=REGION_READ from=backend", "-o",
                                "extcap.poemd_edu.payload:0") as path:
                client.read(2)
                self.await_packets(path, 2)
                self.assertEqual(b.traces()[0]["filter"], "command=REGION_READ from=backend")
                self.assertEqual(b.traces()[0]["payload"], 0)

    def test_the_broker_goes(self) -> None:
        path = self.home / "t.pcapng"
        with self.broker() as b:
            process = self.start("tshark", "-i", "poemd:edu", "-w", str(path))
            b.await_trace(1, state="running")
            with Client(b.listen) as client:
                client.read()
            self.await_packets(path, 6)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(len(self.fields(path, "frame.number")), 6)


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    if not shutil.which("tshark"):
        print("test_extcap.py: no tshark here: nothing is tested")
        sys.exit(SKIPPED)
    test_tools.build = Path(sys.argv[2]).resolve()
    # What is tested here, and not what it stands on.
    unittest.main(argv=[sys.argv[0], *(sys.argv[3:] or ["Extcap"])])


if __name__ == "__main__":
    main()
