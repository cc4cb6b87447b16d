/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The configuration language's parser: whatever the bytes are, it ends, and either what it made can
 * be served or it says why not, in printable ASCII with a place inside the bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/config.h"
#include "proxy/config/config_index.h"
#include "proxy/config/config_value.h"
#include "proxy/config/config_where.h"
#include "tests/fuzz/fuzz.h"

static void check_printable(const char *text)
{
    for (; *text; text++) {
        FUZZ_REQUIRE(*text >= 0x20 && *text < 0x7f);
    }
}

static void check_errors(const struct config_errors *e, size_t n, bool has_source)
{
    FUZZ_REQUIRE(e->total > 0 && e->n > 0 && e->n <= CONFIG_ERRORS && e->n <= e->total);
    for (size_t i = 0; i < e->n; i++) {
        const struct config_place at = e->error[i].at;

        FUZZ_REQUIRE(e->error[i].text[0] != '\0');
        check_printable(e->error[i].text);
        check_printable(e->error[i].hint);
        /* A "source" statement can name any line. */
        FUZZ_REQUIRE(has_source || at.line <= n + 1);
        FUZZ_REQUIRE(at.column <= LIMIT_CONFIG_LINE + 1);
        FUZZ_REQUIRE((at.line == 0) == (at.column == 0));
        if (i > 0) {
            FUZZ_REQUIRE(e->error[i - 1].at.line <= at.line);
        }
    }
}

static void check_value(enum value_kind kind, const char *text)
{
    struct value_fault fault;
    unsigned none;

    FUZZ_REQUIRE(text && value_read(kind, text, 0, 0, &none, &fault));
}

static void check_config(const struct config *c)
{
    FUZZ_REQUIRE((c->n_routes > 0 || c->has_template) && c->n_routes <= LIMIT_ROUTES);
    FUZZ_REQUIRE(c->workers <= LIMIT_WORKERS);
    FUZZ_REQUIRE(c->max_sessions > 0 && c->max_sessions <= LIMIT_SESSIONS);
    FUZZ_REQUIRE(c->log_level <= LOG_DEBUG);
    if (c->user) {
        check_value(VALUE_ACCOUNT, c->user);
    }
    for (size_t i = 0; i < c->n_routes; i++) {
        const struct config_route *r = &c->routes[i];

        FUZZ_REQUIRE(strlen(r->name) <= LIMIT_NAME);
        if (!strchr(r->name, '@')) {
            check_value(VALUE_NAME, r->name);
        }
        FUZZ_REQUIRE(config_route_find(c, r->name) == r && config_route_at(c, r->listen) == r);
        check_value(VALUE_SOCKET, r->listen);
        FUZZ_REQUIRE(!r->backend != !r->spawn);
        check_value(r->backend ? VALUE_SOCKET : VALUE_COMMAND, r->backend ? r->backend : r->spawn);
        FUZZ_REQUIRE(!r->backend || !value_same_path(r->listen, r->backend));
        FUZZ_REQUIRE(r->mode <= 0777);
        FUZZ_REQUIRE(r->sessions > 0 && r->sessions <= c->max_sessions);
        FUZZ_REQUIRE(r->handshake_ms > 0 && r->handshake_ms <= LIMIT_HANDSHAKE_MAX_MS);
        FUZZ_REQUIRE(r->wait_backend_ms <= r->handshake_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct config c;
    struct config_errors e;
    int r;

    config_errors_init(&e);
    if (config_init(&c) < 0) {
        return 0;
    }
    r = config_parse(&c, p, n, &e);
    if (r == 0) {
        FUZZ_REQUIRE(e.total == 0);
        check_config(&c);
    } else if (r == -EINVAL) {
        check_errors(&e, n, memmem(p, n, "source", 6) != NULL);
    }
    config_deinit(&c);
    return 0;
}
