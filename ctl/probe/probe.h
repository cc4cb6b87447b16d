/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl probe: what a vfio-user server says of its device, asked once, shown as text or JSON.
 *
 *   probe_gather  asks (probe_ask.c)   ->  struct probe  ->  probe_text, probe_json
 *
 * Only questions are asked: nothing is written to the device, mapped, or armed. The fds that come
 * with answers are counted and closed.
 */
#ifndef POEMD_CTL_PROBE_PROBE_H
#define POEMD_CTL_PROBE_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/client.h"
#include "base/wire.h"
#include "handshake/version.h"
#include "client/pci.h"

/*
 * What the probe offers: word for word what QEMU 11.1 does, so that the answer is the one that QEMU
 * would get, and whether it fits QEMU's buffer can be told.
 */
#define PROBE_OFFER \
    "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, " \
    "\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, " \
    "\"pgsize\": 4096}, \"write_multiple\": true}}"
#define PROBE_MAX_FDS 16u

/*
 * Regions and interrupt types that are asked for. PCI has 9 and 5, servers add a few of their own;
 * a device that claims more is not believed.
 */
#define PROBE_REGIONS 64u
#define PROBE_IRQS 64u

/* Entries of one list (sparse areas, IO fds) that are kept and shown; all are counted. */
#define PROBE_LIST 64u

/* How a question that need not have an answer went. */
enum probe_answer {
    PROBE_UNASKED, /* the server ended the conversation before, or the question makes no sense */
    PROBE_ANSWERED,
    PROBE_REFUSED, /* with an errno */
};

struct probe_region {
    enum probe_answer answer;
    int error;
    struct wire_region_info info;
    unsigned fds;
    uint32_t areas; /* sparse areas there are … */
    struct wire_sparse_area area[PROBE_LIST];
    bool sparse; /* a list of them came, maybe an empty one */
    bool typed;
    struct wire_cap_type type;
    unsigned other_caps; /* capabilities of the region's that have no name here */
    enum probe_answer io_answer;
    int io_error;
    unsigned io_fds;
    uint32_t ios; /* sub-regions there are … */
    struct wire_io_fd io[PROBE_LIST];
};

struct probe_irq {
    enum probe_answer answer;
    int error;
    struct wire_irq_info info;
};

/* A device feature that was asked for by PROBE. */
struct probe_feature {
    uint32_t index;
    uint32_t methods;
    const char *name; /* as the JSON has it; static */
    enum probe_answer answer;
    int error;
};

#define PROBE_FEATURES 5u

struct probe {
    char socket[512]; /* the path, escaped */
    struct version_offer version;
    size_t version_bytes; /* the whole VERSION reply */
    struct wire_device_info device;
    struct probe_region region[PROBE_REGIONS];
    struct probe_irq irq[PROBE_IRQS];
    bool has_config;
    int config_error; /* errno with which reading it was refused; 0: it was not */
    struct pci_config config;
    struct probe_feature feature[PROBE_FEATURES];
    bool has_migration;
    struct wire_feature_migration migration;
    bool has_state;
    uint32_t state;       /* enum wire_mig_state */
    char incomplete[256]; /* why the later questions were not asked; "": they were */
};

/* How the gathering went. */
enum probe_outcome {
    PROBE_DONE,
    PROBE_DENIED,  /* refused, by VERSION or GET_INFO: probe_error says it */
    PROBE_STOPPED, /* not to be done at all */
};

/* What to tell of a failure. */
struct probe_error {
    const char *what; /* the question: "version", "device info"; static */
    int error;        /* errno of a refusal */
    char text[512];   /* printable */
};

/* Makes it empty. */
void probe_init(struct probe *p);
void probe_deinit(struct probe *p);

/* Asks everything of the server at path; each step within timeout_ms. */
enum probe_outcome probe_gather(struct probe *p, const char *path, int timeout_ms,
                                struct probe_error *why) __attribute__((warn_unused_result));

/* Shows it in the manner of lspci -vv. */
void probe_text(const struct probe *p, FILE *f);

/* The same as one JSON object, a new reference; NULL without memory. poemctl(1), "probe". */
json_t *probe_json(const struct probe *p) __attribute__((warn_unused_result));

/* The JSON for a refusal. */
json_t *probe_json_refused(const char *socket, const struct probe_error *why)
    __attribute__((warn_unused_result));

/* ---- names, for both forms; static ---- */

/* A flag word's bits; the last has mask 0. */
struct probe_flag {
    uint32_t mask;
    const char *name;
};

extern const struct probe_flag probe_device_flags[];
extern const struct probe_flag probe_region_flags[];
extern const struct probe_flag probe_irq_flags[];
extern const struct probe_flag probe_migration_flags[];

/* The index's name: "BAR 0", "ROM", "configuration space"; "INTx", "MSI"; NULL: it has none. */
const char *probe_region_name(uint32_t index);
const char *probe_irq_name(uint32_t index);

/* A migration state's name; NULL: the page has none. */
const char *probe_state_name(uint32_t state);

/* "ioeventfd", "ioregionfd"; NULL: the page has none. */
const char *probe_io_name(uint32_t type);

/* An errno's name, or "0" where a refusal brought none; out has size bytes. Returns it. */
const char *probe_errno_name(int error, char *out, size_t size);

/* The BAR's size in bytes as its region has it, i < PCI_BARS, or WIRE_PCI_ROM. 0: there is none. */
uint64_t probe_bar_size(const struct probe *p, uint32_t i);

/* Whether the VERSION reply fits into what a stock QEMU takes: the length of its own request. */
bool probe_fits_qemu(const struct probe *p);

#endif
