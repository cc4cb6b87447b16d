/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The name of the virtual machine that a client runs: for people, and no proof of identity. Theory:
 *
 *   QEMU's own command line has it ("-name guest=web1"), which the process can rewrite at any time.
 *   libvirt names the unit after it ("machine-qemu\x2d1\x2dweb1.scope"), without the characters
 *   that a machine's name must not have; the process cannot change that. So the command line's name
 *   counts, unless it is another one than the unit's.
 *
 *   Reading a command line reads the process's memory, which it can have served by itself
 *   (userfaultfd): peer_vm_read may block, and the monitor calls it in a thread of its own.
 */
#ifndef POEMD_POLICY_PEER_PEER_VM_H
#define POEMD_POLICY_PEER_PEER_VM_H

#include "policy/peer/peer.h"

/* A name by a command line, or why it is unknown. */
struct peer_vm {
    struct peer_unknown unknown;
    char name[PEER_VM_MAX]; /* foreign bytes */
};

/*
 * Reads the name from the command line of a process, of which at most the first 32 KiB count.
 * Cannot fail. May block. pidfd must be the process's.
 */
void peer_vm_read(struct peer_vm *out, pid_t pid, int pidfd);

/* Sets PEER_VM of p by the name of its command line and by its unit. */
void peer_vm_settle(struct peer *p, const struct peer_vm *given);

/* Reads the name of p's process and settles it. May block: for tools. */
void peer_vm_find(struct peer *p);

/* ---- pure ---- */

/*
 * Finds the name in n bytes of arguments, each with its NUL, as QEMU does: the last "guest" of all
 * -name options, also as their first value without a key. Returns false if there is none, if it
 * is empty, or if it does not fit.
 */
bool peer_vm_of_arguments(const char *p, size_t n, char out[PEER_VM_MAX])
    __attribute__((warn_unused_result));

#endif
