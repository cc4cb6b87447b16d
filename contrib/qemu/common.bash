# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Shared by the scripts that make root folders: finds Debian's mirror and archive key, and keeps
# folders that were made once. Sourced by contrib/qemu/root and contrib/qemu/build.

# shellcheck disable=SC2034  # for who sources this
readonly SUITE=trixie
readonly ARCH=amd64
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# mmdebstrap's hook: unless the /usr merge is made first, the loader is not found.
readonly HOOKS=/usr/share/mmdebstrap/hooks/merged-usr
readonly STAMP=.poemd-qemu-root

say() { printf 'qemu/%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 3; }

# kept_path VARIABLE NAME: prints the path of the kept folder NAME; the user's VARIABLE overrides
# it.
kept_path() {
    if [[ -n ${!1:-} ]]; then
        realpath -m -- "${!1}"
    elif [[ -n ${XDG_CACHE_HOME:-} ]]; then
        realpath -m -- "$XDG_CACHE_HOME/poemd/$2"
    elif [[ -n ${HOME:-} ]]; then
        realpath -m -- "$HOME/.cache/poemd/$2"
    else
        die "neither $1, XDG_CACHE_HOME nor HOME is set: there is no folder for the root"
    fi
}

# is_whole DIR RECIPE: false for a kept folder made from another recipe, which must be made again.
is_whole() { [[ -f $1/$STAMP && $(<"$1/$STAMP") == "$2" ]]; }

require_host() {
    command -v apt-get >/dev/null ||
        die 'this is not a Debian system (no apt-get): make the root on Debian 12 or later'
    [[ $(dpkg --print-architecture) == "$ARCH" ]] ||
        die "the packages are for $ARCH; this machine is $(dpkg --print-architecture)"
    ((EUID == 0)) || die 'making the root needs the root user (mmdebstrap and chroot)'
}

require_tools() {
    local missing=()
    [[ -x /usr/bin/mmdebstrap && -d $HOOKS ]] || missing+=(mmdebstrap)
    [[ -f $KEYRING ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]} == 0)) && return
    say "installing ${missing[*]}"
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y install --no-install-recommends "${missing[@]}"; } >&2 ||
        die "could not install ${missing[*]}: no network, or no working apt source?"
}

# Prints the mirror that this machine itself uses for Debian, as apt reads its sources (one-line and
# deb822 files alike). Without downloaded lists, apt cannot show which source is Debian's.
ask_apt_for_mirror() {
    # shellcheck disable=SC2016  # $(REPO_URI) is apt's, not the shell's
    apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' | sed -n 1p
}

find_mirror() {
    local mirror
    mirror=$(ask_apt_for_mirror)
    if [[ -z $mirror ]]; then
        say 'reading the package lists to find the mirror'
        apt-get -q update >&2 || die 'apt-get update failed: no network?'
        mirror=$(ask_apt_for_mirror)
    fi
    [[ -n $mirror ]] || die "no source of Debian's own archive in this machine's apt sources"
    printf '%s\n' "$mirror"
}

# mmdebstrap runs apt with the new root's settings, so the machine's proxy must be passed on.
proxy_options() {
    local scheme proxy
    for scheme in http https; do
        proxy=
        eval "$(apt-config shell proxy "Acquire::$scheme::Proxy")"
        [[ -z $proxy ]] || printf '%s\n' "--aptopt=Acquire::$scheme::Proxy \"$proxy\""
    done
}

# keep DIR RECIPE MAKE: has MAKE FOLDER fill a folder, unless DIR exists already, made from the same
# recipe. It gets the name DIR only when it is complete.
keep() {
    local target=$1 recipe=$2 make=$3 parent=${1%/*} name=${1##*/} temp
    is_whole "$target" "$recipe" && return
    require_host
    mkdir -p -- "$parent" || die "cannot make $parent"
    # One maker at a time; the others wait, then find the root complete.
    exec 9>"$parent/.$name.lock" || die "cannot write in $parent"
    flock 9
    is_whole "$target" "$recipe" && return
    require_tools
    # Remains of a maker that was killed; no other one runs while this one holds the lock.
    rm -rf -- "$parent/.$name.new."* "$parent/.$name.old."*
    temp=$(mktemp -d -- "$parent/.$name.new.XXXXXX")
    chmod 755 -- "$temp"
    # shellcheck disable=SC2064  # the path is meant to be expanded now
    trap "rm -rf -- $(printf %q "$temp")" EXIT
    # The programs it starts inherit the lock: if this shell is killed, the next maker waits until
    # they have ended, too.
    "$make" "$temp"
    printf '%s\n' "$recipe" >"$temp/$STAMP"
    if [[ -e $target ]]; then
        mv -T -- "$target" "$parent/.$name.old.$$"
        rm -rf -- "$parent/.$name.old.$$"
    fi
    mv -T -- "$temp" "$target"
    say "made $target"
}
