/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * edu-drive: drives an edu device over vfio-user like a guest's driver through QEMU, but without
 * QEMU: identity, liveness, a factorial, an interrupt, DMA to the device and back, reset. Each step
 * prints what it sent and received; the first failure ends the run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/client.h"
#include "base/cli.h"
#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "contrib/edu/regs.h"

/* The driver's memory as the device sees it: within the device's 28 address bits. */
#define MEMORY_ADDRESS 0x1000000u
#define MEMORY_SIZE 0x10000u
#define SOURCE_AT 0x0u
#define TARGET_AT 0x8000u

/* As long as QEMU waits for an answer by default. */
#define TIMEOUT_MS 5000

/* fds accepted with one message; no reply here carries more than the twin socket's. */
#define MAX_FDS 8u

#define COMMAND_AT 0x04u
#define COMMAND_MEM_MASTER 0x0006u

struct drive {
    struct client client;
    bool mmap; /* pass the memory's fd to the device; else the device sends messages */
    bool twin;
    int msi_fd;
    int memory_fd;
    uint8_t *memory;
    unsigned dma_reads;  /* the device's requests that were answered */
    unsigned dma_writes; /* … */
};

/* ---- output ---- */

static void edu_drive_write(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void edu_drive_write(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

/*
 * Prints a peer's text on a line of its own; characters that could control a terminal become
 * question marks.
 */
static void edu_drive_print_foreign(const char *text)
{
    for (; *text; text++) {
        putchar(*text >= 0x20 && *text < 0x7f ? *text : '?');
    }
    putchar('\n');
}

/* Reports that a step's request failed. Returns false. */
static bool edu_drive_went_wrong(const struct drive *d, const char *what, enum client_outcome o)
{
    char text[256];

    fprintf(stderr, "edu-drive: %s: %s\n", what, client_text(&d->client, o, text, sizeof text));
    return false;
}

static bool edu_drive_differs(const char *what, uint64_t got, uint64_t want)
{
    fprintf(stderr, "edu-drive: %s: received 0x%" PRIx64 ", expected 0x%" PRIx64 " was to come\n",
            what, got, want);
    return false;
}

/* ---- registers ---- */

static bool edu_drive_get(struct drive *d, const char *name, uint32_t at, uint32_t *value)
{
    const enum client_outcome o =
        client_region_read(&d->client, WIRE_PCI_BAR0, at, value, sizeof *value);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, name, o);
    }
    edu_drive_write("  REGION_READ  BAR 0 +0x%02" PRIx32 " (%s): 0x%08" PRIx32, at, name, *value);
    return true;
}

static bool edu_drive_put(struct drive *d, const char *name, uint32_t at, uint64_t value,
                          uint32_t n)
{
    const enum client_outcome o = client_region_write(&d->client, WIRE_PCI_BAR0, at, &value, n);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, name, o);
    }
    edu_drive_write("  REGION_WRITE BAR 0 +0x%02" PRIx32 " (%s): 0x%" PRIx64, at, name, value);
    return true;
}

static bool edu_drive_expect(struct drive *d, const char *name, uint32_t at, uint32_t want)
{
    uint32_t got;

    return edu_drive_get(d, name, at, &got) && (got == want || edu_drive_differs(name, got, want));
}

/* ---- DMA messages ---- */

/* Answers DMA_READ and DMA_WRITE from the driver's memory. */
static ssize_t edu_drive_serve_dma(struct client *c, const struct wire_hdr *hdr, const void *p,
                                   size_t n, void *out, size_t room, void *arg)
{
    struct drive *d = arg;
    struct wire_dma_access a;
    uint8_t *at;

    (void)c;
    if (!wire_get(p, n, &a, sizeof a) || a.address < MEMORY_ADDRESS || a.count > MEMORY_SIZE ||
        a.address - MEMORY_ADDRESS > MEMORY_SIZE - a.count || room < sizeof a + a.count) {
        return -EFAULT;
    }
    edu_drive_write("  %s came: 0x%" PRIx64 ", %" PRIu64 " bytes", wire_command_name(hdr->command),
                    a.address, a.count);
    at = d->memory + (a.address - MEMORY_ADDRESS);
    out = wire_put(out, &a, sizeof a);
    if (hdr->command == WIRE_DMA_WRITE) {
        d->dma_writes++;
        memcpy(at, (const uint8_t *)p + sizeof a, a.count);
        return (ssize_t)sizeof a;
    }
    d->dma_reads++;
    memcpy(out, at, a.count);
    return (ssize_t)(sizeof a + a.count);
}

