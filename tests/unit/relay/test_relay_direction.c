/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A pipe delivers every message whole, in order, with just its own fds, however the sender's writes
 * cut and glue them, and whenever the pipe has its turns.
 */
#include "proxy/relay/relay_direction.h"

#include "tests/support/unit.h"
#include "tests/unit/relay/relay_rig.h"

#define FDS 16
#define DATA 65536

static struct relay_rig rig;

static void open_rig(void)
{
    rig_init(&rig, FDS, DATA);
}

static void close_rig(void)
{
    rig_deinit(&rig);
}

static void run_and_receive(void)
{
    const enum relay_outcome o = rig_run(&rig);

    if (o != RELAY_READ) {
        ck_abort_msg("outcome %d", o);
    }
    rig_receive(&rig);
}

/* When the pipe has its turns. */
enum turns {
    TURN_AFTER_EACH, /* write */
    TURN_AT_THE_END,
};

/* ---- cuts by name ---- */

/* A message with the fds that it must arrive with; a write with those that it brings. */
struct sized {
    size_t n;
    unsigned fds;
};

static const struct {
    const char *name;
    struct sized messages[4];
    struct sized writes[8];
} conversations[] = {
    {"a header alone", {{16, 0}}, {{16, 0}}},
    {"a header alone with fds", {{16, 2}}, {{16, 2}}},
    {"whole", {{40, 0}}, {{40, 0}}},
    {"whole with fds", {{40, 2}}, {{40, 2}}},
    {"as many fds as the receiver takes", {{40, FDS}}, {{40, FDS}}},

    {"header and body apart", {{40, 0}}, {{16, 0}, {24, 0}}},
    {"header with fds and body apart", {{40, 2}}, {{16, 2}, {24, 0}}},
    {"header and body with fds apart", {{40, 2}}, {{16, 0}, {24, 2}}},
    {"header with fds and body with fds apart", {{40, 3}}, {{16, 1}, {24, 2}}},
    {"a header in three, each with fds", {{40, 6}}, {{5, 1}, {5, 2}, {30, 3}}},
    {"fds with the last byte", {{40, 1}}, {{39, 0}, {1, 1}}},

    {"A B(fds) C, a write each", {{40, 0}, {24, 2}, {16, 0}}, {{40, 0}, {24, 2}, {16, 0}}},
    {"A, then B(fds) and C in one", {{40, 0}, {24, 2}, {16, 0}}, {{40, 0}, {40, 2}}},
    {"A and B in one, then C(fds)", {{40, 0}, {24, 0}, {16, 2}}, {{64, 0}, {16, 2}}},
    {"A(fds) B C in one", {{40, 2}, {24, 0}, {16, 0}}, {{80, 2}}},
    {"A B C in one", {{40, 0}, {24, 0}, {16, 0}}, {{80, 0}}},
    {"A(fds) B(fds), a write each", {{40, 1}, {24, 2}}, {{40, 1}, {24, 2}}},
    {"A(fds) B(fds) C(fds)", {{16, 1}, {16, 1}, {16, 1}}, {{16, 1}, {16, 1}, {16, 1}}},
    {"A(fds) B C(fds)", {{16, 1}, {24, 0}, {16, 1}}, {{16, 1}, {24, 0}, {16, 1}}},

    {"A's end with fds, and B, in one", {{40, 2}, {24, 0}}, {{30, 0}, {34, 2}}},
    {"A's last byte with fds, and B, in one", {{40, 2}, {24, 0}}, {{39, 0}, {25, 2}}},
    {"A and half of B's header, then fds", {{40, 0}, {24, 2}}, {{48, 0}, {16, 2}}},
    {"A and B's header, then fds", {{40, 0}, {24, 2}}, {{56, 0}, {8, 2}}},
    {"A(fds) and half of B's header, then more fds", {{40, 1}, {24, 2}}, {{48, 1}, {16, 2}}},
    {"A's end with fds, B whole, C's beginning, then fds",
     {{40, 1}, {16, 0}, {24, 2}},
     {{20, 0}, {44, 1}, {16, 2}}},

    {"as long as a look", {{LIMIT_PEEK, 2}}, {{LIMIT_PEEK, 2}}},
    {"longer than a look", {{LIMIT_PEEK + 1, 2}, {16, 0}}, {{LIMIT_PEEK + 17, 2}}},
    {"small ones up to the end of a look, then fds",
     {{LIMIT_PEEK - 16, 0}, {16, 0}, {40, 2}},
     {{LIMIT_PEEK, 0}, {40, 2}}},
    {"a look ends in a header",
     {{LIMIT_PEEK - 8, 0}, {40, 0}, {40, 1}},
     {{LIMIT_PEEK + 32, 0}, {40, 1}}},
    {"a look ends in a body",
     {{LIMIT_PEEK - 30, 0}, {40, 0}, {40, 1}},
     {{LIMIT_PEEK + 10, 0}, {40, 1}}},
    {"a long one behind a small one with fds",
     {{24, 1}, {3 * LIMIT_PEEK, 0}, {24, 1}},
     {{24 + 3 * LIMIT_PEEK, 1}, {24, 1}}},
    {"a long one in pieces, fds with some",
     {{3 * LIMIT_PEEK, 3}, {16, 0}},
     {{LIMIT_PEEK, 1}, {LIMIT_PEEK, 0}, {LIMIT_PEEK, 2}, {16, 0}}},
};

