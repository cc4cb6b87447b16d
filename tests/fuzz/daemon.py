#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A fuzzer of the running daemon, from both sides: scenarios of a client and a device in league,
or not, that send what daemon_peers makes up, and of control clients. All the while an honest
session goes on beside them.

usage: daemon.py --build DIR [--seconds N] [--seed S] [--only NUMBER] [--keep]

A scenario is made of the seed and its number alone: --only plays one again (--keep: and leaves the
folder with the log). At the end the log must have no report of a sanitizer, no worker may have
died, no session may be left, fds (and memory, without sanitizers) of all of poemd's processes must
be as they were once the captures that control clients began are stopped, and the honest session
must have had its answers.

Exit status: 0 all that held, 1 it did not, 2 usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Iterator

import daemon_peers as peers

PLAYERS = 4     # processes that play scenarios
WARM_UP = 40    # scenarios of each before fds and memory are noted
WORKERS = 2
PATIENCE = 120  # seconds; only ever waited out where something has gone wrong
SOON = 0.05     # for what comes at once, if it comes
ROUTES = {"plain": "", "gated": "dma withhold", "taken": "trace @D/taken.pcapng memory 1",
          "asked": "demand recital from backend\n    otherwise taint",
          "same": "same-process taint"}
CONTROL_MAGIC, CONTROL_VERSION, CONTROL_SIZE = 0x6d656f70, 1, 616
TRACE_START, TRACE_STOP, TRACE_DUMP = 4, 5, 6  # of enum control_type
STOP, KINDS = 9, 10
FINDINGS = re.compile(r"Sanitizer|runtime error:|Assertion|internal error|broke the rules"
                      r"|worker pid=\d+ (was killed|exited)|inspector pid=\d+ (was|exited)"
                      r"|tracer pid=\d+")
HONEST = 1  # the number of the honest session, which begins before all others
# What poemd's memory may be above what it was, in KiB and for each process: queues that are kept.
SLACK_KIB = 4096


def configuration(folder: Path) -> str:
    text = f"workers {WORKERS}\ncontrol {folder}/control\nhandshake-timeout 1s\nlog-level warning\n"
    for player in range(PLAYERS):
        for name, words in ROUTES.items():
            text += (f"route {name}{player} {{\n    listen {folder}/{name}{player}\n"
                     f"    backend {folder}/{name}{player}.dev\n    sessions 8\n"
                     f"    drain-timeout 300ms\n    "
                     + words.replace("@D", f"{folder}").replace("taken.", f"taken{player}.")
                     + "\n}\n")
    return text + f"route calm {{\n    listen {folder}/calm\n    backend {folder}/calm.dev\n}}\n"


# ---- one scenario ----

def control_request(kind: int, flags: int, number: int, payload: int = 0, memory: int = 0,
                    route: str = "") -> bytes:
    data = struct.pack("<IIIIQII", CONTROL_MAGIC, CONTROL_VERSION, kind, flags, number, payload,
                       memory)
    return data + route.encode().ljust(CONTROL_SIZE - len(data), b"\0")


