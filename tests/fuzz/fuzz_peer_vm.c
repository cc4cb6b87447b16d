/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Arguments of a process, the last of which is its unit: the name found is one that an argument
 * has, or the unit, and fits.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <string.h>

#include "policy/peer/peer_vm.h"
#include "tests/fuzz/fuzz.h"

/* Requires that the name fits, and that its first byte is one of these, unless it is empty. */
static void require_part_of(const uint8_t *p, size_t n, const char *name)
{
    FUZZ_REQUIRE(memchr(name, '\0', PEER_VM_MAX));
    FUZZ_REQUIRE(*name == '\0' || (strlen(name) < n && memchr(p, *name, n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct peer peer;
    struct peer_vm given = {.unknown = {.why = "none"}};
    const size_t ends = n > 0 && p[n - 1] == '\0';
    const uint8_t *const before = ends && n > 1 ? memrchr(p, '\0', n - 1) : NULL;
    bool known;

    memset(&peer, 0, sizeof peer);
    known = peer_vm_of_arguments((const char *)p, n, given.name);
    require_part_of(p, n, given.name);
    FUZZ_REQUIRE(known == (given.name[0] != '\0'));
    if (known) {
        given.unknown.why = NULL;
    }
    if (before && strlen((const char *)before + 1) < sizeof peer.unit) {
        memcpy(peer.unit, before + 1, strlen((const char *)before + 1));
    }
    peer_vm_settle(&peer, &given);
    FUZZ_REQUIRE(memchr(peer.vm, '\0', sizeof peer.vm));
    FUZZ_REQUIRE(!known || peer.vm[0] != '\0');
    FUZZ_REQUIRE(known || !peer_knows(&peer, PEER_VM) || peer.vm_by_unit);
    return 0;
}
