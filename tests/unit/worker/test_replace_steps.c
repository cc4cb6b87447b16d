/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What both processes are sent when one replaces the other, and what comes of each reply: that it
 * is an error, a wrong one, or does not come, at each of the messages.
 */
#include <errno.h>
#include <string.h>

#include "proxy/worker/device/replace.h"
#include "tests/support/unit.h"

/* Two devices that agree to everything. */
struct pair {
    struct setup *setup;
    struct replace replace;
    struct reattach_message message;
    struct wire_hdr hdr; /* of the last message */
    unsigned sent;       /* messages */
    uint32_t state[2];   /* of the old one and the new one */
    size_t left;         /* of the old one's state */
    size_t taken;        /* by the new one */
    bool swapped;
};

static void pair_init(struct pair *p, size_t state, bool dry)
{
    const struct wire_dma_map map = {
        .argsz = sizeof map, .flags = 3, .address = 0x1000, .size = 0x1000};
    uint8_t bytes[WIRE_HDR_SIZE + sizeof map];
    struct wire_hdr hdr = {.id = 1, .command = WIRE_DMA_MAP, .size = sizeof bytes};

    memset(p, 0, sizeof *p);
    p->setup = setup_new(SETUP_SHARES_NONE, false);
    ck_assert_ptr_nonnull(p->setup);
    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE, &map, sizeof map);
    setup_note(p->setup, SIDE_CLIENT, bytes, sizeof bytes, NULL, 0);
    hdr = wire_reply_hdr(&hdr, 0);
    wire_put_hdr(bytes, &hdr);
    setup_note(p->setup, SIDE_BACKEND, bytes, WIRE_HDR_SIZE, NULL, 0);
    ck_assert_uint_eq(p->setup->n_maps, 1);
    replace_init(&p->replace, p->setup, 16, 4096, dry);
    p->state[0] = WIRE_MIG_RUNNING;
    p->state[1] = WIRE_MIG_RUNNING;
    p->left = state;
}

static void pair_deinit(struct pair *p)
{
    setup_free(p->setup);
}

/* The device's answer: its payload and size. */
static size_t answer(struct pair *p, bool old, uint8_t *out)
{
    const uint8_t *const payload = p->message.bytes + WIRE_HDR_SIZE;
    const size_t n = p->message.n - WIRE_HDR_SIZE;
    const struct wire_feature_migration can = {.flags = WIRE_MIGRATION_STOP_COPY};
    struct wire_feature f;
    struct wire_mig_data d;

    memcpy(out, payload, n);
    if (p->hdr.command == WIRE_DEVICE_FEATURE) {
        memcpy(&f, payload, sizeof f);
        if (f.flags & WIRE_FEATURE_SET) {
            memcpy(&p->state[old ? 0 : 1], payload + sizeof f, sizeof p->state[0]);
            return n;
        }
        memcpy(out + sizeof f, &can, sizeof can);
        return sizeof f + sizeof can;
    }
    if (p->hdr.command == WIRE_MIG_DATA_READ) {
        ck_assert_uint_eq(p->state[0], WIRE_MIG_STOP_COPY);
        memcpy(&d, payload, sizeof d);
        d.size = d.size < p->left ? d.size : (uint32_t)p->left;
        p->left -= d.size;
        memcpy(out, &d, sizeof d);
        memset(out + sizeof d, 0x5a, d.size);
        return sizeof d + d.size;
    }
    if (p->hdr.command == WIRE_MIG_DATA_WRITE) {
        ck_assert_uint_eq(p->state[1], WIRE_MIG_RESUMING);
        memcpy(&d, payload, sizeof d);
        ck_assert_uint_eq(n, sizeof d + d.size);
        p->taken += d.size;
        return 0;
    }
    return 0;
}

/* Something that goes wrong with the message of this number, the first being 1. */
enum fault { NOTHING, AN_ERROR, SILENCE, ANOTHER_REPLY, FAULTS };

