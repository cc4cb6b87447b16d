/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's limit of open files, as a configuration needs it. */
#ifndef POEMD_PROXY_CONFIG_NOFILE_H
#define POEMD_PROXY_CONFIG_NOFILE_H

#include <stdint.h>

struct config;

/* Returns how many open files the configuration needs. */
uint64_t nofile_wanted(const struct config *c);

/* Raises the limit, if it is lower and may be raised; logs a warning if it is too low. */
void nofile_raise(const struct config *c);

/*
 * Makes the kernel grow the process's fd table at once, at the start: later, when the audit log's
 * thread runs, each growth would block for up to 30 ms (synchronize_rcu).
 */
void nofile_widen(const struct config *c);

#endif
