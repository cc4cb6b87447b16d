#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Bills of materials as others read them: CycloneDX's official schema, SPDX's grammar of
expressions, the reader of package URLs, all of npm packages that schemas/package-lock.json pins and
that are fetched when this runs.

No package of npm or Debian carries the schema of SPDX 2.3: documents are compared with its rules as
they are restated here. Where POEMD_SPDX_SCHEMA names a copy of it (schemas/spdx-schema.json of the
specification's repository, of version 2.3 or 2.3.1), they are compared with that one as well.

usage: test_bom_schema.py --build DIR [TEST...]

Exit status: 77 if npm is missing or cannot fetch; where CI is set that is a failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import audit_case
import test_bom
from audit_case import AuditCase
from test_bom import DEVICE, PACKAGED, Json, item, verdict

SCHEMAS = Path(__file__).resolve().parent / "schemas"
SKIPPED = 77
modules = Path()

# What a log may have: each is a session's evidence.
EVIDENCE: list[list[Json]] = [
    [],
    [PACKAGED, item("backend", "recited", "recital", "GPL-2.0-or-later"),
     item("backend", "declared", "declaration", "GPL-2.0+")],
    [item("client", "noted", "elf-note", "MIT", "qemu 1"),
     item("client", "packaged", "rpm", "GPL-2.0-only", "qemu-kvm 17:9.0.0-10.el9_5.2 x86_64"),
     item("backend", "assigned", "operator", "GPL-2.0-only OR MIT"),
     item("backend", "signed", "envelope", "Apache-2.0 WITH LLVM-exception", "nvme.dsse")],
    [item("client", "declared", "declaration", text) for text in (
        "Proprietary, ask \\x22us\\x22", "NONE", "NOASSERTION AND MIT", "DocumentRef-a:LicenseRef-b",
        "GPL-2.0-only WITH AdditionRef-x", "LicenseRef-mine.1", "GPL-2.0-with-classpath-exception",
        "EUPL-1.2+ OR (Zlib AND curl)", "no-such-licence", "(", "MIT AND", "\\xff\\x00")],
]
PROGRAMS: list[Json] = [{}, {"exe": {}}, {"exe": DEVICE}, {"exe": {"path": "relative"}},
                        {"exe": {"path": "/", "sha256": "not a digest"}}, {"exe": "odd", "pid": "x"}]


def records() -> list[list[Any]]:
    """Everything that may be in a record, and some things that may not."""
    made = [verdict(number, evidence, how=how, backend=program, route=f"route{number % 2}")
            for number, (evidence, program, how) in enumerate(
                (e, p, h) for e in EVIDENCE for p in PROGRAMS
                for h in ("allow", "allow-tainted", "deny"))]
    made.append(["session-ended", {"session": 1, "route": "r", "reason": "closed", "taint": "-"}])
    return made


def fetch(where: Path) -> str | None:
    """Installs the pinned packages. The reason if that cannot be done."""
    if not shutil.which("npm"):
        return "no npm"
    where.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SCHEMAS / name, where)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--omit=peer", "--no-audit", "--no-fund"],
        cwd=where, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240, check=False)
    return None if done.returncode == 0 else f"npm: {done.stderr}"


def every(value: Any, key: str) -> Iterator[Any]:
    """The values of all members of that name, at any depth."""
    for name, child in value.items() if isinstance(value, dict) else enumerate(value):
        if name == key:
            yield child
        if isinstance(child, (dict, list)):
            yield from every(child, key)


class Fault(Exception):
    """What a reader of a document says is wrong."""


def node(script: str, values: list[Any]) -> None:
    """Runs a script on `values`, which fails if it throws."""
    read = "const values = JSON.parse(require('fs').readFileSync(0));\n"
    done = subprocess.run(["node", "-e", read + script], cwd=modules, text=True, timeout=60,
                          input=json.dumps(values), capture_output=True, check=False)
    if done.returncode != 0:
        raise Fault(done.stderr)


