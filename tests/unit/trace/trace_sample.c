/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The sample trace, told as a conversation: what a message is beside its bytes is put into
 * told.next before it is said, and is forgotten with it.
 */
#include "tests/unit/trace/trace_sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/file/pcapng.h"

#define BEGIN_NS UINT64_C(1795410000000000000)
#define DATA_KEPT 64u
#define PAYLOAD_MAX 8192u

/* What the next message is beside its command and payload. */
struct next {
    const struct trace_fd *fds;
    unsigned n_fds;
    const void *data; /* behind the fixed part; NULL: bytes that count up */
    uint32_t data_n;
    uint32_t data_kept; /* + 1; 0: DATA_KEPT */
    uint32_t hdr_flags;
    uint32_t error;
    uint32_t lost;
    uint32_t wait_us; /* since the last message; 0: 10 */
    uint8_t flags;
    uint8_t legs; /* 0: both */
    const char *comment;
};

struct told {
    struct trace_sample *out;
    uint64_t now_ns;
    unsigned session; /* from 0: its interface */
    uint64_t said[4];
    uint64_t lost[4];
    struct next next;
};

#define NEXT(...) (t->next = (struct next){__VA_ARGS__})

static void block(struct told *t, size_t n)
{
    if (n == 0 || t->out->n_blocks == TRACE_SAMPLE_BLOCKS) {
        fputs("trace_sample: no room\n", stderr);
        abort();
    }
    t->out->size += n;
    t->out->ends[t->out->n_blocks++] = (uint32_t)t->out->size;
}

static uint8_t *at(struct told *t)
{
    return t->out->p + t->out->size;
}

static size_t room(const struct told *t)
{
    return sizeof t->out->p - t->out->size;
}

/* Puts one message down and forgets what was said of it. */
static void say(struct told *t, enum side sender, uint32_t type, uint16_t id, uint16_t command,
                const void *fixed, size_t fixed_n)
{
    static uint8_t bytes[WIRE_HDR_SIZE + PAYLOAD_MAX];
    const struct next *const next = &t->next;
    const uint32_t keep = next->data_kept ? next->data_kept - 1 : DATA_KEPT;
    const uint32_t head = (uint32_t)(WIRE_HDR_SIZE + fixed_n);
    const struct wire_hdr hdr = {.id = id,
                                 .command = command,
                                 .size = head + next->data_n,
                                 .flags = type | next->hdr_flags,
                                 .error = next->error};
    struct trace_message m = {.session = t->session + 1,
                              .passed_ns = 1500,
                              .size = hdr.size,
                              .kept = head + (next->data_n < keep ? next->data_n : keep),
                              .lost = next->lost,
                              .sender = (uint8_t)sender,
                              .legs = next->legs ? next->legs : TRACE_LEGS,
                              .flags = next->flags,
                              .n_fds = (uint16_t)next->n_fds,
                              .fds = next->fds,
                              .data = bytes};

    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE, fixed_n ? fixed : "", fixed_n);
    for (uint32_t i = 0; i < next->data_n; i++) {
        bytes[head + i] = next->data ? ((const uint8_t *)next->data)[i] : (uint8_t)i;
    }
    t->now_ns += (next->wait_us ? next->wait_us : 10) * UINT64_C(1000);
    m.read_ns = t->now_ns;
    t->lost[t->session] += m.lost;
    t->said[t->session] += m.lost + 1;
    m.number = t->said[t->session];
    block(t, pcapng_message(at(t), room(t), t->session, &m, next->comment));
    NEXT(.fds = NULL);
}

static void client_asks(struct told *t, uint16_t id, uint16_t command, const void *p, size_t n)
{
    say(t, SIDE_CLIENT, WIRE_TYPE_COMMAND, id, command, p, n);
}

static void backend_answers(struct told *t, uint16_t id, uint16_t command, const void *p, size_t n)
{
    say(t, SIDE_BACKEND, WIRE_TYPE_REPLY, id, command, p, n);
}

static void backend_asks(struct told *t, uint16_t id, uint16_t command, const void *p, size_t n)
{
    say(t, SIDE_BACKEND, WIRE_TYPE_COMMAND, id, command, p, n);
}

static void client_answers(struct told *t, uint16_t id, uint16_t command, const void *p, size_t n)
{
    say(t, SIDE_CLIENT, WIRE_TYPE_REPLY, id, command, p, n);
}

