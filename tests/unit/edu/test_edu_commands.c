/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu program: each command of a client's, and what is answered to wrong ones. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/client.h"
#include "contrib/edu/regs.h"
#include "contrib/edu/state.h"
#include "tests/support/unit.h"
#include "tests/unit/edu/edu_process.h"

static struct edu edu;
static struct client c;

static void setup(void)
{
    edu_start(&edu, "edu", NULL);
    edu_connect(&edu, &c);
}

static void teardown(void)
{
    client_deinit(&c);
    edu_stop(&edu);
}

/* ---- what the device is ---- */

START_TEST(version)
{
    ck_assert_str_eq(c.json,
                     "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
                     "\"max_dma_maps\":512,\"pgsizes\":4096,\"migration\":{\"pgsize\":4096},"
                     "\"write_multiple\":true}}");
    ck_assert_int_eq(c.twin_fd, -1);
}
END_TEST

START_TEST(device)
{
    struct wire_device_info info;
    uint32_t id;

    edu_ok(&c, client_device_info(&c, &info));
    ck_assert_uint_eq(info.argsz, 16);
    ck_assert_uint_eq(info.flags, WIRE_DEVICE_FLAG_RESET | WIRE_DEVICE_FLAG_PCI);
    ck_assert_uint_eq(info.num_regions, WIRE_PCI_NUM_REGIONS);
    ck_assert_uint_eq(info.num_irqs, WIRE_PCI_NUM_IRQS);
    edu_ok(&c, client_region_read(&c, WIRE_PCI_CONFIG, 0, &id, sizeof id));
    ck_assert_uint_eq(id, 0x11e81234);
}
END_TEST

static const struct {
    uint64_t size;
    uint32_t flags;
} regions[WIRE_PCI_NUM_REGIONS] = {
    [0] = {EDU_BAR0_SIZE, 3},
    [2] = {EDU_BAR2_SIZE, 15},
    [WIRE_PCI_CONFIG] = {EDU_CONFIG_SIZE, 3},
};

START_TEST(region)
{
    struct wire_region_info info;
    const void *payload;
    size_t n;

    edu_ok(&c, client_region_info(&c, (uint32_t)_i, &info, &payload, &n, NULL));
    ck_assert_uint_eq(info.index, (uint32_t)_i);
    ck_assert_uint_eq(info.size, regions[_i].size);
    ck_assert_uint_eq(info.flags, regions[_i].flags);
    ck_assert_uint_eq(info.argsz, n);
    ck_assert_uint_eq(n, _i == 2 ? 64 : 32);
}
END_TEST

/* Counts the sparse areas of a capability list, and keeps the last. */
struct areas {
    unsigned n;
    struct wire_sparse_area last;
};

static void see_area(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    struct areas *a = arg;

    ck_assert_uint_eq(cap->id, WIRE_CAP_SPARSE_MMAP);
    while (wire_sparse_area_at(p, n, a->n, &a->last)) {
        a->n++;
    }
}

START_TEST(mappable_page)
{
    struct areas areas = {.n = 0};
    struct wire_region_info info;
    struct fdset fds;
    const void *payload;
    uint8_t byte = 0x42;
    uint8_t *page;
    size_t n;

    fdset_init(&fds);
    edu_ok(&c, client_region_info(&c, 2, &info, &payload, &n, &fds));
    ck_assert_int_eq(wire_region_caps(payload, n, see_area, &areas), WIRE_OK);
    ck_assert_uint_eq(areas.n, 1);
    ck_assert_uint_eq(areas.last.offset, EDU_PAGE);
    ck_assert_uint_eq(areas.last.size, EDU_PAGE_SIZE);
    ck_assert_uint_eq(fds.n, 1);
    page = mmap(NULL, areas.last.size, PROT_READ | PROT_WRITE, MAP_SHARED, fds.fds[0],
                (off_t)(info.offset + areas.last.offset));
    ck_assert_ptr_ne(page, MAP_FAILED);
    page[7] = 0x17;
    edu_ok(&c, client_region_write(&c, 2, EDU_PAGE + 8, &byte, 1));
    ck_assert_uint_eq(page[8], 0x42);
    edu_ok(&c, client_region_read(&c, 2, EDU_PAGE + 7, &byte, 1));
    ck_assert_uint_eq(byte, 0x17);
    munmap(page, areas.last.size);
    fdset_close(&fds);
}
END_TEST

