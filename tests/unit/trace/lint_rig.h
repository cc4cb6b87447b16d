/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A conversation that trace lint listens to: with a device that has two regions and two interrupt
 * types. What was found is the rules' names, each with its party: "count(client) flags(backend)".
 */
#ifndef POEMD_TESTS_UNIT_TRACE_LINT_RIG_H
#define POEMD_TESTS_UNIT_TRACE_LINT_RIG_H

#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"
#include "trace/lint/lint.h"

extern struct lint *lint;
extern char found[4096];

/* What has been found since the last time. */
#define EXPECT(text) \
    do { \
        ck_assert_str_eq(found, text); \
        found[0] = '\0'; \
    } while (0)

/* A session whose interface and section have these comments; ends it, with that comment. */
void open_session(const char *comment, const char *section);
void close_session(const char *ending);

/* A session in which all has been told of the device; the end of any session that is open. */
void setup(void);
void teardown(void);

void feed(const struct said *s);

/* Messages, to be fed. */
struct said *ask(uint16_t id, uint16_t command, const void *p, size_t n);
struct said *answer(uint16_t id, uint16_t command, const void *p, size_t n);
struct said *refuse(uint16_t id, uint16_t command, uint32_t error);
struct said *device_asks(uint16_t id, uint16_t command, const void *p, size_t n);
struct said *client_answers(uint16_t id, uint16_t command, const void *p, size_t n);

/* VERSION by one of these, with JSON or NULL. */
struct said *version_text(struct said *(*say)(uint16_t, uint16_t, const void *, size_t),
                          uint16_t minor, const char *json);

/* Feeds a message of one leg. */
void on_leg(struct said *s, uint8_t legs, bool broker);

/* The four messages of a VERSION exchange with this JSON. */
void greet(const char *client, const char *backend);

#endif
