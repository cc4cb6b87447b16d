#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What "cmake --install" puts under the prefix: complete, in agreement with itself, and usable.

usage: test_install.py --build DIR [TEST...]
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds; only ever waited out if something has gone wrong
ELF, ARCHIVE = b"\x7fELF", b"!<arch>\n"

build = Path()


def run(*command: str | Path, **more: object) -> str:
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                          timeout=PATIENCE, check=True, **more).stdout  # type: ignore[call-overload]


def cached(name: str) -> str:
    """A variable of the build's configuration."""
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    assert found, name
    return found[1]


class Installed(unittest.TestCase):
    """One installation in a folder, as packages are made; the tests only read it."""

    root: Path
    prefix: Path

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name)
        cls.prefix = cls.root / cached("CMAKE_INSTALL_PREFIX").lstrip("/")
        run("cmake", "--install", build, env=os.environ | {"DESTDIR": folder.name})

    def inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def files(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]

    def pages(self) -> list[Path]:
        """All but those that only lead to another page, which has to be there."""
        pages = []
        for page in sorted((self.prefix / "share/man").glob("man*/*.[158]")):
            if (text := page.read_text()).startswith(".so "):
                self.assertTrue((self.prefix / "share/man" / text[len(".so "):].strip()).is_file())
            else:
                pages.append(page)
        self.assertEqual(sorted(path.name for path in (SOURCE / "docs/man").glob("*.[158]")),
                         sorted(page.name for page in pages))
        return pages


class Manuals(Installed):
    def test_programs_of_manuals_are_there(self) -> None:
        for page in self.pages():
            name, section = page.name.rsplit(".", 1)
            if section == "5" or name.startswith("poemctl-"):
                continue
            program = self.prefix / ("sbin" if section == "8" else "bin") / name
            self.assertTrue(os.access(program, os.X_OK), f"{page.name}: no {program}")

    def test_files_that_manuals_name_are_there(self) -> None:
        below = re.escape("/" + str(self.prefix.relative_to(self.root)))
        named = 0
        for page in self.pages():
            for path in re.findall(rf"{below}/[\w./-]*\w", page.read_text()):
                named += 1
                self.assertTrue(self.inside(path).exists(), f"{page.name} names {path}")
        self.assertGreater(named, 5)

    def test_no_manual_names_a_folder_of_the_source(self) -> None:
        """… which only the reader of a checkout has. docs/specs and docs/interop are QEMU's."""
        for page in self.pages():
            found = re.findall(r"\b(?:contrib|tests|docs|handshake)/(?!specs|interop)[\w./-]*",
                               page.read_text())
            self.assertEqual([], found, page.name)

    def test_documents_that_readme_names_are_there(self) -> None:
        documents = self.prefix / "share/doc/poemd"
        for name in set(re.findall(r"docs/([A-Z][A-Za-z.]+)", (SOURCE / "README.md").read_text())):
            self.assertTrue((documents / name.rstrip(".")).is_file(), name)
        for name in ("COPYING", "COPYRIGHT.poem", "LICENSES/GPL-2.0-or-later.txt",
                     "LICENSES/cryptsetup-OpenSSL-exception.txt"):
            self.assertTrue((documents / name).is_file(), name)


class Programs(Installed):
    def test_no_file_has_a_path_of_the_build(self) -> None:
        if cached("POEMD_SANITIZE") == "ON":
            self.skipTest("a sanitizer's reports name source files by their whole path")
        machine = [str(path).encode() for path in (SOURCE, build)]
        for path in self.files():
            content = path.read_bytes()
            self.assertFalse(any(place in content for place in machine), path)

    def test_programs_and_the_library_have_no_symbols_for_debuggers(self) -> None:
        seen = 0
        for path in self.files():
            with open(path, "rb") as file:
                begin = file.read(len(ARCHIVE))
            if not begin.startswith((ELF, ARCHIVE)):
                continue
            seen += 1
            sections = run("readelf", "--wide", "--section-headers", path)
            self.assertNotIn(".debug_", sections, path)
            if begin != ARCHIVE:
                self.assertNotIn(".symtab", sections, path)
        self.assertEqual(seen, len(["poemd", "poemctl", "edu", "edu-drive", "libpoem.a"]))

    def test_completion_is_the_program_s_own(self) -> None:
        completion = self.prefix / "share/bash-completion/completions/poemctl"
        self.assertEqual(run(self.prefix / "bin/poemctl", "--completion"), completion.read_text())
        run("bash", "-n", completion)

    def test_wireshark_calls_the_installed_poemctl(self) -> None:
        extcap, = self.root.rglob("poemd-extcap")
        self.assertTrue(os.access(extcap, os.X_OK))
        path = re.search(r"^poemctl=\$\{POEMCTL:-(.*)\}$", extcap.read_text(), re.MULTILINE)
        assert path
        self.assertTrue(self.inside(path[1]).is_file(), path[1])
        self.assertEqual(1, len(list(self.root.rglob("vfio_user.lua"))))


