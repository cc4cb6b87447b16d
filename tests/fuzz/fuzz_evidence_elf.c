/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* ELF notes: whatever the file, what is found is sound, of this source alone, and it ends. */
#include <string.h>

#include "policy/evidence/evidence_elf.h"
#include "tests/fuzz/fuzz.h"

struct bytes {
    const uint8_t *p;
    size_t n;
};

static ssize_t read_at(void *arg, uint64_t offset, void *out, size_t n)
{
    const struct bytes *b = arg;

    if (offset > b->n || n > b->n - offset) {
        return -1;
    }
    memcpy(out, b->p + offset, n);
    return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct evidence e;
    struct bytes b = {p, n};
    enum evidence_elf o;

    evidence_init(&e);
    o = evidence_elf(&e, read_at, &b);
    FUZZ_REQUIRE(evidence_sound(&e));
    FUZZ_REQUIRE(o != EVIDENCE_ELF_NONE || (e.n == 0 && e.n_unknown == 0));
    FUZZ_REQUIRE(o != EVIDENCE_ELF_MALFORMED || e.n_unknown > 0);
    for (uint32_t i = 0; i < e.n; i++) {
        FUZZ_REQUIRE(e.items[i].grade == EVIDENCE_NOTED);
        FUZZ_REQUIRE(e.items[i].source == EVIDENCE_FROM_ELF_NOTE);
    }
    return 0;
}