static void backend_refuses(struct told *t, uint16_t id, uint16_t command, int err)
{
    t->next.hdr_flags |= WIRE_ERROR;
    t->next.error = (uint32_t)err;
    backend_answers(t, id, command, NULL, 0);
}

/* Whom "asks" and "answers" are of is t->session. */
static void statistics(struct told *t, bool over, const char *comment)
{
    const struct pcapng_statistics s = {.now_ns = t->now_ns,
                                        .begin_ns = BEGIN_NS,
                                        .seen = t->said[t->session],
                                        .lost = t->lost[t->session],
                                        .over = over};

    block(t, pcapng_statistics(at(t), room(t), t->session, &s, comment));
}

static void interface(struct told *t, const char *name, const char *description,
                      const char *comment)
{
    block(t, pcapng_interface(at(t), room(t), name, description, comment));
}

/* ---- fds ---- */

static const struct trace_fd guest_memory[] = {
    {TRACE_FD_MEMFD, O_RDWR, 0, 0x6, 1, 4001, 134217728}};
static const struct trace_fd bar_memory[] = {{TRACE_FD_MEMFD, O_RDWR, 0, 0x1f, 1, 4002, 1048576}};
static const struct trace_fd vectors[] = {{TRACE_FD_EVENTFD, O_RDWR, 0, 0, 14, 5001, 0},
                                          {TRACE_FD_EVENTFD, O_RDWR, 0, 0, 14, 5002, 0}};
static const struct trace_fd doorbell[] = {{TRACE_FD_EVENTFD, O_RDWR, 0, 0, 14, 5003, 0}};
static const struct trace_fd assorted[] = {
    {TRACE_FD_UNKNOWN, O_RDONLY, 0, 0, 0, 0, 0},
    {TRACE_FD_FILE, O_RDONLY, 0, 0, 65026, 131, 8192},
    {TRACE_FD_SOCKET, O_RDWR, 0, 0, 8, 6001, 0},
    {TRACE_FD_PIPE, O_WRONLY, 0, 0, 13, 6002, 0},
    {TRACE_FD_DEVICE, O_RDWR, 0, 0, 5, 6003, 0},
    {TRACE_FD_OTHER, O_RDWR, 0, 0, 14, 6004, 0},
    {TRACE_FD_MEMFD, O_RDWR, TRACE_FD_WITHHELD, 0xf, 1, 6005, 4096}};

/* ---- the first session: a device from realize to its end ---- */

#define JSON_CLIENT \
    "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"pgsizes\":4096}}"
#define JSON_BACKEND "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}"

static void version(struct told *t)
{
    const struct wire_version v = {0, 1};

    NEXT(.legs = TRACE_LEG_CLIENT, .data = JSON_CLIENT, .data_n = sizeof JSON_CLIENT,
         .data_kept = PAYLOAD_MAX);
    client_asks(t, 0, WIRE_VERSION, &v, sizeof v);
    NEXT(.legs = TRACE_LEG_BACKEND, .flags = TRACE_BROKER, .data = JSON_CLIENT,
         .data_n = sizeof JSON_CLIENT, .data_kept = PAYLOAD_MAX);
    client_asks(t, 0, WIRE_VERSION, &v, sizeof v);
    NEXT(.legs = TRACE_LEG_BACKEND, .data = JSON_BACKEND, .data_n = sizeof JSON_BACKEND,
         .data_kept = PAYLOAD_MAX);
    backend_answers(t, 0, WIRE_VERSION, &v, sizeof v);
    NEXT(.legs = TRACE_LEG_CLIENT, .flags = TRACE_BROKER, .data = JSON_BACKEND,
         .data_n = sizeof JSON_BACKEND, .data_kept = PAYLOAD_MAX);
    backend_answers(t, 0, WIRE_VERSION, &v, sizeof v);
}

/* Both maps are on their way before the first is answered. */
static void dma_maps(struct told *t)
{
    const struct wire_dma_map ram = {sizeof ram, WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE, 0, 0,
                                     134217728};
    const struct wire_dma_map rom = {sizeof rom, WIRE_DMA_READABLE, 0, 0xfffc0000, 0x40000};

    NEXT(.fds = guest_memory, .n_fds = 1, .wait_us = 400,
         .comment = "unseen: guest memory 0x0..0x7ffffff shared with the backend");
    client_asks(t, 1, WIRE_DMA_MAP, &ram, sizeof ram);
    client_asks(t, 2, WIRE_DMA_MAP, &rom, sizeof rom);
    backend_answers(t, 1, WIRE_DMA_MAP, NULL, 0);
    backend_answers(t, 2, WIRE_DMA_MAP, NULL, 0);
}