/*
 * Waits for the device's interrupt. Reading a register answers the device's requests on the way, so
 * one is read whenever a socket is readable.
 */
static bool edu_drive_wait_msi(struct drive *d)
{
    uint64_t count;

    for (;;) {
        struct pollfd p[3] = {{.fd = d->msi_fd, .events = POLLIN},
                              {.fd = d->client.fd, .events = POLLIN},
                              {.fd = d->client.twin_fd, .events = POLLIN}};
        const int r = poll(p, 3, d->client.timeout_ms);
        uint32_t ignored;
        enum client_outcome o;

        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            return edu_drive_went_wrong(d, "MSI", CLIENT_TIMEOUT);
        }
        if (p[0].revents) {
            break;
        }
        o = client_region_read(&d->client, WIRE_PCI_BAR0, EDU_STATUS, &ignored, sizeof ignored);
        if (o != CLIENT_OK) {
            return edu_drive_went_wrong(d, "waiting for the MSI", o);
        }
    }
    if (read(d->msi_fd, &count, sizeof count) != sizeof count) {
        return edu_drive_went_wrong(d, "MSI", CLIENT_TIMEOUT);
    }
    edu_drive_write("  MSI eventfd: signalled %" PRIu64 " time%s", count, count == 1 ? "" : "s");
    return count == 1 || edu_drive_differs("MSI", count, 1);
}

/* ---- steps ---- */

static bool edu_drive_step_version(struct drive *d)
{
    char json[256];
    enum client_outcome o;

    snprintf(json, sizeof json, "{\"capabilities\":{\"max_msg_fds\":%u%s}}", MAX_FDS,
             d->twin ? ",\"twin_socket\":{\"supported\":true}" : "");
    o = client_version(&d->client, 0, 0, json);
    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "version", o);
    }
    edu_drive_write("  VERSION 0.0 %s", json);
    printf("  answered: %u.%u ", d->client.version.major, d->client.version.minor);
    edu_drive_print_foreign(d->client.json ? d->client.json : "without version data");
    if (d->twin && d->client.twin_fd < 0) {
        fprintf(stderr, "edu-drive: twin socket: the device did not accept the offer\n");
        return false;
    }
    return true;
}

static bool edu_drive_step_identity(struct drive *d)
{
    uint16_t id[2];
    const uint16_t command = COMMAND_MEM_MASTER;
    enum client_outcome o = client_region_read(&d->client, WIRE_PCI_CONFIG, 0, id, sizeof id);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "configuration space", o);
    }
    edu_drive_write("  REGION_READ  configuration space +0x00: %04x:%04x", id[0], id[1]);
    if (id[0] != EDU_VENDOR_ID || id[1] != EDU_DEVICE_ID) {
        return edu_drive_differs("vendor and device", (uint32_t)id[0] << 16 | id[1],
                                 EDU_VENDOR_ID << 16 | EDU_DEVICE_ID);
    }
    o = client_region_write(&d->client, WIRE_PCI_CONFIG, COMMAND_AT, &command, sizeof command);
    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "command register", o);
    }
    edu_drive_write("  REGION_WRITE configuration space +0x04: memory and bus master on");
    return edu_drive_expect(d, "identification", EDU_IDENT, EDU_IDENT_VALUE);
}

static bool edu_drive_step_liveness(struct drive *d)
{
    return edu_drive_put(d, "liveness", EDU_LIVENESS, 0x12345678u, 4) &&
           edu_drive_expect(d, "liveness", EDU_LIVENESS, ~0x12345678u);
}

static bool edu_drive_step_factorial(struct drive *d)
{
    uint32_t status = EDU_STATUS_COMPUTING;

    if (!edu_drive_put(d, "factorial", EDU_FACTORIAL, 12, 4)) {
        return false;
    }
    /* Limited: a device that never ends it is faulty, and each turn is a round trip. */
    for (int i = 0; i < 1000 && (status & EDU_STATUS_COMPUTING); i++) {
        if (!edu_drive_get(d, "status", EDU_STATUS, &status)) {
            return false;
        }
    }
    return edu_drive_expect(d, "factorial", EDU_FACTORIAL, 479001600);
}

