/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Parses texts for the suites of the configuration language. */
#include "tests/unit/config/parsed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

struct parsed parse_nothing(void)
{
    struct parsed x = {.r = 0};

    config_errors_init(&x.e);
    ck_assert_int_eq(config_init(&x.c), 0);
    return x;
}

struct parsed parse_bytes(const void *p, size_t n)
{
    struct parsed x = parse_nothing();

    x.r = config_parse(&x.c, p, n, &x.e);
    return x;
}

struct parsed parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

void let_go(struct parsed *x)
{
    config_deinit(&x->c);
}

struct parsed parse_good(const char *text)
{
    struct parsed x = parse(text);

    config_errors_print(&x.e, "should be good", stderr);
    ck_assert_int_eq(x.r, 0);
    ck_assert_uint_eq(x.e.total, 0);
    return x;
}

void must_be_wrong(const struct parsed *x, const struct wrong *w)
{
    const struct config_error *e = &x->e.error[0];

    if (x->e.total != 1 || e->at.line != w->line || e->at.column != w->column ||
        !strstr(e->text, w->error) || !strstr(e->hint, w->hint)) {
        config_errors_print(&x->e, "is", stderr);
        ck_abort_msg("%s\nshould be %u:%u: %s", w->text, w->line, w->column, w->error);
    }
    ck_assert_int_eq(x->r, -EINVAL);
}
