/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a pipe refuses for its receiver's sake: sizes and numbers of fds, each at the limit and one
 * past it.
 */
#include "proxy/relay/relay_direction.h"

#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/relay/relay_rig.h"

static struct relay_rig rig;

static void close_rig(void)
{
    rig_deinit(&rig);
}

/* ---- the bound of a message's size ---- */

/* What bounds a message: nothing of the receiver's, its data, or the bitmap that it may carry. */
enum bound { OTHER, DATA, MIG_DATA, FEATURE, UNMAP };

static const struct {
    uint16_t command;
    enum bound request;
    enum bound reply;
} commands[] = {
    {0, OTHER, OTHER},
    {WIRE_VERSION, OTHER, OTHER},
    {WIRE_DMA_MAP, OTHER, OTHER},
    {WIRE_DMA_UNMAP, OTHER, UNMAP},
    {WIRE_DEVICE_GET_INFO, OTHER, OTHER},
    {WIRE_DEVICE_GET_REGION_INFO, OTHER, OTHER},
    {WIRE_DEVICE_GET_REGION_IO_FDS, OTHER, OTHER},
    {WIRE_DEVICE_GET_IRQ_INFO, OTHER, OTHER},
    {WIRE_DEVICE_SET_IRQS, OTHER, OTHER},
    {WIRE_REGION_READ, OTHER, DATA},
    {WIRE_REGION_WRITE, DATA, OTHER},
    {WIRE_DMA_READ, OTHER, DATA},
    {WIRE_DMA_WRITE, DATA, OTHER},
    {WIRE_DEVICE_RESET, OTHER, OTHER},
    {14, OTHER, OTHER},
    {WIRE_REGION_WRITE_MULTI, OTHER, OTHER},
    {WIRE_DEVICE_FEATURE, OTHER, FEATURE},
    {WIRE_MIG_DATA_READ, OTHER, MIG_DATA},
    {WIRE_MIG_DATA_WRITE, MIG_DATA, OTHER},
    {19, OTHER, OTHER},
    {UINT16_MAX, OTHER, OTHER},
};

#define COMMANDS ((int)(sizeof commands / sizeof commands[0]))

static uint64_t bound_of(enum bound bound, uint32_t takes)
{
    static const unsigned fixed[] = {[DATA] = 16, [MIG_DATA] = 8, [FEATURE] = 32, [UNMAP] = 40};
    uint64_t n = 16 + (uint64_t)takes + fixed[bound];

    if (bound == OTHER) {
        return 268435456 + 65536;
    }
    if (bound == FEATURE || bound == UNMAP) {
        n = n < 65536 ? 65536 : n;
    }
    return n < UINT32_MAX ? n : UINT32_MAX;
}

START_TEST(bounds_are_as_written)
{
    static const uint32_t sizes[] = {
        0, 1, 4096, 65480, 1048576, 268435456, UINT32_MAX - 65552, UINT32_MAX};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        /* Neither limit bounds what is the other's. */
        const struct wire_takes takes = {
            .max_data = sizes[i], .max_bitmap = sizes[(i + 3) % (sizeof sizes / sizeof sizes[0])]};
        const enum bound of[] = {commands[_i].request, commands[_i].reply};
        struct wire_hdr hdr = {.command = commands[_i].command};

        for (int reply = 0; reply < 2; reply++) {
            const bool bitmap = of[reply] == FEATURE || of[reply] == UNMAP;
            const uint64_t bound = bound_of(of[reply], bitmap ? takes.max_bitmap : takes.max_data);

            hdr.flags = reply ? WIRE_TYPE_REPLY : WIRE_TYPE_COMMAND;
            ck_assert_uint_eq(wire_bound(&hdr, &takes), bound);
            hdr.flags |= WIRE_NO_REPLY;
            ck_assert_uint_eq(wire_bound(&hdr, &takes), bound);
        }
    }
}
END_TEST

/* Sends a message of this size and says how it went; it must pass whole or not at all. */
static enum relay_outcome pass(struct wire_hdr hdr, size_t size)
{
    enum relay_outcome o;

    rig_message(&rig, hdr, size);
    rig_write(&rig, size, 0);
    o = rig_run(&rig);
    if (o == RELAY_READ) {
        rig_receive(&rig);
        ck_assert_uint_eq(rig.received, rig.count);
    } else {
        rig_expect_nothing(&rig);
    }
    return o;
}

