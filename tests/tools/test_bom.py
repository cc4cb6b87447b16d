#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""poemctl audit report --format spdx and cyclonedx, on logs of the real writer: who spoke with whom,
under which licences, proved row by row, the same bytes each time, signed on request.

usage: test_bom.py --build DIR [TEST...]
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import audit_case
from audit_case import PATIENCE, AuditCase

USAGE, COULD_NOT = 2, 3
HOST = {"name": "host1", "machine": "ab" * 16,
        "distribution": {"id": "debian", "version": "12"}}
QEMU = {"path": "/usr/bin/qemu-system-x86_64", "sha256": "1a" * 32}
DEVICE = {"path": "/opt/nvme \\x22one\\x22/device", "sha256": "2b" * 32}
QEMU_LICENCE = "GPL-2.0-only AND (MIT OR BSD-3-Clause) AND LicenseRef-slirp"

Json = dict[str, Any]


def item(of: str, grade: str, source: str, licence: str, name: str = "", *,
         counts: bool = True) -> Json:
    return {"of": of, "grade": grade, "source": source, "licence": licence, "name": name,
            "detail": "", "counts": counts}


PACKAGED = item("client", "packaged", "dpkg", QEMU_LICENCE,
                "qemu-system-x86 1:7.2+dfsg-7+deb12u5~1")


def verdict(session: int, evidence: list[Json], *, route: str = "nvme0", how: str = "allow",
            client: Json | None = None, backend: Json | None = None, pid: int = 100,
            **more: Any) -> list[Any]:
    return ["verdict", {
        "session": session, "route": route, "verdict": how, "taint": "-",
        "taints": {"client": "", "backend": "U"},
        "rule": {"line": 7, "of": "backend", "why": f"because of session {session}"},
        "client": {"pid": pid, "uid": 1000, "exe": QEMU} if client is None else client,
        "backend": {"pid": pid + 1, "uid": 0, "exe": DEVICE} if backend is None else backend,
        "evidence": evidence, **more}]


def properties(element: Json) -> Json:
    names = [p["name"] for p in element["properties"]]
    assert len(names) == len(set(names)), names
    return {p["name"].removeprefix("poemd:audit:"): p["value"] for p in element["properties"]}


class BomCase(AuditCase):
    """A log of made-up records, and the documents made of it."""

    def write(self, *records: list[Any], host: Json | None = None, rotate: int = 0) -> None:
        subprocess.run([self.build / "tests/unit/audit/audit_write", self.log, self.folder / "key",
                        str(rotate), json.dumps(HOST if host is None else host)], check=True,
                       timeout=PATIENCE, text=True,
                       input="".join(json.dumps(record) + "\n" for record in records))

    def report(self, form: str, *options: object) -> str:
        return self.audit("report", *self.files(), "--key", self.key, "--format", form,
                          *options).stdout

    def spdx(self) -> Json:
        return json.loads(self.report("spdx"))

    def cyclonedx(self) -> Json:
        return json.loads(self.report("cyclonedx"))

    def only(self, elements: list[Json], **members: str) -> Json:
        found = [e for e in elements if all(e.get(k) == v for k, v in members.items())]
        self.assertEqual(len(found), 1, members)
        return found[0]


