/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's messages to the keeper (proxy/ipc/fdstore_wire.h), read. Pure. */
#ifndef POEMD_PROXY_KEEPER_KEEPER_MESSAGE_H
#define POEMD_PROXY_KEEPER_KEEPER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proxy/ipc/fdstore_wire.h"

enum keeper_verb {
    KEEPER_NOTHING,
    KEEPER_KEEP,
    KEEPER_DROP,
    KEEPER_READY,
    KEEPER_STOPPING,
    KEEPER_FORKING,
    KEEPER_FORKED,
    KEEPER_COLLECT,
    KEEPER_UPGRADE,
    KEEPER_RELOADING,
    KEEPER_RELOADED,
    KEEPER_ALIVE,
};

struct keeper_message {
    enum keeper_verb verb;
    pid_t pid;                       /* of KEEPER_COLLECT */
    char name[FDSTORE_NAME_MAX + 1]; /* of KEEPER_KEEP and KEEPER_DROP */
};

/*
 * Reads a message of n bytes, with or without a newline at its end. Lines that are not known are
 * skipped. Returns false if it has no verb or several, or a name or pid that is missing or wrong.
 */
bool keeper_message_read(struct keeper_message *m, const char *text, size_t n)
    __attribute__((warn_unused_result));

/* Returns true if n characters can be the name of a kept fd. */
bool keeper_message_name_sound(const char *name, size_t n);

/* Returns the pid of the process that an fd of this name refers to, or 0. */
pid_t keeper_message_child(const char *name);

#endif
