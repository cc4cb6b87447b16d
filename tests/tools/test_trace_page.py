#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""The page of poemctl trace stats in a real browser: what is drawn, how it fits, what it does.

usage: test_trace_page.py --build DIR [--pictures DIR] [TEST...]

With --pictures what the browser shows is kept, to be looked at. Exit status 77: there is no browser.
"""

from __future__ import annotations

import html.parser
import json
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import browser
import trace_made

PATIENCE = 60  # seconds; only ever waited out where something has gone wrong
SKIPPED = 77

build = Path()
pictures: Path | None = None

# Texts of a plot that lie on each other, or stick out of the window.
COLLISIONS = """
    const found = [];
    for (const root of document.querySelectorAll(".plot svg")) {
        const texts = [...root.querySelectorAll("text")].map((e) => [e.textContent,
            e.getBoundingClientRect()]).filter(([t, b]) => t && b.width > 0);
        const scrolled = root.closest(".scroll");
        texts.forEach(([t, a], i) => {
            if (!scrolled && (a.left < -1 || a.right > innerWidth + 1)) found.push(["out", t]);
            for (const [u, b] of texts.slice(i + 1)) {
                if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 &&
                    b.top < a.bottom - 3) found.push([root.getAttribute("aria-label"), t, u]);
            }
        });
    }
    return found;
"""


class Links(html.parser.HTMLParser):
    """Whether a page names anything outside itself."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("link", "iframe", "object", "embed", "base"), tag
        for name, _ in attrs:
            assert name not in ("src", "href", "action") and not name.startswith("on"), name


