/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Asks the questions of poemctl probe: first those that every server must answer, last those that
 * some do not know, since a server may close the connection at an unknown command.
 *
 * Never writes to the device. Prints nothing.
 */
#define _GNU_SOURCE
#include "ctl/probe/probe.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdset.h"
#include "base/log.h"

static_assert(WIRE_HDR_SIZE + sizeof(struct wire_version) + sizeof PROBE_OFFER == 214,
              "QEMU's VERSION request, as measured");

void probe_init(struct probe *p)
{
    *p = (struct probe){0};
    version_init(&p->version);
}

void probe_deinit(struct probe *p)
{
    version_deinit(&p->version);
}

bool probe_fits_qemu(const struct probe *p)
{
    return p->version_bytes <= WIRE_HDR_SIZE + sizeof(struct wire_version) + sizeof PROBE_OFFER;
}

/* Records that the conversation ended at a question. */
static enum probe_outcome probe_ask_stopped(struct probe_error *why, const struct client *c,
                                            enum client_outcome o, const char *what)
{
    char text[256];

    why->what = what;
    why->error = 0;
    snprintf(why->text, sizeof why->text, "%s: %s", what, client_text(c, o, text, sizeof text));
    return PROBE_STOPPED;
}

/* Records that a question without which the probe cannot go on was refused. */
static enum probe_outcome probe_ask_denied(struct probe_error *why, const struct client *c,
                                           const char *what)
{
    char text[256];

    why->what = what;
    why->error = c->error;
    snprintf(why->text, sizeof why->text, "%s %s", what,
             client_text(c, CLIENT_REFUSED, text, sizeof text));
    return PROBE_DENIED;
}

/* ---- mandatory questions ---- */

/* Parses the reply's JSON as strictly as the broker does; the client keeps it as text. */
static enum version_outcome probe_ask_read_version(struct probe *p, const struct client *c,
                                                   enum json_outcome *json)
{
    const size_t text = c->json ? strlen(c->json) + 1 : 0;
    const size_t n = sizeof c->version + text;
    enum version_outcome o;
    uint8_t *payload = malloc(n);

    *json = JSON_NO_MEMORY;
    if (!payload) {
        return VERSION_JSON;
    }
    wire_put(payload, &c->version, sizeof c->version);
    if (text > 0) {
        memcpy(payload + sizeof c->version, c->json, text);
    }
    o = version_read(&p->version, payload, n, json);
    free(payload);
    return o;
}

static enum probe_outcome ask_version(struct probe *p, struct client *c, struct probe_error *why)
{
    const enum client_outcome o = client_version(c, 0, 0, PROBE_OFFER);
    struct version_offer offer;
    enum version_outcome v;
    enum json_outcome json = JSON_OK;

    if (o == CLIENT_REFUSED) {
        return probe_ask_denied(why, c, "version");
    }
    if (o != CLIENT_OK) {
        return probe_ask_stopped(why, c, o, "version");
    }
    p->version_bytes = WIRE_HDR_SIZE + sizeof c->version + c->json_size;
    v = probe_ask_read_version(p, c, &json);
    if (v == VERSION_OK) {
        version_init(&offer);
        v = version_agree(&offer, &p->version, 0);
        version_deinit(&offer);
    }
    if (v != VERSION_OK) {
        return probe_ask_stopped(why, c, client_malformed(c, version_outcome_text(v, json)),
                                 "version");
    }
    return PROBE_DONE;
}

static enum probe_outcome ask_device(struct probe *p, struct client *c, struct probe_error *why)
{
    const enum client_outcome o = client_device_info(c, &p->device);

    if (o == CLIENT_REFUSED) {
        return probe_ask_denied(why, c, "device info");
    }
    if (o != CLIENT_OK) {
        return probe_ask_stopped(why, c, o, "device info");
    }
    if (p->device.num_regions > PROBE_REGIONS || p->device.num_irqs > PROBE_IRQS) {
        return probe_ask_stopped(
            why, c, client_malformed(c, "more regions or interrupt types than 64"), "device info");
    }
    return PROBE_DONE;
}

/* Records a region's capability. */
static void probe_ask_keep_cap(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    struct probe_region *r = arg;
    struct wire_sparse_area area;

    if (cap->id == WIRE_CAP_SPARSE_MMAP) {
        r->sparse = true;
        for (uint32_t i = 0; wire_sparse_area_at(p, n, i, &area); i++) {
            if (i < PROBE_LIST) {
                r->area[i] = area;
            }
            r->areas = i + 1;
        }
    } else if (cap->id == WIRE_CAP_TYPE && n >= sizeof *cap + sizeof r->type) {
        r->typed =
            wire_get((const uint8_t *)p + sizeof *cap, n - sizeof *cap, &r->type, sizeof r->type);
    } else {
        r->other_caps++;
    }
}