/* Too little room for the list: told how much it takes, and no fd. */
START_TEST(region_info_without_room)
{
    struct wire_region_info info = {.argsz = 63, .index = 2};
    struct fdset fds;
    const void *out;
    size_t n;

    fdset_init(&fds);
    edu_ok(&c, client_request(&c, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, NULL, 0, NULL,
                              &out, &n, &fds));
    ck_assert_uint_eq(n, sizeof info);
    ck_assert(wire_get(out, n, &info, sizeof info));
    ck_assert_uint_eq(info.argsz, 64);
    ck_assert_uint_eq(info.cap_offset, 32);
    ck_assert_uint_eq(fds.n, 0);
}
END_TEST

static const struct {
    uint32_t flags;
    uint32_t count;
} irqs[WIRE_PCI_NUM_IRQS] = {[WIRE_PCI_INTX] = {7, 1}, [WIRE_PCI_MSI] = {9, 1}};

START_TEST(irq)
{
    struct wire_irq_info info;

    edu_ok(&c, client_irq_info(&c, (uint32_t)_i, &info));
    ck_assert_uint_eq(info.argsz, 16);
    ck_assert_uint_eq(info.flags, irqs[_i].flags);
    ck_assert_uint_eq(info.count, irqs[_i].count);
}
END_TEST

START_TEST(doorbell_eventfd)
{
    const struct wire_region_io_fds request = {.argsz = 56, .index = 2};
    const uint64_t rings = 5;
    struct wire_region_io_fds info;
    struct wire_io_fd io;
    struct fdset fds;
    const void *out;
    uint64_t count;
    size_t n;

    fdset_init(&fds);
    edu_ok(&c, client_request(&c, WIRE_DEVICE_GET_REGION_IO_FDS, &request, sizeof request, NULL, 0,
                              NULL, &out, &n, &fds));
    ck_assert(wire_get(out, n, &info, sizeof info));
    ck_assert_uint_eq(info.argsz, 56);
    ck_assert_uint_eq(info.count, 1);
    ck_assert(wire_io_fd_at(out, n, 0, &io));
    ck_assert_uint_eq(io.offset, EDU_DOORBELL);
    ck_assert_uint_eq(io.size, 4);
    ck_assert_uint_eq(io.type, WIRE_IO_FD_IOEVENTFD);
    ck_assert_uint_eq(io.fd_index, 0);
    ck_assert_uint_eq(fds.n, 1);
    ck_assert_int_eq(write(fds.fds[0], &rings, sizeof rings), sizeof rings);
    fdset_close(&fds);
    edu_ok(&c, client_region_read(&c, 2, EDU_DOORBELL_COUNT, &count, sizeof count));
    ck_assert_uint_eq(count, 5);
}
END_TEST

static const struct {
    struct wire_region_io_fds request;
    size_t n;
    uint32_t argsz;
    uint32_t count;
} io_fds[] = {
    {{.argsz = 55, .index = 2}, 16, 56, 1},
    {{.argsz = 16, .index = 2}, 16, 56, 1},
    {{.argsz = 1024, .index = 0}, 16, 16, 0},
    {{.argsz = 1024, .index = WIRE_PCI_CONFIG}, 16, 16, 0},
};

START_TEST(no_io_fds)
{
    struct wire_region_io_fds info;
    struct fdset fds;
    const void *out;
    size_t n;

    fdset_init(&fds);
    edu_ok(&c, client_request(&c, WIRE_DEVICE_GET_REGION_IO_FDS, &io_fds[_i].request, sizeof info,
                              NULL, 0, NULL, &out, &n, &fds));
    ck_assert_uint_eq(n, io_fds[_i].n);
    ck_assert(wire_get(out, n, &info, sizeof info));
    ck_assert_uint_eq(info.argsz, io_fds[_i].argsz);
    ck_assert_uint_eq(info.count, io_fds[_i].count);
    ck_assert_uint_eq(fds.n, 0);
}
END_TEST