struct bar0_info {
    struct wire_region_info info;
    struct wire_cap cap;
    struct wire_sparse sparse;
    struct wire_sparse_area areas[2];
};

static void infos(struct told *t)
{
    struct wire_device_info device = {.argsz = sizeof device};
    struct wire_region_info region = {.argsz = sizeof region, .index = WIRE_PCI_BAR0};
    struct bar0_info bar0 = {.info = {sizeof bar0,
                                      WIRE_REGION_FLAG_READ | WIRE_REGION_FLAG_WRITE |
                                          WIRE_REGION_FLAG_MMAP | WIRE_REGION_FLAG_CAPS,
                                      WIRE_PCI_BAR0, sizeof bar0.info, 1048576, 0},
                             .cap = {WIRE_CAP_SPARSE_MMAP, 1, 0},
                             .sparse = {2, 0},
                             .areas = {{0x1000, 0x1000}, {0x40000, 0x10000}}};
    struct wire_irq_info irq = {.argsz = sizeof irq, .index = WIRE_PCI_MSI};

    client_asks(t, 3, WIRE_DEVICE_GET_INFO, &device, sizeof device);
    device = (struct wire_device_info){sizeof device, WIRE_DEVICE_FLAG_RESET | WIRE_DEVICE_FLAG_PCI,
                                       WIRE_PCI_NUM_REGIONS, WIRE_PCI_NUM_IRQS};
    backend_answers(t, 3, WIRE_DEVICE_GET_INFO, &device, sizeof device);
    region.argsz = sizeof bar0;
    client_asks(t, 4, WIRE_DEVICE_GET_REGION_INFO, &region, sizeof region);
    NEXT(.fds = bar_memory, .n_fds = 1, .comment = "unseen: region 0 can be mapped by the client");
    backend_answers(t, 4, WIRE_DEVICE_GET_REGION_INFO, &bar0, sizeof bar0);
    region = (struct wire_region_info){sizeof region, 0, WIRE_PCI_CONFIG, 0, 0, 0};
    client_asks(t, 5, WIRE_DEVICE_GET_REGION_INFO, &region, sizeof region);
    region.flags = WIRE_REGION_FLAG_READ | WIRE_REGION_FLAG_WRITE;
    region.size = 256;
    backend_answers(t, 5, WIRE_DEVICE_GET_REGION_INFO, &region, sizeof region);
    client_asks(t, 6, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq);
    irq.flags = WIRE_IRQ_INFO_EVENTFD | WIRE_IRQ_INFO_NORESIZE;
    irq.count = 1;
    backend_answers(t, 6, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq);
}

static void io_fds(struct told *t)
{
    struct wire_region_io_fds ask = {.argsz = sizeof ask, .index = WIRE_PCI_BAR0};
    struct {
        struct wire_region_io_fds head;
        struct wire_io_fd sub[1];
    } reply = {{sizeof reply, 0, WIRE_PCI_BAR0, 1}, {{0x20, 4, 0, WIRE_IO_FD_IOEVENTFD, 0, 0, 1}}};

    ask.argsz = sizeof reply;
    client_asks(t, 7, WIRE_DEVICE_GET_REGION_IO_FDS, &ask, sizeof ask);
    NEXT(.fds = doorbell, .n_fds = 1, .comment = "unseen: writes to region 0 by ioeventfd");
    backend_answers(t, 7, WIRE_DEVICE_GET_REGION_IO_FDS, &reply, sizeof reply);
}

static void irqs(struct told *t)
{
    const struct wire_irq_set set = {
        sizeof set, WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER, WIRE_PCI_MSIX, 0, 2};
    struct wire_irq_set mask = {sizeof mask, WIRE_IRQ_SET_DATA_BOOL | WIRE_IRQ_SET_ACTION_MASK,
                                WIRE_PCI_MSIX, 0, 3};

    NEXT(.fds = vectors, .n_fds = 2, .comment = "unseen: interrupts by eventfd");
    client_asks(t, 8, WIRE_DEVICE_SET_IRQS, &set, sizeof set);
    backend_answers(t, 8, WIRE_DEVICE_SET_IRQS, NULL, 0);
    mask.argsz = sizeof mask + 3;
    NEXT(.data = "\1\0\1", .data_n = 3);
    client_asks(t, 9, WIRE_DEVICE_SET_IRQS, &mask, sizeof mask);
    backend_answers(t, 9, WIRE_DEVICE_SET_IRQS, NULL, 0);
}