static enum probe_outcome ask_region(struct probe *p, struct client *c, uint32_t i,
                                     struct probe_error *why)
{
    struct probe_region *r = &p->region[i];
    struct fdset fds;
    const void *payload;
    size_t n;
    enum client_outcome o;

    fdset_init(&fds);
    o = client_region_info(c, i, &r->info, &payload, &n, &fds);
    r->fds = fds.n;
    fdset_close(&fds);
    if (o == CLIENT_REFUSED) {
        r->answer = PROBE_REFUSED;
        r->error = c->error;
        return PROBE_DONE;
    }
    if (o == CLIENT_OK && wire_region_caps(payload, n, probe_ask_keep_cap, r) != WIRE_OK) {
        o = client_malformed(c, wire_check_text(WIRE_BAD_OFFSET));
    }
    if (o != CLIENT_OK) {
        return probe_ask_stopped(why, c, o, "region info");
    }
    r->answer = PROBE_ANSWERED;
    return PROBE_DONE;
}

static enum probe_outcome ask_irq(struct probe *p, struct client *c, uint32_t i,
                                  struct probe_error *why)
{
    struct probe_irq *irq = &p->irq[i];
    const enum client_outcome o = client_irq_info(c, i, &irq->info);

    if (o != CLIENT_OK && o != CLIENT_REFUSED) {
        return probe_ask_stopped(why, c, o, "interrupt info");
    }
    irq->answer = o == CLIENT_OK ? PROBE_ANSWERED : PROBE_REFUSED;
    irq->error = o == CLIENT_OK ? 0 : c->error;
    return PROBE_DONE;
}

static enum probe_outcome ask_config(struct probe *p, struct client *c, struct probe_error *why)
{
    const struct probe_region *r = &p->region[WIRE_PCI_CONFIG];
    enum client_outcome o;
    uint32_t n;

    if (!(p->device.flags & WIRE_DEVICE_FLAG_PCI) || p->device.num_regions <= WIRE_PCI_CONFIG ||
        r->answer != PROBE_ANSWERED || !(r->info.flags & WIRE_REGION_FLAG_READ) ||
        r->info.size < 0x40) {
        return PROBE_DONE;
    }
    n = r->info.size < PCI_CONFIG_SIZE_EXPRESS ? (uint32_t)r->info.size : PCI_CONFIG_SIZE_EXPRESS;
    o = client_region_read(c, WIRE_PCI_CONFIG, 0, p->config.bytes, n);
    if (o == CLIENT_REFUSED) {
        p->config_error = c->error ? c->error : EIO;
        return PROBE_DONE;
    }
    if (o != CLIENT_OK) {
        return probe_ask_stopped(why, c, o, "reading configuration space");
    }
    p->config.n = n;
    p->has_config = true;
    return PROBE_DONE;
}

/* ---- optional questions ---- */

/* Returns true if the probe may go on after an optional question; records the reason if not. */
static bool probe_ask_goes_on(struct probe *p, const struct client *c, enum client_outcome o,
                              const char *what)
{
    char text[200];

    if (o == CLIENT_OK || o == CLIENT_REFUSED) {
        return true;
    }
    snprintf(p->incomplete, sizeof p->incomplete, "%s: %s", what,
             client_text(c, o, text, sizeof text));
    return false;
}

static bool ask_features(struct probe *p, struct client *c)
{
    static const struct probe_feature features[PROBE_FEATURES] = {
        {.index = WIRE_FEATURE_MIGRATION, .methods = WIRE_FEATURE_GET, .name = "migration"},
        {.index = WIRE_FEATURE_MIG_DEVICE_STATE,
         .methods = WIRE_FEATURE_GET | WIRE_FEATURE_SET,
         .name = "mig_device_state"},
        {.index = WIRE_FEATURE_DMA_LOGGING_START,
         .methods = WIRE_FEATURE_SET,
         .name = "dma_logging_start"},
        {.index = WIRE_FEATURE_DMA_LOGGING_STOP,
         .methods = WIRE_FEATURE_SET,
         .name = "dma_logging_stop"},
        {.index = WIRE_FEATURE_DMA_LOGGING_REPORT,
         .methods = WIRE_FEATURE_GET,
         .name = "dma_logging_report"},
    };

    memcpy(p->feature, features, sizeof features);
    for (unsigned i = 0; i < PROBE_FEATURES; i++) {
        struct probe_feature *f = &p->feature[i];
        const enum client_outcome o = client_feature_probe(c, f->index, f->methods);

        if (!probe_ask_goes_on(p, c, o, "device feature probe")) {
            return false;
        }
        f->answer = o == CLIENT_OK ? PROBE_ANSWERED : PROBE_REFUSED;
        f->error = o == CLIENT_OK ? 0 : c->error;
    }
    return true;
}