class Service(Installed):
    def test_units_start_the_installed_poemd(self) -> None:
        units = list(self.root.rglob("*.service"))
        self.assertNotEqual([], units)
        for unit in units:
            commands = re.findall(r"^Exec\w+=(\S+poemd) ", unit.read_text(), re.MULTILINE)
            self.assertNotEqual([], commands)
            for command in commands:
                self.assertTrue(os.access(self.inside(command), os.X_OK), command)

    def test_presets_and_the_example_are_configurations(self) -> None:
        examples = [self.prefix / "share/doc/poemd/examples/poemd.conf.example",
                    *(self.prefix / "share/poemd/presets").iterdir()]
        self.assertEqual(1 + len(list((SOURCE / "contrib/presets").iterdir())), len(examples))
        for example in examples:
            # The log's folder and key are the operator's.
            text = re.sub(r"^audit .*$", "", example.read_text(), flags=re.MULTILINE)
            copy = self.root / "copy.conf"
            copy.write_text(text.replace("on-audit-failure", "#"))
            self.addCleanup(copy.unlink)
            run(self.prefix / "sbin/poemd", "--check", "--config", copy)
            self.doCleanups()


class Library(Installed):
    """libpoem: a device author's view."""

    def flags(self) -> list[str]:
        pkgconfig, = self.root.rglob("poem.pc")
        return run("pkg-config", "--cflags", "--libs", "poem",
                   env=os.environ | {"PKG_CONFIG_PATH": str(pkgconfig.parent),
                                     "PKG_CONFIG_SYSROOT_DIR": str(self.root)}).split()

    def compile(self, source: Path, folder: str) -> Path:
        program = Path(folder) / source.stem
        # A build with a sanitizer or counters has them in the library, too.
        more = cached("CMAKE_C_FLAGS").split()
        if cached("POEMD_SANITIZE") == "ON":
            more.append("-fsanitize=address,undefined")
        run(cached("CMAKE_C_COMPILER"), "-std=c11", "-Wall", "-Wextra", "-Werror", *more, source,
            *self.flags(), "-o", program)
        return program

    def test_the_example_recites_to_poemctl(self) -> None:
        with tempfile.TemporaryDirectory() as folder, \
                socket.socket(socket.AF_UNIX) as listener:
            program = self.compile(self.prefix / "share/doc/poemd/examples/recite.c", folder)
            path = f"{folder}/device.sock"
            listener.bind(path)
            listener.listen()
            listener.settimeout(PATIENCE)
            with subprocess.Popen([self.prefix / "bin/poemctl", "recite", path], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as asker:
                connection, _ = listener.accept()
                with connection:
                    subprocess.run([program], stdin=connection, timeout=PATIENCE, check=True)
                said, _ = asker.communicate(timeout=PATIENCE)
            self.assertEqual(0, asker.returncode, said)
            self.assertIn("GPL-2.0-or-later", said)

    def test_each_function_of_the_headers_can_be_linked(self) -> None:
        headers = sorted((self.prefix / "include/poem").iterdir())
        self.assertEqual(["poem.h", "recital.h", "wire.h"], [header.name for header in headers])
        text = "".join(re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
                       for header in headers)
        functions = set(re.findall(r"\b(?:poem|recital)_\w+(?=\()", text))
        self.assertGreater(len(functions), 15)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "all.c"
            names = ", ".join(f"(void *){name}" for name in sorted(functions))
            source.write_text("#include <poem/recital.h>\n"
                              f"void *const all[] = {{{names}}};\nint main(void) {{ return 0; }}\n")
            self.compile(source, folder)

    def test_the_library_takes_no_other_names(self) -> None:
        library, = self.root.rglob("libpoem.a")
        names = re.findall(r" [A-TV-Z] (\w+)$", run("nm", "--extern-only", library), re.MULTILINE)
        self.assertNotEqual([], names)
        self.assertEqual([], [name for name in names if not name.startswith(("poem_", "recital_"))])


def main() -> None:
    global build
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        sys.exit("usage: test_install.py --build DIR [TEST...]")
    build = Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])


if __name__ == "__main__":
    main()