START_TEST(named_cuts)
{
    for (enum turns turns = TURN_AFTER_EACH; turns <= TURN_AT_THE_END; turns++) {
        for (const struct sized *m = conversations[_i].messages; m->n > 0; m++) {
            rig_command(&rig, m->n);
        }
        for (const struct sized *w = conversations[_i].writes; w->n > 0; w++) {
            rig_write(&rig, w->n, w->fds);
            if (turns == TURN_AFTER_EACH) {
                ck_assert_int_eq(rig_run(&rig), RELAY_READ);
            }
        }
        /* What the rig expects is what the table says. */
        for (size_t i = 0; i < rig.count; i++) {
            ck_assert_uint_eq(rig.messages[i].fds.n, conversations[_i].messages[i].fds);
        }
        run_and_receive();
        rig_restart(&rig);
    }
}
END_TEST

/* ---- every cut ---- */

/* Three messages of 18, 16 and 20 bytes. */
#define STREAM 54

static void three_messages(void)
{
    rig_command(&rig, 18);
    rig_command(&rig, 16);
    rig_command(&rig, 20);
}

/*
 * Bits of _i: which of the three writes brings an fd, and after which of the first two is a turn.
 * All _i together have every pair of cuts many times over, so each has a part of them.
 */
START_TEST(every_cut_in_three)
{
    const size_t step = unit_step(2);

    for (size_t a = 1; a < STREAM; a++) {
        for (size_t b = a + 1 + ((size_t)_i / 3 + a) % step; b <= STREAM; b += step) {
            const size_t ends[3] = {a, b, STREAM};

            three_messages();
            for (unsigned w = 0; w < 3 && rig.written < STREAM; w++) {
                rig_write(&rig, ends[w] - rig.written, _i >> w & 1);
                if (w == 2 || (_i >> (3 + w) & 1)) {
                    run_and_receive();
                }
            }
            run_and_receive();
            rig_restart(&rig);
        }
    }
}
END_TEST

/* _i: the byte that brings fds. */
START_TEST(a_byte_a_write)
{
    for (enum turns turns = TURN_AFTER_EACH; turns <= TURN_AT_THE_END; turns++) {
        three_messages();
        for (int i = 0; i < STREAM; i++) {
            rig_write(&rig, 1, i == _i ? 2 : 0);
            if (turns == TURN_AFTER_EACH) {
                run_and_receive();
            }
        }
        run_and_receive();
        rig_restart(&rig);
    }
}
END_TEST

START_TEST(fds_with_every_byte)
{
    rig_command(&rig, FDS);
    rig_command(&rig, FDS);
    for (int i = 0; i < 2 * FDS; i++) {
        rig_write(&rig, 1, 1);
        if (_i) {
            run_and_receive();
        }
    }
    run_and_receive();
}
END_TEST

/* ---- many ---- */

START_TEST(many_glued_messages_arrive)
{
    for (size_t i = 0; i < RIG_MESSAGES; i++) {
        rig_command(&rig, 16 + i % 60);
    }
    rig_write(&rig, rig.n, 0);
    run_and_receive();
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, RIG_MESSAGES);
}
END_TEST

START_TEST(many_messages_with_fds_arrive)
{
    for (size_t i = 0; i < 40; i++) {
        const size_t size = 16 + i % 3 * 8;

        rig_command(&rig, size);
        rig_write(&rig, size, 1 + i % 2);
    }
    run_and_receive();
}
END_TEST

/* Always the same numbers for the same seed. */
static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*state >> 8) * below >> 24);
}

/* Sizes mostly small, some beside the limits of a look, some large. */
static size_t draw_size(uint32_t *state)
{
    switch (draw(state, 8)) {
    case 0:
        return LIMIT_PEEK - 20 + draw(state, 40);
    case 1:
        return 16 + draw(state, 30000);
    default:
        return 16 + draw(state, 64);
    }
}

/* At most one write a message brings fds, so that none has more than the receiver takes. */
START_TEST(drawn_streams_arrive)
{
    uint32_t state = (uint32_t)_i;

    for (size_t i = 0; i < 60; i++) {
        rig_command(&rig, draw_size(&state));
    }
    for (size_t last = RIG_MESSAGES; rig.written < rig.n;) {
        const size_t left = rig.n - rig.written;
        const size_t want = draw(&state, 4) ? 1 + draw(&state, 100) : 1 + draw(&state, 20000);
        size_t in = 0;

        while (in + 1 < rig.count && rig.messages[in + 1].start <= rig.written) {
            in++;
        }
        rig_write(&rig, want < left ? want : left, in != last ? draw(&state, FDS + 1) : 0);
        last = in;
        if (draw(&state, 3) == 0) {
            run_and_receive();
        }
    }
    run_and_receive();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pipe");
    TCase *tc = unit_case(s, "cuts");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_loop_test(tc, named_cuts, 0, sizeof conversations / sizeof conversations[0]);
    tcase_add_loop_test(tc, every_cut_in_three, 0, 32);
    tcase_add_loop_test(tc, a_byte_a_write, 0, STREAM);
    tcase_add_loop_test(tc, fds_with_every_byte, 0, 2);
    tc = unit_case(s, "many");
    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, many_glued_messages_arrive);
    tcase_add_test(tc, many_messages_with_fds_arrive);
    tcase_add_loop_test(tc, drawn_streams_arrive, 0, 100);
    return unit_run(s);
}
