#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl trace replay: sessions of edu, captured by a real poemd, played again to edu as it was, to
edu with faults, to one another, and to peers that are a script here.

usage: test_replay.py --build DIR [TEST...]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any, Callable, Iterator

import test_tools
from test_tools import ERROR, LATE_MS, PATIENCE, REPLY, Tools, answer, take, version
from trace_writer import BACKEND, CLIENT, UNDELIVERED, Fd, Message, Trace

VERSION, DMA_MAP, GET_INFO, SET_IRQS, READ, WRITE, DMA_READ, DMA_WRITE, RESET = (
    1, 2, 4, 8, 9, 10, 11, 12, 13)
MEMFD, EVENTFD, DEVICE = 1, 3, 6
NO_REPLY = 0x10
EINVAL, EFAULT = 22, 14


def access(offset: int, region: int, count: int, data: bytes = b"") -> bytes:
    return struct.pack("<QII", offset, region, count) + data


def dma(address: int, count: int, data: bytes = b"") -> bytes:
    return struct.pack("<QQ", address, count) + data


class Story:
    """A session told by hand: every message a tenth of a millisecond after the one before."""

    def __init__(self, begin: bool = True, route: str = "story") -> None:
        self.route = route
        self.messages: list[Message] = []
        if begin:
            self.ask(0, VERSION, version(b"{}\0"))
            self.answer(0, VERSION, version(b"{}\0"))

    def say(self, sender: int, word: int, ident: int, command: int, payload: bytes = b"",
            kept: int | None = None, **more: Any) -> Message:
        error = more.pop("error", 0)
        data = struct.pack("<HHIII", ident, command, 16 + len(payload), word, error) + payload
        number = len(self.messages) + 1
        message = Message(sender=sender, data=data[:kept], size=len(data), number=number,
                          time_ns=10**18 + number * 100_000, **more)
        self.messages.append(message)
        return message

    def ask(self, ident: int, command: int, payload: bytes = b"", **more: Any) -> Message:
        return self.say(CLIENT, more.pop("word", 0), ident, command, payload, **more)

    def answer(self, ident: int, command: int, payload: bytes = b"", **more: Any) -> Message:
        return self.say(BACKEND, REPLY | more.pop("word", 0), ident, command, payload, **more)

    def device_asks(self, ident: int, command: int, payload: bytes, **more: Any) -> Message:
        return self.say(BACKEND, 0, ident, command, payload, **more)

    def client_answers(self, ident: int, command: int, payload: bytes = b"",
                       **more: Any) -> Message:
        return self.say(CLIENT, REPLY | more.pop("word", 0), ident, command, payload, **more)

    def __bytes__(self) -> bytes:
        trace = Trace()
        trace.section()
        trace.interface("story/1", session=1, route=self.route, verdict="allow")
        for message in self.messages:
            trace.message(message)
        return bytes(trace)


