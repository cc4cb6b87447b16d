/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Types of profile.h: the programs, what they judge, and what they find. */
#ifndef POEMD_TRACE_LINT_PROFILE_SINK_H
#define POEMD_TRACE_LINT_PROFILE_SINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/pci.h"

/* The program at the other end, in the order of PROFILE_WORDS. */
enum profile {
    PROFILE_QEMU,             /* the client */
    PROFILE_SPEC,             /* any that follows the specification: nothing to add */
    PROFILE_LIBVFIO_USER,     /* the server */
    PROFILE_CLOUD_HYPERVISOR, /* the client */
};

/* The words of the option --for. */
#define PROFILE_WORDS "qemu|spec|libvfio-user|cloud-hypervisor"

enum profile_effect {
    PROFILE_WARNS,   /* and goes on */
    PROFILE_FAILS,   /* the request fails; the device may work without it */
    PROFILE_REFUSES, /* the device, or the connection */
    PROFILE_ABORTS,
    PROFILE_CRASHES,
    PROFILE_HANGS,
};

struct profile_finding {
    enum profile_effect effect;
    const char *text;   /* the fault: "max_msg_fds is 32, more than 16" */
    const char *prints; /* by the program; "" if nothing */
};

typedef void profile_fn(const struct profile_finding *f, void *arg);

struct profile_sink {
    enum profile profile;
    profile_fn *fn;
    void *arg;
};

/* A reply to VERSION, whose numbers match the request's. */
struct profile_version {
    size_t size;        /* of the whole message */
    const json_t *json; /* NULL: no version data */
    unsigned n_fds;
};

/* A configuration space that was read at once, and what is known of the device besides. */
struct profile_pci {
    const struct pci_config *config; /* at least its header */
    bool bars_known;
    uint64_t bar[PCI_BARS]; /* sizes; 0: none */
    bool intx_known;
    uint32_t intx; /* number of INTx interrupts */
};

#endif
