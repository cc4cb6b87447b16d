/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The refrain in a reply with little room, for every mix of capabilities: each absent, at its
 * default, or otherwise. PROTOCOL.poem, section 5.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/handshake/recital_rig.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* A stock QEMU's request without header and numbers. */
#define QEMU_ROOM 194

/* What a reply may have: at its default, and otherwise. */
static const struct {
    bool in_migration;
    const char *key;
    const char *at_default;
    const char *otherwise;
} members[] = {
    {false, "max_data_xfer_size", "1048576", "1048575"},
    {false, "max_dma_maps", "65535", "512"},
    {false, "pgsizes", "4096", "2097152"},
    {false, "write_multiple", "false", "true"},
    {false, "twin_socket", "{\"supported\":false}", "{\"supported\":false,\"fd_index\":0}"},
    {true, "pgsize", "4096", "8192"},
    {true, "max_bitmap_size", "268435456", "4294967296"},
};

#define MEMBERS 7
#define MIXES 2187 /* 3 ** MEMBERS */

/* How a member is in a mix: 0 absent, 1 at its default, 2 otherwise. */
static int how(unsigned mix, unsigned member)
{
    for (unsigned i = 0; i < member; i++) {
        mix /= 3;
    }
    return (int)(mix % 3);
}

static bool has_migration(unsigned mix)
{
    return how(mix, 5) > 0 || how(mix, 6) > 0;
}

/*
 * The reply of a mix, without the members of a set and with or without the refrain, written by
 * hand. Returns its bytes, NUL included. max_msg_fds is always there: nobody leaves it out.
 */
static size_t write_mix(unsigned mix, unsigned left_out, bool refrain, char *out, size_t size)
{
    char migration[256] = "";
    char caps[1024] = "\"max_msg_fds\":8";
    size_t n;

    for (unsigned i = 0; i < MEMBERS; i++) {
        char *const to = members[i].in_migration ? migration : caps;
        const size_t room = members[i].in_migration ? sizeof migration : sizeof caps;
        const int is = how(mix, i);

        if (is == 0 || (left_out & 1u << i)) {
            continue;
        }
        n = strlen(to);
        snprintf(to + n, room - n, "%s\"%s\":%s", n > 0 ? "," : "", members[i].key,
                 is == 1 ? members[i].at_default : members[i].otherwise);
    }
    if (has_migration(mix)) {
        n = strlen(caps);
        snprintf(caps + n, sizeof caps - n, ",\"migration\":{%s}", migration);
    }
    if (refrain) {
        n = strlen(caps);
        snprintf(caps + n, sizeof caps - n, ",\"poem\":\"%s\"", poem_builtin.refrain);
    }
    return (size_t)snprintf(out, size, "{\"capabilities\":{%s}}", caps) + 1;
}

/* Whether only members at their defaults are in the set. */
static bool may_leave(unsigned mix, unsigned set)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        if ((set & 1u << i) && how(mix, i) != 1) {
            return false;
        }
    }
    return true;
}

/*
 * The set that should be left out for the mix to have room: of the smallest ones that which leaves
 * the most. -1: there is none.
 */
static int best_set(unsigned mix, bool refrain, size_t room)
{
    char text[2048];
    int best = -1;
    int best_count = MEMBERS + 1;
    size_t best_size = 0;

    for (unsigned set = 0; set < 1u << MEMBERS; set++) {
        const int count = __builtin_popcount(set);
        size_t n;

        if (!may_leave(mix, set)) {
            continue;
        }
        n = write_mix(mix, set, refrain, text, sizeof text);
        if (n <= room && (count < best_count || (count == best_count && n > best_size))) {
            best = (int)set;
            best_count = count;
            best_size = n;
        }
    }
    return best;
}

static void same_json(json_t *reply, const char *text, const char *where, unsigned mix)
{
    json_t *expected = rig_parse(text);
    char *got = json_dumps(reply, JSON_COMPACT);

    ck_assert_msg(json_equal(reply, expected), "mix %u, %s: %s, not %s", mix, where, got, text);
    free(got);
    json_decref(expected);
}

/* Tries the mix in this room, and compares with what the search by hand says. */
static enum recital_fit try_mix(unsigned mix, size_t room)
{
    char text[2048];
    json_t *reply;
    enum recital_fit fit;
    const int with = best_set(mix, true, room);
    const int without = best_set(mix, false, room);

