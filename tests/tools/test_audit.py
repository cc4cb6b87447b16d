#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl audit on logs of the real writer: what is shown, what is said, and the exit status.

usage: test_audit.py --build DIR [TEST...]
"""

from __future__ import annotations

import csv
import hashlib
import html.parser
import io
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import audit_case
import browser
from audit_case import PATIENCE, AuditCase

MANUALS = Path(__file__).resolve().parents[2] / "docs" / "man"
INTACT, TAMPERED, USAGE, UNREADABLE, TRUNCATED, UNSEALED, WRONG_KEY = range(7)


class Page(html.parser.HTMLParser):
    """The data and the text of a page, each tag closed by its own kind."""

    def __init__(self) -> None:
        super().__init__()
        self.data = ""
        self.open: list[str] = []
        self.text = ""
        self.is_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_data = ("id", "data") in attrs
        for name, _ in attrs:
            assert not name.startswith("on") and name not in ("src", "href"), name
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag
        self.is_data = False

    def handle_data(self, data: str) -> None:
        if self.is_data:
            self.data += data
        else:
            self.text += data


class Audit(AuditCase):
    def write(self, count: int, first: int = 0, rotate: int = 0) -> list[Path]:
        subprocess.run([self.build / "tests/unit/audit/audit_storm", self.log, self.folder / "key",
                        str(rotate), str(first), str(count)], check=True, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return self.files()

    def verify(self, *files: Path, status: int, **options: object) -> str:
        more = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return self.audit("verify", *files, "--key", self.key, *more, status=status).stdout

    def test_keygen(self) -> None:
        self.assertEqual(self.said, self.key.read_text())
        self.assertEqual((self.folder / "key").stat().st_mode & 0o777, 0o600)
        again = self.audit("keygen", "--name", "x", self.folder / "key", status=3)
        self.assertIn("File exists", again.stderr)
        self.audit("keygen", "--name", "not a name", self.folder / "other", status=USAGE)
        self.audit("keygen", self.folder / "other", status=USAGE)
        self.assertFalse((self.folder / "other").exists())

    def test_intact_then_each_other_verdict(self) -> None:
        self.write(100)
        self.assertTrue(self.verify(self.log, status=INTACT).startswith("intact: "))
        content = self.log.read_bytes()
        lines = content.splitlines(keepends=True)
        kept = self.folder / "kept"
        kept.write_text(self.audit("checkpoint", self.log, "--key", self.key).stdout)
        self.verify(self.log, status=INTACT, checkpoint=kept)

        self.log.write_bytes(content.replace(b'"session":40}', b'"session":41}'))
        said = self.verify(self.log, status=TAMPERED)
        number = next(n for n, line in enumerate(lines) if b'"session":40}' in line)
        self.assertIn(f"record {number} ", said)

        self.log.write_bytes(b"".join(lines[:-1]))
        self.assertTrue(self.verify(self.log, status=UNSEALED).startswith("OK so far: "))
        self.log.write_bytes(b"".join(lines[:-3]))
        self.assertTrue(
            self.verify(self.log, status=TRUNCATED, checkpoint=kept).startswith("truncated: "))
        self.log.unlink()
        self.verify(self.log, status=UNREADABLE)
        self.log.write_text("hello\n")
        self.verify(self.log, status=UNREADABLE)

        self.log.write_bytes(content)
        self.audit("keygen", "--name", "example.org/poemd", self.folder / "other")
        self.key = self.folder / "other.pub"
        self.verify(self.log, status=WRONG_KEY)
        self.audit("checkpoint", self.log, "--key", self.key, status=WRONG_KEY)

    def test_json(self) -> None:
        self.write(100)
        shown = json.loads(self.audit("verify", self.log, "--key", self.key, "--json").stdout)
        self.assertEqual(shown["format"], "poemd-audit-verify/1")
        self.assertEqual(shown["verdict"], "intact")
        self.assertEqual(shown["first"], 0)
        self.assertEqual(shown["size"], shown["sealed"])
        self.assertIsNone(shown["bad"])
        self.log.write_bytes(self.log.read_bytes().replace(b"storm", b"Storm", 1))
        shown = json.loads(self.audit("verify", self.log, "--key", self.key, "--json",
                                      status=TAMPERED).stdout)
        self.assertEqual(shown["bad"], {"from": 0, "to": 0})
        self.assertEqual(shown["line"], 1)

    def test_rotated_files(self) -> None:
        files = self.write(400, rotate=20000)
        self.assertGreater(len(files), 2)
        self.verify(*files, status=INTACT)
        self.verify(*reversed(files), *files, status=INTACT)
        self.verify(files[0], *files[2:], status=TRUNCATED)
        self.verify(*files[1:], status=INTACT)

    def verify_input(self, content: bytes, path: str, status: int) -> str:
        done = subprocess.run([self.build / "poemctl", "audit", "verify", path, "--key", self.key],
                              input=content, capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout.decode()

    def test_joined_files_and_streams(self) -> None:
        files = [file.read_bytes() for file in self.write(400, rotate=20000)]
        joined = b"".join(files)
        alone = self.folder / "joined"
        alone.write_bytes(joined)
        self.verify(alone, status=INTACT)
        for path in ("-", "/dev/stdin"):
            self.verify_input(joined, path, INTACT)
            self.verify_input(b"".join(files[1:]), path, INTACT)
            self.verify_input(joined[:-10], path, UNSEALED)
            self.verify_input(b"", path, UNSEALED)
            said = self.verify_input(files[0] + b"".join(files[2:]), path, TRUNCATED)
            self.assertIn("are in none of the files", said)
            self.verify_input(files[1] + files[0], path, TAMPERED)
            self.verify_input(files[0] + files[2] + files[1], path, TRUNCATED)
            self.verify_input(joined.replace(b'"session":40}', b'"session":41}'), path, TAMPERED)
            self.verify_input(b"hello\n", path, UNREADABLE)
        # A stream may go on in files.
        (self.folder / "rest").write_bytes(b"".join(files[1:]))
        done = subprocess.run([self.build / "poemctl", "audit", "verify", self.folder / "rest", "-",
                               "--key", self.key], input=files[0], capture_output=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, INTACT, done.stdout)
        # What takes two looks at the log takes no stream.
        done = subprocess.run([self.build / "poemctl", "audit", "prove", "1", "-", "--key", self.key],
                              input=joined, capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, UNREADABLE)
        self.assertIn(b"not a pipe", done.stderr)

    def test_logs_of_several_hosts(self) -> None:
        ours = self.write(400, rotate=20000)
        (self.folder / "there").mkdir()
        theirs = self.folder / "there" / "audit.log"
        key = self.folder / "there" / "key"
        for shared in (True, False):
            if shared:
                for suffix in ("", ".pub"):
                    Path(f"{key}{suffix}").write_bytes(
                        Path(f"{self.folder / 'key'}{suffix}").read_bytes())
                key.chmod(0o600)
            else:
                for file in (theirs, key, Path(f"{key}.pub"), theirs.parent / ".audit.log.sealed"):
                    file.unlink()
                self.audit("keygen", "--name", "example.org/there", key)
            subprocess.run([self.build / "tests/unit/audit/audit_storm", theirs, key, "0", "0", "60"],
                           check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
            keys = ["--key", self.key] if shared else ["--key", self.key, "--key", f"{key}.pub"]
            said = self.audit("verify", theirs, *ours, *keys).stdout.splitlines()
            self.assertEqual(len(said), 2)
            self.assertTrue(all(": intact: all " in line for line in said), said)
            shown = json.loads(self.audit("verify", theirs, *ours, *keys, "--json").stdout)
            self.assertEqual(shown["verdict"], "intact")
            self.assertEqual(len(shown["logs"]), 2)

            # What is wrong with one is not said of the other.
            content = theirs.read_bytes()
            theirs.write_bytes(content.replace(b'"session":40}', b'"session":41}'))
            shown = json.loads(self.audit("verify", theirs, *ours, *keys, "--json",
                                          status=TAMPERED).stdout)
            self.assertEqual(sorted(log["verdict"] for log in shown["logs"]),
                             ["intact", "tampered"])
            self.assertEqual(shown["file"], str(theirs))
            theirs.write_bytes(content)

            # A file that is missing in one is missed.
            self.audit("verify", theirs, ours[0], *ours[2:], *keys, status=TRUNCATED)
            report = json.loads(self.audit("report", theirs, *ours, *keys, "--format",
                                           "json").stdout)
            self.assertEqual(report["events"]["session-opened"], 460)
        self.verify(theirs, *ours, status=WRONG_KEY)
        kept = self.folder / "kept"
        kept.write_text(self.audit("checkpoint", *ours, "--key", self.key).stdout)
        self.audit("checkpoint", theirs, *ours, "--key", self.key, status=WRONG_KEY)
        self.audit("verify", theirs, *ours, *keys, "--checkpoint", kept, status=USAGE)

    def test_a_part_of_a_log_says_so(self) -> None:
        files = self.write(400, rotate=20000)
        self.assertNotIn("part", self.verify(*files, status=INTACT))
        self.assertIn("this is a part of the log: records before ",
                      self.verify(*files[1:], status=INTACT))
        self.log.write_bytes(b"")
        self.assertIn("the log is empty", self.verify(self.log, status=UNSEALED))

    def test_what_the_log_says_of_itself(self) -> None:
        self.write(100)
        shown = json.loads(self.audit("verify", self.log, "--key", self.key, "--json").stdout)
        for member in ("lost_records", "accepted_losses", "clock_set_back", "repeated_sessions"):
            self.assertEqual(shown[member], 0)
        # Cut by somebody; nothing is written to it, unless somebody else lets it.
        content = self.log.read_bytes().splitlines(keepends=True)
        self.log.write_bytes(b"".join(content[:50]))
        refused = subprocess.run([self.build / "tests/unit/audit/audit_storm", self.log, self.folder / "key",
                                  "0", "0", "1"], timeout=PATIENCE, capture_output=True,
                                 check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(self.log.read_bytes(), b"".join(content[:50]))

    def records(self, files: list[Path]) -> list[dict[str, Any]]:
        return [json.loads(line) for f in files for line in f.read_text().splitlines()]

    def test_the_proof_of_a_checkpoint(self) -> None:
        """A checkpoint is a record too: it has no time, and its sentence says so."""
        files = self.write(400, rotate=20000)
        # Not the last one, which nothing seals yet.
        number = next(r["seq"] for r in self.records(files) if r["event"] == "checkpoint")
        self.assertIn("poemd sealed all records before this one with a signed checkpoint",
                      self.audit("prove", number, *files, "--key", self.key).stdout
                      .replace("\n", " "))

    def test_proofs(self) -> None:
        files = self.write(400, rotate=20000)
        proof = self.folder / "proof"
        # A number that is no checkpoint's: these come when the disk is ready.
        n = next(r["seq"] for r in self.records(files)
                 if r["seq"] >= 123 and r["event"] != "checkpoint")
        self.audit("prove", n, *files, "--key", self.key, "--output", proof)
        shown = self.audit("check-proof", proof, "--key", self.key).stdout
        self.assertIn(f'{{"seq":{n},', shown)
        shown = json.loads(self.audit("check-proof", proof, "--key", self.key, "--json").stdout)
        self.assertEqual(shown["record"]["seq"], n)
        self.assertTrue(shown["proved"])
        self.assertRegex(shown["prose"], r"On \d+ \w+ \d{4} at \d\d:\d\d UTC")
        text = proof.read_text()
        # It begins with what a person can read, which proves nothing.
        said, tlog = text.split("\nc2sp.org/tlog-proof@v1\n")
        self.assertTrue(said.startswith(f"Record {n} of an audit log of poemd:\n\nOn "), said)
        self.assertIn(shown["prose"], said.replace("\n", " "))
        self.assertLess(max(map(len, said.splitlines())), 80)
        for before in ("", "All is well.\n"):
            proof.write_text(f"{before}c2sp.org/tlog-proof@v1\n{tlog}")
            checked = json.loads(self.audit("check-proof", proof, "--key", self.key,
                                            "--json").stdout)
            self.assertEqual(checked, shown)
        self.assertEqual(self.audit("prove", n, *files, "--key", self.key).stdout, text)
        self.audit("prove", n, *files, "--key", self.key, "--output", proof, status=3)
        proof.write_text(text.replace(f"index {n}", f"index {n - 1}"))
        self.audit("check-proof", proof, "--key", self.key, status=1)
        proof.write_text("nothing\n")
        self.audit("check-proof", proof, "--key", self.key, status=3)
        self.audit("prove", 99999, *files, "--key", self.key, status=3)
        self.audit("prove", "-1", *files, "--key", self.key, status=USAGE)

    def policies(self, config: bytes) -> list[dict]:
        """The configurations in the report of a poemd that ran with this one."""
        file = self.folder / "conf"
        file.write_bytes(config)
        daemon = subprocess.Popen([self.build / "poemd", "--config", file], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
        assert daemon.stderr
        try:
            for line in daemon.stderr:
                if b"workers" in line:
                    break
        finally:
            daemon.terminate()
            daemon.communicate(timeout=PATIENCE)
        self.assertEqual(daemon.returncode, 0)
        report = json.loads(self.audit("report", self.log, "--key", self.key, "--format",
                                       "json").stdout)
        return report["policies"]

    def test_the_text_of_the_policy(self) -> None:
        config = (f"audit {self.log} key {self.folder}/key\n"
                  f"route r {{\n listen {self.folder}/l\n backend {self.folder}/b\n"
                  " preset gpl-only\n}\n# Gr\u00fc\u00dfe, \"<b>\"\t\\\n").encode()
        # More than one record, and without a line feed at the end.
        long = config + b"\n".join(b"# %d" % n for n in range(6000))
        preset = (MANUALS.parents[1] / "contrib/presets/gpl-only.conf").read_text().split("\n")
        for number, text in enumerate((config, long)):
            policy = self.policies(text)[number]
            self.assertEqual("\n".join(policy["lines"]).encode(), text)
            self.assertEqual(policy["sha256"], hashlib.sha256(text).hexdigest())
            self.assertEqual(policy["lines_total"], len(policy["lines"]))
            used = policy["presets"]["gpl-only"]
            self.assertEqual(preset[used["from"] - 1:][:len(used["lines"]) - 1],
                             used["lines"][:-1])
            self.assertEqual(len(policy["presets"]), 1)
        # One that is read again is no other.
        self.assertEqual(len(self.policies(config)), 2)

    def test_reports(self) -> None:
        self.write(100)
        report = json.loads(self.audit("report", self.log, "--key", self.key, "--format",
                                       "json").stdout)
        self.assertEqual(report["verification"]["verdict"], "intact")
        self.assertEqual(report["events"]["session-opened"], 100)
        self.assertEqual({row["role"] for row in report["executables"]}, {"client", "backend"})
        rows = list(csv.DictReader(io.StringIO(
            self.audit("report", self.log, "--format", "csv").stdout)))
        self.assertEqual([row["sessions"] for row in rows], ["3", "3"])
        page = Page()
        page.feed(self.audit("report", self.log, "--key", self.key, "--format", "html").stdout)
        page.close()
        self.assertEqual(page.open, [])
        data = json.loads(page.data)
        self.assertIn("intact: all", data["log"])
        self.assertEqual([dict(zip((c["name"] for c in data["columns"]), row["cells"]))
                          for row in data["rows"]], rows)
        self.assertIn("intact", self.audit("report", self.log, "--key", self.key).stdout)
        self.assertIn("not verified", self.audit("report", self.log).stdout)
        self.log.write_bytes(self.log.read_bytes().replace(b"storm", b"Storm", 1))
        told = self.audit("report", self.log, "--key", self.key, status=TAMPERED)
        self.assertIn("before this fault: tampered", told.stderr)

    @unittest.skipIf(browser.missing(), "there is no browser")
    def test_the_page_in_a_browser(self) -> None:
        self.write(100)
        page = self.folder / "report.html"
        page.write_text(self.audit("report", self.log, "--format", "html").stdout)
        chrome = browser.Browser()
        self.addCleanup(chrome.close)
        chrome.open(page)
        self.assertEqual(chrome.complaints(), [])
        shown = chrome.run("return [...document.querySelectorAll('tr')]"
                           ".map((row) => [...row.children].map((cell) => cell.textContent))")
        self.assertEqual(len(shown), 3)
        self.assertEqual(shown[0][:3], ["Executable", "As", "SHA-256"])
        self.assertEqual({row[1] for row in shown[1:]}, {"client", "backend"})

    def office_log(self) -> None:
        """The log of the sample in docs/OFFICE: one device that is let in, and one that is not."""
        def party(path: str, pid: int, digit: str) -> dict:
            return {"exe": {"path": path, "sha256": digit * 64}, "pid": pid, "uid": 64055}

        def evidence(of: str, grade: str, source: str, licence: str) -> dict:
            return {"grade": grade, "licence": licence, "name": "", "of": of, "source": source}

        qemu = party("/usr/bin/qemu-system-x86_64", 4720, "a")
        client = evidence("client", "packaged", "dpkg", "GPL-2.0-only")
        records = [
            {"event": "broker-start", "pid": 4711, "version": "0.1.0"},
            {"event": "verdict", "backend": party("/usr/sbin/nvme-device", 4701, "b"),
             "client": qemu, "evidence": [client, evidence("backend", "packaged", "dpkg", "MIT")],
             "route": "nvme0", "session": 1, "taint": "-", "verdict": "allow",
             "taints": {"backend": "-", "client": "-"},
             "rule": {"line": 7, "of": "backend", "why": "licence of backend: MIT, packaged (dpkg)"}},
            {"event": "verdict", "backend": party("/opt/acme/gpu", 4733, "c"), "client": qemu,
             "evidence": [client], "route": "gpu0", "session": 2, "taint": "U", "verdict": "deny",
             "taints": {"backend": "U", "client": "-"},
             "rule": {"line": 12, "of": "backend", "mend": "provide evidence of its licence",
                      "why": "the licence of the backend is unknown"}}]
        prev = "0" * 16
        with self.log.open("wb") as log:
            for seq, record in enumerate(records):
                event = record.pop("event")
                head = {"seq": seq, "time": f"2026-11-29T18:2{seq}:00.000000000Z", "prev": prev,
                        "event": event}
                rest = json.loads(json.dumps({**record, "host": {"name": "vmhost3"}},
                                             sort_keys=True))
                line = json.dumps({**head, **rest}, separators=(",", ":")).encode()
                prev = hashlib.sha256(b"\0" + line).hexdigest()[:16]
                log.write(line + b"\n")

    def test_the_page_for_offices(self) -> None:
        page = (MANUALS.parent / "OFFICE").read_text()
        self.office_log()
        report = self.audit("report", self.log, status=UNSEALED).stdout
        sample = page.split("A SAMPLE REPORT")[1].split("    Log:")[1].split("\n\n\n")[0]
        self.assertEqual([line.strip() for line in ("Log:" + sample).splitlines()],
                         [line.strip() for line in report.rstrip().splitlines()])
        # Every letter and grade that there is.
        legend = self.audit("report", self.log, "--format", "html", status=UNSEALED).stdout
        data = Page()
        data.feed(legend)
        words = json.loads(data.data)["legend"]
        for entry in words["letters"]:
            self.assertRegex(page, rf"(?m)^  {entry['letter']}  ")
        for entry in words["grades"]:
            self.assertRegex(page, rf"(?m)^  {entry['grade']}  ")
        for entry in words["findings"]:
            self.assertRegex(page, rf"(?m)^  {entry['name']}  ")

    @unittest.skipIf(browser.missing(), "there is no browser")
    def test_the_page_fits_every_window(self) -> None:
        chrome = browser.Browser()
        self.addCleanup(chrome.close)
        page = self.folder / "report.html"
        self.office_log()
        first, _, denied = self.log.read_text().splitlines(keepends=True)
        hostile = denied.replace("/opt/acme/gpu", "/<script>alert(1)</script>" + "x" * 300)
        # Without sessions, with a hostile name, and with many sessions.
        for content, sessions in ((first, 0), (first + hostile, 1), (first + denied * 2000, 2000)):
            lines = content.splitlines()
            prev = "0" * 16
            for seq, line in enumerate(lines):
                record = {**json.loads(line), "seq": seq, "prev": prev}
                lines[seq] = json.dumps(record, separators=(",", ":"))
                prev = hashlib.sha256(b"\0" + lines[seq].encode()).hexdigest()[:16]
            self.log.write_text("\n".join(lines) + "\n")
            page.write_text(self.audit("report", self.log, "--format", "html",
                                       status=UNSEALED).stdout)
            for width, scheme in ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")):
                with self.subTest(sessions=sessions, width=width, scheme=scheme):
                    chrome.size(width, 900)
                    chrome.prefer(scheme)
                    chrome.open(page)
                    self.assertEqual(chrome.complaints(), [])
                    self.assertEqual(chrome.run(
                        "return document.documentElement.getAttribute('data-drawn')"), "yes")
                    self.assertLessEqual(
                        chrome.run("return document.documentElement.scrollWidth"), width)
                    self.assertEqual(chrome.run("return document.querySelectorAll('article').length"),
                                     min(sessions, 100))
                    dark = chrome.run("return getComputedStyle(document.body).backgroundColor")
                    self.assertEqual(dark == "rgb(18, 22, 28)", scheme == "dark")
                    if sessions:
                        shown = chrome.run("return document.querySelector('article').innerText")
                        self.assertIn("because of the device", shown)
                        self.assertEqual(chrome.run(
                            "return [...document.querySelectorAll('article')][0]"
                            ".querySelectorAll('.party.deny').length"), 1)

    def test_usage(self) -> None:
        for arguments in ([], ["dance"], ["verify"], ["verify", "x"], ["verify", "--key", "x"],
                          ["prove", "1", "--key", "x"], ["report", "x", "--format", "odt"],
                          ["report", "--json", "x"], ["check-proof", "a", "b", "--key", "x"]):
            self.audit(*arguments, status=USAGE)

    def test_the_manual_has_every_option(self) -> None:
        manual = (MANUALS / "poemctl-audit.1").read_text()
        for action in ("verify", "checkpoint", "prove", "check-proof", "report", "keygen"):
            self.assertIn(f".Cm {action}\n", manual)
        for option in ("key", "checkpoint", "json", "output", "format", "name"):
            self.assertIn(f"Fl Fl {option}", manual)
        for status in range(7):
            self.assertTrue(re.search(f"^\\.It {status}$", manual, re.MULTILINE), status)


if __name__ == "__main__":
    audit_case.set_build(__doc__)
    sys.exit(audit_case.run())