class ReplayCase(Tools):
    @contextlib.contextmanager
    def script(self, serve: Callable[[socket.socket], None]) -> Iterator[str]:
        with super().script(serve) as path:
            yield path
        os.unlink(path)

    def write(self, story: Story, name: str = "story.pcapng") -> str:
        path = self.folder / name
        path.write_bytes(bytes(story))
        return str(path)

    def replay(self, *args: str, status: int = 0) -> dict[str, Any]:
        """What comes of it, as JSON."""
        done = self.tool("poemctl", "trace", "replay", "--json", *args, status=status)
        said: dict[str, Any] = json.loads(done.stdout)
        self.assertEqual(said["format"], "poemd-replay/1")
        self.assertEqual(said["result"], ["equal", "differs", None, "could-not"][status])
        self.assertEqual(said["found"] > 0, status == 1)
        return said

    def capture(self, client: list[str], edu: tuple[str, ...] = (), words: str = "",
                rules: str = "") -> str:
        """The trace of what a client (its last argument is the socket) says to edu."""
        trace = self.folder / f"{client[0]}{len(os.listdir(self.folder))}.pcapng"
        front = str(self.folder / "front")
        config = self.folder / "poemd.conf"
        with self.edu(*edu) as backend:
            config.write_text(f'route edu0 {{\n    listen "{front}"\n    backend "{backend}"\n'
                              f'    trace "{trace}" {words}\n    {rules}\n}}\n')
            with self.running("poemd", "--config", str(config)):
                self.tool(*client, front)
        return str(trace)

    @contextlib.contextmanager
    def device(self, trace: str, *args: str, status: int = 0) -> Iterator[str]:
        """The recorded device, which a client can reach; status: with which it ends."""
        path = str(self.folder / "device")
        with subprocess.Popen([test_tools.build / "poemctl", "trace", "replay", "--as-device",
                               "--json", *args, trace, path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr and process.stdout
            try:
                self.assertIn("listening at", process.stderr.readline())
                yield path
                out, err = process.communicate(timeout=PATIENCE)
            except BaseException:
                process.kill()
                raise
        self.assertEqual(process.returncode, status, out + err)
        self.assertFalse(os.path.exists(path))
        self.acted = json.loads(out)


# ---- a real device ----

class AgainstEdu(ReplayCase):
    DRIVES: tuple[tuple[tuple[str, ...], list[str]], ...] = (
        ((), ["edu-drive"]),
        ((), ["edu-drive", "--no-mmap"]),
        (("--twin-socket",), ["edu-drive", "--no-mmap", "--twin-socket"]),
        ((), ["poemctl", "probe"]),
    )

    def test_every_reply_is_equal(self) -> None:
        for edu, client in self.DRIVES:
            with self.subTest(client=client):
                trace = self.capture(client, edu)
                # What the client says on one socket may overtake what it says on the other: it
                # waited for the interrupt, which is in no trace, before it read the status.
                masks = ["--mask", "region=0 offset=0x24"] if "--twin-socket" in edu else []
                with self.edu(*edu) as path:
                    said = self.replay(*masks, trace, path)
                self.assertGreater(said["compared"], 25)
                self.assertEqual(said["equal"] + said["masked"], said["compared"])
                self.assertTrue(masks or said["masked"] == 0)
                if client[0] == "edu-drive":
                    # The raised interrupt, and one for each DMA.
                    self.assertEqual(said["interrupts"],
                                     [{"index": 1, "name": "MSI", "vector": 0, "count": 3}])

    def test_a_recital_is_recited_again(self) -> None:
        """The broker's challenge is in the trace, and whoever has the poem answers it as then."""
        trace = self.capture(["edu-drive"], ("--recite",), rules="demand recital from backend")
        with self.edu("--recite") as path:
            said = self.replay(trace, path)
        self.assertEqual(said["equal"], said["compared"])
        with self.edu() as path:
            said = self.replay(trace, path, status=1)
        self.assertEqual([finding["command"] for finding in said["findings"]], ["VERSION"])

    def test_through_a_broker(self) -> None:
        """The client's leg, played to a broker in front of the device."""
        trace = self.capture(["edu-drive"])
        with self.edu() as backend, self.poemd(backend) as path:
            said = self.replay("--leg", "client", trace, path)
        self.assertEqual(said["equal"], said["compared"])

    def test_each_leg_has_its_own_version(self) -> None:
        """The broker writes it anew: its reply is not what the device says to the same request."""
        trace = self.capture(["poemctl", "probe"])
        with self.edu() as path:
            said = self.replay("--leg", "client", "--mask", "command=VERSION", trace, path)
        self.assertEqual((said["masked"], said["equal"]), (1, said["compared"] - 1))

    def test_faults_are_found(self) -> None:
        trace = self.capture(["edu-drive"])
        for fault, kind in (("missing:9", "missing"), ("short:9", "missing"), ("exit:9", "ended"),
                            ("oversized:9", "ended"), ("oversized:9:4", "differs"),
                            ("unasked:9", "unasked")):
            with self.subTest(fault=fault):
                path = str(self.folder / "edu")
                with self.dying_edu("--fault", fault):
                    said = self.replay("--timeout", LATE_MS, trace, path, status=1)
                self.assertIn(kind, [finding["kind"] for finding in said["findings"]])
                self.assertGreaterEqual(said["equal"], 8)

    @contextlib.contextmanager
    def dying_edu(self, *args: str) -> Iterator[None]:
        """One that may be gone before it is asked to go."""
        ready, its_end = os.pipe()
        process = subprocess.Popen(
            [test_tools.build / "edu", "--socket-path", str(self.folder / "edu"), "--ready-fd",
             str(its_end), *args], pass_fds=[its_end], stderr=subprocess.DEVNULL)
        os.close(its_end)
        try:
            self.assertEqual(os.read(ready, 1), b"\n")
            yield
        finally:
            os.close(ready)
            process.terminate()
            process.wait(PATIENCE)

    def test_another_device_differs_and_masks_say_where(self) -> None:
        """Without its mappable page the device answers one question otherwise."""
        trace = self.capture(["poemctl", "probe"])
        with self.edu("--no-mmap") as path:
            said = self.replay(trace, path, status=1)
        commands = {finding["command"] for finding in said["findings"]}
        self.assertEqual(commands, {"DEVICE_GET_REGION_INFO"})
        with self.edu("--no-mmap") as path:
            said = self.replay("--mask", "command=DEVICE_GET_REGION_INFO region=2", trace, path)
        self.assertGreater(said["masked"], 0)

    def test_text(self) -> None:
        trace = self.capture(["edu-drive"])
        with self.edu() as path:
            done = self.tool("poemctl", "trace", "replay", trace, path)
        self.assertIn("interrupt MSI 1 vector 0: 3\n", done.stdout)
        self.assertIn("session 1 of edu0: sent ", done.stdout)
        with self.dying_edu("--fault", "exit:9"):
            done = self.tool("poemctl", "trace", "replay", trace, str(self.folder / "edu"),
                             status=1)
        self.assertIn("the device closed the connection before message ", done.stdout)

    def test_cut_off(self) -> None:
        """What is left of a trace is played, and said to be cut."""
        trace = Path(self.capture(["edu-drive"]))
        trace.write_bytes(trace.read_bytes()[:-1000])
        with self.edu() as path:
            done = self.tool("poemctl", "trace", "replay", str(trace), path)
        self.assertIn("the file ends inside a block", done.stderr)


# ---- one another ----

class OneAnother(ReplayCase):
    def test_client_and_device(self) -> None:
        """Both sides of a session are played: no device, no client, every message as it was."""
        for edu, client in AgainstEdu.DRIVES:
            with self.subTest(client=client):
                trace = self.capture(client, edu, "payload guest")
                with self.device(trace) as path:
                    said = self.replay(trace, path)
                self.assertEqual(said["equal"], said["compared"])
                self.assertEqual(self.acted["sent"], said["came"])
                self.assertEqual(self.acted["came"], said["sent"])

    def test_a_real_client(self) -> None:
        trace = self.capture(["poemctl", "probe"], words="payload all")
        with self.edu() as path:
            want = self.tool("poemctl", "probe", path).stdout.replace(path, "PATH")
        with self.device(trace) as path:
            got = self.tool("poemctl", "probe", path).stdout.replace(path, "PATH")
        self.assertEqual(want, got)

    def test_another_client(self) -> None:
        """What was not asked then is refused, and told."""
        trace = self.capture(["poemctl", "probe"])
        with self.device(trace, status=1) as path:
            self.tool("edu-drive", path, status=1)
        self.assertEqual([finding["kind"] for finding in self.acted["findings"]], ["unexpected"])


# ---- the client's part, to devices that are a script ----

def version_reply(client: socket.socket) -> None:
    ident, command, _ = take(client)
    assert command == VERSION
    answer(client, ident, VERSION, version(b"{}\0"))


class ToScripts(ReplayCase):
    def test_pipelining(self) -> None:
        """What was sent without waiting is sent so again, and not before."""
        story = Story()
        for ident in (1, 2, 3):
            story.ask(ident, RESET)
        for ident in (1, 2, 3):
            story.answer(ident, RESET)
        story.ask(4, GET_INFO, bytes(16))
        story.answer(4, GET_INFO, bytes(16))

        def serve(client: socket.socket) -> None:
            version_reply(client)
            # All three are there before any of them is answered.
            for _ in range(3):
                self.assertEqual(take(client)[1], RESET)
            client.setblocking(False)
            with self.assertRaises(BlockingIOError):
                client.recv(1)
            client.settimeout(PATIENCE)
            for ident in (1, 2, 3):
                answer(client, ident, RESET)
            self.assertEqual(take(client)[:2], (4, GET_INFO))
            answer(client, 4, GET_INFO, bytes(16))
            self.assertEqual(take(client)[1], 0)

        with self.script(serve) as path:
            self.replay(self.write(story), path)

    def dma_story(self, kept: int | None) -> Story:
        story = Story()
        memory = Fd(MEMFD, os.O_RDWR, 0, 0, 1, 77, 0x4000)
        for ident, address in ((1, 0x10000), (2, 0x20000)):
            # Both maps are of one memory: at its begin, and behind that.
            offset = 0 if ident == 1 else 0x1000
            story.ask(ident, DMA_MAP, struct.pack("<IIQQQ", 32, 3, offset, address, 0x1000),
                      fds=[memory])
            story.answer(ident, DMA_MAP)
        story.ask(3, DMA_MAP, struct.pack("<IIQQQ", 32, 1, 0, 0x30000, 0x1000))
        story.answer(3, DMA_MAP)
        story.device_asks(70, DMA_WRITE, dma(0x20010, 4, b"abcd"))
        story.client_answers(70, DMA_WRITE, dma(0x20010, 4))
        story.device_asks(71, DMA_READ, dma(0x20010, 4))
        story.client_answers(71, DMA_READ, dma(0x20010, 4, b"wxyz"), kept=kept)
        story.device_asks(72, DMA_READ, dma(0x90000, 4))
        story.client_answers(72, DMA_READ, word=ERROR, error=EFAULT)
        return story

    def serve_dma(self, want: bytes, got: list[bytes]) -> Any:
        def ask(client: socket.socket, ident: int, command: int, payload: bytes) -> tuple[
                int, int, bytes]:
            client.sendall(struct.pack("<HHIII", ident, command, 16 + len(payload), 0, 0) + payload)
            return take(client)

        def serve(client: socket.socket) -> None:
            version_reply(client)
            fds = []
            for _ in range(3):
                head, came, _, _ = socket.recv_fds(client, 16, 4)
                fds += came
                client.recv(32, socket.MSG_WAITALL)
                answer(client, struct.unpack("<H", head[:2])[0], DMA_MAP)
            try:
                self.assertEqual(len(fds), 2)
                self.assertTrue(os.path.sameopenfile(*fds))
                self.assertEqual(os.fstat(fds[0]).st_size, 0x4000)
                # Ids of its own choice.
                self.assertEqual(ask(client, 5, DMA_WRITE, dma(0x20010, 4, b"abcd")),
                                 (5, DMA_WRITE, dma(0x20010, 4)))
                self.assertEqual(os.pread(fds[0], 4, 0x1010), b"abcd")
                self.assertEqual(ask(client, 6, DMA_READ, dma(0x20010, 4)),
                                 (6, DMA_READ, dma(0x20010, 4, want)))
                self.assertEqual(ask(client, 7, DMA_READ, dma(0x90000, 4)), (7, DMA_READ, b""))
                got.append(b"all")
                client.recv(1)
            finally:
                for fd in fds:
                    os.close(fd)
        return serve

    def test_dma_from_the_trace(self) -> None:
        got: list[bytes] = []
        with self.script(self.serve_dma(b"wxyz", got)) as path:
            self.replay(self.write(self.dma_story(None)), path)
        self.assertEqual(got, [b"all"])

    def test_dma_from_memory(self) -> None:
        """Data that the trace did not keep comes from memory, as it is."""
        got: list[bytes] = []
        with self.script(self.serve_dma(b"abcd", got)) as path:
            self.replay(self.write(self.dma_story(16 + 16)), path)
        self.assertEqual(got, [b"all"])

    def test_a_command_that_was_not_recorded(self) -> None:
        def serve(client: socket.socket) -> None:
            version_reply(client)
            ident = take(client)[0]
            client.sendall(struct.pack("<HHIII", 9, DMA_READ, 32, 0, 0) + dma(0x1000, 4))
            self.assertEqual(take(client), (9, DMA_READ, b""))
            answer(client, ident, RESET)
            client.recv(1)

        story = Story()
        story.ask(1, RESET)
        story.answer(1, RESET)
        with self.script(serve) as path:
            said = self.replay(self.write(story), path, status=1)
        self.assertEqual([finding["kind"] for finding in said["findings"]], ["unexpected"])

    def test_a_command_that_does_not_come(self) -> None:
        def serve(client: socket.socket) -> None:
            version_reply(client)
            client.recv(1)

        story = Story()
        story.device_asks(1, DMA_READ, dma(0, 4))
        story.client_answers(1, DMA_READ, dma(0, 4, b"abcd"))
        with self.script(serve) as path:
            said = self.replay("--timeout", LATE_MS, self.write(story), path, status=1)
        self.assertEqual([(finding["kind"], finding["message"]) for finding in said["findings"]],
                         [("missing", 3)])

    def test_a_device_that_does_not_read(self) -> None:
        """It must end, whatever the device leaves undone."""
        def serve(client: socket.socket) -> None:
            version_reply(client)
            released.read(1)

        released_end, end = os.pipe()
        released = os.fdopen(released_end, "rb")
        story = Story()
        for ident in range(1, 40):
            story.ask(ident, WRITE, access(0, 0, 65536, bytes(65536)))
        with self.script(serve) as path:
            try:
                said = self.replay("--timeout", LATE_MS, self.write(story), path, status=1)
            finally:
                os.close(end)
            released.close()
        self.assertEqual(said["findings"][0]["kind"], "ended")

    def check_reply(self, status: int, *masks: str, flags: int = REPLY, error: int = 0,
                    payload: bytes = access(8, 0, 4, b"\1\2\3\5")) -> dict[str, Any]:
        def serve(client: socket.socket) -> None:
            version_reply(client)
            answer(client, take(client)[0], READ, payload, flags, error)
            client.recv(1)

        story = Story()
        story.ask(1, READ, access(8, 0, 4))
        story.answer(1, READ, access(8, 0, 4, b"\1\2\3\4"))
        options = [word for mask in masks for word in ("--mask", mask)]
        with self.script(serve) as path:
            return self.replay(*options, self.write(story), path, status=status)

    def test_bytes(self) -> None:
        found = self.check_reply(1)["findings"]
        self.assertEqual(found, [{
            "kind": "differs", "command": "REGION_READ", "message": 4, "request": 3,
            "about": "BAR0 +0x8, 4 bytes",
            "text": "byte 19 of the payload is 0x05, recorded 0x04 (1 differ)",
            "difference": {"what": "bytes", "at": 19, "count": 1, "recorded": 4, "got": 5}}])

    def test_masks(self) -> None:
        for mask in ("region=0", "command=REGION_READ", "offset=0xb", "bytes=19", "offset=8..11"):
            with self.subTest(mask=mask):
                self.assertEqual(self.check_reply(0, "region=5", mask)["masked"], 1)
        for mask in ("region=1", "offset=0xa", "bytes=18", "command=VERSION"):
            with self.subTest(mask=mask):
                self.assertEqual(self.check_reply(1, mask)["masked"], 0)

    def test_an_error_instead(self) -> None:
        found = self.check_reply(1, flags=REPLY | ERROR, error=EINVAL, payload=b"")["findings"]
        self.assertEqual(found[0]["text"], "the error is EINVAL, recorded none")

    def test_fds_are_compared_by_kind(self) -> None:
        def serve(client: socket.socket) -> None:
            version_reply(client)
            ident = take(client)[0]
            with open("/dev/null", "rb") as null:
                socket.send_fds(client, [struct.pack("<HHIII", ident, 5, 16, REPLY, 0)],
                                [null.fileno()])
            client.recv(1)

        for kind, status in ((DEVICE, 0), (MEMFD, 1)):
            with self.subTest(kind=kind):
                story = Story()
                story.ask(1, 5, struct.pack("<IIIIQQ", 32, 0, 0, 0, 0, 0))
                story.answer(1, 5, fds=[Fd(kind)])
                with self.script(serve) as path:
                    self.replay(self.write(story), path, status=status)

    def test_interrupts(self) -> None:
        def serve(client: socket.socket) -> None:
            version_reply(client)
            head, fds, _, _ = socket.recv_fds(client, 16, 4)
            client.recv(20, socket.MSG_WAITALL)
            for fd, count in zip(fds, (3, 1)):
                os.eventfd_write(fd, count)
                os.close(fd)
            answer(client, struct.unpack("<H", head[:2])[0], SET_IRQS)
            client.recv(1)

        story = Story()
        story.ask(1, SET_IRQS, struct.pack("<IIIII", 20, 0x24, 2, 4, 2),
                  fds=[Fd(EVENTFD, os.O_RDWR, 0, 0, 14, inode) for inode in (10, 11)])
        story.answer(1, SET_IRQS)
        with self.script(serve) as path:
            said = self.replay(self.write(story), path)
        self.assertEqual([(i["name"], i["vector"], i["count"]) for i in said["interrupts"]],
                         [("MSIX", 4, 3), ("MSIX", 5, 1)])

    def test_withheld_fds_stay_with_the_broker(self) -> None:
        came: list[int] = []

        def serve(client: socket.socket) -> None:
            version_reply(client)
            head, fds, _, _ = socket.recv_fds(client, 16, 4)
            came.append(len(fds))
            for fd in fds:
                os.close(fd)
            client.recv(32, socket.MSG_WAITALL)
            answer(client, struct.unpack("<H", head[:2])[0], DMA_MAP)
            client.recv(1)

        story = Story()
        story.ask(1, DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 0x1000),
                  fds=[Fd(MEMFD, os.O_RDWR, 1, 0, 1, 5, 0x1000)])
        story.answer(1, DMA_MAP)
        for leg in ("backend", "client"):
            with self.script(serve) as path:
                self.replay("--leg", leg, self.write(story), path)
        self.assertEqual(came, [0, 1])

    def test_undelivered_messages_are_not_sent(self) -> None:
        def serve(client: socket.socket) -> None:
            version_reply(client)
            self.assertEqual(take(client)[1], 0)

        story = Story()
        story.ask(1, RESET, flags=UNDELIVERED)
        with self.script(serve) as path:
            self.assertEqual(self.replay(self.write(story), path)["sent"], 1)


class CouldNot(ReplayCase):
    def refused(self, story: Story, *args: str) -> str:
        """To a device that would talk, if anybody came."""
        def serve(client: socket.socket) -> None:
            if take(client)[1] == VERSION:
                answer(client, 0, VERSION, version(b"{}\0"))
                client.recv(1)

        with self.script(serve) as path:
            done = self.tool("poemctl", "trace", "replay", *args, self.write(story), path,
                             status=3)
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(path)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_kept_in_part(self) -> None:
        story = Story()
        story.ask(1, WRITE, access(0, 0, 100, bytes(100)), kept=16 + 16 + 64)
        self.assertIn("message 3 (REGION_WRITE) cannot be sent: of its 132 bytes, the trace has only 96;"
                      " capture with \"payload all\"", self.refused(story))

    def test_began_late(self) -> None:
        story = Story(begin=False)
        story.ask(1, RESET)
        self.assertIn("the capture began after the session", self.refused(story))

    def test_lost(self) -> None:
        story = Story()
        story.ask(1, RESET).number += 2
        self.assertIn("2 messages of the session are not in the trace, the first of them before "
                      "message 5", self.refused(story))

    def test_fds_that_cannot_be_made(self) -> None:
        story = Story()
        story.ask(1, RESET, fds=[Fd(DEVICE)])
        self.assertIn("message 3 (DEVICE_RESET) had a device with it, which cannot be made anew",
                      self.refused(story))

    def test_json(self) -> None:
        said = self.replay(self.write(Story()), str(self.folder / "nobody"), status=3)
        self.assertEqual(said["why"], "No such file or directory")

    def test_no_trace(self) -> None:
        for content, text in ((b"", "the file ends inside its first block"),
                              (b"not a trace at all", "this is no pcapng file"),
                              (bytes(Story(begin=False)), "the trace has no message")):
            with self.subTest(text=text):
                path = self.folder / "odd"
                path.write_bytes(content)
                done = self.tool("poemctl", "trace", "replay", str(path), "nowhere", status=3)
                self.assertIn(text, done.stderr)

    def test_several_sessions(self) -> None:
        path = self.folder / "sample"
        sample = test_tools.build / "tests" / "unit" / "trace" / "trace_sample"
        subprocess.run([sample, path], check=True)
        done = self.tool("poemctl", "trace", "replay", str(path), "nowhere", status=3)
        self.assertIn("the trace has several sessions, 1 and 2 among them: choose one with --session",
                      done.stderr)
        for session, text in (("2", "message 2 (REGION_READ) has another byte order"),
                              ("1", "3 messages of the session are not in the trace"),
                              ("3", "the trace has no VERSION message"),
                              ("4", "the trace has no message of that session")):
            with self.subTest(session=session):
                done = self.tool("poemctl", "trace", "replay", "--session", session, str(path),
                                 "nowhere", status=3)
                self.assertIn(text, done.stderr)

    def test_usage(self) -> None:
        for args in ([], ["a"], ["a", "b", "c"], ["--leg", "both", "a", "b"],
                     ["--session", "x", "a", "b"], ["--session", "-1", "a", "b"],
                     ["--mask", "", "a", "b"], ["--mask", "colour=1", "a", "b"],
                     ["--timeout", "0", "a", "b"], ["--what", "a", "b"],
                     ["--as-device", "--fast", "a", "b"],
                     ["--as-device", "--mask", "region=0", "a", "b"]):
            with self.subTest(args=args):
                done = self.tool("poemctl", "trace", "replay", *args, status=2)
                self.assertIn("usage: poemctl trace replay", done.stderr)
                self.assertEqual(done.stdout, "")


# ---- the device's part, to clients that are a script ----

class AsDevice(ReplayCase):
    @contextlib.contextmanager
    def client(self, path: str) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(path)
            yield client

    def ask(self, client: socket.socket, ident: int, command: int, payload: bytes = b"",
            flags: int = 0) -> None:
        head = struct.pack("<HHIII", ident, command, 16 + len(payload), flags, 0)
        client.sendall(head + payload)

    def asked(self, client: socket.socket, ident: int, command: int, payload: bytes = b"") -> bytes:
        """The answer's payload."""
        self.ask(client, ident, command, payload)
        got = take(client)
        self.assertEqual(got[:2], (ident, command))
        return got[2]

    def test_answers_in_their_order(self) -> None:
        story = Story()
        for value in (b"\1\0\0\0", b"\2\0\0\0"):
            story.ask(1, READ, access(8, 0, 4))
            story.answer(1, READ, access(8, 0, 4, value))
        story.ask(2, READ, access(12, 0, 4))
        story.answer(2, READ, access(12, 0, 4, b"else"))
        with self.device(self.write(story)) as path, self.client(path) as client:
            self.assertEqual(self.asked(client, 500, VERSION, version(b"{\"a\":1}\0")),
                             version(b"{}\0"))
            self.assertEqual(self.asked(client, 2, READ, access(12, 0, 4))[16:], b"else")
            for want in (b"\1\0\0\0", b"\2\0\0\0", b"\2\0\0\0"):
                self.assertEqual(self.asked(client, 1, READ, access(8, 0, 4))[16:], want)
        self.assertEqual(self.acted["repeated"], 1)

    def test_what_was_not_asked(self) -> None:
        with self.device(self.write(Story()), status=1) as path, self.client(path) as client:
            self.ask(client, 9, READ, access(8, 0, 4))
            head = client.recv(16, socket.MSG_WAITALL)
            self.assertEqual(struct.unpack("<HHIII", head), (9, READ, 16, REPLY | ERROR, EINVAL))
        self.assertEqual(self.acted["findings"], [{
            "kind": "unexpected", "command": "REGION_READ",
            "text": "REGION_READ BAR0 +0x8, 4 bytes was not recorded: refused with EINVAL"}])

    def test_commands_have_their_places(self) -> None:
        """Between a request and its reply then, so between them now; the reply waits for the
        answer that it waited for."""
        story = Story()
        story.ask(1, WRITE, access(0, 0, 4, b"ring"))
        story.device_asks(40, DMA_READ, dma(0x1000, 4))
        story.client_answers(40, DMA_READ, dma(0x1000, 4, b"data"))
        story.answer(1, WRITE, access(0, 0, 4))
        story.device_asks(41, DMA_WRITE, dma(0x2000, 4, b"done"))
        story.client_answers(41, DMA_WRITE, dma(0x2000, 4))
        with self.device(self.write(story)) as path, self.client(path) as client:
            self.asked(client, 0, VERSION, version(b"{}\0"))
            self.ask(client, 77, WRITE, access(0, 0, 4, b"ring"))
            self.assertEqual(take(client), (40, DMA_READ, dma(0x1000, 4)))
            answer(client, 40, DMA_READ, dma(0x1000, 4, b"else"))
            self.assertEqual(take(client), (77, WRITE, access(0, 0, 4)))
            self.assertEqual(take(client), (41, DMA_WRITE, dma(0x2000, 4, b"done")))
            answer(client, 41, DMA_WRITE, dma(0x2000, 4))

    def test_posted_then_not_now(self) -> None:
        story = Story()
        story.ask(1, WRITE, access(0, 0, 4, b"post"), word=NO_REPLY)
        with self.device(self.write(story)) as path, self.client(path) as client:
            self.asked(client, 0, VERSION, version(b"{}\0"))
            self.assertEqual(self.asked(client, 2, WRITE, access(0, 0, 4, b"post")),
                             access(0, 0, 4))

    def test_kept_in_part(self) -> None:
        story = Story()
        story.ask(1, READ, access(0, 0, 100))
        story.answer(1, READ, access(0, 0, 100, bytes(100)), kept=96)
        with self.device(self.write(story), status=1) as path, self.client(path) as client:
            self.assertEqual(self.asked(client, 2, READ, access(0, 0, 100)), b"")
        self.assertIn("capture with \"payload all\"", self.acted["findings"][0]["text"])

    def test_a_reply_to_nothing(self) -> None:
        with self.device(self.write(Story()), status=1) as path, self.client(path) as client:
            answer(client, 3, DMA_READ)
            self.asked(client, 0, VERSION, version(b"{}\0"))
        self.assertEqual(self.acted["findings"][0]["kind"], "unasked")

    def test_a_client_that_breaks_framing(self) -> None:
        with self.device(self.write(Story()), status=1) as path, self.client(path) as client:
            client.sendall(struct.pack("<HHIII", 0, VERSION, 3, 0, 0))
            self.assertEqual(client.recv(1), b"")
        self.assertIn("the client broke the framing", self.acted["findings"][0]["text"])

    def test_fds_are_made_anew(self) -> None:
        story = Story()
        story.ask(1, 5, struct.pack("<IIIIQQ", 32, 0, 0, 0, 0, 0))
        story.answer(1, 5, struct.pack("<IIIIQQ", 32, 7, 0, 0, 4096, 0),
                     fds=[Fd(MEMFD, os.O_RDWR, 0, 0xF, 1, 6, 4096)])
        with self.device(self.write(story)) as path, self.client(path) as client:
            self.asked(client, 0, VERSION, version(b"{}\0"))
            self.ask(client, 1, 5, struct.pack("<IIIIQQ", 32, 0, 0, 0, 0, 0))
            data, fds, _, _ = socket.recv_fds(client, 48, 4)
            self.assertEqual((len(data), len(fds)), (48, 1))
            self.assertEqual(os.fstat(fds[0]).st_size, 4096)
            os.close(fds[0])

    def test_no_filter_no_matter(self) -> None:
        """Here it does no harm that messages are missing."""
        story = Story()
        story.ask(1, RESET).number += 2
        story.answer(1, RESET).number += 2
        with self.device(self.write(story)) as path, self.client(path) as client:
            self.asked(client, 0, VERSION, version(b"{}\0"))
            self.asked(client, 1, RESET)

    def test_a_client_that_leaves_early(self) -> None:
        story = Story()
        for ident in range(1, 4):
            story.ask(ident, RESET)
            story.answer(ident, RESET)
        with self.device(self.write(story), status=1) as path, self.client(path) as client:
            self.asked(client, 0, VERSION, version(b"{}\0"))
            self.asked(client, 1, RESET)
        self.assertEqual([(one["kind"], one["text"]) for one in self.acted["findings"]],
                         [("ended", "the client sent 2 of 4 recorded messages")])

    def test_nobody_comes(self) -> None:
        done = self.tool("poemctl", "trace", "replay", "--as-device", "--timeout", "100",
                         self.write(Story()), str(self.folder / "device"), status=3)
        self.assertIn("no client connected within 100 ms", done.stderr)

    def test_a_client_that_says_nothing(self) -> None:
        with self.device(self.write(Story()), "--timeout", LATE_MS, status=1) as path:
            with self.client(path) as client:
                self.assertEqual(client.recv(1), b"")
        self.assertEqual(self.acted["findings"][0]["kind"], "ended")

    def test_stopped(self) -> None:
        path = str(self.folder / "device")
        with subprocess.Popen([test_tools.build / "poemctl", "trace", "replay", "--as-device",
                               self.write(Story()), path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", type=Path, required=True)
    arguments, rest = parser.parse_known_args()
    test_tools.build = arguments.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