/* ---- wrong requests ---- */

static const struct {
    uint16_t command;
    size_t n;
    uint32_t words[10];
    int error;
} wrong[] = {
    {14, 0, {0}, ENOTSUP},
    {19, 0, {0}, ENOTSUP},
    {0xffff, 0, {0}, ENOTSUP},
    {WIRE_VERSION, 4, {0}, EINVAL},
    {WIRE_DMA_READ, 16, {0}, ENOTSUP},
    {WIRE_DMA_WRITE, 16, {0}, ENOTSUP},
    {WIRE_DMA_MAP, 31, {32, 3}, EINVAL},
    {WIRE_DMA_MAP, 32, {32, 3, 0, 0, 0, 0, 0, 0}, EINVAL},       /* no bytes */
    {WIRE_DMA_UNMAP, 24, {24, 0, 0x1000, 0, 0x1000, 0}, EINVAL}, /* never mapped */
    {WIRE_DEVICE_GET_INFO, 16, {15}, EINVAL},                    /* argsz */
    {WIRE_DEVICE_GET_INFO, 12, {16}, EINVAL},
    {WIRE_DEVICE_GET_INFO, 20, {16}, EINVAL},
    {WIRE_DEVICE_GET_REGION_INFO, 32, {31}, EINVAL},
    {WIRE_DEVICE_GET_REGION_INFO, 32, {32, 0, 9}, EINVAL},
    {WIRE_DEVICE_GET_REGION_IO_FDS, 16, {15, 0, 2}, EINVAL},
    {WIRE_DEVICE_GET_REGION_IO_FDS, 16, {64, 0, 9}, EINVAL},
    {WIRE_DEVICE_GET_REGION_IO_FDS, 16, {64, 1, 2}, EINVAL},
    {WIRE_DEVICE_GET_REGION_IO_FDS, 16, {64, 0, 2, 1}, EINVAL},
    {WIRE_DEVICE_GET_IRQ_INFO, 16, {15, 0, 0}, EINVAL},
    {WIRE_DEVICE_GET_IRQ_INFO, 16, {16, 0, 5}, EINVAL},
    {WIRE_DEVICE_SET_IRQS, 20, {20, 0x27, 0, 0, 1}, EINVAL}, /* two kinds of data */
    {WIRE_DEVICE_SET_IRQS, 20, {20, 0x22, 0, 0, 1}, EINVAL}, /* its boolean is missing */
    {WIRE_REGION_READ, 16, {0, 0, 9, 4}, EINVAL},
    {WIRE_REGION_READ, 16, {0x100000, 0, 0, 4}, EINVAL},
    {WIRE_REGION_READ, 16, {0, 0, 0, 0}, EINVAL},
    {WIRE_REGION_READ, 16, {0, 0, 0, 0x100001}, EINVAL}, /* above the data limit */
    {WIRE_REGION_READ, 16, {0xffffffff, 0xffffffff, 0, 4}, EINVAL},
    {WIRE_REGION_WRITE, 20, {0, 0, 0, 8, 0}, EINVAL}, /* count and data differ */
    {WIRE_REGION_WRITE, 20, {0x2000, 0, 2, 4, 0}, EINVAL},
    {WIRE_DEVICE_RESET, 4, {0}, EINVAL},
    {WIRE_REGION_WRITE_MULTI, 8, {1, 0}, EINVAL},
    {WIRE_REGION_WRITE_MULTI, 32, {1, 0, 0, 0, 9, 4, 0, 0}, EINVAL}, /* no such region */
    {WIRE_DEVICE_FEATURE, 8, {8, 1}, EINVAL},                        /* no method */
    {WIRE_DEVICE_FEATURE, 8, {16, 0x30001}, EINVAL},                 /* two of them */
    {WIRE_DEVICE_FEATURE, 8, {7, 0x40001}, EINVAL},                  /* argsz */
    {WIRE_DEVICE_FEATURE, 8, {15, 0x10001}, EINVAL},                 /* no room for the data */
    {WIRE_DEVICE_FEATURE, 8, {16, 0x20001}, ENOTSUP},                /* cannot be set */
    {WIRE_DEVICE_FEATURE, 8, {8, 0x60001}, ENOTSUP},
    {WIRE_DEVICE_FEATURE, 8, {8, 0x40003}, ENOTSUP},        /* no such feature */
    {WIRE_DEVICE_FEATURE, 16, {16, 0x20002, 6, 0}, EINVAL}, /* PRE_COPY */
    {WIRE_DEVICE_FEATURE, 12, {16, 0x20002, 1}, EINVAL},
    {WIRE_DEVICE_FEATURE, 8, {8, 0x20007}, EINVAL}, /* not logging */
    {WIRE_MIG_DATA_READ, 8, {108, 100}, EINVAL},    /* not in STOP_COPY */
    {WIRE_MIG_DATA_WRITE, 12, {12, 4, 0}, EINVAL},
    {WIRE_MIG_DATA_WRITE, 12, {12, 5, 0}, EINVAL},
};

