# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The QEMU that demands the poem (contrib/qemu/poem.patch): with whom it speaks, whom it refuses,
and what its user reads. Skipped where contrib/qemu/build has not been run."""

from __future__ import annotations

import ast
import re
import unittest
from pathlib import Path
from typing import Any, Callable

from support import edu, pci, qemu, relay
from support.case import Case
from support.qemu import NATIVE_HOTPLUG, Qemu
from support.qmp import QmpError
from support.relay import Reciter, Relay

PATCH = qemu.SOURCE_DIR / "contrib" / "qemu" / "poem.patch"
POEM = (qemu.SOURCE_DIR / "poem" / "poem.txt").read_bytes()
REPLY_MAX = 16_404  # section 3 of docs/PROTOCOL.poem
STOCK_WARNING = "Could not enable error recovery for the device"  # of every device without it
NO_RECITAL = "the device gave no valid recital of the poem: "

# What a QEMU without the patch sends, and one with it where nothing is demanded.
STOCK_JSON = (b'{"capabilities": {"pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, '
              b'"max_data_xfer_size": 1048576, "migration": {"max_bitmap_size": 268435456, '
              b'"pgsize": 4096}, "write_multiple": true}}\0')

PORT_SLOT = 3
BUS = 1

Capabilities = dict[str, Any]


class Patch(unittest.TestCase):
    """What needs no build."""

    def test_it_has_the_poem(self) -> None:
        found = re.search(r"poem_text\[\] =\n((?:\+ +\".*\"\n)*\+ +\".*\");\n", PATCH.read_text())
        assert found is not None
        lines = [line.removeprefix("+").strip() for line in found[1].splitlines()]
        self.assertEqual(POEM.decode(), "".join(ast.literal_eval(line) for line in lines))


class PoemCase(Case):
    """With that QEMU, and one port into which devices are plugged again and again."""

    def setUp(self) -> None:
        super().setUp()
        try:
            self.root = qemu.root_with_poem()
        except qemu.NoQemu as error:
            self.skipTest(f"no QEMU that demands the poem: {error}")

    def start_with_port(self) -> None:
        self.machine: Qemu = self.start_qemu(qemu.root_port("rp0", PORT_SLOT),
                                             extra=NATIVE_HOTPLUG, root_folder=self.root)
        self.port = pci.RootPort(self.machine.qtest, 0, PORT_SLOT)
        self.port.open_bridge(BUS, pci.WINDOW_BASE, pci.WINDOW_SIZE)

    def plug(self, socket: Path, **properties: str) -> str:
        """Plugs the device that is behind SOCKET, uses it, unplugs it; returns QEMU's warnings."""
        before = len(self.machine.child.log())
        self.machine.plug(qemu.vfio_user("edu0", socket, bus="rp0", **properties))
        self.port.power_on()
        device = edu.Edu(pci.Function(self.machine.qtest, BUS, 0))
        self.assertEqual(edu.IDENTIFICATION, device.identification())
        self.machine.unplug("edu0")
        self.port.power_off()
        self.machine.wait_unplugged("edu0")
        return "".join(line for line in self.machine.child.log()[before:].splitlines(True)
                       if STOCK_WARNING not in line)

    def refusal(self, socket: Path, **properties: str) -> str:
        """Plugs a device that does not realize; returns why."""
        try:
            self.machine.plug(qemu.vfio_user("edu0", socket, bus="rp0", **properties))
        except QmpError as error:
            return str(error)
        return self.fail("the device realized")

    def check_refused_or_warned(self, socket: Path, why: str, **properties: str) -> None:
        """What REQUIRE refuses, WARN reports, in the same words."""
        self.assertEqual(f"vfio vfio-user:{socket}: {NO_RECITAL}{why}",
                         self.refusal(socket, poem="require", **properties))
        self.assertIn(f"warning: vfio-user:{socket}: {NO_RECITAL}{why}\n",
                      self.plug(socket, poem="warn", **properties))

    def keep(self, served: Relay) -> None:
        self.addCleanup(served.close)


def flipped(text: str) -> str:
    """The text with one bit of its first character altered."""
    return chr(ord(text[0]) ^ 1) + text[1:]


def in_recital(key: str, change: Callable[[str], Any]) -> Callable[[Capabilities], None]:
    def alter(capabilities: Capabilities) -> None:
        recital = capabilities["poem"]["recital"]
        recital[key] = change(recital[key])
    return alter


