/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Asks a program whether it can go on: it is executed as UPGRADE_CHECK_ARG, with the versions of
 * the state that it would find (UPGRADE_STATE) and poemd's command line, and checks both.
 */
#ifndef POEMD_PROXY_MONITOR_UPGRADE_UPGRADE_CHECK_H
#define POEMD_PROXY_MONITOR_UPGRADE_UPGRADE_CHECK_H

#include <event2/event.h>
#include <stddef.h>

#include "proxy/ipc/relay_mark.h"
#include "proxy/ipc/session_page.h"
#include "proxy/monitor/keep/state_record.h"

/* argv[1] of a program that is asked; the state and the command line follow. */
#define UPGRADE_CHECK_ARG "--can-go-on"

/* The versions of all that an earlier monitor and its workers leave, and of their channel. */
#define UPGRADE_CHECK_TEXT_OF(number) #number
#define UPGRADE_CHECK_TEXT(number) UPGRADE_CHECK_TEXT_OF(number)
#define UPGRADE_STATE \
    UPGRADE_CHECK_TEXT(STATE_VERSION) \
    "/" UPGRADE_CHECK_TEXT(SESSION_PAGE_VERSION) "/" UPGRADE_CHECK_TEXT( \
        RELAY_MARK_VERSION) "/" UPGRADE_CHECK_TEXT(IPC_VERSION)

/* Output beyond this is dropped. */
#define UPGRADE_CHECK_OUTPUT 4096u

struct upgrade_check;

/*
 * Called once. good: the program can go on. text has what it printed, in printable ASCII, and what
 * became of it if it did not exit by itself.
 */
typedef void upgrade_check_fn(void *arg, bool good, const char *text);

/*
 * Executes the program (borrowed) with the command line words (ends in NULL, without the program's
 * name). Returns NULL with errno set if it cannot.
 */
struct upgrade_check *upgrade_check_new(struct event_base *base, int program_fd,
                                        char *const words[], upgrade_check_fn *fn, void *arg)
    __attribute__((warn_unused_result));

/* Ends the program if it runs; fn is not called any more. NULL is allowed. */
void upgrade_check_free(struct upgrade_check *c);

#endif