class Bom(BomCase):
    def facts(self, package: Json) -> Json:
        return json.loads(self.only(package["annotations"], annotationType="OTHER")["comment"])

    # ---- parties and their licences ----

    def test_declared_observed_and_concluded_are_kept_apart(self) -> None:
        self.write(verdict(1, [
            PACKAGED, item("client", "declared", "declaration", "GPL-2.0+", counts=False),
            item("backend", "recited", "recital", "GPL-2.0-or-later"),
            item("backend", "declared", "declaration", "Ours alone"),
            item("backend", "noted", "elf-note", "MIT", "device 1.0")]))
        client = self.only(self.spdx()["packages"], name="qemu-system-x86_64")
        self.assertEqual(client["licenseDeclared"], "GPL-2.0-or-later")
        self.assertEqual(client["licenseConcluded"], QEMU_LICENCE)
        self.assertIn(f"observed: {QEMU_LICENCE} (packaged, by dpkg qemu-system-x86 1:",
                      client["licenseComments"])
        self.assertEqual([e["grade"] for e in self.facts(client)["evidence"]],
                         ["packaged", "declared"])
        # A declaration is held against a party that recites something else, and so is a note.
        backend = self.only(self.spdx()["packages"], name="device")
        self.assertRegex(backend["licenseDeclared"],
                         r"^GPL-2.0-or-later AND LicenseRef-poemd-[0-9a-f]{16}$")
        self.assertEqual(backend["licenseConcluded"], backend["licenseDeclared"] + " AND MIT")
        self.assertIn("observed: MIT (noted, by elf-note device 1.0)", backend["licenseComments"])

        client = self.only(self.cyclonedx()["components"], name="qemu-system-x86_64")
        self.assertEqual([(entry["license"]["acknowledgement"], entry["license"].get("id"))
                          for entry in client["licenses"]],
                         [("declared", "GPL-2.0-or-later"), ("concluded", None)])
        self.assertEqual(client["licenses"][1]["license"]["name"], QEMU_LICENCE)
        observed = client["evidence"]["licenses"][0]["license"]
        self.assertEqual(observed["name"], QEMU_LICENCE)
        self.assertEqual(properties(observed)["grade"], "packaged")

    def test_concluded_is_what_counted_for_the_verdict(self) -> None:
        recited = item("backend", "recited", "recital", "ISC", counts=False)
        python = item("backend", "packaged", "dpkg", "PSF-2.0", "python3.11 3.11", counts=False)
        for number, (licence, *evidence) in enumerate((
                ("NOASSERTION",),
                ("NOASSERTION", python),
                ("MIT", item("backend", "declared", "declaration", "MIT"), python),
                ("MIT AND Zlib", item("backend", "packaged", "dpkg", "MIT", "a 1"), recited,
                 item("backend", "packaged", "rpm", "Zlib", "b 2")),
                ("(MIT OR ISC) AND Zlib",
                 item("backend", "assigned", "operator", "MIT OR ISC"),
                 item("backend", "assigned", "operator", "Zlib"),
                 item("backend", "assigned", "operator", "Zlib"), recited))):
            with self.subTest(licence):
                self.write(verdict(number, evidence, route=f"r{number}"))
                packages = [p for p in self.spdx()["packages"] if p["name"] == "device"]
                self.assertEqual(packages[-1]["licenseConcluded"], licence)

    def test_nothing_is_concluded_of_incomplete_evidence(self) -> None:
        device = {"pid": 9, "exe": DEVICE, "incomplete": "a note of its linker is malformed"}
        self.write(verdict(1, [item("backend", "noted", "elf-note", "MIT", "note")],
                           backend=device))
        package = self.only(self.spdx()["packages"], name="device")
        self.assertEqual(package["licenseConcluded"], "NOASSERTION")
        self.assertEqual(self.facts(package)["incomplete"], device["incomplete"])

    def test_the_same_executable_with_other_evidence_is_another_row(self) -> None:
        mit = [item("backend", "declared", "declaration", "MIT")]
        isc = [item("backend", "declared", "declaration", "ISC")]
        self.write(verdict(1, mit), verdict(2, isc), verdict(3, mit, pid=300))
        devices = [c for c in self.cyclonedx()["components"] if c["name"] == "device"]
        self.assertEqual([c["licenses"][0]["license"]["id"] for c in devices], ["MIT", "ISC"])
        facts = properties(devices[0])
        self.assertEqual((facts["sessions"], facts["first_record"], facts["record"], facts["pid"],
                          facts["roles"]), ("2", "0", "2", "301", '["backend"]'))

    def test_a_package_url_needs_a_distribution_and_one_package(self) -> None:
        self.write(verdict(1, [PACKAGED]), host={"name": "old"})
        client = self.only(self.cyclonedx()["components"], name="qemu-system-x86_64")
        self.assertEqual(client["version"], "1:7.2+dfsg-7+deb12u5~1")
        self.assertNotIn("purl", client)
        self.write(verdict(2, [PACKAGED, item("client", "packaged", "dpkg", "MIT", "other 2")]))
        client = self.cyclonedx()["components"][-1]
        self.assertNotIn("purl", client)
        self.assertNotIn("version", client)
        self.write(verdict(3, [item("backend", "packaged", "dpkg", "MIT", "A+b of unknown version")]))
        device = self.cyclonedx()["components"][-1]
        self.assertEqual(device["purl"], "pkg:deb/debian/a%2Bb?distro=debian-12")
        self.assertNotIn("version", device)

    # ---- who spoke with whom ----

    def test_conversations(self) -> None:
        self.write(verdict(1, []), verdict(2, [], pid=200, how="allow-tainted"),
                   verdict(3, [], pid=300), verdict(4, [], how="deny"))
        spdx = self.spdx()
        client, backend = (self.only(spdx["packages"], name=name)["SPDXID"]
                           for name in ("qemu-system-x86_64", "device"))
        told = [r for r in spdx["relationships"] if r["relationshipType"] == "OTHER"]
        self.assertEqual({(r["spdxElementId"], r["relatedSpdxElement"]) for r in told},
                         {(client, backend)})
        facts = [json.loads(r["comment"]) for r in told]
        self.assertEqual([f["verdict"] for f in facts], ["allow", "allow-tainted", "deny"])
        self.assertEqual(facts[0]["text"], f"{QEMU['path']} was a client of {DEVICE['path']} by "
                                           "route nvme0, in 2 sessions")
        self.assertIn("was refused as a client of", facts[2]["text"])
        self.assertEqual((facts[0]["records"], facts[0]["record"], facts[0]["session"],
                          facts[0]["client_pid"], facts[0]["backend_pid"], facts[0]["why"]),
                         ([0, 2], 2, 3, 300, 301, "because of session 3"))
        # Letters and rules are those of the party that they are about.
        self.assertEqual([self.facts(p)["taint"] for p in spdx["packages"]], ["", "U"])
        self.assertEqual(facts[2]["of"], "backend")

        cyclonedx = self.cyclonedx()
        client, backend = (self.only(cyclonedx["components"], name=name)["bom-ref"]
                           for name in ("qemu-system-x86_64", "device"))
        on = {d["ref"]: d["dependsOn"] for d in cyclonedx["dependencies"]}
        services = [s["bom-ref"] for s in cyclonedx["services"]]
        self.assertEqual(on, {client: services[:2], backend: [], services[0]: [backend],
                              services[1]: [backend], services[2]: []})
        self.assertEqual(cyclonedx["metadata"]["lifecycles"], [{"phase": "operations"}])

    def test_an_executable_that_is_replaced_is_counted_where_it_happened(self) -> None:
        def changed(session: int) -> list[Any]:
            return ["executable-changed", {"session": session, "route": "r", "of": "backend",
                                           "judged": "", "changed": "", "then": "taint"}]

        self.write(verdict(1, [], route="a"), verdict(2, [], route="b"), changed(2), changed(3),
                   ["session-ended", {"session": 2, "route": "b", "reason": "closed",
                                      "taint": "-"}],
                   changed(2), ["broker-start", {"version": "1", "pid": 1}], changed(1))
        found = {s["name"]: properties(s).get("executables_changed")
                 for s in self.cyclonedx()["services"]}
        self.assertEqual(found, {"a": None, "b": "1"})

    # ---- proofs ----

    def proofs(self) -> list[tuple[int, str]]:
        """The record and the proof of each row of both documents."""
        spdx, cyclonedx = self.spdx(), self.cyclonedx()
        facts = [*(self.facts(p) for p in spdx["packages"]),
                 *(json.loads(r["comment"]) for r in spdx["relationships"] if "comment" in r),
                 *(properties(e) for e in cyclonedx["components"] + cyclonedx["services"])]
        return [(int(f["record"]), f["proof"]) for f in facts]

    def check(self, proof: str, status: int = 0) -> Json:
        path = self.folder / "proof"
        path.write_text(proof, encoding="utf-8")
        return json.loads(self.audit("check-proof", path, "--key", self.key, "--json",
                                     status=status).stdout)

    def test_each_row_proves_its_record(self) -> None:
        for first in range(0, 60, 15):
            self.write(*(verdict(n, [], route=f"r{n % 5}", how="deny" if n % 3 else "allow")
                         for n in range(first, first + 15)), rotate=5000)
        self.assertGreater(len(self.files()), 2)
        proofs = self.proofs()
        self.assertGreater(len(proofs), 20)
        for record, proof in proofs:
            proved = self.check(proof)
            self.assertEqual((proved["record"]["seq"], proved["record"]["event"]),
                             (record, "verdict"))
            # prove puts sentences for people before the same.
            alone = self.audit("prove", record, *self.files(), "--key", self.key).stdout
            self.assertEqual(alone[-len(proof):], proof)
        self.assertFalse(self.check(proof.replace("index ", "index 1"), status=1)["proved"])

    def test_what_is_not_sealed_is_left_out(self) -> None:
        self.write(verdict(1, []))
        self.write(verdict(2, [], route="later"))
        lines = self.log.read_bytes().splitlines(keepends=True)
        self.log.write_bytes(b"".join(lines[:-1]))
        document = json.loads(self.audit("report", self.log, "--key", self.key, "--format",
                                         "cyclonedx", status=5).stdout)
        self.assertEqual([s["name"] for s in document["services"]], ["nvme0"])
        self.assertEqual(properties(document["metadata"])["unsealed_records"], "1")

    # ---- the document ----

    def test_the_same_log_gives_the_same_bytes(self) -> None:
        self.write(*(verdict(n, [PACKAGED], route=f"r{n % 7}") for n in range(40)))
        for form in ("spdx", "cyclonedx"):
            self.assertEqual(self.report(form), self.report(form))
        before = self.cyclonedx()
        self.write(verdict(41, [], route="new"))
        after = self.cyclonedx()
        for kind in ("components", "services"):
            names = [e["bom-ref"] for e in before[kind]]
            self.assertEqual([e["bom-ref"] for e in after[kind]][:len(names)], names)
        self.assertNotEqual(before["serialNumber"], after["serialNumber"])

    def test_names_the_checkpoint_that_it_covers(self) -> None:
        self.write(verdict(1, []))
        note = self.audit("checkpoint", self.log, "--key", self.key).stdout
        facts = properties(self.cyclonedx()["metadata"])
        self.assertEqual(facts["checkpoint"], note)
        self.assertEqual(facts["checkpoint_sha256"], hashlib.sha256(note.encode()).hexdigest())
        self.assertEqual(facts["tree_size"], note.splitlines()[1])
        self.assertEqual(json.loads(facts["host"]), HOST)

    def test_rows_beyond_the_limit_are_counted(self) -> None:
        self.write(*(verdict(n, [], backend={"exe": {"path": f"/d/{n}"}}) for n in range(10040)))
        document = self.cyclonedx()
        self.assertEqual(len(document["components"]), 10000)
        self.assertEqual(properties(document["metadata"])["sessions_left_out"], "41")

    def test_what_it_needs(self) -> None:
        self.write(verdict(1, []))
        self.audit("report", self.log, "--format", "spdx", status=USAGE)
        self.audit("report", self.log, "--format", "spdx", "--key", self.key, "--key", self.key,
                   status=USAGE)
        self.audit("report", self.log, "--key", self.key, "--sign", self.folder / "key",
                   status=USAGE)
        piped = subprocess.run([self.build / "poemctl", "audit", "report", "-", "--key", self.key,
                                "--format", "spdx"], input=self.log.read_bytes(), check=False,
                               capture_output=True, timeout=PATIENCE)
        self.assertEqual(piped.returncode, COULD_NOT)
        self.assertIn(b"not a pipe", piped.stderr)
        said = self.audit("report", self.log, "--key", self.key, "--format", "spdx", "--sign",
                          self.key, status=COULD_NOT)
        self.assertIn("not a private key in PEM", said.stderr)
        self.log.write_bytes(self.log.read_bytes().replace(b'"session":1,', b'"session":2,'))
        said = self.audit("report", self.log, "--key", self.key, "--format", "spdx", status=1)
        self.assertEqual(said.stdout, "")
        self.assertIn("tampered", said.stderr)

    # ---- attestations ----

    def test_signed_as_an_attestation_of_the_checkpoint(self) -> None:
        self.write(verdict(1, [PACKAGED]))
        key = self.folder / "office"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True,
                       timeout=PATIENCE)
        for form, kind in (("spdx", "https://spdx.dev/Document"),
                           ("cyclonedx", "https://cyclonedx.org/bom")):
            envelope = json.loads(self.report(form, "--sign", key))
            self.assertEqual(envelope["payloadType"], "application/vnd.in-toto+json")
            payload = base64.b64decode(envelope["payload"])
            self.check_signature(envelope, payload, key)
            statement = json.loads(payload)
            self.assertEqual(statement["_type"], "https://in-toto.io/Statement/v1")
            self.assertEqual(statement["predicateType"], kind)
            self.assertEqual(statement["predicate"], json.loads(self.report(form)))
            note = self.audit("checkpoint", self.log, "--key", self.key).stdout
            self.assertEqual(statement["subject"], [
                {"name": f"example.org/poemd checkpoint of {note.splitlines()[1]} records",
                 "digest": {"sha256": hashlib.sha256(note.encode()).hexdigest()}}])

    def check_signature(self, envelope: Json, payload: bytes, key: Path) -> None:
        signed, signature = self.folder / "signed", self.folder / "signature"
        kind = envelope["payloadType"].encode()
        signed.write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
        signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-inkey", key, "-in", signed,
                        "-sigfile", signature], check=True, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    audit_case.set_build(__doc__)
    sys.exit(audit_case.run())