def in_poem(**members: Any) -> Callable[[Capabilities], None]:
    return lambda capabilities: capabilities["poem"].update(members)


def instead(value: Any) -> Callable[[Capabilities], None]:
    return lambda capabilities: capabilities.update(poem=value)


def padded_to(size: int) -> Callable[[bytes], bytes]:
    """White space, to make the whole message that long."""
    return lambda text: text.ljust(size - relay.VERSION_FIXED - 1)


def hop(by: str = "ab" * 16, recited: str = "yes", **more: Any) -> dict[str, Any]:
    return {"by": by, "recited": recited, **more}


NOT_THE_POEM = "what it recites is not the poem"
WRONG_DIGEST = "the digest beside its recital is not the poem's"
WRONG_PROOF = "its recital does not belong to this exchange (wrong proof: replayed or altered)"
MALFORMED = "its answer to the demand is malformed"
NOT_VERSION_1 = "its answer is not of version 1"
NO_ANSWER = "it does not answer the demand"
MISSING = "it answers the demand without a recital"
BAD_LICENCE = "the licence that it recites under is malformed"
BAD_DECLARED = "the licence that it declares is malformed"
BAD_VIA = "malformed via"
BAD_HOP = "malformed entry in via"

DEVIATIONS: list[tuple[Callable[[Capabilities], None], str]] = [
    (lambda capabilities: capabilities.pop("poem"), NO_ANSWER),
    (instead("Say this aloud, in freedom's name, and pass."),
     "it says a refrain only, which proves nothing"),
    (instead(None), MALFORMED),
    (instead([]), MALFORMED),
    (instead({"v": 1}), MISSING),
    (in_poem(recital="text"), MISSING),
    (in_poem(v=2), NOT_VERSION_1),
    (in_poem(v="1"), NOT_VERSION_1),
    (lambda capabilities: capabilities["poem"].pop("v"), NOT_VERSION_1),
    (in_recital("text", flipped), NOT_THE_POEM),
    (in_recital("text", str.upper), NOT_THE_POEM),
    (in_recital("text", lambda text: text + " "), NOT_THE_POEM),
    (in_recital("text", lambda text: text[:-1]), NOT_THE_POEM),
    (in_recital("text", lambda text: text + "\0"), NOT_THE_POEM),
    (in_recital("text", lambda text: ""), NOT_THE_POEM),
    (in_recital("text", lambda text: 1), NOT_THE_POEM),
    (in_recital("sha256", flipped), WRONG_DIGEST),
    (in_recital("sha256", str.upper), WRONG_DIGEST),
    (in_recital("proof", flipped), WRONG_PROOF),
    (in_recital("proof", lambda proof: proof[:-2]), WRONG_PROOF),
    (in_recital("licence", lambda _: "MIT"), "it recites under MIT, which is not the GPL"),
    (in_recital("licence", lambda _: "GPL-2.0-only OR MIT"),
     "it recites under GPL-2.0-only OR MIT, which is not the GPL"),
    (in_recital("licence", lambda _: ""), BAD_LICENCE),
    (in_recital("licence", lambda _: "GPL\n"), BAD_LICENCE),
    (in_recital("licence", lambda _: "G" * 257), BAD_LICENCE),
    (in_recital("licence", lambda _: None), BAD_LICENCE),
    (lambda capabilities: capabilities.update(licence=""), BAD_DECLARED),
    (in_poem(via=None), BAD_VIA),
    (in_poem(via={}), BAD_VIA),
    (in_poem(via=[hop(f"{n:032x}") for n in range(9)]), BAD_VIA),
    (in_poem(via=[1]), BAD_HOP),
    (in_poem(via=[{"recited": "yes"}]), BAD_HOP),
    (in_poem(via=[hop("AB" * 16)]), BAD_HOP),
    (in_poem(via=[hop("ab" * 17)]), BAD_HOP),
    (in_poem(via=[hop(recited="maybe")]), BAD_HOP),
    (in_poem(via=[hop(licence="")]), BAD_HOP),
    (in_poem(via=[hop(), hop("cd" * 16), hop()]), f"loop in via: broker {'ab' * 16} twice"),
]


NO_JSON: list[Callable[[bytes], bytes]] = [
    lambda text: text[:-1],
    lambda text: text.replace(b'"capabilities":{', b'"capabilities":{"poem":{},"poem":{},'),
    lambda text: text.replace(b'"capabilities":{', b'"capabilities":{"licence":"\xff",'),
    lambda text: text.replace(b'"capabilities":{', b'"capabilities":{"licence":"\0",'),
]