static void accesses(struct told *t)
{
    struct wire_region_access a = {0, WIRE_PCI_CONFIG, 4};

    client_asks(t, 10, WIRE_REGION_READ, &a, sizeof a);
    NEXT(.data = "\x34\x12\xe8\x11", .data_n = 4, .wait_us = 30);
    backend_answers(t, 10, WIRE_REGION_READ, &a, sizeof a);
    a = (struct wire_region_access){4, WIRE_PCI_CONFIG, 2};
    NEXT(.data = "\6\0", .data_n = 2);
    client_asks(t, 11, WIRE_REGION_WRITE, &a, sizeof a);
    backend_answers(t, 11, WIRE_REGION_WRITE, &a, sizeof a);
    a = (struct wire_region_access){0x8, WIRE_PCI_BAR0, 4};
    NEXT(.data = "\x05\0\0\0", .data_n = 4, .hdr_flags = WIRE_NO_REPLY);
    client_asks(t, 12, WIRE_REGION_WRITE, &a, sizeof a);
    client_asks(t, 13, WIRE_REGION_READ, &a, sizeof a);
    NEXT(.data = "\x78\0\0\0", .data_n = 4, .wait_us = 2500);
    backend_answers(t, 13, WIRE_REGION_READ, &a, sizeof a);
    /* More data than is kept, both ways. */
    a = (struct wire_region_access){0x1000, WIRE_PCI_BAR0, 4096};
    client_asks(t, 14, WIRE_REGION_READ, &a, sizeof a);
    NEXT(.data_n = 4096);
    backend_answers(t, 14, WIRE_REGION_READ, &a, sizeof a);
    a.count = 100;
    NEXT(.data_n = 100);
    client_asks(t, 15, WIRE_REGION_WRITE, &a, sizeof a);
    backend_answers(t, 15, WIRE_REGION_WRITE, &a, sizeof a);
    /* No such region. */
    a = (struct wire_region_access){0, 42, 4};
    client_asks(t, 16, WIRE_REGION_READ, &a, sizeof a);
    backend_refuses(t, 16, WIRE_REGION_READ, EINVAL);
}

static void writes(struct told *t)
{
    const struct {
        struct wire_write_multi head;
        struct wire_single_write w[2];
    } many = {{2},
              {{0x10, WIRE_PCI_BAR0, 4, {1, 2, 3, 4}},
               {0x18, WIRE_PCI_BAR0, 8, {8, 7, 6, 5, 4, 3, 2, 1}}}};
    const struct wire_write_multi done = {2};

    client_asks(t, 17, WIRE_REGION_WRITE_MULTI, &many, sizeof many);
    backend_answers(t, 17, WIRE_REGION_WRITE_MULTI, &done, sizeof done);
}

/* The device's own commands; their ids are its own. Guest memory is not kept. */
static void dma(struct told *t)
{
    const struct wire_dma_access a = {0x2000, 512};

    NEXT(.wait_us = 120);
    backend_asks(t, 10, WIRE_DMA_READ, &a, sizeof a);
    NEXT(.data_n = 512, .data_kept = 1);
    client_answers(t, 10, WIRE_DMA_READ, &a, sizeof a);
    NEXT(.data_n = 512, .data_kept = 1);
    backend_asks(t, 11, WIRE_DMA_WRITE, &a, sizeof a);
    client_answers(t, 11, WIRE_DMA_WRITE, &a, sizeof a);
    NEXT(.data_n = 16, .data_kept = PAYLOAD_MAX, .flags = TRACE_TWIN);
    backend_asks(t, 12, WIRE_DMA_WRITE, &(struct wire_dma_access){0x3000, 16}, sizeof a);
    NEXT(.flags = TRACE_TWIN);
    client_answers(t, 12, WIRE_DMA_WRITE, &(struct wire_dma_access){0x3000, 16},
                   WIRE_DMA_WRITE_REPLY_MIN);
}

