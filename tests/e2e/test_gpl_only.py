# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A stock QEMU, the preset gpl-only, and programs of a Debian package. Each verdict has its reason in
the page that an open-source office reads."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from support.policy import PACKAGE, PackagedPolicy

GPL_ONLY = "preset gpl-only"
PROGRAMS = f"/usr/lib/{PACKAGE}"

# A sanitizer's runtime asks to be the first object, which only a preloaded one can be.
PRELOAD = ("ASAN_OPTIONS=verify_asan_link_order=0", "LD_PRELOAD={}")


class GplOnly(PackagedPolicy):
    def session(self) -> dict[str, Any]:
        """The only session in the page of the audit log, as a browser shows it."""
        page = self.tool("audit", "report", str(self.audit), "--key", f"{self.key}.pub", "--format",
                         "html")
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page,
                          re.DOTALL)
        assert found
        sessions: list[dict[str, Any]] = json.loads(found[1])["sessions"]
        self.assertEqual(1, len(sessions))
        return sessions[0]

    def expect_in_page(self, verdict: str, taint: str, *reasons: str) -> dict[str, Any]:
        """The verdict's record in the log; its reasons in the page, both for people and apart."""
        record = self.expect(verdict, taint)
        session = self.session()
        self.assertEqual((verdict, taint, "gpl-only", "backend"),
                         (session["verdict"], session["taint"], session["rule"]["preset"],
                          session["rule"]["of"]))
        self.assertEqual(verdict, session["backend"]["finding"])
        for reason in reasons:
            self.assertIn(reason, session["rule"]["why"])
            self.assertIn(reason, session["text"])
        return record

    def plug_in(self) -> Path:
        """An object that no package owns: a library of the device, under another name."""
        path = self.folder / "plugin.so"
        shutil.copy(next(Path("/usr/lib").glob("*-linux-gnu/libjansson.so.4")), path)
        return path

    def test_admits_a_gpl_2_device(self) -> None:
        self.use(self.start_packaged("GPL-2", GPL_ONLY))
        self.expect_in_page("allow", "-", f"GPL-2.0-only, packaged (dpkg {PACKAGE} 1)",
                            "compatible with GPL-2.0-only: GPL-2.0-only: it is version 2")

    def test_refuses_an_apache_device(self) -> None:
        self.refused(self.start_packaged("Apache-2.0", GPL_ONLY))
        self.expect_in_page("deny", "C", f"Apache-2.0, packaged (dpkg {PACKAGE} 1)",
                            "incompatible with GPL-2.0-only: Apache-2.0: its patent")

    def test_refuses_a_gpl_3_device(self) -> None:
        self.refused(self.start_packaged("GPL-3+", GPL_ONLY))
        self.expect_in_page("deny", "C", f"GPL-3.0-or-later, packaged (dpkg {PACKAGE} 1)",
                            "incompatible with GPL-2.0-only")

    def test_admits_the_broker_itself(self) -> None:
        """Two brokers in a row: the second one is the device of the first, by its package."""
        inside = self.install(self.build(
            "GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception", "poemd", "edu"))
        device, middle = self.folder / "packaged.sock", self.folder / "middle.sock"
        config = self.folder / "middle.conf"
        config.write_text(f"route middle {{\nlisten {middle}\nbackend {device}\n"
                          "demand recital from backend\n}\n")
        self.start_program(inside, "edu", "--recite", "--socket-path", str(device))
        self.start_program(inside, "poemd", "--config", str(config))
        # The one in front is the last poemd that was started: its verdict is looked at.
        self.use(self.start_policy(middle, [GPL_ONLY], inside=inside))
        self.expect_in_page(
            "allow", "-",
            f"GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception, packaged (dpkg {PACKAGE} 1)")
        self.assertEqual(f"{PROGRAMS}/poemd", self.session()["backend"]["path"])

    def test_refuses_a_preloaded_plug_in(self) -> None:
        """The program is the one of the package that is admitted without it."""
        plug_in = self.plug_in()
        self.refused(self.start_packaged(
            "GPL-2", GPL_ONLY, [word.format(plug_in) for word in PRELOAD]))
        record = self.expect_in_page(
            "deny", "U", f"code without evidence of its licence: {plug_in}",
            "no package owns it, and no envelope is about it")
        # The record has all code, that without evidence first.
        self.assertEqual({"backend"}, set(record["code"]))
        first, *others = record["code"]["backend"]["mapped"]
        self.assertEqual(record["code"]["backend"]["count"], 1 + len(others))
        self.assertEqual((str(plug_in), "none"), (first["path"], first["grade"]))
        self.assertEqual({"packaged"}, {item["grade"] for item in others})
        libraries = {Path(item["path"]).name: item["name"] for item in others}
        self.assertRegex(libraries["libc.so.6"], "^libc6 ")
        self.assertEqual(f"{PACKAGE} 1", libraries["edu"])

    def test_admits_a_plug_in_that_the_operator_vouches_for(self) -> None:
        plug_in = self.plug_in()
        self.use(self.start_packaged(
            "GPL-2", f"{GPL_ONLY}\nassign licence MIT to backend exe {plug_in}",
            [word.format(plug_in) for word in PRELOAD]))
        self.expect_in_page("allow-tainted", "O")
