/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl probe: asks a vfio-user server about its device, once, and shows the answers as text or
 * JSON.
 *
 *   probe_gather  asks (probe_ask.c)   ->  struct probe  ->  probe_text, probe_json
 *
 * Only asks: never writes to the device, maps memory, or arms interrupts. Fds in answers are
 * counted and closed.
 */
#ifndef POEMD_CTL_PROBE_PROBE_H
#define POEMD_CTL_PROBE_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/client.h"
#include "base/wire/wire.h"
#include "base/wire/wire_names.h"
#include "handshake/version.h"
#include "client/pci.h"
#include "trace/lint/profile.h"

/*
 * The offer of the probe's VERSION request: byte for byte that of QEMU 11.1, so that the server
 * answers as it would answer QEMU, and the probe can check whether the reply fits QEMU's buffer.
 */
#define PROBE_OFFER \
    "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, " \
    "\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, " \
    "\"pgsize\": 4096}, \"write_multiple\": true}}"
#define PROBE_MAX_FDS 16u

/*
 * Regions and interrupt types that are queried. PCI has 9 and 5, servers add a few of their own; a
 * device that claims more is not believed.
 */
#define PROBE_REGIONS 64u
#define PROBE_IRQS 64u

/* Entries of one list (sparse areas, IO fds) that are kept and printed; all are counted. */
#define PROBE_LIST 64u

/* The outcome of an optional question. */
enum probe_answer {
    /* the server ended the conversation before, or the question does not apply */
    PROBE_UNASKED,
    PROBE_ANSWERED,
    PROBE_REFUSED, /* with an errno */
};

struct probe_region {
    enum probe_answer answer;
    int error;
    struct wire_region_info info;
    unsigned fds;
    uint32_t areas; /* number of sparse areas … */
    struct wire_sparse_area area[PROBE_LIST];
    bool sparse; /* the server sent a list, perhaps an empty one */
    bool typed;
    struct wire_cap_type type;
    unsigned other_caps; /* the region's unknown capabilities */
    enum probe_answer io_answer;
    int io_error;
    unsigned io_fds;
    uint32_t ios; /* number of sub-regions … */
    struct wire_io_fd io[PROBE_LIST];
};

struct probe_irq {
    enum probe_answer answer;
    int error;
    struct wire_irq_info info;
};

/* A device feature that PROBE asked about. */
struct probe_feature {
    uint32_t index;
    uint32_t methods;
    const char *name; /* in the JSON; static */
    enum probe_answer answer;
    int error;
};

#define PROBE_FEATURES 5u

/* What the profile's program does with the device. */
struct probe_finding {
    enum profile_effect effect;
    char text[256];
    char prints[160];
};

/* Findings that are kept; a device has fewer regions than that. */
#define PROBE_FINDINGS 128u

struct probe {
    char socket[512]; /* the path, escaped */
    struct version_offer version;
    size_t version_bytes; /* of the whole VERSION reply */
    struct wire_device_info device;
    struct probe_region region[PROBE_REGIONS];
    struct probe_irq irq[PROBE_IRQS];
    bool has_config;
    int config_error; /* errno of the refusal to read it, or 0 */
    struct pci_config config;
    struct probe_feature feature[PROBE_FEATURES];
    bool has_migration;
    struct wire_feature_migration migration;
    bool has_state;
    uint32_t state; /* enum wire_mig_state */
    enum profile profile;
    bool accepted; /* by the profile's program */
    unsigned n_findings;
    struct probe_finding finding[PROBE_FINDINGS];
    char incomplete[256]; /* why later questions were not asked, or "" */
};

/* The outcome of gathering. */
enum probe_outcome {
    PROBE_DONE,
    PROBE_DENIED,  /* refused, by VERSION or GET_INFO: see probe_error */
    PROBE_STOPPED, /* failed */
};

/* Describes a failure. */
struct probe_error {
    const char *what; /* the question: "version", "device info"; static */
    int error;        /* of a refusal */
    char text[512];   /* printable */
};

/* Initialises an empty probe, and releases one. */
void probe_init(struct probe *p);
void probe_deinit(struct probe *p);

/* Asks the server at path all questions; each step within timeout_ms. */
enum probe_outcome probe_gather(struct probe *p, const char *path, int timeout_ms,
                                struct probe_error *why) __attribute__((warn_unused_result));

/* Judges the answers by a profile, and keeps what it finds. */
void probe_profile(struct probe *p, enum profile profile);

/* Prints it in the manner of lspci -vv. */
void probe_text(const struct probe *p, FILE *f);

/*
 * Returns it as one JSON object, a new reference; NULL if memory runs out. See poemctl(1), "probe".
 */
json_t *probe_json(const struct probe *p) __attribute__((warn_unused_result));

/* Returns the JSON for a refusal. */
json_t *probe_json_refused(const char *socket, const struct probe_error *why)
    __attribute__((warn_unused_result));

/* ---- for both forms ---- */

/* Returns an errno's name, or "0" if a refusal carried none; out has size bytes. */
const char *probe_errno_name(int error, char *out, size_t size);

/*
 * Returns the size in bytes of the BAR's region, i < PCI_BARS or WIRE_PCI_ROM; 0 if there is none.
 */
uint64_t probe_bar_size(const struct probe *p, uint32_t i);

/* Returns true if the VERSION reply fits a stock QEMU's buffer, which is as long as its request. */
bool probe_fits_qemu(const struct probe *p);

#endif