static void reply(struct pair *p, bool old, enum fault fault)
{
    static uint8_t out[REPLACE_MESSAGE_MAX];
    size_t n = 0;
    struct wire_hdr hdr;

    if (fault == SILENCE) {
        replace_fail(&p->replace, &(struct ipc_difference){.what = IPC_DIFFERS_SILENT});
        return;
    }
    if (fault == NOTHING) {
        n = answer(p, old, out);
    }
    hdr = fault == AN_ERROR ? wire_error_hdr(&p->hdr, EPERM) : wire_reply_hdr(&p->hdr, (uint32_t)n);
    hdr.id ^= fault == ANOTHER_REPLY;
    replace_reply(&p->replace, &hdr, out, n);
}

/* Goes on to the end, with a fault at a message. Returns the outcome. */
static enum replace_outcome run(struct pair *p, unsigned at, enum fault fault)
{
    for (;;) {
        const enum replace_next next = replace_next(&p->replace, &p->message);

        switch (next) {
        case REPLACE_NEXT_OLD:
        case REPLACE_NEXT_NEW:
            ck_assert_int_eq(wire_get_hdr(p->message.bytes, p->message.n, UINT32_MAX, &p->hdr),
                             WIRE_FRAME_OK);
            p->sent++;
            reply(p, next == REPLACE_NEXT_OLD, p->sent == at ? fault : NOTHING);
            break;
        case REPLACE_NEXT_REPLY:
            /* To the one that was not answered in time, before the old process is restored. */
            ck_assert_int_eq(p->replace.step, REPLACE_RESTORES);
            reply(p, true, NOTHING);
            break;
        case REPLACE_NEXT_QUIET:
            replace_quiet(&p->replace);
            break;
        case REPLACE_NEXT_SWAP:
        case REPLACE_NEXT_BACK:
            ck_assert(p->swapped == (next == REPLACE_NEXT_BACK));
            p->swapped = !p->swapped;
            replace_swapped(&p->replace);
            break;
        case REPLACE_NEXT_END:
            return p->replace.outcome;
        }
    }
}

static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 20000};

START_TEST(the_whole_state_goes_to_the_new_process)
{
    struct pair p;

    pair_init(&p, sizes[_i], false);
    ck_assert_int_eq(run(&p, 0, NOTHING), REPLACE_DONE);
    ck_assert_uint_eq(p.taken, sizes[_i]);
    ck_assert_uint_eq(p.replace.bytes, sizes[_i]);
    ck_assert_uint_eq(p.state[0], WIRE_MIG_STOP_COPY);
    ck_assert_uint_eq(p.state[1], WIRE_MIG_RUNNING);
    ck_assert(p.swapped);
    pair_deinit(&p);
}
END_TEST

/*
 * Whatever goes wrong, with whichever message; but the new process may run once it was sent the
 * last one, RUNNING, unless that is refused: then nothing is rolled back.
 */
START_TEST(the_old_process_goes_on_after_any_fault_before_the_new_one_may_run)
{
    struct pair whole;

    pair_init(&whole, 5000, false);
    ck_assert_int_eq(run(&whole, 0, NOTHING), REPLACE_DONE);
    for (unsigned at = 1; at <= whole.sent; at++) {
        enum replace_outcome outcome;
        struct pair p;

        pair_init(&p, 5000, false);
        outcome = run(&p, at, (enum fault)_i);
        if (at == whole.sent && _i != AN_ERROR) {
            ck_assert_int_eq(outcome, REPLACE_LOST);
            ck_assert_int_eq(p.replace.failed, REPLACE_RUNS);
            ck_assert_uint_eq(p.state[0], WIRE_MIG_STOP_COPY);
            ck_assert(p.swapped);
            pair_deinit(&p);
            break;
        }
        ck_assert_msg(outcome == REPLACE_REFUSED || outcome == REPLACE_ROLLED_BACK,
                      "message %u: outcome %d", at, outcome);
        ck_assert_uint_eq(p.state[0], WIRE_MIG_RUNNING);
        ck_assert(!p.swapped);
        pair_deinit(&p);
    }
    pair_deinit(&whole);
}
END_TEST

START_TEST(a_dry_run_stops_and_sets_up_nothing)
{
    struct pair p;

    pair_init(&p, 100, true);
    ck_assert_int_eq(run(&p, 0, NOTHING), REPLACE_COULD);
    /* Both were asked whether they can migrate. */
    ck_assert_uint_eq(p.sent, 2);
    ck_assert_uint_eq(p.state[0], WIRE_MIG_RUNNING);
    pair_deinit(&p);
}
END_TEST