#define SMALL_DATA 4096

/* A header whose size is not what rig_message would write. */
static void put_size(uint32_t size)
{
    struct wire_hdr hdr;
    uint8_t *const p = rig.bytes + rig.messages[rig.count - 1].start;

    ck_assert_int_eq(wire_get_hdr(p, WIRE_HDR_SIZE, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    hdr.size = size;
    wire_put_hdr(p, &hdr);
}

/* One that is too large to be sent here is told by its header. */
static enum relay_outcome pass_header(struct wire_hdr hdr, uint32_t size)
{
    rig_message(&rig, hdr, WIRE_HDR_SIZE);
    put_size(size);
    rig_write(&rig, WIRE_HDR_SIZE, 0);
    return rig_run(&rig);
}

static void size_at_the_limit_and_one_past(uint16_t command, uint32_t flags, enum bound bound)
{
    const struct wire_hdr hdr = {.command = command, .flags = flags};
    const uint32_t limit = (uint32_t)bound_of(bound, SMALL_DATA);

    rig_init(&rig, 1, SMALL_DATA);
    ck_assert_int_eq(bound == OTHER ? pass_header(hdr, limit) : pass(hdr, limit), RELAY_READ);
    if (bound == OTHER) {
        ck_assert_uint_eq(rig.direction.mark->left, limit - WIRE_HDR_SIZE);
        rig_deinit(&rig);
        rig_init(&rig, 1, SMALL_DATA);
    }
    ck_assert_int_eq(pass_header(hdr, limit + 1), RELAY_BAD_FRAME);
    ck_assert_int_eq(rig.detail.frame, WIRE_FRAME_TOO_BIG);
    ck_assert_uint_eq(rig.detail.hdr.command, command);
    ck_assert_uint_eq(rig.detail.hdr.size, limit + 1);
    ck_assert_uint_eq(rig.detail.count, limit + 1);
    ck_assert_uint_eq(rig.detail.bound, limit);
    rig_expect_nothing(&rig);
    rig_deinit(&rig);
}

START_TEST(sizes_at_the_limit_and_one_past)
{
    size_at_the_limit_and_one_past(commands[_i].command, WIRE_TYPE_COMMAND, commands[_i].request);
    size_at_the_limit_and_one_past(commands[_i].command, WIRE_TYPE_REPLY, commands[_i].reply);
}
END_TEST

/* The receiver has asked for more than it said that it takes, and for no more than that. */
START_TEST(a_reply_is_judged_by_its_request)
{
    const struct wire_takes takes = {.max_data = SMALL_DATA, .max_bitmap = SMALL_DATA};
    const struct wire_region_access a = {.count = 3 * SMALL_DATA};
    const struct wire_hdr request = {.id = 0, .command = WIRE_REGION_READ};
    const struct wire_hdr reply = {.command = WIRE_REGION_READ, .flags = WIRE_TYPE_REPLY};
    struct asked_kept kept[SIDES];
    struct asked client;
    struct asked backend;

    memset(kept, 0, sizeof kept);
    asked_init(&client, &takes, &kept[SIDE_CLIENT]);
    asked_init(&backend, &takes, &kept[SIDE_BACKEND]);
    rig_init(&rig, 1, SMALL_DATA);
    relay_ask(&rig.direction, &backend, &client);
    asked_note(&client, &request, &a, sizeof a);
    ck_assert_int_eq(pass(reply, 32 + 3 * SMALL_DATA), RELAY_READ);
    /* It is answered, and the next one has another id: what it said counts again. */
    ck_assert(!asked_any(&client));
    ck_assert_int_eq(pass_header(reply, 32 + SMALL_DATA + 1), RELAY_BAD_FRAME);
    rig_deinit(&rig);
    rig_init(&rig, 1, SMALL_DATA);
    relay_ask(&rig.direction, &backend, &client);
    asked_note(&client, &request, &a, sizeof a);
    ck_assert_int_eq(pass_header(reply, 32 + 3 * SMALL_DATA + 1), RELAY_BAD_FRAME);
    ck_assert_uint_eq(rig.detail.bound, 32 + 3 * SMALL_DATA);
    rig_deinit(&rig);
}
END_TEST

/* … and a request is noted in every cut, once. */
START_TEST(what_a_request_asks_for_is_noted)
{
    const struct wire_takes takes = {.max_data = 0, .max_bitmap = 0};
    const struct wire_hdr request = {.command = WIRE_REGION_READ};
    const struct wire_hdr reply = {.command = WIRE_REGION_READ, .flags = WIRE_TYPE_REPLY};
    const struct wire_region_access a = {.count = 5000};
    struct asked_kept kept[SIDES];
    struct asked client;
    struct asked backend;

    for (int fds = 0; fds < 2; fds++) {
        memset(kept, 0, sizeof kept);
        asked_init(&client, &takes, &kept[SIDE_CLIENT]);
        asked_init(&backend, &takes, &kept[SIDE_BACKEND]);
        rig_init(&rig, 2, SMALL_DATA);
        relay_ask(&rig.direction, &client, &backend);
        rig_command(&rig, 40);
        rig_message(&rig, request, WIRE_HDR_SIZE + sizeof a);
        memcpy(rig.bytes + rig.messages[1].start + WIRE_HDR_SIZE, &a, sizeof a);
        rig_write(&rig, 40 + (size_t)_i, fds ? 1 : 0);
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        rig_write(&rig, rig.n - rig.written, 0);
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        rig_receive(&rig);
        ck_assert_uint_eq(client.kept->n, 1);
        ck_assert_uint_eq(client.kept->replies[0].size, 32 + 5000);
        ck_assert_uint_eq(client.kept->replies[0].id, 1);
        rig_message(&rig, reply, WIRE_HDR_SIZE);
        rig_write(&rig, WIRE_HDR_SIZE, 0);
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        ck_assert_uint_eq(client.kept->n, 1);
        rig_deinit(&rig);
    }
}
END_TEST

/* ---- sizes that are none ---- */

static const struct {
    uint32_t size;
    enum wire_frame frame;
} bad_sizes[] = {
    {0, WIRE_FRAME_TOO_SMALL},         {1, WIRE_FRAME_TOO_SMALL},
    {15, WIRE_FRAME_TOO_SMALL},        {0x7fffffff, WIRE_FRAME_TOO_BIG},
    {0x80000000u, WIRE_FRAME_TOO_BIG}, {UINT32_MAX, WIRE_FRAME_TOO_BIG},
};

/* The header comes whole, cut in its middle, or behind a good message in the same write. */
START_TEST(a_bad_size_ends_it_and_what_came_before_is_delivered)
{
    for (size_t cut = 0; cut <= WIRE_HDR_SIZE; cut += 8) {
        for (int behind = 0; behind < 2; behind++) {
            rig_init(&rig, 1, SMALL_DATA);
            if (behind) {
                rig_command(&rig, 40);
            }
            rig_command(&rig, 40);
            put_size(bad_sizes[_i].size);
            if (cut > 0) {
                rig_write(&rig, rig.n - 40 + cut, 0);
                /* Given as soon as the header is there: nobody waits for a body. */
                ck_assert_int_eq(rig_run(&rig), cut < WIRE_HDR_SIZE ? RELAY_READ : RELAY_BAD_FRAME);
            }
            if (cut < WIRE_HDR_SIZE) {
                rig_write(&rig, rig.n - rig.written, 0);
                ck_assert_int_eq(rig_run(&rig), RELAY_BAD_FRAME);
            }
            ck_assert_int_eq(rig.detail.frame, bad_sizes[_i].frame);
            ck_assert_uint_eq(rig.detail.hdr.size, bad_sizes[_i].size);
            rig.count--;
            rig_receive(&rig);
            ck_assert_uint_eq(rig.received, behind ? 1 : 0);
            rig_deinit(&rig);
        }
    }
}
END_TEST

START_TEST(a_pipe_without_bound_takes_any_size)
{
    rig_init(&rig, 1, UINT32_MAX);
    rig_message(&rig, (struct wire_hdr){.command = WIRE_REGION_WRITE}, 40);
    put_size(UINT32_MAX);
    rig_write(&rig, 40, 0);
    /* So large a message streams: what is there has been passed on. */
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    ck_assert_uint_eq(rig.direction.mark->left, UINT32_MAX - 40u);
}
END_TEST

/* ---- fds ---- */

static const struct {
    uint32_t max_fds;
    unsigned fds[3]; /* with each of a message's writes */
    bool pass;
} fd_rows[] = {
    {0, {0, 0, 0}, true},
    {0, {1, 0, 0}, false},
    {0, {0, 0, 1}, false},
    {1, {1, 0, 0}, true},
    {1, {2, 0, 0}, false},
    {1, {1, 0, 1}, false},
    {8, {8, 0, 0}, true},
    {8, {9, 0, 0}, false},
    {8, {3, 2, 3}, true},
    {8, {3, 3, 3}, false},
    {8, {0, 0, 9}, false},
    {LIMIT_FDS_KERNEL, {LIMIT_FDS_KERNEL, 0, 0}, true},
    {LIMIT_FDS_KERNEL, {LIMIT_FDS_KERNEL, 1, 0}, false},
    /* No sendmsg takes more, whatever the receiver says of itself. */
    {UINT32_MAX, {LIMIT_FDS_KERNEL, 0, 0}, true},
    {UINT32_MAX, {200, 50, 3}, true},
    {UINT32_MAX, {200, 50, 4}, false},
    {UINT32_MAX, {LIMIT_FDS_KERNEL, 1, 0}, false},
    {UINT32_MAX, {LIMIT_FDS_KERNEL, LIMIT_FDS_KERNEL, 0}, false},
};

START_TEST(fds_at_the_limit_and_one_past)
{
    /* The cuts of 40 bytes: in the header, and in the body. */
    static const size_t cuts[2][3] = {{8, 4, 28}, {16, 8, 16}};
    enum relay_outcome o;

    for (int c = 0; c < 2; c++) {
        rig_init(&rig, fd_rows[_i].max_fds, SMALL_DATA);
        rig_command(&rig, 40);
        for (int w = 0; w < 3; w++) {
            rig_write(&rig, cuts[c][w], fd_rows[_i].fds[w]);
        }
        o = rig_run(&rig);
        if (fd_rows[_i].pass) {
            ck_assert_int_eq(o, RELAY_READ);
            rig_receive(&rig);
            ck_assert_uint_eq(rig.received, 1);
        } else {
            ck_assert_int_eq(o, RELAY_TOO_MANY_FDS);
            ck_assert_uint_gt(rig.detail.count, rig.detail.bound);
            ck_assert_uint_eq(rig.detail.bound, rig.direction.max_fds);
            rig_expect_nothing(&rig);
        }
        rig_deinit(&rig);
    }
}
END_TEST

START_TEST(fds_are_counted_by_the_message)
{
    rig_init(&rig, 2, SMALL_DATA);
    for (int i = 0; i < 5; i++) {
        rig_command(&rig, 40);
        rig_write(&rig, 40, 2);
    }
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    rig_command(&rig, 40);
    rig_write(&rig, 40, 3);
    ck_assert_int_eq(rig_run(&rig), RELAY_TOO_MANY_FDS);
    rig_expect_nothing(&rig);
}
END_TEST

START_TEST(fds_that_went_ahead_with_a_streaming_message_count)
{
    rig_init(&rig, 2, 1048576);
    rig_command(&rig, LIMIT_QUEUE + 100);
    rig_write(&rig, 40, 2);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_write(&rig, 40, 1);
    ck_assert_int_eq(rig_run(&rig), RELAY_TOO_MANY_FDS);
}
END_TEST

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

int main(void)
{
    Suite *s = suite_create("pipe_limits");
    TCase *tc = unit_case(s, "sizes");

    tcase_add_loop_test(tc, bounds_are_as_written, 0, COMMANDS);
    tcase_add_loop_test(tc, sizes_at_the_limit_and_one_past, 0, COMMANDS);
    tcase_add_loop_test(tc, a_bad_size_ends_it_and_what_came_before_is_delivered, 0,
                        ROWS(bad_sizes));
    tcase_add_test(tc, a_reply_is_judged_by_its_request);
    tcase_add_loop_test(tc, what_a_request_asks_for_is_noted, 0, 33);
    tc = unit_case(s, "fds");
    tcase_add_loop_test(tc, fds_at_the_limit_and_one_past, 0, ROWS(fd_rows));
    tc = unit_case(s, "one rig");
    tcase_add_checked_fixture(tc, NULL, close_rig);
    tcase_add_test(tc, a_pipe_without_bound_takes_any_size);
    tcase_add_test(tc, fds_are_counted_by_the_message);
    tcase_add_test(tc, fds_that_went_ahead_with_a_streaming_message_count);
    return unit_run(s);
}