static bool edu_drive_step_msi(struct drive *d)
{
    const struct fdset fds = {.n = 1, .fds = {d->msi_fd}};
    const enum client_outcome o = client_set_irqs(&d->client, WIRE_PCI_MSI, 0, 1, &fds);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "SET_IRQS", o);
    }
    edu_drive_write("  SET_IRQS MSI 0: an eventfd");
    return edu_drive_put(d, "interrupt raise", EDU_IRQ_RAISE, 0x5, 4) && edu_drive_wait_msi(d) &&
           edu_drive_expect(d, "interrupt status", EDU_IRQ_STATUS, 0x5) &&
           edu_drive_put(d, "interrupt acknowledge", EDU_IRQ_ACK, 0x5, 4) &&
           edu_drive_expect(d, "interrupt status", EDU_IRQ_STATUS, 0);
}

/* Runs one transfer of the DMA engine to its end. */
static bool edu_drive_transfer(struct drive *d, uint64_t src, uint64_t dst, uint32_t direction)
{
    return edu_drive_put(d, "DMA source", EDU_DMA_SRC, src, 8) &&
           edu_drive_put(d, "DMA target", EDU_DMA_DST, dst, 8) &&
           edu_drive_put(d, "DMA count", EDU_DMA_COUNT, EDU_BUFFER_SIZE, 8) &&
           edu_drive_put(d, "DMA command", EDU_DMA_CMD, EDU_DMA_START | EDU_DMA_IRQ | direction,
                         8) &&
           edu_drive_wait_msi(d) &&
           edu_drive_expect(d, "interrupt status", EDU_IRQ_STATUS, EDU_IRQ_DMA) &&
           edu_drive_put(d, "interrupt acknowledge", EDU_IRQ_ACK, EDU_IRQ_DMA, 4);
}

static bool edu_drive_step_dma(struct drive *d)
{
    const enum client_outcome o =
        client_dma_map(&d->client, MEMORY_ADDRESS, MEMORY_SIZE, 0,
                       WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE, d->mmap ? d->memory_fd : -1);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "DMA_MAP", o);
    }
    edu_drive_write("  DMA_MAP 0x%x, %u bytes, %s", MEMORY_ADDRESS, MEMORY_SIZE,
                    d->mmap ? "with its fd" : "without an fd");
    for (uint32_t i = 0; i < EDU_BUFFER_SIZE; i++) {
        d->memory[SOURCE_AT + i] = (uint8_t)(i * 7 + (i >> 8));
    }
    if (!edu_drive_transfer(d, MEMORY_ADDRESS + SOURCE_AT, EDU_BUFFER, 0) ||
        !edu_drive_transfer(d, EDU_BUFFER, MEMORY_ADDRESS + TARGET_AT, EDU_DMA_TO_RAM)) {
        return false;
    }
    if (memcmp(d->memory + SOURCE_AT, d->memory + TARGET_AT, EDU_BUFFER_SIZE) != 0) {
        fprintf(stderr, "edu-drive: DMA: the bytes read back differ from those written\n");
        return false;
    }
    edu_drive_write("  %u bytes went to the device and came back unchanged", EDU_BUFFER_SIZE);
    if (d->mmap == (d->dma_reads + d->dma_writes > 0)) {
        fprintf(stderr, "edu-drive: DMA: received %u DMA_READ and %u DMA_WRITE %s an fd\n",
                d->dma_reads, d->dma_writes, d->mmap ? "despite" : "without");
        return false;
    }
    return true;
}

static bool edu_drive_step_unmap(struct drive *d)
{
    const enum client_outcome o = client_dma_unmap(&d->client, MEMORY_ADDRESS, MEMORY_SIZE);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "DMA_UNMAP", o);
    }
    edu_drive_write("  DMA_UNMAP 0x%x, %u bytes", MEMORY_ADDRESS, MEMORY_SIZE);
    return true;
}

static bool edu_drive_step_reset(struct drive *d)
{
    const enum client_outcome o = client_reset(&d->client);

    if (o != CLIENT_OK) {
        return edu_drive_went_wrong(d, "DEVICE_RESET", o);
    }
    edu_drive_write("  DEVICE_RESET");
    return edu_drive_expect(d, "interrupt status", EDU_IRQ_STATUS, 0) &&
           edu_drive_expect(d, "factorial", EDU_FACTORIAL, 0);
}