START_TEST(wrong_request)
{
    ck_assert_int_eq(edu_errno(&c, wrong[_i].command, wrong[_i].words, wrong[_i].n),
                     wrong[_i].error);
    /* The session goes on. */
    ck_assert_uint_eq(edu_get(&c, EDU_IDENT, 4), EDU_IDENT_VALUE);
}
END_TEST

/* Fds where none belong, and more than were agreed on. */
START_TEST(unwanted_fds)
{
    const struct wire_dma_map map = {
        .argsz = sizeof map, .flags = 3, .address = 0x1000, .size = 0x1000};
    struct fdset fds;
    const void *out;
    size_t n;

    fdset_init(&fds);
    for (unsigned i = 0; i < 17; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, eventfd(0, EFD_CLOEXEC)), 0);
    }
    ck_assert_int_eq(client_request(&c, WIRE_DEVICE_SET_IRQS,
                                    &(struct wire_irq_set){20, 0x24, 1, 0, 17}, 20, NULL, 0, &fds,
                                    &out, &n, NULL),
                     CLIENT_REFUSED);
    ck_assert_int_eq(c.error, EINVAL);
    while (fds.n > 2) {
        close(fdset_steal(&fds, 0));
    }
    ck_assert_int_eq(
        client_request(&c, WIRE_DMA_MAP, &map, sizeof map, NULL, 0, &fds, &out, &n, NULL),
        CLIENT_REFUSED);
    ck_assert_int_eq(c.error, EINVAL);
    ck_assert_int_eq(client_request(&c, WIRE_DEVICE_RESET, NULL, 0, NULL, 0, &fds, &out, &n, NULL),
                     CLIENT_REFUSED);
    ck_assert_int_eq(c.error, EINVAL);
    fdset_close(&fds);
}
END_TEST

/* ---- regions ---- */

START_TEST(large_accesses)
{
    static uint8_t data[1 << 20];
    uint8_t page[EDU_PAGE_SIZE];

    memset(data, 0, sizeof data);
    edu_ok(&c, client_region_read(&c, WIRE_PCI_BAR0, 0, data, sizeof data));
    ck_assert_uint_eq(data[0], 0xff);
    ck_assert_mem_eq(data, data + 1, sizeof data - 1);
    edu_ok(&c, client_region_write(&c, WIRE_PCI_BAR0, 0, data, sizeof data));
    ck_assert_uint_eq(edu_get(&c, EDU_LIVENESS, 4), 0);
    for (unsigned i = 0; i < sizeof page; i++) {
        data[i] = (uint8_t)(i * 13);
    }
    edu_ok(&c, client_region_write(&c, 2, EDU_PAGE, data, sizeof page));
    edu_ok(&c, client_region_read(&c, 2, EDU_PAGE, page, sizeof page));
    ck_assert_mem_eq(data, page, sizeof page);
}
END_TEST

