/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a worker that has been taken over may leave in its ring: whatever the bytes are, the reader
 * comes to an end, keeps inside the ring, and what it takes for a message can be kept, commented on
 * and written to a file in the room that is made for it.
 *
 * The input: the head, 8 bytes; then the data from the ring's beginning on.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "trace/file/snap_length.h"
#include "trace/file/packet.h"
#include "trace/file/pcapng.h"
#include "trace/capture/record.h"
#include "trace/capture/ring.h"
#include "trace/capture/bypass.h"

#define DATA_AT 4096u

/* As trace/capture/tracer_capture.c makes it. */
static void check_block(const struct trace_message *m, const char *comment)
{
    const size_t room = PCAPNG_BLOCK_MAX_OVERHEAD + TRACE_CAPTURE_HDR_SIZE +
                        m->n_fds * TRACE_CAPTURE_FD_SIZE + m->kept +
                        (comment ? strlen(comment) : 0);
    uint8_t *const p = malloc(room);
    const size_t n = p ? pcapng_message(p, room, 0, m, comment) : 4;

    FUZZ_REQUIRE(n > 0 && n <= room && n % 4 == 0);
    free(p);
}

static void check_record(const void *p, size_t n)
{
    const struct snap_length headers = {.payload = 0};
    char out[BYPASS_MAX];
    struct trace_message m;
    const char *comment;

    if (!record_get(p, n, &m)) {
        return;
    }
    FUZZ_REQUIRE(record_size(&m) == n);
    comment = bypass_comment(&m, out);
    FUZZ_REQUIRE(!comment || strlen(comment) < BYPASS_MAX);
    check_block(&m, comment);
    m.kept = snap_length_of(m.data, m.kept, m.kept, headers);
    check_block(&m, comment);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const int ring_fd = ring_create(RING_SIZE_MIN);
    struct ring_reader *r;
    const void *record;
    size_t size;
    size_t all = 0;
    uint8_t *memory;
    int got;

    FUZZ_REQUIRE(ring_fd >= 0);
    memory = mmap(NULL, DATA_AT + RING_SIZE_MIN, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
    FUZZ_REQUIRE(memory != MAP_FAILED);
    if (n > 8) {
        memcpy(memory, p, 8);
        memcpy(memory + DATA_AT, p + 8, n - 8 < RING_SIZE_MIN ? n - 8 : RING_SIZE_MIN);
    }
    FUZZ_REQUIRE(ring_reader_new_take(&r, ring_fd, ring_bell_create()) == 0);
    while ((got = ring_read(r, &record, &size)) == 1) {
        all += size;
        FUZZ_REQUIRE(all <= RING_SIZE_MIN);
        check_record(record, size);
    }
    FUZZ_REQUIRE(got == 0 || got < 0);
    ring_reader_free(r);
    munmap(memory, DATA_AT + RING_SIZE_MIN);
    return 0;
}
