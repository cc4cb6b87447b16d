/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The end of all processes below the keeper. */
#ifndef POEMD_PROXY_KEEPER_KEEPER_REST_H
#define POEMD_PROXY_KEEPER_KEEPER_REST_H

/*
 * Kills and collects all children of this process, and what becomes its child meanwhile, since it
 * is a subreaper. SIGCHLD is blocked. Waits for at most ms milliseconds for processes that the
 * kernel holds.
 */
void keeper_rest_kill(unsigned ms);

struct keeper_store;

/* Kills all children that are not in the store. They still have to be collected. */
void keeper_rest_kill_unknown(const struct keeper_store *s);

#endif
