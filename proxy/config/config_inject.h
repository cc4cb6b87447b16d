/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules for faults on purpose, of a route or of an operator, as a worker is sent them. */
#ifndef POEMD_PROXY_CONFIG_CONFIG_INJECT_H
#define POEMD_PROXY_CONFIG_CONFIG_INJECT_H

#include "proxy/config/config.h"
#include "proxy/ipc/ipc.h"

/*
 * Checks rules (trace/decode/injection.h), one on each line, and copies them to out. An empty text
 * has none. Returns false with the error in why (size bytes).
 */
bool config_inject_read(const char *text, struct ipc_inject *out, char *why, size_t size)
    __attribute__((warn_unused_result));

/* Checks the rules of a route. */
void config_inject_check(const struct config_route *r, struct config_errors *e);

/* Copies the rules of a route, which have been checked. */
void config_inject_of(const struct config_route *r, struct ipc_inject *out);

#endif
