#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl policy check, policy explain and taint, and the presets: what is shown, what is said, the
exit status; processes are real ones.

usage: test_policy.py --build DIR [TEST...]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
PRESETS = sorted((ROOT / "contrib" / "presets").glob("*.conf"))
PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
MANUAL = (ROOT / "docs" / "man" / "poemctl-taint.1").read_text()
LETTERS = "".join(re.findall(r"^\.It Sy ([A-Z]) Pq 0x[0-9a-f]+$", MANUAL, re.MULTILINE))
EVERY = (1 << len(LETTERS)) - 1

build = Path()

UNKNOWN = 'there is no evidence of it, and the rule requires grade "declared" or higher'
VOUCH = ('or vouch for it, if you know its licence: "assign licence EXPRESSION to backend exe FILE" '
         '(taint O)')


class Asking(unittest.TestCase):
    def setUp(self) -> None:
        self._exit = contextlib.ExitStack()
        self.addCleanup(self._exit.close)
        self.folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory()))

    def run_tool(self, program: str, *arguments: str | Path, code: int) -> tuple[str, str]:
        """What it shows and what it says; the exit status must be the given one."""
        done = subprocess.run([build / program, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                              check=False)
        shown, said = done.stdout.decode("ascii"), done.stderr.decode("ascii")
        self.assertEqual(done.returncode, code, shown + said)
        return shown, said

    def ask(self, *arguments: str | Path, code: int) -> tuple[str, str]:
        return self.run_tool("poemctl", *arguments, code=code)

    def config(self, rules: str = "", *, before: str = "", listen: str = "") -> Path:
        """A file with a route "r", whose statements of rules begin in the fourth line."""
        path = self.folder / "poemd.conf"
        path.write_text(f"route r {{\n    listen {self.folder}/l {listen}\n"
                        f"    backend {self.folder}/b\n{rules}\n}}\n{before}\n")
        return path

    @contextlib.contextmanager
    def process(self, program: Path | Sequence[str | Path],
                environment: dict[str, str] | None = None) -> Iterator[int]:
        """One that runs until it is no longer needed; it has executed the program."""
        argv = [program] if isinstance(program, Path) else program
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**os.environ, **(environment or {})}) as child:
            assert child.stdin and child.stdout
            child.stdin.write(b"ready\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), b"ready\n")
            yield child.pid
            child.stdin.close()
            child.wait(PATIENCE)

    def device(self, name: str = "device") -> Path:
        """A program that no package owns."""
        path = self.folder / name
        shutil.copy(os.path.realpath("/bin/cat"), path)
        return path

    def attested(self, program: Path, licence: str) -> str:
        """The statements that make a signature of its licence count."""
        secret, public, envelope = (self.folder / name for name in ("key", "key.pub", "envelope"))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", secret], check=True,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", secret, "-pubout", "-out", public], check=True)
        self.ask("attest", program, "--licence", licence, "--key", secret, "-o", envelope, code=0)
        return f"trust-key {public}\nenvelope {envelope}"

    def explain(self, config: Path, pid: int, *more: str, code: int) -> dict[str, Any]:
        shown, _ = self.ask("policy", "explain", "--json", "--config", config, "--route", "r",
                            "--pid", str(pid), *more, code=code)
        found: dict[str, Any] = json.loads(shown)
        self.assertEqual(found["format"], "poemd-explain/1")
        return found


