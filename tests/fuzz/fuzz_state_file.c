/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A state file with any bytes in its blocks: each record found in it is sound, reading its text
 * ends, and it can be changed and dropped; the file is empty then.
 *
 * The input: for each block its head and record, and as much of its text as there is.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/monitor/keep/state_file.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 4096
#define BLOCKS 12u

static struct state_file *file_of(const uint8_t *p, size_t n)
{
    struct state_head head = {.version = STATE_VERSION, .blocks = BLOCKS};
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_REQUIRE(fd >= 0 && ftruncate(fd, HEAD + BLOCKS * STATE_BLOCK_SIZE) == 0);
    FUZZ_REQUIRE(pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head);
    n = n < BLOCKS * STATE_BLOCK_SIZE ? n : BLOCKS * STATE_BLOCK_SIZE;
    FUZZ_REQUIRE(pwrite(fd, p, n, HEAD) == (ssize_t)n);
    return state_file_open_take(fd);
}

static void check(struct state_file *f, enum state_kind kind, uint32_t block, const void *record)
{
    char *const text = state_file_text(f, block);
    char *again = NULL;

    FUZZ_REQUIRE(state_record_sound(kind, record));
    FUZZ_REQUIRE(!text || strlen(text) <= STATE_TEXT_MAX);
    if (text && state_file_put_text(f, block, text)) {
        again = state_file_text(f, block);
        FUZZ_REQUIRE(*text == '\0' || (again && strcmp(text, again) == 0));
    }
    state_file_put(f, block, record);
    free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct state_file *f = file_of(p, n);
    unsigned char record[STATE_BLOCK_SIZE];
    uint32_t block;
    int fd;

    FUZZ_REQUIRE(f);
    for (int kind = STATE_SESSION; kind < STATE_KINDS; kind++) {
        block = STATE_NO_BLOCK;
        while ((block = state_file_next(f, block, (enum state_kind)kind, record))) {
            check(f, (enum state_kind)kind, block, record);
        }
    }
    for (int kind = STATE_SESSION; kind < STATE_KINDS; kind++) {
        while ((block = state_file_next(f, STATE_NO_BLOCK, (enum state_kind)kind, record))) {
            state_file_drop(f, block);
        }
    }
    fd = dup(state_file_fd(f));
    state_file_free(f);
    f = state_file_open_take(fd);
    FUZZ_REQUIRE(f && state_file_unsound(f) == 0);
    for (int kind = STATE_TEXT; kind < STATE_KINDS; kind++) {
        FUZZ_REQUIRE(!state_file_next(f, STATE_NO_BLOCK, (enum state_kind)kind, record));
    }
    state_file_free(f);
    return 0;
}
