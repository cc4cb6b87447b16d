# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The poem: what a stock QEMU hears, and what brokers in a row know of each other."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

from support import edu, pci, qemu, wait
from support.case import Case
from support.qemu import NATIVE_HOTPLUG
from support.relay import Relay, version_json, with_json

PORT_SLOT = 3

REFRAIN = "Say this aloud, in freedom's name, and pass."

# What a backend may say of itself: a default value, which may be left out of a reply (section 5 of
# PROTOCOL.poem), and another one. max_msg_fds has none that may be left out.
MIGRATION = {"pgsize": 4096, "max_bitmap_size": 268435456}
VALUES: dict[str, list[Any]] = {
    "max_data_xfer_size": [1048576, 65536],
    "max_dma_maps": [65535, 1024],
    "pgsizes": [4096],
    "migration": [MIGRATION, {"pgsize": 65536, "max_bitmap_size": 1048576}],
    "write_multiple": [False, True],
}


def without_defaults(capabilities: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, value in capabilities.items():
        if name in VALUES and name != "migration" and value == VALUES[name][0]:
            continue
        if name == "migration":
            value = {k: v for k, v in value.items() if v != MIGRATION[k]}
        kept[name] = value
    return kept


def size_of(capabilities: dict[str, Any]) -> int:
    """Of the VERSION message with these capabilities, written compactly."""
    text = json.dumps({"capabilities": capabilities}, separators=(",", ":"))
    return 16 + 4 + len(text) + 1


class Backend(Relay):
    """In front of the device process: makes its reply say what the test wants."""

    capabilities: dict[str, Any] = {}

    def reply(self, message: bytes) -> bytes:
        return with_json(message, {"capabilities": self.capabilities})


class Recital(Case):
    def setUp(self) -> None:
        super().setUp()
        self.need_broker()

    def start_config(self, backend: Path, *statements: str, name: str = "poemd") -> Path:
        listen = self.folder / f"{name}.sock"
        config = self.folder / f"{name}.conf"
        lines = "".join(f"    {statement}\n" for statement in statements)
        config.write_text(f'route {name} {{\n    listen "{listen}"\n    backend "{backend}"\n'
                          f"{lines}}}\n")
        self._start(name, "poemd", ["--config", str(config)])
        return listen


class StockQemu(Recital):
    """One QEMU, into which the device is plugged again and again."""

    def setUp(self) -> None:
        super().setUp()
        self.backend = Backend(self.folder / "backend.sock", self.start_edu())
        self.addCleanup(self.backend.close)

    def plug_in(self, *statements: str) -> None:
        route = self.start_config(self.backend.path, *statements)
        self.front = Relay(self.folder / "front.sock", route)
        self.addCleanup(self.front.close)
        self.machine = self.start_qemu(qemu.root_port("rp0", PORT_SLOT), extra=NATIVE_HOTPLUG)
        self.port = pci.RootPort(self.machine.qtest, 0, PORT_SLOT)
        self.port.open_bridge(1, pci.WINDOW_BASE, pci.WINDOW_SIZE)

    def plug(self, capabilities: dict[str, Any]) -> dict[str, Any]:
        """Plugs the device with this backend and takes it out again; what QEMU was told."""
        self.backend.capabilities = capabilities
        self.machine.plug(qemu.vfio_user("edu0", self.front.path, bus="rp0"))
        self.port.power_on()
        self.machine.unplug("edu0")
        self.port.power_off()
        self.machine.wait_unplugged("edu0")
        request, reply = self.front.requests[-1], self.front.replies[-1]
        self.assertLessEqual(len(reply), len(request), "QEMU has no room for more")
        told: dict[str, Any] = version_json(reply)["capabilities"]
        return told

    def test_every_mix_of_capabilities(self) -> None:
        """Each capability absent, default or not: the refrain is said wherever there is room."""
        self.plug_in("recite to client when-it-fits")
        choices = [[None, *values] for values in VALUES.values()]
        said = 0
        for values in itertools.product(*choices):
            mix: dict[str, Any] = {"max_msg_fds": 8}
            mix |= {n: v for n, v in zip(VALUES, values) if v is not None}
            told = self.plug(mix)
            fits = size_of(without_defaults(mix) | {"poem": REFRAIN}) <= 214
            self.assertEqual(REFRAIN if fits else None, told.get("poem"), mix)
            told.pop("poem", None)
            self.assertEqual(without_defaults(mix), without_defaults(told), "nothing is lost")
            said += fits
        self.assertGreater(said, 0)

    def room(self, spare: int) -> dict[str, Any]:
        """Capabilities that leave room for the refrain and spare bytes more."""
        mix = {"max_msg_fds": 8, "x": ""}
        return mix | {"x": "-" * (214 - size_of(mix | {"poem": REFRAIN}) - spare)}

    def test_exactly_enough_room(self) -> None:
        self.plug_in("recite to client always")
        self.assertEqual(REFRAIN, self.plug(self.room(0))["poem"])
        self.assertEqual(214, len(self.front.replies[-1]))

    def test_one_byte_less_when_it_fits(self) -> None:
        self.plug_in("recite to client when-it-fits")
        self.assertNotIn("poem", self.plug(self.room(-1)))
        log = self.child("poemd").log()
        self.assertIn("the refrain would make the reply longer than the request", log)

    def test_one_byte_less_always(self) -> None:
        route = self.start_config(self.backend.path, "recite to client always")
        self.backend.capabilities = self.room(-1)
        machine = self.launch_qemu(qemu.vfio_user("edu0", route))
        self.assertIn("version reply: Message too long", machine.refusal())

    def test_a_device_that_does_not_recite_is_refused(self) -> None:
        device = self.start_edu("silent")
        route = self.start_config(device, "demand recital from backend")
        machine = self.launch_qemu(qemu.vfio_user("edu0", route))
        self.assertIn("version reply: Permission denied", machine.refusal())

    def test_a_device_that_recites_is_served(self) -> None:
        device = self.start_edu("reciting", "--recite")
        route = self.start_config(device, "demand recital from backend")
        machine = self.start_qemu(qemu.vfio_user("edu0", route, bus="pcie.0", addr="4"))
        function = edu.Edu(pci.Function(machine.qtest, 0, 4))
        self.assertEqual(120, function.factorial(5))


class InARow(Recital):
    """Brokers behind each other, as whoever demands the poem sees them."""

    def recite(self, socket: Path) -> tuple[int, dict[str, Any]]:
        done = subprocess.run([self.program("poemctl"), "recite", "--json", str(socket)],
                              capture_output=True, timeout=wait.TIMEOUT_S, check=False)
        told: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, told

    def behind(self, *options: str) -> tuple[int, list[Any]]:
        """Two brokers in front of a device process: what the first says of who is behind it."""
        inner = self.start_config(self.start_edu("device", *options), name="inner")
        outer = self.start_config(inner, name="outer")
        status, told = self.recite(outer)
        return status, told["via"]

    def test_two_brokers_and_a_device_that_recites(self) -> None:
        status, via = self.behind("--recite", "--licence", "GPL-2.0-or-later")
        self.assertEqual(0, status)
        self.assertEqual([True, True], [hop["recited"] for hop in via])
        self.assertEqual(2, len({hop["by"] for hop in via}))

    def test_two_brokers_and_a_device_that_does_not(self) -> None:
        status, via = self.behind()
        self.assertEqual(0, status, "the broker itself recites")
        self.assertEqual([True, False], [hop["recited"] for hop in via])

    def test_a_broker_before_each(self) -> None:
        for options, recited in (((), False), (("--recite",), True)):
            name = f"broker-{recited}".lower()
            device = self.start_edu(f"device-{recited}".lower(), *options)
            status, told = self.recite(self.start_config(device, name=name))
            self.assertEqual(0, status)
            self.assertEqual([recited], [hop["recited"] for hop in told["via"]])