class Check(Asking):
    def findings(self, config: Path) -> list[tuple[int, str]]:
        done = subprocess.run([build / "poemctl", "policy", "check", "--json", "--config", config],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE,
                              check=False)
        found = json.loads(done.stdout)
        self.assertEqual(found["format"], "poemd-policy-check/1")
        self.assertEqual(done.returncode, 1 if found["findings"] else 0)
        return [(f["line"], f["text"]) for f in found["findings"]]

    def test_policies_without_a_useless_statement(self) -> None:
        key = self.attested(self.device(), "MIT")
        digest = hashlib.sha256(self.device().read_bytes()).hexdigest()
        for rules, before in [
                ("", ""),
                ("otherwise deny", ""),
                ("allow client user 1\nallow client user 2\nallow backend user 1", ""),
                ("allow client unit vm.service\nallow client unit vm.scope", ""),
                (f"allow backend exe {self.folder}/device\nallow backend digest {digest}", ""),
                ("allow backend exe /nowhere/at/all\nallow backend digest " + 64 * "1", ""),
                ("licence of backend compatible with GPL-2.0-only\n"
                 "licence of backend osi-approved\n"
                 "licence of backend compatible with GPL-2.0-or-later evidence signed", key),
                ("licence of backend compatible with GPL-2.0-only evidence assigned\n"
                 "assign licence MIT to backend digest " + digest, ""),
                ("licence of client compatible with GPL-2.0-only\n"
                 "assign licence MIT to client exe /x\n"
                 "assign licence MIT to client exe /y\nassign licence ISC to client", ""),
                ("assign licence MIT to backend", ""),
                ("code of backend packaged or better\ncode of client noted", ""),
                ("licence of backend osi-approved evidence packaged covering code\n"
                 "code of backend signed\ncode of client packaged", key),
                ("licence of backend osi-approved evidence packaged covering code\n"
                 "code of backend packaged\nassign licence MIT to backend", ""),
                ("code of client packaged\nassign licence MIT to client exe /x", ""),
                ("allow backend exe /y\ncode of backend packaged\n"
                 "assign licence MIT to backend exe /x", ""),
                ("allow client user 1\npermissive until 9999-12-31", ""),
                ("demand recital from client\notherwise taint", ""),
                (f"audit {self.folder}/log key {self.folder}/key", "on-audit-failure taint")]:
            with self.subTest(rules=rules, before=before):
                if rules.startswith("audit"):
                    rules, before = "", before + "\n" + rules
                self.assertEqual(self.findings(self.config(rules, before=before)), [])

    def test_each_useless_statement_is_found_in_its_line(self) -> None:
        device = self.device()
        (self.folder / "link").symlink_to(device)
        key = self.attested(device, "MIT").splitlines()
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", self.folder / "key.pub",
                              "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
        revoked = self.folder / "revoked"
        revoked.write_text(f"{hashlib.sha256(der).hexdigest()} stolen\n")
        for rules, before, line, what in [
                ("allow client user 0\nallow client user 0", "", 5, "repeats line 4"),
                ("allow client label a\nallow backend label a\nallow client label a", "", 6,
                 "repeats line 4"),
                (f"allow backend exe {self.folder}/link", "", 4, f'real path is "{device}"'),
                (f"allow backend exe {self.folder}/./device", "", 4, f'real path is "{device}"'),
                (f"assign licence MIT to backend exe {self.folder}/link", "", 4, "real path"),
                ("allow backend unit spdk", "", 4, "ends in .service"),
                ("allow backend unit system.slice", "", 4, "ends in .service"),
                (f"allow backend exe {device}\nallow backend digest {64 * '1'}", "", 5,
                 "contradiction"),
                ("licence of backend osi-approved evidence signed", "", 4, 'no "trust-key"'),
                ("licence of backend osi-approved evidence signed", "\n".join(key[:1]), 4,
                 'no "envelope"'),
                ("licence of backend osi-approved evidence assigned", "\n".join(key), 4,
                 '"assigned"'),
                ("licence of client osi-approved evidence assigned\n"
                 "assign licence MIT to backend", "", 4, '"assigned"'),
                ("licence of backend osi-approved\nlicence of backend osi-approved", "", 5,
                 "every licence that meets line 4"),
                ("licence of backend osi-approved\nlicence of backend osi-approved evidence "
                 "packaged", "", 4, "every licence that meets line 5"),
                ("licence of backend compatible with GPL-2.0-or-later\n"
                 "licence of backend compatible with GPL-3.0-or-later", "", 4,
                 "every licence that meets line 5"),
                ("licence of backend osi-approved covering code\n"
                 "licence of backend osi-approved", "", 5, "every licence that meets line 4"),
                ("licence of backend osi-approved\n"
                 "licence of backend osi-approved covering code", "", 4,
                 "every licence that meets line 5"),
                ("code of backend signed", "", 4, 'no "trust-key"'),
                ("code of client assigned\nassign licence MIT to backend", "", 4, '"assigned"'),
                ("code of backend packaged\ncode of backend packaged", "", 5,
                 "all code that meets line 4"),
                ("code of backend noted\ncode of backend packaged", "", 4,
                 "all code that meets line 5"),
                ("code of backend noted\nlicence of backend osi-approved evidence packaged "
                 "covering code", "", 4, "all code that meets line 5"),
                ("assign licence MIT to backend\nassign licence ISC to backend exe /x", "", 5,
                 "comes first"),
                ("assign licence MIT to backend exe /x\nassign licence MIT to backend exe /x", "",
                 5, "comes first"),
                ("allow backend exe /y\nassign licence MIT to backend exe /x", "", 5,
                 'meets an "allow backend exe"'),
                ("assign licence MIT to client", "", 4, "uses this licence"),
                ("allow client user 0\npermissive until 2020-02-29", "", None,
                 '"permissive until 2020-02-29" has expired'),
                ("allow client user 0\npermissive until 9999-12-31\notherwise taint", "", None,
                 '"permissive" has no effect'),
                ("permissive until 9999-12-31", "", None, "the route has no rule"),
                ("otherwise taint", "", None, "the route has no rule"),
                ("", key[0], 6, '"trust-key" has no effect'),
                ("", key[1], 6, '"envelope" has no effect'),
                ("", f"{key[0]}\nrevoked {revoked}", 7, '"revoked" has no effect'),
                ("", "\n".join([*key, f"revoked {revoked}"]), 6, "is revoked: stolen"),
                ("", "on-audit-failure taint", None, 'there is no "audit"')]:
            with self.subTest(rules=rules, before=before):
                found = [f for f in self.findings(self.config(rules, before=before))
                         if what in f[1]]
                self.assertEqual(len(found), 1, found)
                if line is not None:
                    self.assertEqual(found[0][0], line)

    def test_a_revocation_list_that_cannot_be_read(self) -> None:
        revoked = self.folder / "revoked"
        for text, what in [(None, "No such file or directory"),
                           (f"{64 * 'a'} stolen\n\n{63 * 'a'} lost\n", 'line 3 of "'),
                           (f"{64 * 'g'}\n", 'line 1 of "'),
                           (f"{64 * 'a'}\0\n", 'line 1 of "'),
                           (f"{64 * 'a'}\n" * 513, "more than 512 revocations")]:
            with self.subTest(what=what):
                if text is not None:
                    revoked.write_text(text)
                config = self.config(before=f"revoked {revoked}")
                _, fault = self.ask("policy", "check", "--config", config, code=3)
                self.assertIn("6:9", fault)
                self.assertIn(what, fault)

    def test_what_cannot_be_of_a_device_that_is_started(self) -> None:
        for user, rules, useless in [
                ("user 4242", "allow backend label a", "is not known"),
                ("user 4242", "allow backend user 4243", "started as user 4242"),
                ("user 4242", "allow backend user 4243\nallow backend user 4242", None),
                ("", "allow backend user 4243", None),
                ("user 4242", "allow client label a\nallow client user 4243", None)]:
            with self.subTest(user=user, rules=rules):
                config = self.config(rules)
                config.write_text(re.sub(r"(?m)^    backend .*$",
                                         f'    backend spawn "/bin/cat %fd" {user}',
                                         config.read_text()))
                found = self.findings(config)
                self.assertEqual([line for line, _ in found], [4] if useless else [])
                if useless:
                    self.assertIn(useless, found[0][1])

    def test_a_preset_that_audits_without_an_audit(self) -> None:
        found = self.findings(self.config("preset audit-only"))
        self.assertEqual([(line, "there is no" in text) for line, text in found], [(4, True)])

    def test_users_who_cannot_open_the_socket(self) -> None:
        for listen, user, useless in [("mode 0600 owner 4242", "4243", True),
                                      ("mode 0755 owner 4242", "4243", True),
                                      ("mode 0600 owner 4242", "4242", False),
                                      ("mode 0600 owner 4242", "0", False),
                                      ("mode 0660 owner 4242", "4243", False),
                                      ("mode 0602 owner 4242", "4243", False),
                                      ("mode 0600", "4243", False)]:
            with self.subTest(listen=listen, user=user):
                found = self.findings(self.config(f"allow client user {user}", listen=listen))
                self.assertEqual(bool(found), useless, found)

    @unittest.skipUnless(os.geteuid() == 0, "only root can have a list of IMA's in its place")
    def test_an_executable_that_the_kernel_has_measured(self) -> None:
        """By a list in the form of IMA's, in a mount namespace: no kernel with IMA is needed."""
        device = self.device()
        digest = hashlib.sha256(device.read_bytes()).hexdigest()
        config = self.config("executable of backend measured\nlicence of backend consistent")
        ima = self.folder / "ima"
        ima.mkdir()
        within = ("mount -t tmpfs none /sys/kernel && mkdir -p /sys/kernel/security && "
                  'cp -r "$1" /sys/kernel/security/ima && shift && exec "$@"')
        with self.process(device) as pid:
            for listed, code in (("1" * 64, 1), (digest, 0)):
                (ima / "ascii_runtime_measurements").write_text(
                    f"10 {'a' * 40} ima-ng sha1:{'b' * 40} boot_aggregate\n"
                    f"10 {'c' * 40} ima-sig sha256:{listed} {device} 0302\n")
                (ima / "runtime_measurements_count").write_text("2\n")
                done = subprocess.run(
                    ["unshare", "--mount", "sh", "-c", within, "sh", ima, build / "poemctl",
                     "policy", "explain", "--json", "--config", config, "--route", "r", "--pid",
                     str(pid)], stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, code)
                rules = {r["rule"]: r for r in json.loads(done.stdout)["rules"]}
                self.assertTrue(rules["licence"]["met"])
                measured = rules["executable"]
                self.assertEqual((measured["met"], measured["line"]), (code == 0, 4))
                self.assertIn("in entry 2 of its list" if code == 0 else
                              "the list of IMA does not have its SHA-256", measured["why"])
                self.assertEqual(measured["mend"] is None, code == 0)

    def test_as_text(self) -> None:
        config = self.config("allow client user 0\nallow client user 0")
        shown, said = self.ask("policy", "check", "--config", config, code=1)
        self.assertEqual((shown, said), (
            f'{config}:5: route r: this "allow client user" repeats line 4\n', ""))
        config = self.config("")
        shown, said = self.ask("policy", "check", "--config", config, code=0)
        self.assertEqual((shown, said), (f"{config}: every statement can have an effect\n", ""))

    def test_what_cannot_be_asked(self) -> None:
        config = self.config("allow client usre 0")
        _, said = self.ask("policy", "check", "--config", config, code=3)
        self.assertIn(f"{config}:4:", said)
        _, said = self.ask("policy", "check", "--config", self.folder / "none", code=3)
        self.assertIn("No such file", said)
        for wrong in ([], ["--config"], ["--config", str(config), "more"], ["--conf=x", "--no"]):
            self.ask("policy", "check", *wrong, code=2)