class Schema(test_bom.BomCase):
    def valid(self, schema: Json, document: Json) -> None:
        node("""
            const [schema, document] = values;
            const Ajv = require(schema.$schema?.includes('2019-09') ? 'ajv/dist/2019' : 'ajv');
            const check = new Ajv({ strict: false, allErrors: true }).compile(schema);
            if (!check(document)) throw new Error(JSON.stringify(check.errors, null, 1));
            """, [schema, document])

    def cyclonedx_valid(self, document: str) -> None:
        node("""
            const { Spec, Validation } = require('@cyclonedx/cyclonedx-library');
            const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
            validator.validate(values[0]).then((fault) => {
                if (fault !== null) throw new Error(JSON.stringify(fault, null, 1));
            });
            """, [document])

    def test_cyclonedx_is_valid(self) -> None:
        self.write(*records())
        document = self.report("cyclonedx")
        self.assertGreater(len(json.loads(document)["services"]), 10)
        self.cyclonedx_valid(document)
        # The schema is read: it finds a fault.
        self.assertIn('"id":"MIT"', document)
        with self.assertRaises(Fault):
            self.cyclonedx_valid(document.replace('"id":"MIT"', '"id":"no-such-licence"'))

    def test_a_log_without_sessions(self) -> None:
        self.write(["broker-start", {"version": "1", "pid": 1}])
        self.cyclonedx_valid(self.report("cyclonedx"))
        self.spdx_valid(self.spdx())

    @contextlib.contextmanager
    def running(self, program: str, *args: object) -> Iterator[None]:
        """A daemon, once it says that it is ready."""
        ready, its_end = os.pipe()
        with subprocess.Popen([self.build / program, *map(str, args), "--ready-fd",
                               str(its_end)], pass_fds=[its_end], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            os.close(its_end)
            try:
                self.assertEqual(os.read(ready, 1), b"\n", f"{program} did not become ready")
                yield
            finally:
                os.close(ready)
                process.terminate()

    def test_of_real_processes(self) -> None:
        config, edu, listen = (self.folder / name for name in ("config", "edu", "listen"))
        config.write_text(f"audit {self.log} key {self.folder / 'key'}\nroute one {{\n"
                          f"listen {listen}\nbackend {edu}\n}}\n")
        with self.running("edu", "--socket-path", edu), self.running("poemd", "--config", config):
            subprocess.run([self.build / "poemctl", "probe", listen], check=True, timeout=60,
                           stdout=subprocess.DEVNULL)
        document = self.cyclonedx()
        self.cyclonedx_valid(self.report("cyclonedx"))
        self.spdx_valid(self.spdx())
        service = self.only(document["services"], name="one")
        self.assertRegex(service["description"],
                         r"/poemctl was a client of \S+/edu by route one, in 1 session$")
        device = self.only(document["components"], name="edu")
        digest = hashlib.sha256((self.build / "edu").read_bytes()).hexdigest()
        self.assertEqual(device["hashes"], [{"alg": "SHA-256", "content": digest}])
        self.assertIn({"name": "poemd:audit:grade", "value": "noted"},
                      [p for entry in device["evidence"]["licenses"]
                       for p in entry["license"]["properties"]])

    def test_all_references_lead_to_an_element(self) -> None:
        self.write(*records())
        document = self.cyclonedx()
        known = list(every(document, "bom-ref"))
        self.assertEqual(len(known), len(set(known)))
        for reference in [*every(document, "ref"), *sum(every(document, "dependsOn"), [])]:
            self.assertIn(reference, known)

    def spdx_valid(self, document: Json) -> None:
        self.valid(SPDX, document)
        if "POEMD_SPDX_SCHEMA" in os.environ:
            official = json.loads(Path(os.environ["POEMD_SPDX_SCHEMA"]).read_text())
            self.valid(official, document)

    def test_spdx_is_valid(self) -> None:
        self.write(*records())
        document = self.spdx()
        self.assertGreater(len(document["relationships"]), 20)
        self.spdx_valid(document)
        names = [document["SPDXID"], *(p["SPDXID"] for p in document["packages"])]
        self.assertEqual(len(names), len(set(names)))
        for relationship in document["relationships"]:
            self.assertIn(relationship["spdxElementId"], names)
            self.assertIn(relationship["relatedSpdxElement"], names)

    def test_licences_are_expressions_and_references_have_texts(self) -> None:
        self.write(*records())
        document = self.spdx()
        found = {p[key] for p in document["packages"]
                 for key in ("licenseDeclared", "licenseConcluded")} - {"NOASSERTION", "NONE"}
        self.assertGreater(len(found), 4)
        node("values.forEach(require('spdx-expression-parse'))", sorted(found))
        used = {name for text in found for name in re.findall(r"LicenseRef-[\w.-]+", text)}
        texts = {info["licenseId"]: info["extractedText"]
                 for info in document["hasExtractedLicensingInfos"]}
        self.assertEqual(used, set(texts))
        self.assertIn("no-such-licence", texts.values())
        self.assertIn("DocumentRef-a:LicenseRef-b", texts.values())

    def test_package_urls_are_read_as_they_were_meant(self) -> None:
        self.write(*records())
        found = sorted(set(every(self.cyclonedx(), "purl")))
        self.assertEqual(found, sorted(set(every(self.spdx(), "referenceLocator"))))
        self.assertEqual(len(found), 2)
        node("""
            const assert = require('assert');
            const { PackageURL } = require('packageurl-js');
            const [deb, rpm] = values.map((value) => PackageURL.fromString(value));
            assert.deepStrictEqual(
                [deb.type, deb.namespace, deb.name, deb.version, { ...deb.qualifiers }],
                ['deb', 'debian', 'qemu-system-x86', '1:7.2+dfsg-7+deb12u5~1',
                 { distro: 'debian-12' }]);
            assert.deepStrictEqual(
                [rpm.type, rpm.namespace, rpm.name, rpm.version, { ...rpm.qualifiers }],
                ['rpm', 'debian', 'qemu-kvm', '9.0.0-10.el9_5.2',
                 { arch: 'x86_64', distro: 'debian-12', epoch: '17' }]);
            """, found)


# ---- the rules of SPDX 2.3 for what these documents have ----


def closed(required: str, optional: str = "", **properties: Json) -> Json:
    """An object with these members and no others; those not described are strings."""
    names = [*required.split(), *optional.split()]
    return {"type": "object", "additionalProperties": False, "required": required.split(),
            "properties": {name: properties.get(name, {"type": "string"}) for name in names}}


def listed(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
ELEMENT = {"type": "string", "pattern": r"^SPDXRef-[A-Za-z0-9.-]+$"}
ANNOTATIONS = listed(closed("annotationDate annotationType annotator comment", annotationDate=TIME,
                            annotationType={"enum": ["REVIEW", "OTHER"]},
                            annotator={"type": "string", "pattern": r"^Tool: [^ ]+-[^ ]+$"}))
SPDX = closed(
    "spdxVersion dataLicense SPDXID name documentNamespace creationInfo annotations packages "
    "relationships", "hasExtractedLicensingInfos",
    spdxVersion={"const": "SPDX-2.3"}, dataLicense={"const": "CC0-1.0"},
    SPDXID={"const": "SPDXRef-DOCUMENT"},
    documentNamespace={"type": "string", "pattern": "^[a-z]+:[^#]+$"},
    creationInfo=closed("created creators", "comment", created=TIME,
                        creators=listed({"type": "string", "pattern": r"^Tool: [^ ]+-[^ ]+$"},
                                        minItems=1)),
    annotations=ANNOTATIONS,
    packages=listed(closed(
        # Without analysed files a package has no verification code and no licenseInfoFromFiles.
        "SPDXID name downloadLocation filesAnalyzed licenseConcluded licenseDeclared "
        "licenseComments copyrightText primaryPackagePurpose annotations",
        "versionInfo packageFileName checksums externalRefs",
        SPDXID=ELEMENT, filesAnalyzed={"const": False}, annotations=ANNOTATIONS,
        primaryPackagePurpose={"const": "APPLICATION"},
        checksums=listed(closed("algorithm checksumValue", algorithm={"const": "SHA256"},
                                checksumValue={"type": "string", "pattern": "^[0-9a-f]{64}$"})),
        externalRefs=listed(closed("referenceCategory referenceType referenceLocator",
                                   referenceCategory={"const": "PACKAGE-MANAGER"},
                                   referenceType={"const": "purl"},
                                   referenceLocator={"type": "string", "pattern": "^pkg:[^ ]+$"})))),
    relationships=listed(closed("spdxElementId relationshipType relatedSpdxElement", "comment",
                                relationshipType={"enum": ["DESCRIBES", "OTHER"]})),
    hasExtractedLicensingInfos=listed(closed(
        "licenseId extractedText", "name",
        licenseId={"type": "string", "pattern": r"^LicenseRef-[A-Za-z0-9.-]+$"})))


def main() -> int:
    global modules
    audit_case.set_build(__doc__)
    modules = AuditCase.build / "tests/tools/schemas"
    missing = fetch(modules)
    if missing:
        print(f"skipped: {missing}")
        return 1 if os.environ.get("CI") else SKIPPED
    return audit_case.run()


if __name__ == "__main__":
    sys.exit(main())