static void feature(struct told *t, uint16_t id, uint32_t flags, const void *ask, uint32_t ask_n,
                    const void *reply, uint32_t reply_n)
{
    const uint32_t larger = ask_n > reply_n ? ask_n : reply_n;
    const struct wire_feature f = {(uint32_t)sizeof f + larger, flags};

    NEXT(.data = ask, .data_n = ask_n, .data_kept = PAYLOAD_MAX);
    client_asks(t, id, WIRE_DEVICE_FEATURE, &f, sizeof f);
    NEXT(.data = reply, .data_n = reply_n, .data_kept = PAYLOAD_MAX);
    backend_answers(t, id, WIRE_DEVICE_FEATURE, &f, sizeof f);
}

static void features(struct told *t)
{
    const struct wire_feature_migration migration = {WIRE_MIGRATION_STOP_COPY |
                                                     WIRE_MIGRATION_PRE_COPY};
    const struct wire_feature_mig_state stop = {WIRE_MIG_STOP_COPY, UINT32_MAX};
    const struct {
        struct wire_dma_logging head;
        struct wire_dma_logging_range ranges[2];
    } start = {{4096, 2, 0}, {{0, 0x100000}, {0x200000, 0x100000}}};
    const struct wire_dma_report report = {0, 0x10000, 4096};
    const struct {
        struct wire_dma_report head;
        uint64_t bits;
    } dirty = {{0, 0x10000, 4096}, 0x8001};

    feature(t, 18, WIRE_FEATURE_PROBE | WIRE_FEATURE_GET | WIRE_FEATURE_MIGRATION, NULL, 0, NULL,
            0);
    feature(t, 19, WIRE_FEATURE_GET | WIRE_FEATURE_MIGRATION, NULL, 0, &migration,
            sizeof migration);
    feature(t, 20, WIRE_FEATURE_SET | WIRE_FEATURE_DMA_LOGGING_START, &start, sizeof start, &start,
            sizeof start);
    feature(t, 21, WIRE_FEATURE_GET | WIRE_FEATURE_DMA_LOGGING_REPORT, &report, sizeof report,
            &dirty, sizeof dirty);
    feature(t, 22, WIRE_FEATURE_SET | WIRE_FEATURE_DMA_LOGGING_STOP, NULL, 0, NULL, 0);
    feature(t, 23, WIRE_FEATURE_SET | WIRE_FEATURE_MIG_DEVICE_STATE, &stop, sizeof stop, &stop,
            sizeof stop);
}

static void migration(struct told *t)
{
    struct wire_mig_data d = {sizeof d + 256, 256};

    client_asks(t, 24, WIRE_MIG_DATA_READ, &d, sizeof d);
    NEXT(.data_n = 256);
    backend_answers(t, 24, WIRE_MIG_DATA_READ, &d, sizeof d);
    d = (struct wire_mig_data){sizeof d + 8, 8};
    NEXT(.data_n = 8);
    client_asks(t, 25, WIRE_MIG_DATA_WRITE, &d, sizeof d);
    backend_answers(t, 25, WIRE_MIG_DATA_WRITE, NULL, 0);
}

/* What the specification has no word for, or a word against. */
static void oddities(struct told *t)
{
    const struct wire_region_access a = {0, WIRE_PCI_BAR0, 4};

    NEXT(.fds = assorted, .n_fds = sizeof assorted / sizeof *assorted, .data_n = 8);
    client_asks(t, 26, 200, NULL, 0);
    backend_refuses(t, 26, 200, ENOTSUP);
    /* A reply without a request. */
    NEXT(.data_n = 4);
    backend_answers(t, 999, WIRE_REGION_READ, &a, sizeof a);
    /* Answered by the broker, in the device's place. */
    NEXT(.legs = TRACE_LEG_CLIENT);
    client_asks(t, 27, WIRE_DEVICE_GET_INFO, &(struct wire_device_info){.argsz = 16}, 16);
    NEXT(.legs = TRACE_LEG_CLIENT, .flags = TRACE_BROKER);
    backend_refuses(t, 27, WIRE_DEVICE_GET_INFO, EPERM);
    /* The same id twice at once. */
    client_asks(t, 28, WIRE_REGION_READ, &a, sizeof a);
    client_asks(t, 28, WIRE_REGION_READ, &a, sizeof a);
    NEXT(.data = "\xed\0\0\1", .data_n = 4);
    backend_answers(t, 28, WIRE_REGION_READ, &a, sizeof a);
    NEXT(.data = "\xed\0\0\1", .data_n = 4);
    backend_answers(t, 28, WIRE_REGION_READ, &a, sizeof a);
}