class Explain(Asking):
    def test_a_rule_of_each_kind_and_what_would_change_it(self) -> None:
        device = self.device()
        config = self.config(
            f"allow backend exe {device}\nallow backend user {os.getuid()}\n"
            "demand recital from backend\n"
            "licence of backend compatible with GPL-2.0-only evidence recited or better\n"
            "allow client user 4242")
        with self.process(device) as pid:
            found = self.explain(config, pid, code=1)
            self.assertEqual((found["verdict"], found["exe"], found["pid"], found["party"]),
                             ("deny", str(device), pid, "backend"))
            self.assertEqual([(r["rule"], r["met"]) for r in found["rules"]],
                             [("allow", True), ("allow", True), ("demand", False),
                              ("licence", False)])
            self.assertEqual([r["line"] for r in found["rules"]][:2], [5, 4])
            self.assertEqual(found["rules"][3]["line"], 7)
            self.assertEqual(found["mend"], "use a backend that recites the poem")
            # What it says is done, and changes it.
            found = self.explain(config, pid, "--recites", "Apache-2.0", code=1)
            self.assertEqual((found["line"], found["taint"]), (7, "EC"))
            self.assertIn("compatible with GPL-2.0-only", found["mend"])
            found = self.explain(config, pid, "--recites", "MIT", code=0)
            self.assertEqual((found["verdict"], found["taint"], found["mend"]),
                             ("allow-tainted", "E", None))
            self.assertEqual(found["supposed"], {"declares": None, "recites": "MIT"})
            # As the other party it is another one's rules that count.
            found = self.explain(config, pid, "--party", "client", code=1)
            self.assertEqual((found["line"], [r["rule"] for r in found["rules"]]), (8, ["allow"]))

    def test_as_text(self) -> None:
        device = self.device()
        config = self.config("licence of backend osi-approved\npermissive until 9999-12-31")
        with self.process(device) as pid:
            shown, said = self.ask("policy", "explain", "--config", config, "--route", "r",
                                   "--pid", str(pid), code=0)
        self.assertEqual(said, "")
        self.assertEqual(shown, f"""route r, backend: process {pid}, {device}

  no   line 4: the licence of the backend is unknown: {UNKNOWN}
       to meet it: provide evidence of grade "declared" or higher for a licence approved by the OSI; {VOUCH}

allow-tainted: the licence of the backend is unknown: {UNKNOWN}
until 9999-12-31, and denied from the next day on
to change it: provide evidence of grade "declared" or higher for a licence approved by the OSI; {VOUCH}
taint U  unknown licence: there is no evidence of one, or it cannot be judged
taint O  operator override: an assigned licence or "permissive until" decided
its claims in the handshake are unknown here: suppose them with --declares and --recites
""")

    def test_signed_assigned_and_replaced(self) -> None:
        device = self.device()
        rule = "licence of backend compatible with GPL-2.0-or-later evidence signed\n"
        config = self.config(rule, before=self.attested(device, "Apache-2.0"))
        with self.process(device) as pid:
            found = self.explain(config, pid, code=0)
            self.assertEqual((found["verdict"], found["taint"], found["line"]), ("allow", "-", 4))
            self.assertIn("Apache-2.0, signed (envelope", found["why"])
            # The same bytes at another path are the same executable; other bytes are not.
            config = self.config(rule + f"assign licence MIT to backend exe {device}\n"
                                 f"allow backend exe {device}")
            found = self.explain(config, pid, code=0)
            self.assertEqual((found["verdict"], found["taint"]), ("allow-tainted", "O"))
            device.unlink()
            found = self.explain(config, pid, code=1)
            self.assertEqual(found["taint"], "UI")
            self.assertIn("removed or replaced", found["why"])

    def test_what_cannot_be_asked(self) -> None:
        config = self.config("")
        common = ["policy", "explain", "--config", str(config)]
        with subprocess.Popen(["true"]) as gone:
            pass
        _, said = self.ask(*common, "--route", "r", "--pid", str(gone.pid), code=3)
        self.assertIn("No such process", said)
        _, said = self.ask(*common, "--route", "x", "--pid", str(os.getpid()), code=3)
        self.assertIn('no route "x"', said)
        for wrong in (["--route", "r"], ["--pid", "1"], ["--route", "r", "--pid", "0"],
                      ["--route", "r", "--pid", "1x"],
                      ["--route", "r", "--pid", "1", "--party", "broker"],
                      ["--route", "r", "--pid", "1", "--recites", ""],
                      ["--route", "r", "--pid", "1", "more"]):
            self.ask(*common, *wrong, code=2)