class ByThePage(PoemCase):
    """A device whose recital is made by docs/PROTOCOL.poem, in this test."""

    def setUp(self) -> None:
        super().setUp()
        self.reciter = Reciter(self.folder / "reciter.sock", self.start_edu(), POEM)
        self.keep(self.reciter)
        self.socket = self.reciter.path
        self.start_with_port()

    def said(self) -> str:
        """The latest reply, for the message of a failure."""
        return repr(self.reciter.replies[-1][relay.VERSION_FIXED:])

    def test_recital(self) -> None:
        for mode in ("require", "warn"):
            self.assertEqual("", self.plug(self.socket, poem=mode), "nothing to warn of")

    def test_nothing_is_demanded(self) -> None:
        """By default nothing changes on the wire."""
        self.plug(self.socket)
        self.plug(self.socket, poem="off")
        for request in self.reciter.requests:
            self.assertEqual(STOCK_JSON, request[relay.VERSION_FIXED:])
        self.assertEqual(2, len(self.reciter.requests))

    def test_demand(self) -> None:
        """Section 3 of the page: the object and no more, a fresh challenge every time."""
        for _ in range(2):
            self.plug(self.socket, poem="require")
        asked = [relay.version_json(request) for request in self.reciter.requests]
        demands = [body["capabilities"].pop("poem") for body in asked]
        stock = relay.version_json(bytes(relay.VERSION_FIXED) + STOCK_JSON)
        self.assertEqual([stock, stock], asked)
        for demand in demands:
            self.assertEqual({"v", "challenge", "with"}, set(demand))
            self.assertEqual(1, demand["v"])
            self.assertIs(True, demand["with"])
            self.assertRegex(demand["challenge"], r"\A[0-9a-f]{64}\Z")
        self.assertNotEqual(demands[0], demands[1])

    def test_every_deviation_is_refused(self) -> None:
        for alter, why in DEVIATIONS:
            self.reciter.alter = alter
            self.assertEqual(f"vfio vfio-user:{self.socket}: {NO_RECITAL}{why}",
                             self.refusal(self.socket, poem="require"), self.said())
        self.reciter.alter = lambda capabilities: None
        self.assertEqual("", self.plug(self.socket, poem="require"))

    def test_every_deviation_is_reported(self) -> None:
        for alter, why in DEVIATIONS:
            self.reciter.alter = alter
            self.assertEqual(f"warning: vfio-user:{self.socket}: {NO_RECITAL}{why}\n",
                             self.plug(self.socket, poem="warn"), self.said())

    def test_other_poem(self) -> None:
        self.reciter.poem = b"Roses are red.\n"
        self.check_refused_or_warned(self.socket, NOT_THE_POEM)

    def test_licences(self) -> None:
        for licence in ("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later",
                        "GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception"):
            self.reciter.licence = licence
            self.assertEqual("", self.plug(self.socket, poem="require"))
            self.assertEqual("", self.plug(self.socket, poem="require",
                                           **{"poem-licence": licence}))

    def test_licence_demanded(self) -> None:
        self.check_refused_or_warned(
            self.socket, "it recites under GPL-2.0-or-later, and poem-licence demands GPL-2.0-only",
            **{"poem-licence": "GPL-2.0-only"})

    def test_licence_of_the_user_s_own_choice(self) -> None:
        self.reciter.licence = "GPL-2.0-only OR MIT"
        self.assertEqual("", self.plug(self.socket, poem="require",
                                       **{"poem-licence": self.reciter.licence}))

    def test_silence_behind_a_broker(self) -> None:
        """The recital stands, and QEMU tells what the broker says of who is behind it."""
        self.reciter.alter = in_poem(via=[hop(), hop("cd" * 16, "no", licence="MIT")])
        self.assertIn("warning: vfio-user:" f"{self.socket}: a broker recites, but what is behind"
                      " it does not\n", self.plug(self.socket, poem="require"))

    def refused_all(self, why: str, **properties: str) -> None:
        self.assertEqual(f"vfio vfio-user:{self.socket}: {NO_RECITAL}{why}",
                         self.refusal(self.socket, poem="require-all", **properties), self.said())

    def test_all_the_way(self) -> None:
        """Every hop has recited under a licence that would do for the first, the last one too."""
        gpl = {"licence": "GPL-3.0-only"}
        self.assertEqual("", self.plug(self.socket, poem="require-all"))
        self.reciter.alter = in_poem(via=[hop(**gpl), hop("cd" * 16, licence="GPL-2.0-only")])
        self.assertEqual("", self.plug(self.socket, poem="require-all"))
        self.refused_all("it recites under GPL-2.0-or-later, and poem-licence demands GPL-3.0-only",
                         **{"poem-licence": "GPL-3.0-only"})
        for via, why in (
                ([hop(**gpl), hop("cd" * 16, "no", **gpl)], "server 2 behind it has not recited"),
                ([hop(recited="no")], "server 1 behind it has not recited"),
                ([hop()], "server 1 behind it recites under no licence, which is not what is"
                          " demanded"),
                ([hop(licence="MIT")], "server 1 behind it recites under MIT, which is not what is"
                                       " demanded"),
                ([hop(licence="(GPL-2.0-only) AND (MIT)")],
                 "server 1 behind it recites under (GPL-2.0-only) AND (MIT), which is not what is"
                 " demanded")):
            self.reciter.alter = in_poem(via=via)
            self.refused_all(why)
        # In another place it says the same.
        self.reciter.alter = lambda capabilities: capabilities.update(via=[hop(recited="no")])
        self.refused_all("server 1 behind it has not recited")

    def test_contradiction(self) -> None:
        """A declared licence that contradicts the recital."""
        said = "contradiction: it recites under GPL-2.0-or-later, and declares LicenseRef-ours"
        self.reciter.alter = lambda capabilities: capabilities.update(licence="LicenseRef-ours")
        for mode in ("require", "warn"):
            self.assertEqual(f"warning: vfio-user:{self.socket}: {said}\n",
                             self.plug(self.socket, poem=mode))
        self.refused_all(said)

    def test_longest_reply(self) -> None:
        self.reciter.alter_text = padded_to(REPLY_MAX)
        self.assertEqual("", self.plug(self.socket, poem="require"))
        self.assertEqual(REPLY_MAX, len(self.reciter.replies[-1]))

    def test_longer_reply(self) -> None:
        self.reciter.alter_text = padded_to(REPLY_MAX + 1)
        # QEMU waits until the time is over, in which a reply that is on its way must have come.
        self.refusal(self.socket, poem="require", **{"x-msg-timeout": 4000})
        self.assertIn("reply larger than recv buffer", self.machine.child.log())

    def test_what_is_no_json(self) -> None:
        """QEMU's own parser refuses these, whatever is demanded."""
        for alter in NO_JSON:
            self.reciter.alter_text = alter
            for mode in ("require", "warn"):
                self.assertIn(": malformed capabilities", self.refusal(self.socket, poem=mode),
                              self.said())

    def test_settings(self) -> None:
        self.assertEqual("poem must be off, warn, require or require-all, not maybe",
                         self.refusal(self.socket, poem="maybe"))
        self.assertEqual("poem-licence needs poem=warn, poem=require or poem=require-all",
                         self.refusal(self.socket, **{"poem-licence": "GPL-2.0-only"}))
        self.assertEqual([], self.reciter.requests, "found before anybody was spoken to")


