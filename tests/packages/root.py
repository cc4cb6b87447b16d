# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Roots of Debian releases, fresh for each test, and the tree whose packages are tried in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("POEMD_BUILD") or SOURCE / "build").resolve() / "packages"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
               "DEBIAN_FRONTEND=noninteractive"]
# The root is a mount of its own, as in a container: without, the files of a peer are in no mount.
MOUNT = """set -e; root=$1; shift
mount --bind "$root" "$root"; cd "$root"
mount --rbind /dev dev; mount -t proc proc proc; mount -t sysfs sysfs sys
exec """

# QEMU has had vfio-user since 10.1, which only backports have.
PIN = "Package: src:qemu\nPin: release n=trixie-backports\nPin-Priority: 900\n"


def output(*command: object, **more: Any) -> str:
    """What a command printed; raises with all of it if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          errors="backslashreplace", check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
                             f"{done.stdout[-20000:]}")
    return done.stdout


def common(function: str) -> list[str]:
    """What a function of contrib/qemu/common.bash prints, in lines."""
    return output("bash", "-c", f". {SOURCE}/contrib/qemu/common.bash; {function} 2>/dev/null"
                  ).splitlines()


def base(release: str) -> Path:
    """An archive of the release's minimal system with apt, made once."""
    path = BUILD / f"base-{release}.tar"
    if not path.exists():
        mirror, = common("find_mirror")
        sources = [f"deb [signed-by={KEYRING}] {mirror} {release} main"]
        if release == "trixie":
            sources.append(f"deb [signed-by={KEYRING}] {mirror} {release}-backports main")
        BUILD.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new.tar")
        output("mmdebstrap", "--variant=apt", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
               '--aptopt=APT::Install-Recommends "0"', *common("proxy_options"), release, new,
               *sources)
        new.rename(path)
    return path


def copy_tree(target: Path) -> None:
    """The tree as it is, of tracked files only."""
    target.mkdir(parents=True)
    names = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z"], stdout=subprocess.PIPE,
                           check=True).stdout
    archive = subprocess.run(["tar", "-C", SOURCE, "--null", "-c", "-T", "-"], input=names,
                             stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-C", target, "-x", "--no-same-owner"], input=archive, check=True)


class Root:
    """A folder with a fresh system of a release. Its mounts are those of each command, and end
    with it."""

    def __init__(self, release: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{release}-", dir=base(release).parent))
        self.path.chmod(0o755)
        output("tar", "-C", self.path, "-xf", base(release))
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        if release == "trixie":
            (self.path / "etc/apt/preferences.d/qemu").write_text(PIN)
        self.run("apt-get", "-q", "update")

    def remove(self) -> None:
        shutil.rmtree(self.path)

    def mounted(self, run: str, *command: object) -> list[str]:
        return ["unshare", "--mount", "--propagation", "private", "--", "bash", "-c", MOUNT + run,
                "mounted", str(self.path), *map(str, command)]

    def command(self, *command: object) -> list[str]:
        """A command inside, in an environment of its own."""
        return self.mounted('chroot . "$@"', "/usr/bin/env", "-i", *ENVIRONMENT, *command)

    def with_mounts(self, *command: object) -> str:
        """Runs a command outside, which enters the root by itself."""
        return output(*self.mounted('"$@"', *command))

    def run(self, *command: object) -> str:
        return output(*self.command(*command))

    def install(self, *packages: str) -> str:
        return self.run("apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0", "install",
                        "--no-install-recommends", *packages)

    def start(self, *command: object) -> subprocess.Popen[bytes]:
        """Starts a server, which writes to --ready-fd; returns when it has, or has ended."""
        ready, its_end = os.pipe()
        with open(self.path / "var/log/test.log", "ab") as log:
            process = subprocess.Popen(self.command(*command, "--ready-fd", its_end), stdout=log,
                                       stderr=log, stdin=subprocess.DEVNULL, pass_fds=[its_end])
        os.close(its_end)
        os.read(ready, 1)
        os.close(ready)
        return process

    def log(self) -> str:
        return (self.path / "var/log/test.log").read_text(errors="backslashreplace")