class Scenario:
    """A client and a device of one session; all that it opens is closed with it."""

    def __init__(self, folder: Path, player: int, seed: int, number: int,
                 devices: dict[str, socket.socket]) -> None:
        self.random = random.Random(f"{seed}/{number}")
        self.folder = folder
        self.route = self.random.choice(list(ROUTES)) + str(player)
        self.device = devices[self.route]
        self.sides: list[socket.socket] = []
        self.children: list[int] = []
        self.captures: list[int] = []

    def own(self) -> list[int]:
        # Not the listening socket, which a twin's end would shut down for all that follow.
        return [s.fileno() for s in self.sides]

    def send(self, side: socket.socket, data: bytes, n_fds: int = 0) -> bool:
        """In pieces, or whole; fds with any piece. False: it did not all go."""
        r = self.random
        way = r.random()
        fds = peers.strange_fds(r, n_fds, self.own())
        try:
            at, with_piece = 0, r.randrange(3)
            for turn in range(200):
                piece = data[at:at + 1] if way < 0.08 else data[at:at + r.randrange(1, 64)] \
                    if way < 0.2 else data[at:]
                gone = peers.send(side, piece, fds if turn == with_piece or len(piece) == len(data)
                                  else [])
                if gone <= 0:
                    return False
                at += gone
                if at == len(data):
                    return True
            return peers.send(side, data[at:], []) == len(data) - at
        finally:
            for fd in fds:
                os.close(fd)

    def hear(self, side: socket.socket, seconds: float = SOON) -> bytes | None:
        if not select.select([side], [], [], seconds)[0]:
            return b""
        return peers.take(side)

    def accept(self) -> socket.socket | None:
        if not select.select([self.device], [], [], 0.3)[0]:
            return None
        side = self.device.accept()[0]
        self.sides.append(side)
        return side

    def handshake(self) -> bool:
        """Whether it looks as if the session relays."""
        r = self.random
        client = socket.socket(socket.AF_UNIX)
        self.sides.append(client)
        client.connect(str(self.folder / self.route))
        n_fds = peers.how_many_fds(r) if r.random() < 0.05 else 0
        if not self.send(client, peers.version(r, 0), n_fds):
            return False
        if r.random() < 0.03:
            return False
        device = self.accept()
        heard = self.hear(device, 0.5) if device else None
        if not device or not heard or r.random() < 0.03:
            return False
        if r.random() < 0.03:
            self.send(client, peers.any_message(r))  # before the verdict
        flags = peers.REPLY | (peers.ERROR if r.random() < 0.05 else 0)
        twin = b"twin_socket" in heard and r.random() < 0.5
        self.send(device, peers.version(r, flags, int.from_bytes(heard[:2], "little"), twin),
                  1 if twin else r.randrange(3) if r.random() < 0.05 else 0)
        answer = self.hear(client, 0.5)
        return bool(answer) and len(answer) >= 16 and not struct.unpack("<I", answer[8:12])[0] & peers.ERROR

    def act(self) -> None:
        """One thing that a side does while the session relays."""
        r = self.random
        side = r.choice(self.sides)
        p = r.random()
        if p < 0.72:
            self.send(side, peers.any_message(r), peers.how_many_fds(r))
        elif p < 0.86:
            self.hear(side, 0)
        elif p < 0.89:
            data = peers.any_message(r)
            self.send(side, data[:r.randrange(1, len(data) + 1)], peers.how_many_fds(r))
        elif p < 0.91:
            self.send(side, r.randbytes(r.randrange(1, 100)))
        elif p < 0.93:
            with contextlib.suppress(OSError):
                side.shutdown(r.choice((socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR)))
        elif p < 0.94 and not self.children:
            self.children.append(peers.stopped_child())
        elif p < 0.97:
            for _ in range(r.randrange(100)):  # a slow reader
                if not self.send(side, peers.any_message(r)):
                    break
        else:
            self.ask()

    def ask(self) -> None:
        """A request at the control socket, good or not."""
        r = self.random
        kind, number = r.choice((*range(STOP), KINDS)), peers.number(r)
        route, n_fds = self.route if r.random() < 0.5 else "", r.choice((0, 1, 1, 2))
        if kind == TRACE_START and r.random() < 0.5:
            number, route, n_fds = 0, self.route, 1  # good, if its fd is
        elif kind in (TRACE_STOP, TRACE_DUMP) and self.captures and r.random() < 0.5:
            number = r.choice(self.captures)
        data = control_request(kind, r.choice((0, 0, 1, 2, 4)), number, peers.number(r, 32),
                               r.randrange(3), route)
        data = peers.damaged(r, data, 0.1)
        if data[16:24] == struct.pack("<Q", HONEST):
            return  # an operator may well end the honest session
        if data[8:12] == struct.pack("<I", STOP):
            return  # … or the broker
        answer = self.request(data, n_fds, r.random() < 0.6)
        if began := re.search(rb'"trace":{"number":(\d+)}', answer or b""):
            self.captures.append(int(began[1]))

    def request(self, data: bytes, n_fds: int, patient: bool) -> bytes | None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.setblocking(False)
            with contextlib.suppress(OSError):
                control.connect(str(self.folder / "control"))
                fds = peers.strange_fds(self.random, n_fds, self.own())
                peers.send(control, data, fds)
                for fd in fds:
                    os.close(fd)
                return self.hear(control) if patient else None

    def play(self) -> bool:
        """Whether it came to relay."""
        r = self.random
        try:
            if r.random() < 0.05:
                self.ask()
                return False
            if self.handshake():
                for _ in range(r.randrange(30)):
                    self.act()
                return True
            return False
        finally:
            for capture in self.captures:
                if r.random() < 0.8:
                    self.request(control_request(TRACE_STOP, 0, capture), 0, False)
            r.shuffle(self.sides)
            for side in self.sides:
                side.close()
            for pid in self.children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def listen(path: Path) -> socket.socket:
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    s.listen(64)
    return s