class Page(unittest.TestCase):
    chrome: browser.Browser

    @classmethod
    def setUpClass(cls) -> None:
        cls.chrome = browser.Browser()
        cls.addClassCleanup(cls.chrome.close)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.chrome.prefer("light")
        self.chrome.size(1280, 900)

    def page(self, content: bytes, status: int = 0, name: str = "trace.pcapng") -> dict:
        """Opens the page of a trace; the numbers that it was made from."""
        trace = self.folder / name
        page = self.folder / "page.html"
        trace.write_bytes(content)
        done = subprocess.run([build / "poemctl", "trace", "stats", "--json", "--html", page, trace],
                              text=True, capture_output=True, timeout=PATIENCE, check=False,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stderr)
        Links().feed(page.read_text())
        self.chrome.complaints()
        self.chrome.open(page)
        self.assertEqual(self.chrome.complaints(), [])
        self.assertEqual(self.chrome.run(
            "return document.documentElement.getAttribute('data-drawn')"), "5")
        return json.loads(done.stdout)

    def count(self, selector: str) -> int:
        return self.chrome.run("return document.querySelectorAll(arguments[0]).length", selector)

    def click(self, selector: str, text: str) -> None:
        self.assertTrue(self.chrome.run(
            "const e = [...document.querySelectorAll(arguments[0])].find("
            "(e) => e.textContent.trim() === arguments[1]); if (e) e.click(); return !!e",
            selector, text), text)

    def keep(self, name: str) -> None:
        if pictures:
            self.chrome.picture(pictures / f"{name}.png")

    def sample(self) -> bytes:
        path = self.folder / "sample.pcapng"
        subprocess.run([build / "tests/unit/trace/trace_sample", path], check=True, timeout=PATIENCE)
        return path.read_bytes()

    def check_plots(self, shown: dict) -> None:
        columns = shown["time"]["columns"]
        answered = [c for c in shown["commands"] if c["latency"]["count"]]
        cells = self.chrome.run("return +document.querySelector('#latency .cells')"
                                ".getAttribute('data-cells')")
        self.assertGreaterEqual(cells, sum(1 for c in columns if c["median_ns"]))
        self.assertEqual(self.chrome.run(
            "return [...document.querySelectorAll('#latency .line')]"
            ".map((e) => +e.getAttribute('data-points'))"),
            [sum(1 for c in columns if c[key]) for key in ("p99_ns", "median_ns")])
        self.assertEqual(self.count("#rate .bars rect"),
                         sum((c["client"] > 0) + (c["backend"] > 0) for c in columns))
        self.assertEqual(
            self.chrome.run("return [...document.querySelectorAll('#histograms .histogram')].map("
                            "(e) => [e.dataset.command, e.querySelectorAll('rect').length])"),
            [[c["command"], len(c["latency"]["histogram"])] for c in answered])
        self.assertEqual(
            self.chrome.run("return [...document.querySelectorAll('#regions .region')].map("
                            "(e) => [...e.querySelectorAll('.cells')].map("
                            "(c) => +c.getAttribute('data-cells')))"),
            [[sum(1 for n in r[key] if n) for key in ("cell_reads", "cell_writes")]
             for r in shown["regions"]])
        self.assertEqual(self.count("#sequence .step"), min(shown["messages"], 240))
        self.assertEqual(self.count("#commands tbody tr"), len(shown["commands"]))
        self.assertEqual(self.count("#accesses tbody tr"),
                         sum((r["read"]["requests"] > 0) + (r["write"]["requests"] > 0)
                             for r in shown["regions"]))
        self.assertEqual(self.count("#sessions tbody tr"), len(shown["sessions"]))

    def check_fit(self) -> None:
        self.assertEqual(self.chrome.run(COLLISIONS), [])
        self.assertLessEqual(*self.chrome.run(
            "return [document.documentElement.scrollWidth, innerWidth]"))

    def test_everything_is_drawn(self) -> None:
        for name, content in (("busy", bytes(trace_made.busy(4000))), ("sample", self.sample())):
            with self.subTest(name):
                self.check_plots(self.page(content))

    def test_fits_wide_and_narrow_light_and_dark(self) -> None:
        for name, content in (("busy", bytes(trace_made.busy(4000))), ("sample", self.sample())):
            for width in (1280, 800, 400):
                for scheme in ("light", "dark"):
                    with self.subTest(name, width=width, scheme=scheme):
                        self.chrome.size(width, 900)
                        self.chrome.prefer(scheme)
                        self.page(content)
                        self.keep(f"{name}-{width}-{scheme}")
                        self.check_fit()

    def test_follows_the_window(self) -> None:
        shown = self.page(bytes(trace_made.busy(1000)))
        for width in (400, 1280):
            self.chrome.size(width, 900)
            drawn = self.chrome.later("return document.querySelector('#latency svg').viewBox"
                                      ".baseVal.width")
            self.assertLessEqual(drawn, width)
            self.assertGreater(drawn, width - 120)
            self.check_plots(shown)
        self.assertEqual(self.chrome.complaints(), [])

    def test_tables_are_sorted(self) -> None:
        shown = self.page(self.sample())
        column = "return [...document.querySelectorAll('#commands tbody tr')].map(" \
                 "(r) => r.cells[0].textContent)"
        by_count = sorted(shown["commands"], key=lambda c: -c["requests"])
        self.assertEqual(self.chrome.run(column), [c["command"] for c in by_count])
        self.click("#commands th button", "Max")
        slowest = max(shown["commands"], key=lambda c: c["latency"]["max_ns"])
        self.assertEqual(self.chrome.run(column)[0], slowest["command"])
        self.click("#commands th button", "Command")
        names = self.chrome.run(column)
        self.click("#commands th button", "Command")
        self.assertEqual(self.chrome.run(column), names[::-1])
        self.assertEqual(self.chrome.run("return document.querySelector('#commands th')"
                                         ".getAttribute('aria-sort')"), "descending")

    def test_sequence_is_chosen_and_zoomed(self) -> None:
        shown = self.page(bytes(trace_made.busy(1000)))
        first = "return document.querySelector('#sequence .step text').textContent"
        height = "return document.querySelector('#sequence svg:last-of-type').viewBox.baseVal.height"
        self.assertEqual(self.chrome.run(first), "0.0\u00a0\u00b5s")
        before = self.chrome.run(height)
        self.chrome.run("const z = document.querySelector('#sequence input[type=range]');"
                        "z.value = 4; z.dispatchEvent(new Event('input'))")
        self.assertGreater(self.chrome.run(height), before)
        self.click("#sequence button", "Around the slowest")
        self.assertNotEqual(self.chrome.run(first), "0.0\u00a0\u00b5s")
        self.assertEqual(self.count("#sequence .step"), 240)
        slowest = shown["latency"]["max_ns"]
        self.assertIn(slowest, [m[4] for m in self.chrome.run(
            "return JSON.parse(document.getElementById('data').textContent).excerpts.slow")])
        self.click("#sequence button", "End")
        self.chrome.run("document.querySelector('#sequence input[type=checkbox]').click()")
        self.assertEqual(self.count("#sequence .step"), 240)
        self.check_fit()
        self.keep("sequence-to-scale")
        self.assertEqual(self.chrome.complaints(), [])

    def test_light_and_dark(self) -> None:
        self.page(self.sample())
        colour = "return getComputedStyle(document.body).backgroundColor"
        light = self.chrome.run(colour)
        self.chrome.run("document.getElementById('theme').click()")
        self.assertNotEqual(self.chrome.run(colour), light)
        self.chrome.prefer("dark")
        self.page(self.sample())
        self.assertNotEqual(self.chrome.run(colour), light)

    def test_tips(self) -> None:
        self.page(bytes(trace_made.busy(500)))
        for selector in ("#latency rect[fill=transparent]", "#histograms rect",
                         "#regions rect[fill=transparent]", "#sequence .step"):
            text = self.chrome.run(
                "const e = document.querySelector(arguments[0]), b = e.getBoundingClientRect();"
                "e.dispatchEvent(new MouseEvent('mousemove', { bubbles: true, clientX: b.left + 3,"
                "clientY: b.top + 3 })); const t = document.getElementById('tip');"
                "return t.style.display === 'block' ? t.textContent : ''", selector)
            self.assertNotEqual(text, "", selector)
        self.assertEqual(self.chrome.complaints(), [])

    def test_foreign_text_stays_text(self) -> None:
        evil = "</script><img src=x onerror=window.hacked=1><!--\u2028\"'"
        trace = trace_made.Trace()
        trace.session(1, "a<b>&amp;</h1><script>window.hacked=2</script>", client=evil)
        trace.access(0, 5000, trace_made.REGION_READ, 0, 0)
        trace.say(9000, trace_made.CLIENT,
                  trace_made.message(trace_made.DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096)),
                  comment="unseen: " + evil)
        self.page(bytes(trace), name="<img src=y onerror=window.hacked=3>.pcapng")
        self.assertIsNone(self.chrome.run("return window.hacked ?? null"))
        self.assertEqual(self.count("img"), 0)
        self.assertEqual(self.count("script"), 2)
        self.assertIn("</script><img src=x", self.chrome.run(
            "return document.getElementById('regions').textContent"))
        self.assertIn("<script>window.hacked=2", self.chrome.run(
            "return document.querySelector('h1').textContent"))

    def test_nothing_and_not_all_of_it(self) -> None:
        empty = bytes(trace_made.Trace())
        self.page(empty)
        self.check_fit()
        self.keep("empty")
        self.assertEqual(self.count("#sequence .step"), 0)
        whole = bytes(trace_made.busy(300))
        self.page(whole[:-1000 - 30], status=3)
        self.assertIn("ends inside a block", self.chrome.run(
            "return document.querySelector('.warn').textContent"))
        self.assertEqual(self.count("#sequence .step"), 240)

    def test_bounded(self) -> None:
        self.page(bytes(trace_made.busy(2000)))
        small = (self.folder / "page.html").stat().st_size
        self.page(bytes(trace_made.busy(30000)))
        self.assertLess((self.folder / "page.html").stat().st_size, 3 * small)


def main() -> int:
    global build, pictures
    arguments = sys.argv[1:]
    while arguments and arguments[0] in ("--build", "--pictures"):
        if arguments[0] == "--build":
            build = Path(arguments[1])
        else:
            pictures = Path(arguments[1])
        del arguments[:2]
    lacking = browser.missing()
    if lacking:
        print(f"SKIPPED: there is no {lacking} here (contrib/packages browser)")
        return SKIPPED
    program = unittest.main(argv=[sys.argv[0], *arguments], exit=False, verbosity=2)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
