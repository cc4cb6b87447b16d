/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * VERSION payloads: whatever the bytes are, they are refused and leave nothing, or they are written
 * anew so that whoever reads that reads the same.
 */
#include <string.h>

#include "handshake/version.h"
#include "tests/fuzz/fuzz.h"

#define ANEW_MAX (VERSION_PAYLOAD_MAX + LIMIT_VERSION_ADDED)

static uint8_t anew[ANEW_MAX];
static uint8_t again[ANEW_MAX];

static void check_empty(const struct version_offer *o)
{
    FUZZ_REQUIRE(!o->json);
    FUZZ_REQUIRE(o->max_msg_fds == LIMIT_FDS_DEFAULT);
    FUZZ_REQUIRE(o->max_data_xfer_size == LIMIT_DATA_XFER_DEFAULT);
    FUZZ_REQUIRE(o->max_bitmap_size == LIMIT_BITMAP_DEFAULT);
    FUZZ_REQUIRE(!o->twin_supported && !o->twin_has_fd && o->twin_fd_index == 0);
}

static void check_same(const struct version_offer *a, const struct version_offer *b)
{
    FUZZ_REQUIRE(a->number.major == b->number.major && a->number.minor == b->number.minor);
    FUZZ_REQUIRE(a->max_msg_fds == b->max_msg_fds);
    FUZZ_REQUIRE(a->max_data_xfer_size == b->max_data_xfer_size);
    FUZZ_REQUIRE(a->max_bitmap_size == b->max_bitmap_size);
    FUZZ_REQUIRE(a->twin_supported == b->twin_supported && a->twin_has_fd == b->twin_has_fd);
    FUZZ_REQUIRE(a->twin_fd_index == b->twin_fd_index);
    FUZZ_REQUIRE(json_equal(a->json, b->json) || (!a->json && !b->json));
}

/* Writes the offer, in at most this many bytes, reads that, and writes it once more. */
static void check_round_trip(const struct version_offer *o, size_t most)
{
    const size_t n = version_write(o, anew, sizeof anew);
    struct version_offer other;
    enum json_outcome json;

    FUZZ_REQUIRE(n > 0 && n <= most);
    FUZZ_REQUIRE(version_write(o, again, n - 1) == 0);
    if (n > VERSION_PAYLOAD_MAX) {
        return;
    }
    version_init(&other);
    FUZZ_REQUIRE(version_read(&other, anew, n, &json) == VERSION_OK);
    FUZZ_REQUIRE(json == JSON_OK);
    check_same(o, &other);
    FUZZ_REQUIRE(version_write(&other, again, sizeof again) == n);
    FUZZ_REQUIRE(memcmp(anew, again, n) == 0);
    version_deinit(&other);
}

/* The offer as the answer to itself: agreement depends on the fds alone. */
static void check_agreement(const struct version_offer *o)
{
    const bool fds_ok = o->max_msg_fds > 0;
    const bool twin_ok = fds_ok && o->twin_supported && o->twin_has_fd && o->twin_fd_index == 0;

    FUZZ_REQUIRE((version_agree(o, o, 0) == VERSION_OK) == (fds_ok && !o->twin_supported));
    FUZZ_REQUIRE((version_agree(o, o, 1) == VERSION_OK) == twin_ok);
    FUZZ_REQUIRE(version_agree(o, o, 2) != VERSION_OK);
}

/* What the broker adds of its own is read as it was meant. */
static void check_changes(struct version_offer *o)
{
    if (o->twin_supported) {
        FUZZ_REQUIRE(version_set_twin_index(o, 0) == 0);
        o->twin_has_fd = true;
        check_round_trip(o, ANEW_MAX);
        FUZZ_REQUIRE((version_agree(o, o, 1) == VERSION_OK) == (o->max_msg_fds > 0));
    }
    FUZZ_REQUIRE(version_name_max_msg_fds(o) == 0);
    check_round_trip(o, ANEW_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct version_offer o;
    enum json_outcome json;
    enum version_outcome r;

    version_init(&o);
    r = version_read(&o, p, n, &json);
    FUZZ_REQUIRE(strcmp(version_outcome_text(r, json), "?") != 0);
    FUZZ_REQUIRE((r == VERSION_JSON) == (json != JSON_OK));
    if (r == VERSION_OK) {
        FUZZ_REQUIRE(n <= VERSION_PAYLOAD_MAX);
        /* Written anew it never grows: compact, and its numbers are as they were. */
        check_round_trip(&o, n);
        check_agreement(&o);
        check_changes(&o);
        version_deinit(&o);
    }
    check_empty(&o);
    return 0;
}