/* "No_reply": nothing comes back, neither for a good command nor for a bad one; all are in order.
 */
START_TEST(no_reply)
{
    struct wire_region_access w = {.offset = EDU_LIVENESS, .region = 0, .count = 4};
    const uint32_t value = 0xffff0000;

    edu_ok(&c, client_post(&c, WIRE_REGION_WRITE, &w, sizeof w, &value, sizeof value));
    w.region = 9;
    edu_ok(&c, client_post(&c, WIRE_REGION_WRITE, &w, sizeof w, &value, sizeof value));
    edu_ok(&c, client_post(&c, WIRE_DEVICE_GET_INFO, &(struct wire_device_info){.argsz = 16}, 16,
                           NULL, 0));
    ck_assert_uint_eq(edu_get(&c, EDU_LIVENESS, 4), 0xffff);
}
END_TEST

START_TEST(write_multi)
{
    const struct {
        struct wire_write_multi head;
        struct wire_single_write writes[3];
    } request = {.head = {3},
                 .writes = {{.offset = EDU_LIVENESS, .count = 4, .data = {1}},
                            {.offset = EDU_PAGE, .region = 2, .count = 8, .data = {9, 8, 7}},
                            {.offset = EDU_CONFIG_SIZE, .region = 7, .count = 1}}};
    struct wire_write_multi done;
    const void *out;
    uint8_t page[3];
    size_t n;

    edu_ok(&c, client_request(&c, WIRE_REGION_WRITE_MULTI, &request, sizeof request, NULL, 0, NULL,
                              &out, &n, NULL));
    ck_assert(wire_get(out, n, &done, sizeof done));
    ck_assert_uint_eq(done.wr_cnt, 2);
    ck_assert_uint_eq(edu_get(&c, EDU_LIVENESS, 4), ~1u);
    edu_ok(&c, client_region_read(&c, 2, EDU_PAGE, page, sizeof page));
    ck_assert_mem_eq(page, "\x09\x08\x07", 3);
}
END_TEST

START_TEST(reset)
{
    edu_put(&c, EDU_LIVENESS, 1, 4);
    edu_ok(&c, client_reset(&c));
    ck_assert_uint_eq(edu_get(&c, EDU_LIVENESS, 4), 0);
}
END_TEST

START_TEST(interrupt)
{
    struct fdset fds;
    uint64_t n;

    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, eventfd(0, EFD_CLOEXEC)), 0);
    edu_ok(&c, client_set_irqs(&c, WIRE_PCI_MSI, 0, 1, &fds));
    edu_put(&c, EDU_STATUS, EDU_STATUS_IRQ, 4);
    edu_put(&c, EDU_FACTORIAL, 5, 4);
    ck_assert_int_eq(read(fds.fds[0], &n, sizeof n), sizeof n);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(edu_get(&c, EDU_FACTORIAL, 4), 120);
    ck_assert_uint_eq(edu_get(&c, EDU_IRQ_STATUS, 4), EDU_IRQ_FACTORIAL);
    fdset_close(&fds);
}
END_TEST

/* ---- migration ---- */

static int set_state(struct client *to, uint32_t state)
{
    const uint32_t words[] = {16, WIRE_FEATURE_SET | WIRE_FEATURE_MIG_DEVICE_STATE, state, 0};

    return edu_errno(to, WIRE_DEVICE_FEATURE, words, sizeof words);
}

static uint32_t get_state(struct client *from)
{
    const uint32_t words[] = {16, WIRE_FEATURE_GET | WIRE_FEATURE_MIG_DEVICE_STATE};
    uint32_t reply[4];
    const void *out;
    size_t n;

    edu_ok(from, client_request(from, WIRE_DEVICE_FEATURE, words, sizeof words, NULL, 0, NULL, &out,
                                &n, NULL));
    ck_assert_uint_eq(n, sizeof reply);
    ck_assert(wire_get(out, n, reply, sizeof reply));
    ck_assert_uint_eq(reply[0], 16);
    return reply[2];
}

