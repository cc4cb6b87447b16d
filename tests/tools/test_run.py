#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl run, with a client that has QEMU's and cloud-hypervisor's command lines.

usage: test_run.py --build DIR [TEST...]

As the client: test_run.py --client END ARGUMENT... asks what QEMU asks of each device that the
arguments name; END is "exit STATUS", "kill", or "wait", until SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from test_faults import Client

TOOLS = Path(__file__).resolve().parent
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
YES, NO, USAGE, COULD_NOT = range(4)

build = Path()


def client(end: str, arguments: list[str]) -> None:
    for argument in arguments:
        if argument.startswith("{") and "socket" in argument:
            path = json.loads(argument)["socket"]["path"]
        elif argument.startswith("socket="):
            path = argument.removeprefix("socket=").partition(",")[0]
        else:
            continue
        one = Client(Path(path))
        try:
            one.realize()
        except (EOFError, OSError):
            pass
        print(path, flush=True)
    word, _, status = end.partition(" ")
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "wait":
        signal.sigwait({signal.SIGTERM})
    sys.exit(int(status or 0))


class Run(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The broker's processes give their rights away, and the folder is theirs to use.
        self.folder.chmod(0o755)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}

    def device(self, fault: str = "none", name: str = "device") -> Path:
        path = self.folder / name
        ours, its = os.pipe()
        process = subprocess.Popen([sys.executable, TOOLS / "fault_device.py", path, fault,
                                    "--ready-fd", str(its)], pass_fds=[its],
                                   stdin=subprocess.DEVNULL)
        os.close(its)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        with os.fdopen(ours, "rb") as ready:
            self.assertEqual(ready.read(1), b"\n")
        return path

    def arguments(self, *options: object, end: str, command: tuple[str, ...]) -> list[str]:
        words = [build / "poemctl", "run", *options, "--", sys.executable, __file__, "--client",
                 end, *command]
        return [str(word) for word in words]

    def run_it(self, *options: object, end: str = "exit 0", command: tuple[str, ...],
               status: int = YES) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.arguments(*options, end=end, command=command), text=True,
                              capture_output=True, timeout=PATIENCE, check=False,
                              stdin=subprocess.DEVNULL, env=self.environment, cwd=self.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        # Nothing is left behind.
        self.assertEqual([one.name for one in self.folder.iterdir() if "poemctl-run" in one.name],
                         [])
        return done

    def qemu(self, path: Path) -> tuple[str, ...]:
        device = {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": str(path)},
                  "x-msg-timeout": 9000}
        return ("-device", '{"driver":"other"}', "-device", json.dumps(device))

    def test_a_session_is_shown(self) -> None:
        done = self.run_it("--trace", "kept.pcapng", "--html", "page.html", "--lint",
                           command=self.qemu(self.device()))
        self.assertIn("poemctl-run.", done.stdout)
        self.assertRegex(done.stderr, r"device1/1 --> +2 DEVICE_GET_INFO\(\) = {RESET\|PCI, ")
        self.assertIn('ends: 44 messages, 0 lost, {ended="client-closed"}', done.stderr)
        self.assertRegex(done.stderr, "poemctl: trace show: 44 messages of 1 session in .*: 0 err")
        self.assertTrue(done.stderr.endswith("44 messages: 0 errors, 0 warnings, 0 notes\n"))
        self.assertIn("<html", (self.folder / "page.html").read_text())
        shown = subprocess.run([build / "poemctl", "trace", "show", self.folder / "kept.pcapng"],
                               capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.assertIn("DEVICE_RESET", shown.stdout)

    def test_findings_decide(self) -> None:
        """The capture is kept of the configuration space as a whole, so that its list is judged."""
        for fault, found in (("fds-32", "max_msg_fds is 32"), ("caps-loop", "capabilities loops")):
            with self.subTest(fault=fault):
                path = self.device(fault, fault)
                done = self.run_it("--lint", "--quiet", command=self.qemu(path), status=NO)
                self.assertIn(found, done.stderr)
                self.assertNotIn("DEVICE_GET_INFO(", done.stderr)
                self.run_it("--quiet", command=self.qemu(path))

    def test_the_end_of_the_command(self) -> None:
        path = self.device()
        self.run_it("-q", end="exit 7", command=self.qemu(path), status=7)
        done = self.run_it("-q", end="kill", command=self.qemu(path), status=128 + 9)
        self.assertIn("was killed by signal 9 (Killed)", done.stderr)

    def test_signals_are_passed_on(self) -> None:
        words = self.arguments("-q", end="wait", command=self.qemu(self.device()))
        with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=self.environment) as process:
            assert process.stdout
            self.assertIn(b"poemctl-run.", process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=PATIENCE), YES)

    def test_two_devices(self) -> None:
        """Of which one has a relative path."""
        paths = [self.device(name=f"device-{i}") for i in range(2)]
        command = ("--user-device", f"socket={paths[0].name},id=a", f"socket={paths[1]}", "--cpus", "1")
        done = self.run_it("--trace", self.folder / "t", command=command)
        self.assertIn("device1/1 begins", done.stderr)
        self.assertRegex(done.stderr, r"device2/\d begins")
        self.assertEqual(sorted(one.name for one in self.folder.glob("t*")), ["t", "t-2"])

    def test_what_cannot_be_run(self) -> None:
        done = self.run_it(command=(), status=USAGE)
        self.assertIn("the command names no vfio-user socket", done.stderr)
        done = subprocess.run([build / "poemctl", "run"], capture_output=True, text=True,
                              timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("which command?", done.stderr)
        self.run_it("--trace", "no/such/folder/t", command=self.qemu(self.device()),
                    status=COULD_NOT)


def main() -> None:
    global build
    if len(sys.argv) > 2 and sys.argv[1] == "--client":
        # SIGTERM is waited for, and must not come before.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        client(sys.argv[2], sys.argv[3:])
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        sys.exit("usage: test_run.py --build DIR [TEST...]")
    build = Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])


if __name__ == "__main__":
    main()