    write_mix(mix, 0, false, text, sizeof text);
    reply = rig_parse(text);
    fit = recital_fit(reply, room, poem_builtin.refrain);
    if (with >= 0) {
        ck_assert_int_eq(fit, RECITAL_FITS);
        write_mix(mix, (unsigned)with, true, text, sizeof text);
    } else {
        ck_assert_int_eq(fit, without >= 0 ? RECITAL_FITS_NOT : RECITAL_FITS_NOTHING);
        write_mix(mix, without >= 0 ? (unsigned)without : 0, false, text, sizeof text);
    }
    /* Two sets of the same count and size may be left out one for the other: the size decides. */
    if (json_dumpb(reply, NULL, 0, JSON_COMPACT) != strlen(text)) {
        same_json(reply, text, "another size", mix);
    }
    if (fit != RECITAL_FITS_NOTHING) {
        ck_assert_uint_gt(json_write(reply, text, room), 0);
    }
    ck_assert_int_eq(json_object_get(rig_caps(reply), "poem") != NULL, fit == RECITAL_FITS);
    ck_assert_ptr_nonnull(json_object_get(rig_caps(reply), "max_msg_fds"));
    json_decref(reply);
    return fit;
}

START_TEST(every_mix_in_qemu_s_room)
{
    unsigned fits = 0;

    for (unsigned mix = 0; mix < MIXES; mix++) {
        fits += try_mix(mix, QEMU_ROOM) == RECITAL_FITS;
        try_mix(mix, QEMU_ROOM - 1);
    }
    /* Neither always nor never: the table means something. */
    ck_assert_uint_gt(fits, MIXES / 2);
    ck_assert_uint_lt(fits, MIXES);
}
END_TEST

/* Just the room that a mix needs with all, some or none of its defaults, and one byte less. */
START_TEST(every_mix_in_just_its_room)
{
    char text[2048];

    for (unsigned mix = 0; mix < MIXES; mix++) {
        unsigned defaults = 0;
        size_t n;

        for (unsigned i = 0; i < MEMBERS; i++) {
            defaults |= how(mix, i) == 1 ? 1u << i : 0;
        }
        n = write_mix(mix, 0, true, text, sizeof text);
        ck_assert_int_eq(try_mix(mix, n), RECITAL_FITS);
        ck_assert_int_eq(try_mix(mix, n - 1), defaults ? RECITAL_FITS : RECITAL_FITS_NOT);
        n = write_mix(mix, defaults, true, text, sizeof text);
        ck_assert_int_eq(try_mix(mix, n), RECITAL_FITS);
        ck_assert_int_eq(try_mix(mix, n - 1), RECITAL_FITS_NOT);
        n = write_mix(mix, defaults, false, text, sizeof text);
        ck_assert_int_eq(try_mix(mix, n), RECITAL_FITS_NOT);
        ck_assert_int_eq(try_mix(mix, n - 1), RECITAL_FITS_NOTHING);
    }
}
END_TEST

START_TEST(nothing_is_left_out_without_need)
{
    char text[2048];
    json_t *reply;

    for (unsigned mix = 0; mix < MIXES; mix++) {
        const size_t n = write_mix(mix, 0, true, text, sizeof text);

        write_mix(mix, 0, false, text, sizeof text);
        reply = rig_parse(text);
        ck_assert_int_eq(recital_fit(reply, n, poem_builtin.refrain), RECITAL_FITS);
        write_mix(mix, 0, true, text, sizeof text);
        same_json(reply, text, "shortened", mix);
        json_decref(reply);
    }
}
END_TEST

/* ---- replies of other shapes; text: as written anew, NULL: as it was ---- */

#define R "Pass."