/* Reads the whole stream in pieces. Its length. */
static size_t read_stream(struct client *from, uint8_t *data, size_t room)
{
    const struct wire_mig_data request = {.argsz = sizeof request + 1000, .size = 1000};
    struct wire_mig_data reply;
    size_t at = 0;

    do {
        const void *out;
        size_t n;

        edu_ok(from, client_request(from, WIRE_MIG_DATA_READ, &request, sizeof request, NULL, 0,
                                    NULL, &out, &n, NULL));
        ck_assert(wire_get(out, n, &reply, sizeof reply));
        ck_assert_uint_eq(reply.argsz, n);
        ck_assert_uint_le(at + reply.size, room);
        memcpy(data + at, (const uint8_t *)out + sizeof reply, reply.size);
        at += reply.size;
    } while (reply.size == request.size);
    return at;
}

static void write_stream(struct client *to, const uint8_t *data, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t size = n - at < 1000 ? n - at : 1000;
        const struct wire_mig_data request = {.argsz = 8, .size = (uint32_t)size};
        const void *out;
        size_t out_n;

        edu_ok(to, client_request(to, WIRE_MIG_DATA_WRITE, &request, sizeof request, data + at,
                                  size, NULL, &out, &out_n, NULL));
        at += size;
    }
}

START_TEST(migration)
{
    uint8_t data[STATE_SIZE + 1000];
    struct edu other;
    struct client to;
    const uint32_t mark = 0xdecade;
    uint32_t got;
    size_t n;

    edu_start(&other, "other", NULL);
    edu_connect(&other, &to);
    edu_put(&c, EDU_LIVENESS, 77, 4);
    edu_ok(&c, client_region_write(&c, 2, EDU_PAGE + 100, &mark, sizeof mark));
    ck_assert_uint_eq(get_state(&c), WIRE_MIG_RUNNING);
    ck_assert_int_eq(set_state(&c, WIRE_MIG_STOP_COPY), 0);
    /* Stopped: what is begun is not done. */
    edu_put(&c, EDU_FACTORIAL, 5, 4);
    ck_assert_uint_eq(edu_get(&c, EDU_STATUS, 4), EDU_STATUS_COMPUTING);
    n = read_stream(&c, data, sizeof data);
    ck_assert_uint_eq(n, STATE_SIZE);

    ck_assert_int_eq(set_state(&to, WIRE_MIG_RESUMING), 0);
    write_stream(&to, data, n);
    ck_assert_int_eq(set_state(&to, WIRE_MIG_RUNNING), 0);
    ck_assert_uint_eq(edu_get(&to, EDU_LIVENESS, 4), ~77u);
    edu_ok(&to, client_region_read(&to, 2, EDU_PAGE + 100, &got, sizeof got));
    ck_assert_uint_eq(got, mark);
    ck_assert_int_eq(set_state(&c, WIRE_MIG_RUNNING), 0);
    ck_assert_uint_eq(edu_get(&c, EDU_FACTORIAL, 4), 120);
    client_deinit(&to);
    edu_stop(&other);
}
END_TEST

START_TEST(damaged_migration)
{
    uint8_t data[STATE_SIZE] = {0};

    ck_assert_int_eq(set_state(&c, WIRE_MIG_RESUMING), 0);
    write_stream(&c, data, sizeof data);
    ck_assert_int_eq(set_state(&c, WIRE_MIG_RUNNING), EINVAL);
    ck_assert_uint_eq(get_state(&c), WIRE_MIG_ERROR);
    edu_ok(&c, client_reset(&c));
    ck_assert_uint_eq(get_state(&c), WIRE_MIG_RUNNING);
}
END_TEST

static const uint32_t probes[] = {
    WIRE_FEATURE_MIGRATION | WIRE_FEATURE_GET,
    WIRE_FEATURE_MIG_DEVICE_STATE | WIRE_FEATURE_GET | WIRE_FEATURE_SET,
    WIRE_FEATURE_MIG_DEVICE_STATE,
    WIRE_FEATURE_DMA_LOGGING_START | WIRE_FEATURE_SET,
    WIRE_FEATURE_DMA_LOGGING_STOP | WIRE_FEATURE_SET,
    WIRE_FEATURE_DMA_LOGGING_REPORT | WIRE_FEATURE_GET,
};