def play_all(folder: Path, player: int, arguments: argparse.Namespace, warm_w: int,
             end_r: int) -> str:
    """A player's life: the warm-up, a byte for it, and when one has come, the rest up to another."""
    devices = {f"{name}{player}": listen(folder / f"{name}{player}.dev") for name in ROUTES}
    number = player
    relayed = 0
    while True:
        if arguments.only is None or arguments.only == number:
            relayed += Scenario(folder, player, arguments.seed, number, devices).play()
        for device in devices.values():  # dialled after its client had gone
            while select.select([device], [], [], 0)[0]:
                device.accept()[0].close()
        number += PLAYERS
        if number // PLAYERS == WARM_UP:
            os.write(warm_w, b"\n")
            os.read(end_r, 1)
        if number // PLAYERS >= WARM_UP and (
                select.select([end_r], [], [], 0)[0] or arguments.only is not None):
            return f"{number // PLAYERS} scenarios, of which {relayed} came to relay"


# ---- the honest session ----

def exchange(client: socket.socket, device: socket.socket, ident: int) -> None:
    """A read of 64 bytes and its answer, each as it was sent."""
    request = peers.message(ident, peers.READ, struct.pack("<QII", ident, 0, 64))
    client.sendall(request)
    if device.recv(len(request), socket.MSG_WAITALL) != request:
        raise AssertionError("the honest device had another request")
    reply = peers.message(ident, peers.READ, request[16:] + bytes([ident & 0xff]) * 64, peers.REPLY)
    device.sendall(reply)
    if client.recv(len(reply), socket.MSG_WAITALL) != reply:
        raise AssertionError("the honest client had another answer")


def be_honest(folder: Path, warm_w: int, end_r: int) -> str:
    with listen(folder / "calm.dev") as listening, socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(folder / "calm"))
        client.sendall(peers.message(1, peers.VERSION, b"\0\0\0\0{}\0"))
        device = listening.accept()[0]
        device.settimeout(PATIENCE)
        device.recv(65536)
        device.sendall(peers.message(1, peers.VERSION, b"\0\0\0\0{}\0", peers.REPLY))
        client.recv(65536)
        os.write(warm_w, b"\n")
        count = 0
        while not select.select([end_r], [], [], 0.002)[0]:
            exchange(client, device, count & 0xffff)
            count += 1
        device.close()
        return f"{count} reads were answered"


# ---- poemd ----

class Child:
    """A process of ours that runs a function, and ends when a byte comes by its pipe."""

    def __init__(self, fn, *args: object) -> None:
        warm, self._warm_w = os.pipe()
        end, self._end_w = os.pipe()
        self._warm_r = warm
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._end_w)
            status = 1
            try:
                print(f"{fn.__name__}: {fn(*args, self._warm_w, end)}", flush=True)
                status = 0
            except BaseException:  # the process ends below, without telling
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(self._warm_w)
        os.close(end)

    def warm(self) -> None:
        if not select.select([self._warm_r], [], [], PATIENCE)[0] or not os.read(self._warm_r, 1):
            raise AssertionError("a process of the fuzzer's does not come to its beginning")

    def go_on(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._end_w, b"\n")

    def end(self) -> bool:
        self.go_on()
        os.close(self._end_w)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == 0


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def held(pid: int) -> dict[str, tuple[int, int]]:
    """Fds and KiB of anonymous memory of poemd's processes, the most of each kind."""
    out: dict[str, tuple[int, int]] = {}
    for p in (pid, *children_of(pid)):
        with contextlib.suppress(OSError, TypeError):
            name = Path(f"/proc/{p}/comm").read_text().strip() if p != pid else "monitor"
            status = Path(f"/proc/{p}/status").read_text()
            kib = int(re.search(r"RssAnon:\s*(\d+)", status)[1])
            fds = len(os.listdir(f"/proc/{p}/fd"))
            old = out.get(name, (0, 0))
            out[name] = (max(old[0], fds), max(old[1], kib))
    return out


def control(build: Path, folder: Path, *words: str) -> dict:
    """What poemctl answers; a capture that has ended meanwhile cannot be stopped: {}."""
    done = subprocess.run([build / "poemctl", *words, "--control", folder / "control"],
                          stdout=subprocess.PIPE, timeout=PATIENCE, check="--json" in words)
    return json.loads(done.stdout) if "--json" in words else {}