/* Reads the migration features with GET only, which changes no state. */
static bool ask_migration(struct probe *p, struct client *c)
{
    struct wire_feature_mig_state state;
    enum client_outcome o;

    if (p->feature[0].answer == PROBE_ANSWERED) {
        o = client_feature_get(c, WIRE_FEATURE_MIGRATION, &p->migration, sizeof p->migration);
        if (!probe_ask_goes_on(p, c, o, "migration feature")) {
            return false;
        }
        p->has_migration = o == CLIENT_OK;
    }
    if (p->feature[1].answer == PROBE_ANSWERED) {
        o = client_feature_get(c, WIRE_FEATURE_MIG_DEVICE_STATE, &state, sizeof state);
        if (!probe_ask_goes_on(p, c, o, "migration state")) {
            return false;
        }
        p->has_state = o == CLIENT_OK;
        p->state = p->has_state ? state.device_state : 0;
    }
    return true;
}

static bool ask_io_fds(struct probe *p, struct client *c, uint32_t i)
{
    struct probe_region *r = &p->region[i];
    struct wire_region_io_fds info;
    struct wire_io_fd io;
    struct fdset fds;
    const void *payload;
    size_t n;
    enum client_outcome o;

    if (r->answer != PROBE_ANSWERED || r->info.size == 0) {
        return true;
    }
    fdset_init(&fds);
    o = client_region_io_fds(c, i, &info, &payload, &n, &fds);
    r->io_fds = fds.n;
    fdset_close(&fds);
    if (!probe_ask_goes_on(p, c, o, "region IO fds")) {
        return false;
    }
    r->io_answer = o == CLIENT_OK ? PROBE_ANSWERED : PROBE_REFUSED;
    r->io_error = o == CLIENT_OK ? 0 : c->error;
    for (uint32_t k = 0; o == CLIENT_OK && wire_io_fd_at(payload, n, k, &io); k++) {
        if (k < PROBE_LIST) {
            r->io[k] = io;
        }
        r->ios = k + 1;
    }
    return true;
}

/* ---- all questions ---- */

static enum probe_outcome ask_needed(struct probe *p, struct client *c, struct probe_error *why)
{
    enum probe_outcome o = ask_version(p, c, why);

    if (o == PROBE_DONE) {
        o = ask_device(p, c, why);
    }
    for (uint32_t i = 0; o == PROBE_DONE && i < p->device.num_regions; i++) {
        o = ask_region(p, c, i, why);
    }
    if (o == PROBE_DONE) {
        o = ask_config(p, c, why);
    }
    for (uint32_t i = 0; o == PROBE_DONE && i < p->device.num_irqs; i++) {
        o = ask_irq(p, c, i, why);
    }
    return o;
}

static void ask_optional(struct probe *p, struct client *c)
{
    bool on = ask_features(p, c) && ask_migration(p, c);

    for (uint32_t i = 0; on && i < p->device.num_regions; i++) {
        on = ask_io_fds(p, c, i);
    }
}

enum probe_outcome probe_gather(struct probe *p, const char *path, int timeout_ms,
                                struct probe_error *why)
{
    struct client c;
    enum probe_outcome o;
    const int err = client_init(&c, path, timeout_ms);

    log_escape(p->socket, sizeof p->socket, path, strlen(path));
    if (err) {
        why->what = "connect";
        why->error = -err;
        snprintf(why->text, sizeof why->text, "connect: %s (%s)", strerrordesc_np(-err),
                 strerrorname_np(-err));
        return PROBE_STOPPED;
    }
    c.max_fds = PROBE_MAX_FDS;
    o = ask_needed(p, &c, why);
    if (o == PROBE_DONE) {
        ask_optional(p, &c);
    }
    client_deinit(&c);
    return o;
}
