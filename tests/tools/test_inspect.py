#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl inspect and attest, as an operator uses them: of files, processes and sockets, with keys
that openssl makes.

usage: test_inspect.py --build DIR [TEST...]
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
MANUALS = Path(__file__).resolve().parents[2] / "docs" / "man"
build = Path()


class Inspect(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def poemctl(self, *args: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([build / "poemctl", *args], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def inspect(self, *args: str | Path, status: int = 0) -> dict:
        return json.loads(self.poemctl("inspect", "--json", *args, status=status).stdout)

    def key(self, name: str, *algorithm: str) -> tuple[Path, Path]:
        private, public = self.folder / f"{name}.pem", self.folder / f"{name}.pub"
        subprocess.run(["openssl", "genpkey", "-algorithm", *(algorithm or ["ed25519"]), "-out",
                        private],
                       check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
        return private, public

    def program(self) -> Path:
        path = self.folder / "program"
        shutil.copy("/usr/bin/sleep", path)
        return path

    def test_a_file_signed_here_is_known(self) -> None:
        private, public = self.key("maker")
        program, envelope = self.program(), self.folder / "program.json"
        self.poemctl("attest", program, "--licence", "mit or gpl-2.0+", "--key", private,
                     "-o", envelope)
        found = self.inspect("--trust", public, "--envelope", envelope, program)
        self.assertEqual(found["executable"]["sha256"],
                         hashlib.sha256(program.read_bytes()).hexdigest())
        self.assertEqual([(e["grade"], e["licence"], e["name"], e["detail"])
                          for e in found["evidence"]],
                         [("signed", "MIT OR GPL-2.0-or-later", "program.json",
                           "signed with maker.pub")])
        self.assertEqual(found["unknown"], [])

        shown = self.poemctl("inspect", "--trust", public, "--envelope", envelope, program).stdout
        self.assertIn("signed       MIT OR GPL-2.0-or-later", shown)

        # … and one byte more is another file.
        with open(program, "ab") as f:
            f.write(b"x")
        found = self.inspect("--trust", public, "--envelope", envelope, program, status=1)
        self.assertEqual((found["evidence"], found["envelopes_other"]), ([], 1))

    def test_an_independent_check_of_the_signature(self) -> None:
        private, public = self.key("maker")
        program = self.program()
        envelope = json.loads(self.poemctl("attest", program, "--licence", "MIT", "--key",
                                           private).stdout)
        payload = base64.b64decode(envelope["payload"], validate=True)
        kind = envelope["payloadType"].encode()
        (self.folder / "pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload),
                                                                  payload))
        (self.folder / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public,
                        "-in", self.folder / "pae", "-sigfile", self.folder / "sig"], check=True,
                       stdout=subprocess.DEVNULL)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"],
                             check=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(envelope["signatures"][0]["keyid"], hashlib.sha256(der).hexdigest())
        statement = json.loads(payload)
        self.assertEqual(statement["_type"], "https://in-toto.io/Statement/v1")
        self.assertEqual(statement["subject"][0]["digest"]["sha256"],
                         hashlib.sha256(program.read_bytes()).hexdigest())

    def fingerprint(self, public: Path) -> str:
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"],
                             check=True, stdout=subprocess.PIPE).stdout
        return hashlib.sha256(der).hexdigest()

    def sign(self, statement: dict, private: Path) -> Path:
        """An envelope that openssl signs, with ECDSA, as cosign does."""
        kind, payload = b"application/vnd.in-toto+json", json.dumps(statement).encode()
        pae = self.folder / "pae"
        pae.write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
        sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", private, pae], check=True,
                             stdout=subprocess.PIPE).stdout
        envelope = self.folder / "envelope.json"
        envelope.write_text(json.dumps({
            "payloadType": kind.decode(), "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": "", "sig": base64.b64encode(sig).decode()}]}))
        return envelope

    def test_the_key_and_the_envelope_are_shown(self) -> None:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        for algorithm in ["ed25519"], ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]:
            with self.subTest(algorithm=algorithm):
                private, public = self.key("maker", *algorithm)
                program, envelope = self.program(), self.folder / "program.json"
                self.poemctl("attest", program, "--licence", "MIT", "--key", private,
                             "--expires", "9999-12-31", "-o", envelope)
                args = ("--trust", public, "--envelope", envelope, program)
                digest = hashlib.sha256(envelope.read_bytes()).hexdigest()
                item, = self.inspect(*args)["evidence"]
                self.assertEqual((item["key"], item["envelope"], item["expires"]),
                                 (self.fingerprint(public), digest, "9999-12-31"))
                # The test may run over midnight.
                self.assertIn(datetime.date.fromisoformat(item["issued"]),
                              (today, today + datetime.timedelta(1)))
                shown = self.poemctl("inspect", *args).stdout
                for text in (self.fingerprint(public), digest, "expires after 9999-12-31"):
                    self.assertIn(text, shown)

    def test_an_expired_statement_is_a_reason(self) -> None:
        private, public = self.key("maker")
        program, envelope = self.program(), self.folder / "program.json"
        self.poemctl("attest", program, "--licence", "MIT", "--key", private, "--expires",
                     "2026-11-01", "-o", envelope)
        found = self.inspect("--trust", public, "--envelope", envelope, program, status=1)
        self.assertEqual(found["unknown"], [
            {"what": "envelope",
             "why": "program.json: its statement expired after 2026-11-01"}])

    def test_what_is_revoked_is_a_reason(self) -> None:
        private, public = self.key("maker")
        _, other = self.key("other")
        program, envelope, revoked = (self.program(), self.folder / "program.json",
                                      self.folder / "revoked")
        self.poemctl("attest", program, "--licence", "MIT", "--key", private, "-o", envelope)
        digest = hashlib.sha256(envelope.read_bytes()).hexdigest()
        for text, why in (
                ("", None),
                (f"# {digest}\n\n", None),
                (f"{self.fingerprint(other)} stolen\n", None),
                (f"# 2026\n{self.fingerprint(public)}  the laptop was stolen \n",
                 "program.json: its key is revoked: the laptop was stolen"),
                (f"{'0' * 64}\n{digest}\twrong licence", "program.json: it is revoked: wrong licence"),
                (f"{digest}\n", "program.json: it is revoked")):
            with self.subTest(text=text):
                revoked.write_text(text)
                found = self.inspect("--trust", public, "--envelope", envelope, "--revoked",
                                     revoked, program, status=0 if why is None else 1)
                self.assertEqual([u["why"] for u in found["unknown"]], [why] if why else [])
        # Another good signature, by a key that is not revoked, is enough.
        both = json.loads(envelope.read_text())
        other_private, other = self.key("other")
        second = self.poemctl("attest", program, "--licence", "MIT", "--key", other_private).stdout
        both["signatures"] += json.loads(second)["signatures"]
        envelope.write_text(json.dumps(both))
        revoked.write_text(f"{self.fingerprint(public)} stolen\n")
        item, = self.inspect("--trust", public, "--trust", other, "--envelope", envelope,
                             "--revoked", revoked, program)["evidence"]
        self.assertEqual((item["key"], item["detail"]),
                         (self.fingerprint(other), "signed with other.pub"))
        for text, line in (("x\n", 1), (f"{digest}\n{digest[1:]} short\n", 2),
                           (f"{digest.upper()}\n", 1), (f"key {digest}\n", 1)):
            revoked.write_text(text)
            self.assertIn(f"line {line} ", self.poemctl("inspect", "--revoked", revoked, program,
                                                        status=3).stderr)

    def test_documents_about_a_file(self) -> None:
        private, public = self.key("maker", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        program = self.program()
        digest = hashlib.sha256(program.read_bytes()).hexdigest()
        for kind, predicate, detail in (
                ("https://spdx.dev/Document",
                 {"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "packages": [
                     {"SPDXID": "SPDXRef-p", "licenseConcluded": "NOASSERTION",
                      "licenseDeclared": "MIT"}],
                  "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT",
                                     "relationshipType": "DESCRIBES",
                                     "relatedSpdxElement": "SPDXRef-p"}]},
                 "signed with maker.pub, in an SPDX document"),
                ("https://cyclonedx.org/bom",
                 {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {
                     "type": "application", "name": "program", "licenses": [
                         {"license": {"id": "MIT"}}],
                     "hashes": [{"alg": "SHA-256", "content": digest}]}}},
                 "signed with maker.pub, in a CycloneDX document")):
            with self.subTest(kind=kind):
                statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
                             "subject": [{"name": "program", "digest": {"sha256": digest}}],
                             "predicate": predicate}
                envelope = self.sign(statement, private)
                item, = self.inspect("--trust", public, "--envelope", envelope, program)["evidence"]
                self.assertEqual((item["grade"], item["licence"], item["detail"]),
                                 ("signed", "MIT", detail))
                self.assertEqual(item["key"], self.fingerprint(public))
                # Two licences without an expression are not guessed at.
                statement["predicate"] = json.loads(json.dumps(predicate).replace(
                    '{"license": {"id": "MIT"}}', '{"license": {"id": "MIT"}}, {"license": '
                    '{"id": "ISC"}}').replace('"licenseDeclared": "MIT"', '"licenseDeclared": ""'))
                envelope = self.sign(statement, private)
                found = self.inspect("--trust", public, "--envelope", envelope, program, status=1)
                self.assertEqual([u["what"] for u in found["unknown"]], ["envelope"])

    def test_another_key_is_a_reason(self) -> None:
        private, _ = self.key("maker")
        _, other = self.key("other")
        program, envelope = self.program(), self.folder / "program.json"
        self.poemctl("attest", program, "--licence", "MIT", "--key", private, "-o", envelope)
        found = self.inspect("--trust", other, "--envelope", envelope, program, status=1)
        self.assertEqual([u["what"] for u in found["unknown"]], ["envelope"])

    def test_a_packaged_file(self) -> None:
        found = self.inspect("/usr/bin/true")
        self.assertEqual([(e["grade"], e["source"]) for e in found["evidence"]],
                         [("packaged", "dpkg")])
        self.assertIn("GPL-3.0-or-later", found["evidence"][0]["licence"])
        self.assertIsNone(found["process"])

    def test_a_process_whose_file_was_replaced(self) -> None:
        program = self.program()
        digest = hashlib.sha256(program.read_bytes()).hexdigest()
        with subprocess.Popen([program, "infinity"]) as process:
            try:
                # It runs once its program is what /proc says.
                while os.readlink(f"/proc/{process.pid}/exe") != str(program):
                    pass
                program.unlink()
                program.write_text("another")
                found = self.inspect("--pid", str(process.pid), status=1)
            finally:
                process.kill()
        self.assertEqual(found["process"]["pid"], process.pid)
        self.assertEqual(found["process"]["uid"], os.geteuid())
        self.assertTrue(found["executable"]["deleted"])
        self.assertEqual(found["executable"]["path"], str(program))
        self.assertEqual(found["executable"]["sha256"], digest)

    def test_who_listens_on_a_socket(self) -> None:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(self.folder / "socket"))
            s.listen()
            # Whether this interpreter has a package is not the question here.
            done = subprocess.run([build / "poemctl", "inspect", "--json", self.folder / "socket"],
                                  stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertIn(done.returncode, (0, 1))
        found = json.loads(done.stdout)
        self.assertEqual(found["process"]["pid"], os.getpid())
        self.assertEqual(found["executable"]["path"], os.path.realpath(sys.executable))

    def test_a_note_for_the_linker_links(self) -> None:
        option = self.poemctl("attest", "--note", "gpl-2.0-or-later or (mit and isc)").stdout
        source = self.folder / "main.c"
        source.write_text("int main(void) { return 0; }\n")
        program = self.folder / "noted"
        # As a shell takes it.
        subprocess.run(f"cc -o '{program}' '{source}' {option}", shell=True, check=True)
        found = self.inspect(program)
        self.assertEqual([(e["grade"], e["source"], e["licence"]) for e in found["evidence"]],
                         [("noted", "elf-note", "GPL-2.0-or-later OR MIT AND ISC")])

    def test_what_cannot_be(self) -> None:
        private, public = self.key("maker")
        _, rsa = self.key("rsa", "X25519")
        program = self.program()
        for status, args in (
                (2, ["inspect"]),
                (2, ["inspect", program, program]),
                (2, ["inspect", "--pid", "0"]),
                (2, ["inspect", "--pid", "x"]),
                (2, ["inspect", "--pid", "1", program]),
                (2, ["inspect", "--odd", program]),
                (3, ["inspect", self.folder / "absent"]),
                (3, ["inspect", self.folder]),
                (3, ["inspect", "--pid", "2147483647"]),
                (3, ["inspect", "--trust", self.folder / "absent", program]),
                (3, ["inspect", "--trust", private, program]),
                (3, ["inspect", "--trust", rsa, program]),
                (3, ["inspect", "--envelope", self.folder, program]),
                (3, ["inspect", "--revoked", self.folder, program]),
                (3, ["inspect", "--revoked", self.folder / "absent", program]),
                (2, ["attest"]),
                (2, ["attest", program, "--licence", "MIT"]),
                (2, ["attest", program, "--licence", "Nonsense", "--key", private]),
                (2, ["attest", program, "--licence", "MIT", "--key", private, "--expires",
                     "tomorrow"]),
                (2, ["attest", "--note", "MIT", "--expires", "2027-01-01"]),
                (2, ["attest", "--note", "MIT AND"]),
                (2, ["attest", "--note", "MIT", program]),
                (3, ["attest", program, "--licence", "MIT", "--key", public]),
                (3, ["attest", self.folder / "absent", "--licence", "MIT", "--key", private]),
                (3, ["attest", program, "--licence", "MIT", "--key", private, "-o",
                     self.folder / "no" / "way"]),
        ):
            with self.subTest(args=args):
                self.assertIn("poemctl", self.poemctl(*args, status=status).stderr)

    def test_the_manual_has_every_option(self) -> None:
        manual = (MANUALS / "poemctl-inspect.1").read_text()
        for option in ("json", "pid", "trust", "envelope", "revoked"):
            self.assertIn(f"Fl Fl {option}", manual)
        manual = (MANUALS / "poemctl-attest.1").read_text()
        for option in ("licence", "key", "expires", "note", "output"):
            self.assertIn(f"Fl Fl {option}", manual)


if __name__ == "__main__":
    at = sys.argv.index("--build")
    build = Path(sys.argv[at + 1]).resolve()
    del sys.argv[at:at + 2]
    unittest.main()
