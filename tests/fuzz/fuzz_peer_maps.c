/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Lists in the form of /proc/PID/maps: any bytes give a bounded list of code, each file and each
 * kind of memory once, or a reason.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "policy/peer/peer_code.h"
#include "tests/fuzz/fuzz.h"

/* Returns a file with the bytes, at its begin. */
static int list_of(const uint8_t *p, size_t n)
{
    static int fd = -1;

    fd = fd < 0 ? memfd_create("maps", MFD_CLOEXEC) : fd;
    FUZZ_REQUIRE(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n &&
                 lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void require_item(const struct peer_code_item *item)
{
    FUZZ_REQUIRE(item->kind > PEER_CODE_NONE && item->kind < PEER_CODE_KINDS);
    FUZZ_REQUIRE(item->start < item->end && item->mappings > 0 && !item->unknown.why);
    FUZZ_REQUIRE(item->path && (item->kind != PEER_CODE_FILE || item->path[0] == '\0'));
    FUZZ_REQUIRE(item->maps_inode != 0 || item->kind == PEER_CODE_MEMORY);
}

static void require_different(const struct peer_code_item *a, const struct peer_code_item *b)
{
    const bool by_file = a->kind == PEER_CODE_FILE || a->kind == PEER_CODE_WRITABLE;

    FUZZ_REQUIRE(a->kind != b->kind ||
                 (by_file && (a->maps_inode != b->maps_inode || a->maps_major != b->maps_major ||
                              a->maps_minor != b->maps_minor)));
}

/* Returns the mappings that a line by line reading has of code, or -1 if a line is malformed. */
static long count_code(const uint8_t *p, size_t n)
{
    const uint8_t *const end = p + n;
    const uint8_t *nl;
    long found = 0;

    for (; p < end; p = nl + 1) {
        struct peer_maps_line l;

        nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl || !peer_maps_read((const char *)p, (size_t)(nl - p), &l)) {
            return -1;
        }
        FUZZ_REQUIRE(l.start < l.end && l.n_name <= (size_t)(nl - p));
        found += peer_maps_kind(&l) != PEER_CODE_NONE;
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct peer_code code = {.n = 0};
    const long all = count_code(p, n);
    long found = 0;

    peer_code_read(&code, list_of(p, n));
    FUZZ_REQUIRE(code.n <= LIMIT_CODE_FILES && code.path_bytes <= LIMIT_CODE_PATHS);
    for (size_t i = 0; i < code.n; i++) {
        require_item(&code.items[i]);
        found += code.items[i].mappings;
        for (size_t k = 0; k < i && i < 32; k++) {
            require_different(&code.items[k], &code.items[i]);
        }
    }
    FUZZ_REQUIRE(code.unknown.why || (n > 0 && found == all));
    peer_code_deinit(&code);
    FUZZ_REQUIRE(code.n == 0 && !code.items);
    return 0;
}
