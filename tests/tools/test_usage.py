#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What poemctl's tables of options are made into: usage, --help, manual pages, shell completion.

usage: test_usage.py --build DIR [TEST...]
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MANUALS = Path(__file__).resolve().parents[2] / "docs" / "man"
PATIENCE = 60  # seconds; only ever waited out if something has gone wrong

build = Path()


def poemctl(*arguments: str) -> str:
    return subprocess.run([build / "poemctl", *arguments], stdout=subprocess.PIPE, text=True,
                          timeout=PATIENCE, check=True).stdout


class Command:
    """A command or action, as its --help describes it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.help = poemctl(*name.split(), "--help")
        usage, _, rest = self.help.partition("\n\n")
        forms = " ".join(usage.removeprefix("usage:").split()).split("poemctl ")[1:]
        self.forms = [form.strip() for form in forms]
        self.options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", rest, re.MULTILINE)
        more = re.search(r"^More in ([a-z-]+)\((\d)\)\.$", self.help, re.MULTILINE)
        assert more, self.help
        self.manual = f"{more[1]}.{more[2]}"


def commands() -> list[Command]:
    """Those that have no actions, and the actions."""
    found = []
    for name in re.findall(r"^  ([a-z]+) ", poemctl("--help"), re.MULTILINE):
        command = Command(name)
        actions = {" ".join(form.split()[:2]) for form in command.forms}
        found += [command] if command.options else [Command(action) for action in sorted(actions)]
    return found


def rendered(line: str) -> str:
    """A line of mdoc's SYNOPSIS as mandoc shows it, arguments in capitals."""
    words = line[1:].split()
    optional = words[0] == "Op"
    shown = []
    while words:
        word = words.pop(0)
        if word == "Fl":
            dash = "-"
            if words[0] == "Fl":
                words.pop(0)
                dash = "--"
            shown.append(dash + words.pop(0))
            argument = False
        elif word in ("Ar", "Cm"):
            argument = word == "Ar"
        elif word != "Op":
            shown.append(word.upper() if argument else word)
    return f"[{' '.join(shown)}]" if optional else " ".join(shown)


def forms_of(manual: str) -> list[str]:
    """The forms in a page's SYNOPSIS, without the program's name."""
    synopsis = (MANUALS / manual).read_text().split(".Sh SYNOPSIS\n")[1].split(".Sh ")[0]
    forms = []
    for line in synopsis.splitlines():
        if line.startswith(".Nm"):
            forms.append(" ".join(line.split()[2:]))
        else:
            forms[-1] = f"{forms[-1]} {rendered(line)}".strip()
    return forms


class Usage(unittest.TestCase):
    def test_every_synopsis_is_the_manual_s(self) -> None:
        pages: dict[str, list[str]] = {}
        for command in commands():
            pages.setdefault(command.manual, []).extend(command.forms)
        for manual, forms in pages.items():
            with self.subTest(manual=manual):
                told = forms_of(manual)
                if manual == "poemctl.1":
                    # It also names the commands that have pages of their own.
                    told = [f for f in told if not f.endswith(" ...") and not f.startswith("--")
                            and not f.startswith("COMMAND")]
                self.assertEqual(sorted(told), sorted(forms))

    def test_every_option_is_explained(self) -> None:
        pages: dict[str, set[str]] = {}
        for command in commands():
            with self.subTest(command=command.name):
                self.assertTrue(command.options)
                text = (MANUALS / command.manual).read_text().split(".Sh DESCRIPTION\n")[1]
                for option in command.options:
                    self.assertTrue(f"Fl Fl {option[2:]}" in text, option)
                    self.assertTrue(any(option in form for form in command.forms) or
                                    re.search(r"^  -\w, " + option, command.help, re.MULTILINE),
                                    option)
                pages.setdefault(command.manual, set()).update(command.options)
        for manual, options in pages.items():
            items = re.findall(r"^\.It .*$", (MANUALS / manual).read_text(), re.MULTILINE)
            named = {"--" + name for item in items for name in re.findall(r"Fl Fl ([a-z-]+)", item)}
            self.assertLessEqual(named, options | {"--help", "--version", "--completion"}, manual)


class Pages(unittest.TestCase):
    def test_each_action_of_trace_has_a_page(self) -> None:
        for command in commands():
            if command.name.startswith("trace "):
                page = f"poemctl-{command.name.replace(' ', '-')}.1"
                with self.subTest(page=page):
                    text = (build / "docs/man" / page).read_text()
                    if page != command.manual:
                        self.assertEqual(text, f".so man1/{command.manual}\n")