class Questions(Asking):
    def test_how_each_question_is_put(self) -> None:
        shown, said = self.ask("policy", "--help", code=0)
        self.assertEqual(said, "")
        for question in ("check", "explain", "licence"):
            self.assertIn(f" poemctl policy {question} ", shown)
            _, said = self.ask("policy", question, code=2)
            self.assertEqual(re.findall(r"usage: poemctl policy (\w+)", said), [question])
        for wrong in ([], ["what"]):
            _, said = self.ask("policy", *wrong, code=2)
            self.assertEqual((said.count("usage:"), said.count(" poemctl policy ")), (1, 3))


class Code(Asking):
    """Rules on the code that a process has mapped."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can open the files that another process has mapped")

    def plug_in(self) -> Path:
        """An object that no package owns."""
        path = self.folder / "plugin.so"
        maps = Path("/proc/self/maps").read_text()
        library = re.search(r"r-xp .* (/usr/lib/\S+/lib(?!c\.)[^/]+)$", maps, re.MULTILINE)
        assert library
        shutil.copy(library[1], path)
        return path

    def code_rule(self, config: Path, pid: int, code: int) -> dict[str, Any]:
        rules: list[dict[str, Any]] = self.explain(config, pid, code=code)["rules"]
        return next(r for r in rules if r["rule"] == "code")

    def test_a_preloaded_plug_in_is_found(self) -> None:
        config = self.config("code of backend packaged or better\notherwise deny")
        with self.process(Path("/bin/cat")) as pid:
            met = self.code_rule(config, pid, code=0)
        self.assertTrue(met["met"])
        self.assertRegex(met["why"], "all code that the backend has mapped, [0-9]+ files, has")
        plug_in = self.plug_in()
        with self.process(Path("/bin/cat"), {"LD_PRELOAD": str(plug_in)}) as pid:
            missed = self.code_rule(config, pid, code=1)
        self.assertFalse(missed["met"])
        self.assertEqual(missed["taint"], "U")
        self.assertIn(f"code without evidence of its licence: {plug_in}: no package", missed["why"])
        self.assertIn("poemctl attest", missed["mend"])

    def test_a_licence_covers_code_that_the_operator_vouches_for(self) -> None:
        plug_in = self.plug_in()
        rules = ["licence of backend compatible with GPL-3.0-or-later evidence packaged covering code",
                 "otherwise deny"]
        with self.process(Path("/bin/cat"), {"LD_PRELOAD": str(plug_in)}) as pid:
            maps = Path(f"/proc/{pid}/maps").read_text()
            files = sorted(set(re.findall(r"(?m)r-xp .* (/\S+)$", maps)))
            rules += [f"assign licence LGPL-2.1-or-later to backend exe {path}"
                      for path in files if path != str(plug_in)]
            missed = self.explain(self.config("\n".join(rules)), pid, code=1)
            self.assertIn(f"code without evidence of its licence: {plug_in}", missed["why"])
            rules.append(f"assign licence MIT to backend exe {plug_in}")
            met = self.explain(self.config("\n".join(rules)), pid, code=0)
            self.assertEqual((met["verdict"], met["taint"]), ("allow-tainted", "O"))
            rules[-1] = f"assign licence LicenseRef-proprietary to backend exe {plug_in}"
            missed = self.explain(self.config("\n".join(rules)), pid, code=1)
            self.assertEqual((missed["verdict"], missed["taint"]), ("deny", "PO"))
            self.assertIn(f"code that the backend has mapped: {plug_in}: LicenseRef-proprietary",
                          missed["why"])

    def test_an_interpreter_is_no_evidence_of_what_it_runs(self) -> None:
        """However it is started: what counts is the file that the process executes."""
        config = self.config("code of backend packaged or better\notherwise deny")
        script = self.folder / "device"
        script.write_text("#!/bin/sh\nread line; echo $line; read end\n")
        script.chmod(0o755)
        echo = "import sys; print(input(), flush=True); sys.stdin.read()"
        ways: list[tuple[str, list[str | Path]]] = [
            ("a script", [script]),
            ("env", ["/usr/bin/env", "sh", script]),
            ("a version", [os.path.realpath(sys.executable), "-c", echo]),
            ("env of an interpreter", ["/usr/bin/env", "python3", "-c", echo]),
            ("the loader", [next(Path("/lib64").glob("ld-linux*.so.*")), "/bin/cat"])]
        for name, path, argv in [("busybox", "busybox", ["sh", script]),
                                 ("perl", "perl", ["-pe", "BEGIN { $| = 1 }"])]:
            found = shutil.which(path)
            if found:
                ways.append((name, [found, *argv]))
        for name, argv in ways:
            with self.subTest(way=name), self.process(argv) as pid:
                missed = self.code_rule(config, pid, code=1)
                self.assertIn("the backend executes an interpreter", missed["why"])


class Presets(Asking):
    def part(self, preset: str) -> str:
        text = (ROOT / "contrib" / "presets" / f"{preset}.conf").read_text()
        found = re.search(r"copy from here ----\n(.*?)\n *# ---- to here", text, re.DOTALL)
        assert found
        return found.group(1)

    def test_each_is_right_and_has_no_useless_statement(self) -> None:
        self.assertEqual([p.stem for p in PRESETS], ["audit-only", "gpl-only", "osi-open-source"])
        for preset in PRESETS:
            with self.subTest(preset=preset.stem):
                shown, said = self.run_tool("poemd", "--check", "--config", preset, code=0)
                self.assertIn("ok, 1 route", shown + said)
                self.ask("policy", "check", "--config", preset, code=0)

    def test_named_and_copied_are_the_same(self) -> None:
        """What becomes of a process, but for where the rule stands."""
        device = self.device()
        self.assertEqual(len(PRESETS), 3)
        with self.process(device) as pid:
            for preset in PRESETS:
                found = []
                for rules in (self.part(preset.stem), f"    preset {preset.stem}"):
                    config = self.config(rules)
                    argv = ("--config", config, "--route", "r", "--pid", str(pid), "--json")
                    shown, _ = self.ask("policy", "explain", *argv,
                                        code=0 if preset.stem == "audit-only" else 1)
                    found.append(json.loads(shown))
                copied, named = found
                with self.subTest(preset=preset.stem):
                    line = named["rules"][0]["line"]
                    self.assertIn(" licence of backend ",
                                  preset.read_text().splitlines()[line - 1])
                    for it in (named, *named["rules"]):
                        self.assertEqual(it.pop("preset"), preset.stem)
                        del it["line"]
                    for it in (copied, *copied["rules"]):
                        del it["line"]
                    self.assertEqual(copied, named)

    def test_a_rule_on_top_that_a_preset_implies_is_found(self) -> None:
        config = self.config("    preset gpl-only\n"
                             "    licence of backend compatible with GPL-2.0-or-later\n")
        shown, _ = self.ask("policy", "check", "--config", config, code=1)
        self.assertRegex(shown, r":5: route r: every licence that meets preset gpl-only, line \d+ meets")
        config = self.config("    preset gpl-only\n    code of backend noted\n")
        shown, _ = self.ask("policy", "check", "--config", config, code=1)
        self.assertRegex(shown, r":5: route r: all code that meets preset gpl-only, line \d+ meets")

    def test_each_is_right_with_what_it_proposes(self) -> None:
        """A word behind "#     " is a statement to be had without it."""
        device = self.device()
        self.attested(device, "MIT")
        for preset in PRESETS:
            text = re.sub(r"(?m)^( *)# {5}(?=[a-z-]+ )(?!poemd --|poemctl )", r"\1",
                          preset.read_text())
            text = text.replace("/etc/poemd/vendor.pub.pem", str(self.folder / "key.pub"))
            text = text.replace("/etc/poemd/device.dsse", str(self.folder / "envelope"))
            text = text.replace("user device", "user root")
            self.assertIn("\ntrust-key ", text)
            path = self.folder / "preset.conf"
            path.write_text(text)
            with self.subTest(preset=preset.stem):
                self.run_tool("poemd", "--check", "--config", path, code=0)

    def test_what_they_decide(self) -> None:
        device = self.device()
        none = ""
        wanted = {
            # preset: nothing known, declared MIT, signed CDDL-1.0, signed MIT
            "gpl-only": ["deny", "deny", "deny", "allow"],
            "osi-open-source": ["deny", "deny", "allow", "allow"],
            "audit-only": ["allow-tainted", "allow-tainted", "allow-tainted", "allow"],
        }
        with self.process(device) as pid:
            cddl = self.attested(device, "CDDL-1.0")
            got: dict[str, list[str]] = {name: [] for name in wanted}
            for before, more in [(none, []), (none, ["--declares", "MIT"]), (cddl, [])]:
                for name, verdicts in wanted.items():
                    want = verdicts[len(got[name])]
                    found = self.explain(self.config(self.part(name), before=before), pid, *more,
                                         code=1 if want == "deny" else 0)
                    got[name].append(found["verdict"])
            mit = self.attested(device, "MIT")
            for name in wanted:
                found = self.explain(self.config(self.part(name), before=mit), pid, code=0)
                got[name].append(found["verdict"])
        self.assertEqual(got, wanted)


class Taint(Asking):
    def test_letters_and_numbers(self) -> None:
        for text, letters in [("P", "P"), ("EU", "UE"), (LETTERS, LETTERS), ("1", "P"),
                              ("6", "UE"), ("0x6", "UE"), (f"0x{EVERY:X}", LETTERS),
                              (str(EVERY), LETTERS), ("0x400", "A")]:
            with self.subTest(text=text):
                shown, said = self.ask("taint", text, code=1)
                self.assertEqual(said, "")
                self.assertEqual("".join(line[0] for line in shown.splitlines()), letters)
                found = json.loads(self.ask("taint", "--json", text, code=1)[0])
                self.assertEqual((found["format"], found["letters"]), ("poemd-taint/1", letters))
                self.assertEqual(sum(t["bit"] for t in found["taints"]), found["number"])
                self.assertEqual("".join(t["letter"] for t in found["taints"]), letters)

    def test_an_observation_is_no_taint(self) -> None:
        self.assertRegex(self.ask("taint", "M", code=0)[0], "^M  0x80  observation, not a fault")
        self.ask("taint", "MU", code=1)

    def test_none(self) -> None:
        for text in ("-", "0", "0x0"):
            self.assertEqual(self.ask("taint", text, code=0)[0], "-  not tainted\n")
            found = json.loads(self.ask("taint", "--json", text, code=0)[0])
            self.assertEqual((found["letters"], found["number"], found["taints"]), ("-", 0, []))

    def test_what_is_no_taint(self) -> None:
        for wrong in (["p"], ["PY"], ["P-"], [str(EVERY + 1)], [f"0x{EVERY + 1:x}"], ["0x"], ["1x"], [""], [],
                      ["99999999999999999999"], ["P", "E"], ["--no"], ["P\n"], ["\x1b"]):
            with self.subTest(wrong=wrong):
                shown, said = self.ask("taint", *wrong, code=2)
                self.assertEqual(shown, "")
                self.assertNotIn("\x1b", said)

    def test_the_manuals_example_is_so(self) -> None:
        found = re.search(r"^\$ poemctl taint (\S+)\n(.*?)^\.Ed$", MANUAL,
                          re.MULTILINE | re.DOTALL)
        assert found
        self.assertEqual(self.ask("taint", found.group(1), code=1)[0], found.group(2))


def main() -> None:
    global build
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    options, rest = parser.parse_known_args()
    build = options.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
