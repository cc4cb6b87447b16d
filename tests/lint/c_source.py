# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The C files of the tree, their functions and comments, for the lints in this folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
# A string can have what looks like a comment, a comment what looks like a string.
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|' + COMMENT.pattern, re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)")
NAME = re.compile(r"\b(\w+)\s*\(")


# The dissector in C follows the habits of Wireshark's tree.
FOREIGN = [":!contrib/wireshark/packet-*", ":!contrib/wireshark/plugin.c"]


def files(*pathspecs: str) -> list[str]:
    """The names of the .c and .h files that git tracks, but not FOREIGN ones and those of :!PATH."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", "*.c", "*.h", *FOREIGN, *pathspecs],
                            cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def without_comments(text: str) -> str:
    """The text with its comments left out, each line in its place."""
    return STRING_OR_COMMENT.sub(
        lambda found: found[0] if found[0][0] == '"' else "\n" * found[0].count("\n"), text)


class Function(NamedTuple):
    name: str
    static: bool
    first: int  # the line of its name, from 1
    last: int  # the line of its closing brace


def functions(text: str) -> Iterator[Function]:
    """The functions that a file defines. The house's format puts the brace that opens a function,
    and it alone, at the start of a line; so too the one that closes it."""
    lines = text.splitlines()
    opened = -1
    for number, line in enumerate(lines):
        if line == "{":
            opened = number - 1
            # A head of several lines: its later ones are indented.
            while opened > 0 and lines[opened][:1].isspace():
                opened -= 1
            head = ATTRIBUTE.sub("", "\n".join(lines[opened:number])).lstrip()
            name = NAME.search(head)
            # A long type has a line of its own before the name.
            before = lines[opened - 1] if opened > 0 else ""
        elif line.startswith("}") and opened >= 0:
            if name:
                static = head.startswith("static ") or before.startswith("static ") and \
                    not before.endswith((";", "}"))
                yield Function(name[1], static, opened + 1, number + 1)
            opened = -1