static void last_words(struct told *t)
{
    struct wire_dma_unmap u = {sizeof u, 0, 0, 134217728};

    NEXT(.lost = 3);
    client_asks(t, 31, WIRE_DEVICE_RESET, NULL, 0);
    backend_answers(t, 31, WIRE_DEVICE_RESET, NULL, 0);
    client_asks(t, 32, WIRE_DMA_UNMAP, &u, sizeof u);
    backend_answers(t, 32, WIRE_DMA_UNMAP, &u, sizeof u);
    NEXT(.flags = TRACE_UNDELIVERED);
    client_asks(t, 33, WIRE_DEVICE_RESET, NULL, 0);
}

/* ---- the second: joined late, its client of the other byte order; the third: refused ---- */

static void late(struct told *t)
{
    struct wire_region_access a = {0x1c, WIRE_PCI_BAR0, 4};
    static const uint8_t big_endian[32] = {[1] = 5, [3] = 9, [7] = 32, [23] = 0x14, [31] = 4};
    struct trace_message m = {.session = t->session + 1,
                              .passed_ns = 900,
                              .size = sizeof big_endian,
                              .kept = sizeof big_endian,
                              .sender = SIDE_CLIENT,
                              .legs = TRACE_LEGS,
                              .flags = TRACE_BIG_ENDIAN,
                              .data = big_endian};

    NEXT(.data = "\1\0\0\0", .data_n = 4);
    backend_answers(t, 4, WIRE_REGION_READ, &a, sizeof a);
    m.number = ++t->said[t->session];
    m.read_ns = t->now_ns += 10000;
    block(t, pcapng_message(at(t), room(t), t->session, &m, NULL));
    a.offset = 0x14;
    client_asks(t, 6, WIRE_REGION_READ, &a, sizeof a);
    NEXT(.data = "\7\0\0\0", .data_n = 4);
    backend_answers(t, 6, WIRE_REGION_READ, &a, sizeof a);
}

static void refused(struct told *t)
{
    const struct wire_version v = {0, 1};

    NEXT(.legs = TRACE_LEG_CLIENT, .data = JSON_CLIENT, .data_n = sizeof JSON_CLIENT,
         .data_kept = PAYLOAD_MAX);
    client_asks(t, 0, WIRE_VERSION, &v, sizeof v);
    NEXT(.legs = TRACE_LEG_CLIENT, .flags = TRACE_BROKER, .wait_us = 900);
    backend_refuses(t, 0, WIRE_VERSION, EACCES);
}

void trace_sample(struct trace_sample *out)
{
    struct told told = {.out = out, .now_ns = BEGIN_NS};
    struct told *const t = &told;

    out->size = 0;
    out->n_blocks = 0;
    block(t, pcapng_section(at(t), room(t), "{\"poemd-trace\":1,\"payload\":64}"));
    interface(
        t, "edu0/1", "qemu-system-x86_64 and edu",
        "{\"session\":1,\"route\":\"edu0\",\"verdict\":\"allow\",\"taint\":\"-\",\"audit\":12,"
        "\"client\":{\"pid\":4711,\"exe\":\"/usr/bin/qemu-system-x86_64\"},"
        "\"backend\":{\"pid\":4712,\"exe\":\"/usr/libexec/edu\"}}");
    version(t);
    dma_maps(t);
    infos(t);
    io_fds(t);
    irqs(t);
    interface(t, "nvme0/2", "a client and its disk",
              "{\"session\":2,\"route\":\"nvme0\",\"verdict\":\"allow-tainted\",\"taint\":\"P\","
              "\"late\":true}");
    t->session = 1;
    late(t);
    t->session = 0;
    accesses(t);
    statistics(t, false, NULL);
    writes(t);
    dma(t);
    features(t);
    migration(t);
    interface(
        t, "gone0/3", "a client that was refused",
        "{\"session\":3,\"route\":\"gone0\",\"verdict\":\"deny\",\"taint\":\"-\",\"audit\":13}");
    t->session = 2;
    refused(t);
    statistics(t, true, "{\"ended\":\"denied\"}");
    t->session = 0;
    oddities(t);
    last_words(t);
    statistics(t, true, "{\"ended\":\"client closed\"}");
    t->session = 1;
    statistics(t, true, "{\"stopped\":\"asked\"}");
}
