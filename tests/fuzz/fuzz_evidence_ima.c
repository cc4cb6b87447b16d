/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Lists of IMA. The first byte is the size of the pieces in which the rest is read: whatever it is,
 * the entries are the same.
 */
#define _GNU_SOURCE
#include <string.h>

#include "base/text/hex.h"
#include "policy/evidence/evidence_ima.h"
#include "tests/fuzz/fuzz.h"

#define ENTRIES 64

struct list {
    size_t n;
    struct evidence_ima_entry entries[ENTRIES];
};

static void take(const struct evidence_ima_entry *e, void *arg)
{
    struct list *const l = arg;

    FUZZ_REQUIRE(e->pcr < 1000);
    if (l->n < ENTRIES) {
        l->entries[l->n] = *e;
    }
    l->n++;
}

/* A digest stands in the text, behind its algorithm, and with a space behind it. */
static void require_digest(const struct evidence_ima_entry *e, const char *p, size_t n)
{
    char text[sizeof "sha256:" + 2 * EVIDENCE_SHA256_SIZE + 1] = "sha256:";

    hex_text(e->sha256, sizeof e->sha256, text + strlen(text));
    strcat(text, " ");
    FUZZ_REQUIRE(memmem(p, n, text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct evidence_ima_reader whole, pieces;
    static struct list one, other;
    const size_t piece = n > 0 && p[0] > 0 ? p[0] : 1;
    const char *text = (const char *)p + 1;

    if (n == 0) {
        return 0;
    }
    n--;
    memset(&whole, 0, sizeof whole);
    memset(&pieces, 0, sizeof pieces);
    memset(&one, 0, sizeof one);
    memset(&other, 0, sizeof other);
    evidence_ima_feed(&whole, text, n, take, &one);
    for (size_t at = 0; at < n; at += piece) {
        evidence_ima_feed(&pieces, text + at, n - at < piece ? n - at : piece, take, &other);
    }
    FUZZ_REQUIRE(one.n == other.n && one.n <= n / 44);
    FUZZ_REQUIRE(memcmp(one.entries, other.entries, sizeof one.entries) == 0);
    for (size_t i = 0; i < one.n && i < ENTRIES; i++) {
        if (one.entries[i].has_sha256) {
            require_digest(&one.entries[i], text, n);
        }
    }
    return 0;
}
