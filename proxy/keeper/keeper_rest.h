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

/*
 * Kills the children that the kernel lists, except for those in a store (NULL: none). They still
 * have to be collected: of one that has ended, nothing but its pid is left.
 */
void keeper_rest_kill_listed(const struct keeper_store *except);

#endif