class Direct(PoemCase):
    """No broker between."""

    def test_reciting_device(self) -> None:
        device = self.start_edu("edu", "--recite")
        self.start_with_port()
        self.assertEqual("", self.plug(device, poem="require"))

    def test_silent_device(self) -> None:
        silent = self.start_edu()
        self.start_with_port()
        self.check_refused_or_warned(silent, NO_ANSWER)
        self.assertEqual("", self.plug(silent, poem="off"))

    def test_on_the_command_line(self) -> None:
        silent = self.start_edu()
        machine = self.launch_qemu(qemu.vfio_user("edu0", silent, poem="require"),
                                   root_folder=self.root)
        self.assertIn(NO_RECITAL + NO_ANSWER, machine.refusal())


class Replayer(Relay):
    """A man in the middle: passes a whole exchange on, and from then on gives the answer to the
    poem's demand that he heard there."""

    def __init__(self, path: Path, backend: Path) -> None:
        self.heard: dict[str, Any] | None = None
        super().__init__(path, backend)

    def reply(self, message: bytes) -> bytes:
        body = relay.version_json(message)
        if self.heard is None:
            self.heard = body["capabilities"]["poem"]
            return message
        body["capabilities"]["poem"] = self.heard
        return relay.with_json(message, body)


class Broker(PoemCase):
    """poemd between QEMU and the device."""

    def setUp(self) -> None:
        super().setUp()
        self.need_broker()

    def start_broker(self, backend: Path, *settings: str, recite: str = "always",
                     name: str = "poemd") -> Path:
        # More sessions than one: the latest may not have ended quite when QEMU begins the next.
        listen = self.folder / f"{name}.sock"
        config = self.folder / f"{name}.conf"
        config.write_text("".join(f"{setting}\n" for setting in settings)
                          + f'route edu {{\n    listen "{listen}"\n    backend "{backend}"\n'
                          f"    sessions 8\n    recite to client {recite}\n}}\n")
        self._start(name, "poemd", ["--config", str(config)])
        return listen

    def silence_behind(self, route: Path) -> str:
        return (f"warning: vfio-user:{route}: a broker recites,"
                " but what is behind it does not\n")

    def test_recital(self) -> None:
        """The broker answers for itself, and says that the device is silent."""
        for recite in ("always", "when-it-fits"):
            route = self.start_broker(self.start_edu(f"edu-{recite}"), recite=recite,
                                      name=f"poemd-{recite}")
            self.start_with_port()
            for mode in ("require", "warn"):
                self.assertEqual(self.silence_behind(route), self.plug(route, poem=mode))
            self.machine.quit()

    def test_device_recites_too(self) -> None:
        route = self.start_broker(self.start_edu("edu", "--recite"))
        self.start_with_port()
        self.assertEqual("", self.plug(route, poem="require"))

    def test_two_in_a_row(self) -> None:
        inner = self.start_broker(self.start_edu("edu", "--recite"), name="inner")
        outer = self.start_broker(inner, name="outer")
        self.start_with_port()
        self.assertEqual("", self.plug(outer, poem="require"))
        self.assertEqual("", self.plug(outer, poem="require-all"))

    def test_two_in_a_row_and_silence(self) -> None:
        inner = self.start_broker(self.start_edu(), name="inner")
        outer = self.start_broker(inner, name="outer")
        self.start_with_port()
        self.assertEqual(self.silence_behind(outer), self.plug(outer, poem="require"))
        self.assertEqual(f"vfio vfio-user:{outer}: {NO_RECITAL}server 2 behind it has not recited",
                         self.refusal(outer, poem="require-all"))

    def test_licence(self) -> None:
        route = self.start_broker(self.start_edu("edu", "--recite"))
        self.start_with_port()
        self.assertEqual("", self.plug(route, poem="require",
                                       **{"poem-licence": "GPL-2.0-or-later"}))
        self.check_refused_or_warned(
            route, "it recites under GPL-2.0-or-later, and poem-licence demands GPL-3.0-only",
            **{"poem-licence": "GPL-3.0-only"})

    def test_other_poem(self) -> None:
        other = self.folder / "other.txt"
        other.write_text("Roses are red,\nand so are some licences.\n")
        route = self.start_broker(self.start_edu(), f'poem "{other}"')
        self.start_with_port()
        self.check_refused_or_warned(route, NOT_THE_POEM)

    def test_it_does_not_recite(self) -> None:
        route = self.start_broker(self.start_edu(), recite="never")
        self.start_with_port()
        self.check_refused_or_warned(route, MISSING)

    def test_replay(self) -> None:
        """The first exchange stands, since the man in the middle has the broker's own answer. The
        second one does not, with that answer or with a silent device behind him."""
        silent = self.start_edu("edu-silent")
        middle = Replayer(self.folder / "middle.sock", self.start_broker(self.start_edu()))
        self.keep(middle)
        self.start_with_port()
        self.assertEqual(self.silence_behind(middle.path), self.plug(middle.path, poem="require"))
        self.check_refused_or_warned(middle.path, WRONG_PROOF)

        alone = Replayer(self.folder / "alone.sock", silent)
        alone.heard = middle.heard
        self.keep(alone)
        self.check_refused_or_warned(alone.path, WRONG_PROOF)

    def test_nothing_is_demanded(self) -> None:
        """Then it is a stock QEMU, which hears the refrain in the reply and wonders."""
        route = self.start_broker(self.start_edu())
        self.start_with_port()
        self.assertIn("warning: spurious capabilities\n", self.plug(route))