def sessions(build: Path, folder: Path) -> list[dict]:
    return [s for s in control(build, folder, "sessions", "--json")["sessions"]
            if s["route"] != "calm"]


def stop_captures(build: Path, folder: Path) -> int:
    """Stops those that a control client began: they last until an operator does that."""
    count = 0
    for capture in control(build, folder, "trace", "list", "--json")["traces"]:
        if capture["state"] == "running" and capture["file"] is None:
            control(build, folder, "trace", "stop", str(capture["number"]))
            count += 1
    return count


def bells(pid: int) -> int:
    """The rings of which the tracer has the bell: one for each worker, when all can capture."""
    for p in children_of(pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{p}/comm").read_text().strip() == "poemd-tracer":
                return sum(os.readlink(fd) == "anon_inode:[eventfd]"
                           for fd in Path(f"/proc/{p}/fd").iterdir())
    return 0


def settled(build: Path, folder: Path, pid: int, before: dict, measurable: bool) -> str:
    """Waits until all is as before. "" or what is not."""
    end = time.monotonic() + PATIENCE / 2
    while True:
        left = sessions(build, folder)
        now = held(pid)
        worse = [f"{name}: {now.get(name)}, was {fds, kib}" for name, (fds, kib) in before.items()
                 if name not in now or now[name][0] > fds
                 or (measurable and now[name][1] > kib + SLACK_KIB)]
        if not left and not worse:
            return ""
        if time.monotonic() > end:
            return f"{len(left)} sessions are left: {left[:2]}; fds and KiB: {worse}"
        time.sleep(0.1)


@contextlib.contextmanager
def broker(build: Path, folder: Path) -> Iterator[int]:
    config = folder / "poemd.conf"
    config.write_text(configuration(folder))
    ready, its_end = os.pipe()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([build / "poemd", "--config", config, "--ready-fd", str(its_end)],
                                   pass_fds=[its_end], stdin=subprocess.DEVNULL, stderr=log)
    os.close(its_end)
    try:
        if os.read(ready, 1) != b"\n":
            raise AssertionError("poemd does not become ready")
        yield process.pid
    finally:
        os.close(ready)
        process.terminate()
        if process.wait(PATIENCE) != 0:
            print(f"poemd ended with status {process.returncode}")


def run(arguments: argparse.Namespace, folder: Path) -> list[str]:
    build, faults = arguments.build.resolve(), []
    measurable = b"__asan_init" not in (build / "poemd").read_bytes()
    with broker(build, folder) as pid:
        honest = Child(be_honest, folder)
        honest.warm()
        players = [Child(play_all, folder, i, arguments) for i in range(PLAYERS)]
        for player in players:
            player.warm()
        stop_captures(build, folder)
        # The thread that reads a configuration has an fd of its own from the first reload on.
        control(build, folder, "reload", "--json")
        if fault := settled(build, folder, pid, {}, measurable):
            faults.append(f"after the warm-up: {fault}")
        if bells(pid) != WORKERS:
            faults.append(f"the tracer has the rings of {bells(pid)} workers, not of {WORKERS}")
        time.sleep(0.5)
        before = held(pid)
        for player in players:
            player.go_on()
        end = time.monotonic() + (arguments.seconds if arguments.only is None else 0)
        while time.monotonic() < end and Path(f"/proc/{pid}/exe").exists():
            time.sleep(0.2)
        faults += ["a player failed" for player in players if not player.end()]
        print(f"{stop_captures(build, folder)} captures of control clients were still running")
        if fault := settled(build, folder, pid, before, measurable):
            faults.append(fault)
        if not honest.end():
            faults.append("the honest session had no answer, or another's")
        print(f"before {before}, now {held(pid)}")
    log = (folder / "log").read_text(errors="replace")
    return faults + [line for line in log.splitlines() if FINDINGS.search(line)][:20]


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="poemd-fuzz."))
    folder.chmod(0o755)
    begin = time.monotonic()
    try:
        faults = run(arguments, folder)
        if faults:
            print((folder / "log").read_text(errors="replace")[-8000:])
        for fault in faults:
            print(f"FAULT: {fault}")
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    print(f"seed {arguments.seed}: {len(faults)} faults in {time.monotonic() - begin:.0f} s"
          + (f"; {folder}" if arguments.keep else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