static const struct {
    const char *name;
    bool (*run)(struct drive *d);
} steps[] = {
    {"negotiate", edu_drive_step_version},   {"reset", edu_drive_step_reset},
    {"identity", edu_drive_step_identity},   {"liveness", edu_drive_step_liveness},
    {"factorial", edu_drive_step_factorial}, {"interrupt", edu_drive_step_msi},
    {"DMA round trip", edu_drive_step_dma},  {"unmap", edu_drive_step_unmap},
    {"reset again", edu_drive_step_reset},
};

#define STEPS (sizeof steps / sizeof *steps)

/* ---- the run ---- */

static bool edu_drive_run_steps(struct drive *d)
{
    for (size_t i = 0; i < STEPS; i++) {
        edu_drive_write("%s", steps[i].name);
        if (!steps[i].run(d)) {
            fprintf(stderr, "edu-drive: \"%s\" failed, step %zu of %zu\n", steps[i].name, i + 1,
                    STEPS);
            return false;
        }
    }
    edu_drive_write("all %zu steps went well", STEPS);
    return true;
}

/*
 * Opens the driver's memory and interrupt. Returns 0 or -errno; edu_drive_close_all releases all
 * that was opened.
 */
static int edu_drive_open_all(struct drive *d)
{
    d->msi_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->memory_fd = memfd_create("edu-drive", MFD_CLOEXEC);
    if (d->msi_fd < 0 || d->memory_fd < 0 || ftruncate(d->memory_fd, MEMORY_SIZE) < 0) {
        return -errno;
    }
    d->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, d->memory_fd, 0);
    return d->memory == MAP_FAILED ? -errno : 0;
}

static void edu_drive_close_all(struct drive *d)
{
    client_deinit(&d->client);
    if (d->memory && d->memory != MAP_FAILED) {
        munmap(d->memory, MEMORY_SIZE);
    }
    sock_close(&d->memory_fd);
    sock_close(&d->msi_fd);
}

struct settings {
    bool no_mmap;
    bool twin;
    bool help;
    int timeout_ms;
};

static const struct cli_option options[] = {
    {"no-mmap", 0, NULL, "pass no fd with the DMA memory: the device sends messages",
     CLI_FLAG(struct settings, no_mmap)},
    {"twin-socket", 0, NULL, "receive the device's messages on a separate socket",
     CLI_FLAG(struct settings, twin)},
    {"timeout", 0, "MS", "time limit for each answer (5000)",
     CLI_NUMBER(struct settings, timeout_ms, 1, INT_MAX)},
    {"help", 0, NULL, "show this", CLI_FLAG(struct settings, help)},
    {.name = NULL},
};

static int edu_drive_usage(FILE *f, int code)
{
    fprintf(f, "usage: edu-drive [--no-mmap] [--twin-socket] [--timeout MS] SOCKET\n\n"
               "Drives an edu device over vfio-user and checks what comes back.\n\n");
    cli_help(f, options);
    fprintf(f, "\nExit status: 0 all steps passed, 1 a step failed, 2 usage.\n");
    return code;
}

int main(int argc, char **argv)
{
    struct drive d = {.msi_fd = -1, .memory_fd = -1, .client = {.fd = -1, .twin_fd = -1}};
    struct settings settings = {.timeout_ms = TIMEOUT_MS};
    const int first = cli_parse("edu-drive", options, argc, argv, &settings);
    const char *path;
    bool ok = false;
    int err;

    if (first < 0 || (!settings.help && argc - first != 1)) {
        return edu_drive_usage(stderr, 2);
    }
    if (settings.help) {
        return edu_drive_usage(stdout, 0);
    }
    path = argv[first];
    d.mmap = !settings.no_mmap;
    d.twin = settings.twin;
    err = edu_drive_open_all(&d);
    if (!err) {
        err = client_init(&d.client, path, settings.timeout_ms);
    }
    if (err) {
        fprintf(stderr, "edu-drive: %s: %s\n", path, strerror(-err));
    } else {
        d.client.max_fds = MAX_FDS;
        d.client.handler = edu_drive_serve_dma;
        d.client.handler_arg = &d;
        ok = edu_drive_run_steps(&d);
    }
    edu_drive_close_all(&d);
    return ok ? 0 : 1;
}