static const struct {
    const char *reply;
    int spare; /* room beside what the text needs */
    const char *refrain;
    enum recital_fit fit;
    const char *text;
} shapes[] = {
    {"{}", 0, R, RECITAL_FITS, "{\"capabilities\":{\"poem\":\"Pass.\"}}"},
    {"{}", 1000, R, RECITAL_FITS, "{\"capabilities\":{\"poem\":\"Pass.\"}}"},
    {"{\"x\":1}", 0, R, RECITAL_FITS, "{\"x\":1,\"capabilities\":{\"poem\":\"Pass.\"}}"},
    {"{\"capabilities\":{}}", 0, R, RECITAL_FITS, "{\"capabilities\":{\"poem\":\"Pass.\"}}"},
    {"{}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{}", -1, R, RECITAL_FITS_NOTHING, NULL},
    {"{\"x\":1}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"pgsizes\":4096}}", 0, "", RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"pgsizes\":4096}}", 0, NULL, RECITAL_FITS_NOT, NULL},
    /* the only member has no comma; a reply that loses it keeps the empty object */
    {"{\"capabilities\":{\"pgsizes\":4096}}", 0, NULL, RECITAL_FITS_NOT, "{\"capabilities\":{}}"},
    {"{\"capabilities\":{\"pgsizes\":4096}}", 13, NULL, RECITAL_FITS_NOT, "{\"capabilities\":{}}"},
    {"{\"capabilities\":{\"y\":4096}}", -1, NULL, RECITAL_FITS_NOTHING, NULL},
    {"{\"capabilities\":{\"pgsizes\":4096,\"y\":2}}", 0, NULL, RECITAL_FITS_NOT,
     "{\"capabilities\":{\"y\":2}}"},
    /* no default of the specification's */
    {"{\"capabilities\":{\"pgsizes\":4096.0}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"pgsizes\":\"4096\"}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"write_multiple\":true}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"write_multiple\":0}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"twin_socket\":{}}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":false,\"z\":1}}}", 0, R, RECITAL_FITS_NOT,
     NULL},
    {"{\"capabilities\":{\"twin_socket\":false}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"max_msg_fds\":1}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"max_bitmap_size\":268435456,\"pgsize\":4096}}", 0, R, RECITAL_FITS_NOT,
     NULL},
    {"{\"pgsizes\":4096}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"migration\":4096}}", 0, R, RECITAL_FITS_NOT, NULL},
    {"{\"capabilities\":{\"migration\":[4096]}}", 0, R, RECITAL_FITS_NOT, NULL},
};

START_TEST(replies_of_other_shapes)
{
    json_t *reply = rig_parse(shapes[_i].reply);
    const char *const text = shapes[_i].text ? shapes[_i].text : shapes[_i].reply;
    const size_t room = strlen(text) + 1 + (size_t)shapes[_i].spare;

    ck_assert_int_eq(recital_fit(reply, room, shapes[_i].refrain), shapes[_i].fit);
    same_json(reply, text, "shape", (unsigned)_i);
    json_decref(reply);
}
END_TEST

START_TEST(there_may_be_no_room_at_all)
{
    json_t *reply = rig_parse("{}");

    ck_assert_int_eq(recital_fit(reply, 0, R), RECITAL_FITS_NOTHING);
    ck_assert_int_eq(recital_fit(reply, 2, R), RECITAL_FITS_NOTHING);
    ck_assert_int_eq(recital_fit(reply, 3, R), RECITAL_FITS_NOT);
    ck_assert_uint_eq(json_object_size(reply), 0);
    json_decref(reply);
}
END_TEST

START_TEST(a_refrain_is_escaped_and_counted_so)
{
    static const char text[] = "{\"capabilities\":{\"poem\":\"\\\"Pass\\\", he said.\"}}";
    char out[256];
    json_t *reply = rig_parse("{}");

    ck_assert_int_eq(recital_fit(reply, sizeof text - 1, "\"Pass\", he said."), RECITAL_FITS_NOT);
    ck_assert_int_eq(recital_fit(reply, sizeof text, "\"Pass\", he said."), RECITAL_FITS);
    ck_assert_uint_eq(json_write(reply, out, sizeof out), sizeof text);
    ck_assert_str_eq(out, text);
    json_decref(reply);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("refrain");
    TCase *tc = unit_case(s, "mixes");

    tcase_add_test(tc, every_mix_in_qemu_s_room);
    tcase_add_test(tc, every_mix_in_just_its_room);
    tcase_add_test(tc, nothing_is_left_out_without_need);
    /* Under valgrind they take their time. */
    tc = unit_case(s, "shapes");
    tcase_add_loop_test(tc, replies_of_other_shapes, 0, ROWS(shapes));
    tcase_add_test(tc, there_may_be_no_room_at_all);
    tcase_add_test(tc, a_refrain_is_escaped_and_counted_so);
    return unit_run(s);
}
