/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How long a client of the exporter may take for a whole request. evhttp's own limit is for each
 * read and write: a client that sends a byte now and then would keep its place for ever.
 */
#ifndef POEMD_PROXY_EXPORTER_EXPORTER_CLIENTS_H
#define POEMD_PROXY_EXPORTER_EXPORTER_CLIENTS_H

#include <stddef.h>

struct evhttp;
struct exporter_clients;

/*
 * Ends each connection that http accepts from now on after ms milliseconds, whatever it does; so an
 * answer should close its connection. There are never more at a time than most, which is above 0.
 * Returns NULL if out of memory.
 */
struct exporter_clients *exporter_clients_new(struct evhttp *http, size_t most, unsigned ms)
    __attribute__((warn_unused_result));

/* Call it after evhttp_free. NULL is allowed. */
void exporter_clients_free(struct exporter_clients *all);

#endif