class Help(unittest.TestCase):
    def wrong(self, *words: str) -> str:
        done = subprocess.run([build / "poemctl", *words], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_help_prints_what_the_option_does(self) -> None:
        for words in ([], ["trace"], ["trace", "show"], ["probe"]):
            with self.subTest(words=words):
                self.assertEqual(poemctl("help", *words), poemctl(*words, "--help"))

    def test_what_was_meant(self) -> None:
        for words, meant in ((["stauts"], 'did you mean "status"?'),
                             (["lint"], 'did you mean "trace lint"?'),
                             (["help", "trase"], 'did you mean "trace"?'),
                             (["trace", "showw"], 'did you mean "show"?'),
                             (["trace", "show", "--colour=never"], "did you mean --color?"),
                             (["trace", "show", "--fitler", "x"], "did you mean --filter?")):
            with self.subTest(words=words):
                self.assertIn(meant, self.wrong(*words))

    def test_nothing_is_meant_by_something_else(self) -> None:
        for words in (["xyzzy"], ["trace", "xyzzy"], ["trace", "show", "--xyzzy"],
                      ["trace", "show", "-Z"], ["help", "probe", "show"]):
            with self.subTest(words=words):
                self.assertNotIn("did you mean", self.wrong(*words))


class Completion(unittest.TestCase):
    script = ""

    def complete(self, *words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-euc", 'source /dev/stdin; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); '
             '_poemctl; echo "${COMPREPLY[*]}"', "bash", "poemctl", *words],
            input=self.script or poemctl("--completion"), stdout=subprocess.PIPE, text=True,
            timeout=PATIENCE, check=True)
        return done.stdout.split()

    def test_what_is_installed(self) -> None:
        self.assertEqual((build / "ctl" / "poemctl.bash").read_text(), poemctl("--completion"))
        for shell in ("bash", "zsh", "fish"):
            self.assertEqual((build / "ctl" / f"poemctl.{shell}").read_text(),
                             poemctl("--completion", shell))

    def test_every_command_and_option_is_offered(self) -> None:
        Completion.script = poemctl("--completion")
        for command in commands():
            with self.subTest(command=command.name):
                *before, last = command.name.split()
                self.assertIn(last, self.complete(*before, ""))
                self.assertEqual(self.complete(*command.name.split(), "-"),
                                 [*command.options, "--help"])

    def test_choices_and_files(self) -> None:
        for words, offered in ((["trace", "show", "--color", ""], ["auto", "always", "never"]),
                               (["trace", "show", "--json", "--time", "d"], ["delta"]),
                               (["audit", "report", "x", "--format", "cs"], ["csv"]),
                               (["trace", "start", "--payload", ""], ["all", "guest"]),
                               (["trace", "show", ""], []), (["probe", "--timeout", ""], []),
                               (["sta"], ["status"]), (["trace", "sta"], ["start", "stats"])):
            with self.subTest(words=words):
                self.assertEqual(self.complete(*words), offered)


class OtherShells(unittest.TestCase):
    """What zsh would be given to choose from, and what fish offers."""

    def zsh(self, *words: str) -> str:
        done = subprocess.run(
            ["zsh", "-fc", "_describe() { print -rl -- ${(P)4}; }\n"
             "_arguments() { print -rl -- $@; }\n"
             'complete() { words=("$@"); CURRENT=$#; eval "$script"; }\ncomplete "$@"',
             "zsh", "poemctl", *words],
            env={"script": poemctl("--completion", "zsh")}, capture_output=True, text=True,
            timeout=PATIENCE, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def fish(self, *lines: str) -> list[str]:
        """What is offered for each of the lines."""
        asked = "".join(f"; echo ==; complete -C 'poemctl {line}'" for line in lines)
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(["fish", "-Nc", f"source -{asked}"],
                                  input=poemctl("--completion", "fish"), capture_output=True,
                                  text=True, timeout=PATIENCE, check=True,
                                  env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home,
                                       "XDG_DATA_HOME": home})
        self.assertEqual(done.stderr, "")
        return done.stdout.split("==\n")[1:]

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh(self) -> None:
        for command in commands():
            *before, last = command.name.split()
            with self.subTest(command=command.name):
                self.assertRegex(self.zsh(*before, ""), rf"(?m)^{last}:")
                offered = self.zsh(*command.name.split(), "-")
                for option in command.options:
                    self.assertRegex(offered, rf"(?m)^(\(.*\))?{option}\[")
        self.assertRegex(self.zsh("trace", "show", "--"), r"(?m)^--color\[.*:\(auto always never \)$")

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish(self) -> None:
        every = commands()
        lines = [f"{command.name} --" for command in every]
        for command, offered in zip(every, self.fish(*lines), strict=True):
            with self.subTest(command=command.name):
                for option in command.options:
                    self.assertRegex(offered, rf"(?m)^{option}\t")
        names, actions, words = self.fish("", "trace ", "trace show --color ")
        self.assertRegex(names, r"(?m)^status\t")
        self.assertRegex(actions, r"(?m)^lint\t")
        self.assertEqual({line.split("\t")[0] for line in words.splitlines()},
                         {"auto", "always", "never"})


def main() -> None:
    global build
    arguments = sys.argv[1:]
    if arguments[:1] != ["--build"] or len(arguments) < 2:
        sys.exit(__doc__)
    build = Path(arguments[1]).resolve()
    unittest.main(argv=[sys.argv[0], *arguments[2:]])


if __name__ == "__main__":
    main()