START_TEST(feature_probe)
{
    const uint32_t words[] = {8, WIRE_FEATURE_PROBE | probes[_i]};
    const void *out;
    size_t n;

    edu_ok(&c, client_request(&c, WIRE_DEVICE_FEATURE, words, sizeof words, NULL, 0, NULL, &out, &n,
                              NULL));
    ck_assert_uint_eq(n, sizeof words);
    ck_assert_mem_eq(out, words, sizeof words);
}
END_TEST

START_TEST(dirty_log)
{
    const struct {
        struct wire_feature head;
        struct wire_dma_logging log;
        struct wire_dma_logging_range range;
    } start = {{sizeof start, WIRE_FEATURE_SET | WIRE_FEATURE_DMA_LOGGING_START},
               {.page_size = 65536, .num_ranges = 1},
               {0x100000, 0x100000}};
    const struct {
        struct wire_feature head;
        struct wire_dma_report report;
    } report = {{sizeof report + 8, WIRE_FEATURE_GET | WIRE_FEATURE_DMA_LOGGING_REPORT},
                {0x100000, 0x40000, 4096}};
    const uint32_t stop[] = {8, WIRE_FEATURE_SET | WIRE_FEATURE_DMA_LOGGING_STOP};
    const int memory_fd = memfd_create("memory", MFD_CLOEXEC);
    struct wire_dma_logging chosen;
    uint64_t bits;
    const void *out;
    size_t n;

    ck_assert_int_eq(ftruncate(memory_fd, 0x100000), 0);
    edu_ok(&c, client_request(&c, WIRE_DEVICE_FEATURE, &start, sizeof start, NULL, 0, NULL, &out,
                              &n, NULL));
    ck_assert_uint_eq(n, sizeof start);
    memcpy(&chosen, (const uint8_t *)out + sizeof start.head, sizeof chosen);
    ck_assert_uint_eq(chosen.page_size, 4096);
    edu_ok(&c, client_dma_map(&c, 0x100000, 0x100000, 0, 3, memory_fd));
    edu_master(&c);
    edu_dma(&c, EDU_BUFFER, 0x103ff0, 0x20, 3);
    edu_ok(&c, client_request(&c, WIRE_DEVICE_FEATURE, &report, sizeof report, NULL, 0, NULL, &out,
                              &n, NULL));
    ck_assert_uint_eq(n, sizeof report + 8);
    memcpy(&bits, (const uint8_t *)out + sizeof report, sizeof bits);
    ck_assert_uint_eq(bits, 0x18);
    ck_assert_int_eq(edu_errno(&c, WIRE_DEVICE_FEATURE, stop, sizeof stop), 0);
    ck_assert_int_eq(edu_errno(&c, WIRE_DEVICE_FEATURE, &report, sizeof report), EINVAL);
    close(memory_fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu commands");
    TCase *tc = unit_case(s, "commands");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, version);
    tcase_add_test(tc, device);
    tcase_add_loop_test(tc, region, 0, WIRE_PCI_NUM_REGIONS);
    tcase_add_test(tc, mappable_page);
    tcase_add_test(tc, region_info_without_room);
    tcase_add_loop_test(tc, irq, 0, WIRE_PCI_NUM_IRQS);
    tcase_add_test(tc, doorbell_eventfd);
    tcase_add_loop_test(tc, no_io_fds, 0, sizeof io_fds / sizeof *io_fds);
    tcase_add_loop_test(tc, wrong_request, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tc, unwanted_fds);
    tcase_add_test(tc, large_accesses);
    tcase_add_test(tc, no_reply);
    tcase_add_test(tc, write_multi);
    tcase_add_test(tc, reset);
    tcase_add_test(tc, interrupt);
    tcase_add_test(tc, migration);
    tcase_add_test(tc, damaged_migration);
    tcase_add_loop_test(tc, feature_probe, 0, sizeof probes / sizeof *probes);
    tcase_add_test(tc, dirty_log);
    return unit_run(s);
}
