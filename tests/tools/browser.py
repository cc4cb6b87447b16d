# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A real browser, driven by the WebDriver protocol: Debian's chromium and its driver.

The driver and the browser are one process group, which is ended with the object.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

PATIENCE = 120  # seconds; only ever waited out where something has gone wrong


def missing() -> str:
    """What there is no browser without; empty where nothing is missing."""
    return " and ".join(name for name in ("chromium", "chromedriver") if not shutil.which(name))


class Browser:
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="browser")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**os.environ, "HOME": self.folder.name, "TMPDIR": self.folder.name})
        self.base = ""
        assert self.driver.stdout
        for line in self.driver.stdout:
            started = re.search(r"started successfully on port (\d+)", line)
            if started:
                self.base = f"http://127.0.0.1:{started[1]}"
                break
        assert self.base, "the driver of the browser did not start"
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     f"--user-data-dir={self.folder.name}/profile"]
        if os.geteuid() == 0:
            # The browser's own sandbox refuses to be root's.
            arguments.append("--no-sandbox")
        try:
            session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"}}}})
        except BaseException:
            self.close()
            raise
        self.base += "/session/" + session["sessionId"]

    def close(self) -> None:
        try:
            if "/session/" in self.base:
                self.ask("DELETE", "")
        finally:
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.driver.wait()
            assert self.driver.stdout
            self.driver.stdout.close()
            self.folder.cleanup()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def command(self, name: str, **parameters: Any) -> Any:
        """One of the browser's own protocol."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def size(self, width: int, height: int) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, scheme: str) -> None:
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, page: Path) -> None:
        self.ask("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script that is a function's body."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def later(self, script: str) -> Any:
        """The same once the browser has drawn twice: observers have been called by then."""
        return self.ask("POST", "/execute/async", {"script": (
            "const done = arguments[arguments.length - 1];"
            "requestAnimationFrame(() => requestAnimationFrame(() => done((() => {" + script +
            "})())));"), "args": []})

    def complaints(self) -> list[str]:
        """What the console has had since it was asked last."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]

    def picture(self, path: Path) -> None:
        """The whole page, not only what is in the window."""
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
