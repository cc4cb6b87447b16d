# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What the benchmarks' scripts share: programs started and ended, the machine told, verdicts."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import select
import statistics
import subprocess
import time
from pathlib import Path
from typing import Iterator, Sequence

READY_S = 30
STOP_S = 10
LOAD_S = 300

ROLES = ("client", "relay", "server")


class CannotMeasure(Exception):
    pass


class Child:
    """A running program of the benchmark. The kernel ends it where this script dies."""

    def __init__(self, bench: Frame, role: str, argv: Sequence[object], *, ready: bool = False,
                 stdin: int = subprocess.DEVNULL, stdout: int | None = None) -> None:
        self.name = Path(str(argv[0])).name
        self._log = bench.folder / f"{self.name}.{time.monotonic_ns()}.log"
        command = ["setpriv", "--pdeathsig", "KILL", "--"]
        if bench.pin:
            command += ["taskset", "--cpu-list", bench.pin[role]]
        command += [str(a) for a in argv]
        ready_fd, tell_fd = os.pipe() if ready else (-1, -1)
        if ready:
            command += ["--ready-fd", str(tell_fd)]
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=log if stdout is None else stdout, stderr=log,
                pass_fds=(tell_fd,) if ready else (), text=True)
        if ready:
            os.close(tell_fd)
            self._await(ready_fd)

    def _await(self, ready_fd: int) -> None:
        try:
            if not select.select([ready_fd], [], [], READY_S)[0] or not os.read(ready_fd, 64):
                raise self.failed("was not ready")
        finally:
            os.close(ready_fd)

    def failed(self, what: str) -> CannotMeasure:
        self.stop()
        text = self._log.read_text(errors="replace").strip()[-2000:]
        return CannotMeasure(f"{self.name} {what} (status {self.process.returncode})\n{text}")

    def line(self) -> str:
        """The next line of its standard output."""
        out = self.process.stdout
        assert out is not None
        if not select.select([out], [], [], LOAD_S)[0]:
            raise self.failed("said nothing")
        text = out.readline()
        if not text:
            raise self.failed("ended")
        return text.strip()

    def stop(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Frame:
    """Where things are, and how they are started."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.args = args
        self.folder = folder
        self.pin = dict(zip(ROLES, args.pin)) if args.pin else None

    def program(self, name: str) -> Path:
        path = self.args.poemd if name == "poemd" and self.args.poemd else self.args.build / name
        if not os.access(path, os.X_OK):
            raise CannotMeasure(f"{path}: not there; build it first")
        return path

    def socket(self, name: str) -> Path:
        return self.folder / f"{name}.sock"

    @contextlib.contextmanager
    def child(self, role: str, argv: Sequence[object], **how) -> Iterator[Child]:
        child = Child(self, role, argv, **how)
        try:
            yield child
        finally:
            child.stop()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def verdict(value: float, least: float | None, most: float | None) -> dict:
    return {"value": value, "at_least": least, "at_most": most,
            "met": (least is None or value >= least) and (most is None or value <= most)}


def build_type(build: Path) -> str:
    try:
        cache = (build / "CMakeCache.txt").read_text()
    except OSError:
        return "unknown"
    found = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.MULTILINE)
    sanitized = re.search(r"^POEMD_SANITIZE:BOOL=(ON|TRUE|1)$", cache, re.MULTILINE)
    return (found.group(1) if found else "unknown") + (" with sanitizers" if sanitized else "")


def machine(args: argparse.Namespace) -> dict:
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {"kernel": platform.release(), "cpu": cpu.group(1) if cpu else platform.machine(),
            "cpus": len(os.sched_getaffinity(0)), "build_type": build_type(args.build),
            "runs": args.runs, "slices": args.slices, "pin": args.pin,
            "load_average_before": os.getloadavg()[0]}


def parser(name: str, doc: str) -> argparse.ArgumentParser:
    """The options that all benchmarks have, but for --slices."""
    p = argparse.ArgumentParser(prog=f"tests/bench/{name}/run", description=doc.splitlines()[0])
    p.add_argument("--build", type=Path, required=True, help="folder with the built programs")
    p.add_argument("--poemd", type=Path, help="another poemd than the folder's")
    p.add_argument("--runs", type=int, default=5, help="default 5; medians are over these")
    p.add_argument("--json", type=Path, help="write all figures there")
    p.add_argument("--pin", type=lambda s: s.split(","), metavar="C,R,S",
                   help="CPUs of client, relay and server, such as 0,1,0 (default: not pinned)")
    return p


def settle_args(p: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    args = p.parse_args(argv)
    if args.runs < 1 or args.slices < 1 or (args.pin and len(args.pin) != len(ROLES)):
        p.error("--runs and --slices are at least 1; --pin has three parts")
    args.build = args.build.resolve()
    return args


def say_machine(m: dict) -> None:
    print(f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}, build {m['build_type']}, "
          f"{m['runs']} runs" + (f", pinned to {','.join(m['pin'])}" if m["pin"] else ""))


def say_optimized(m: dict) -> None:
    if not m["build_type"].startswith(("Release", "RelWithDebInfo", "MinSizeRel")) or \
            "sanitizers" in m["build_type"]:
        print(f"\nnot an optimized build ({m['build_type']}): these figures say little")