/* It fails a second time, where the old process is to run again. */
START_TEST(an_old_process_that_does_not_run_again_is_lost)
{
    struct pair p;

    pair_init(&p, 100, false);
    while (p.replace.step != REPLACE_RUNS) {
        ck_assert_int_ne(replace_next(&p.replace, &p.message), REPLACE_NEXT_END);
        if (p.replace.step == REPLACE_WAITS) {
            replace_quiet(&p.replace);
        } else if (p.replace.step == REPLACE_SWAPS) {
            replace_swapped(&p.replace);
        } else {
            (void)wire_get_hdr(p.message.bytes, p.message.n, UINT32_MAX, &p.hdr);
            reply(&p, p.replace.sent_to_old, NOTHING);
        }
    }
    replace_fail(&p.replace, &(struct ipc_difference){.what = IPC_DIFFERS_NOT});
    ck_assert_int_eq(p.replace.step, REPLACE_RESTORES);
    replace_fail(&p.replace, &(struct ipc_difference){.what = IPC_DIFFERS_SILENT});
    ck_assert_int_eq(replace_next(&p.replace, &p.message), REPLACE_NEXT_END);
    ck_assert_int_eq(p.replace.outcome, REPLACE_LOST);
    ck_assert_int_eq(p.replace.failed, REPLACE_RUNS);
    pair_deinit(&p);
}
END_TEST

/* Not refused, as if it went on, however early that is. */
START_TEST(an_old_process_that_is_gone_is_lost)
{
    struct pair p;

    pair_init(&p, 100, false);
    ck_assert_int_eq(replace_next(&p.replace, &p.message), REPLACE_NEXT_NEW);
    replace_lose(&p.replace);
    replace_fail(&p.replace, &(struct ipc_difference){.what = IPC_DIFFERS_SILENT});
    ck_assert_int_eq(replace_next(&p.replace, &p.message), REPLACE_NEXT_END);
    ck_assert_int_eq(p.replace.outcome, REPLACE_LOST);
    ck_assert_int_eq(p.replace.failed, REPLACE_ASKS_NEW);
    ck_assert_int_eq(p.replace.difference.what, IPC_DIFFERS_NOT);
    pair_deinit(&p);
}
END_TEST

/* Its size is above what was asked for, or above that of the message. */
START_TEST(a_part_of_a_wrong_size_is_refused)
{
    static const uint32_t wrong[] = {4097, UINT32_MAX, 11};
    struct pair p;

    for (size_t i = 0; i < 3; i++) {
        struct wire_mig_data d = {.argsz = 18, .size = wrong[i]};
        uint8_t payload[sizeof d + 10] = {0};
        struct wire_hdr hdr;

        pair_init(&p, 100, false);
        p.replace.step = REPLACE_COPIES;
        p.replace.stopped = true;
        ck_assert_int_eq(replace_next(&p.replace, &p.message), REPLACE_NEXT_OLD);
        memcpy(payload, &d, sizeof d);
        (void)wire_get_hdr(p.message.bytes, p.message.n, UINT32_MAX, &p.hdr);
        hdr = wire_reply_hdr(&p.hdr, sizeof payload);
        replace_reply(&p.replace, &hdr, payload, sizeof payload);
        ck_assert_int_eq(p.replace.step, REPLACE_RESTORES);
        pair_deinit(&p);
    }
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("replace_steps");
    TCase *const c = tcase_create("two devices");

    tcase_add_loop_test(c, the_whole_state_goes_to_the_new_process, 0,
                        sizeof sizes / sizeof *sizes);
    tcase_add_loop_test(c, the_old_process_goes_on_after_any_fault_before_the_new_one_may_run,
                        AN_ERROR, FAULTS);
    tcase_add_test(c, a_dry_run_stops_and_sets_up_nothing);
    tcase_add_test(c, an_old_process_that_does_not_run_again_is_lost);
    tcase_add_test(c, an_old_process_that_is_gone_is_lost);
    tcase_add_test(c, a_part_of_a_wrong_size_is_refused);
    suite_add_tcase(s, c);
    return unit_run(s);
}
