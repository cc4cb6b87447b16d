/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's DMA: the table of ranges, transfers by file and by message, the dirty log. */
#define _GNU_SOURCE
#include "contrib/edu/dma.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contrib/edu/device.h"
#include "tests/support/unit.h"

#define RW (WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE)
#define PAGE 0x1000u

/* ---- the table ---- */

static struct dma_table table;

static int map(uint64_t address, uint64_t size, uint32_t flags)
{
    const struct wire_dma_map m = {
        .argsz = sizeof m, .flags = flags, .address = address, .size = size};
    int fd = -1;

    return dma_table_map(&table, &m, &fd);
}

static void table_setup(void)
{
    dma_table_init(&table, 4);
    ck_assert_int_eq(map(0x10000, 0x4000, RW), 0);
}

static void table_teardown(void)
{
    dma_table_deinit(&table);
}

static const struct {
    uint64_t address;
    uint64_t size;
    uint32_t flags;
    int outcome;
} maps[] = {
    {0x14000, PAGE, RW, 0},
    {0xf000, PAGE, RW, 0},
    {0, 0x10000, WIRE_DMA_READABLE, 0},
    {UINT64_MAX - 0xfff, PAGE, WIRE_DMA_WRITEABLE, 0},
    {0x10000, 0x4000, RW, -EEXIST},
    {0x13000, PAGE, RW, -EEXIST},
    {0x13000, 0x2000, RW, -EEXIST},
    {0xf000, 0x2000, RW, -EEXIST},
    {0, 0x100000, RW, -EEXIST},
    {0x20000, 0, RW, -EINVAL},
    {0x20000, PAGE, 0, -EINVAL},
    {0x20000, PAGE, 4, -EINVAL},
    {0x20001, PAGE, RW, -EINVAL},
    {0x20000, 0x1001, RW, -EINVAL},
    {UINT64_MAX - 0xfff, 0x2000, RW, -EINVAL},
};

START_TEST(mapping)
{
    ck_assert_int_eq(map(maps[_i].address, maps[_i].size, maps[_i].flags), maps[_i].outcome);
    ck_assert_uint_eq(table.n, maps[_i].outcome == 0 ? 2 : 1);
}
END_TEST

START_TEST(argsz)
{
    const struct wire_dma_map m = {.argsz = 24, .flags = RW, .address = 0x20000, .size = PAGE};
    int fd = -1;

    ck_assert_int_eq(dma_table_map(&table, &m, &fd), -EINVAL);
}
END_TEST

START_TEST(as_many_as_agreed)
{
    for (uint64_t i = 1; i < 4; i++) {
        ck_assert_int_eq(map(0x100000 * i, PAGE, RW), 0);
    }
    ck_assert_int_eq(map(0x500000, PAGE, RW), -ENOSPC);
    ck_assert_int_eq(dma_table_unmap(&table, 0x100000, PAGE), 0);
    ck_assert_int_eq(map(0x500000, PAGE, RW), 0);
}
END_TEST

static const struct {
    uint64_t address;
    uint64_t size;
} unmaps[] = {{0x10000, PAGE}, {0x11000, 0x3000}, {0x10000, 0x5000}, {0, PAGE}, {0x14000, PAGE}};

START_TEST(unmapping_is_exact)
{
    ck_assert_int_eq(dma_table_unmap(&table, unmaps[_i].address, unmaps[_i].size), -EINVAL);
    ck_assert_int_eq(dma_table_unmap(&table, 0x10000, 0x4000), 0);
    ck_assert_int_eq(dma_table_unmap(&table, 0x10000, 0x4000), -EINVAL);
}
END_TEST

START_TEST(finding)
{
    ck_assert_int_eq(map(0x14000, PAGE, RW), 0);
    ck_assert_ptr_null(dma_table_find(&table, 0xffff));
    ck_assert_uint_eq(dma_table_find(&table, 0x10000)->address, 0x10000);
    ck_assert_uint_eq(dma_table_find(&table, 0x13fff)->address, 0x10000);
    ck_assert_uint_eq(dma_table_find(&table, 0x14000)->address, 0x14000);
    ck_assert_ptr_null(dma_table_find(&table, 0x15000));
}
END_TEST

/* A failed mapping leaves the fd to the caller; what is no file is not kept. */
START_TEST(fds)
{
    struct wire_dma_map m = {.argsz = sizeof m, .flags = RW, .address = 0x10000, .size = PAGE};
    int fd = memfd_create("test", MFD_CLOEXEC);
    int pipe_fds[2];

    ck_assert_int_eq(dma_table_map(&table, &m, &fd), -EEXIST);
    ck_assert_int_ge(fd, 0);
    m.address = 0x20000;
    ck_assert_int_eq(dma_table_map(&table, &m, &fd), 0);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_ge(dma_table_find(&table, 0x20000)->range_fd, 0);

    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    m.address = 0x30000;
    ck_assert_int_eq(dma_table_map(&table, &m, &pipe_fds[1]), 0);
    ck_assert_int_eq(pipe_fds[1], -1);
    ck_assert_int_eq(dma_table_find(&table, 0x30000)->range_fd, -1);
    close(pipe_fds[0]);
}
END_TEST

/* ---- transfers ---- */

#define BUS 0x100000u /* where the client's memory begins */

static struct device d;
static int memory_fd;

/* The last request that the device sent. */
static struct {
    unsigned n;
    struct wire_dma_access access;
    bool write;
    uint8_t data[EDU_BUFFER_SIZE];
} asked;

static int take_request(void *arg, const struct wire_dma_access *access, const void *data,
                        uint16_t *id)
{
    (void)arg;
    asked.access = *access;
    asked.write = data != NULL;
    if (data) {
        memcpy(asked.data, data, access->count);
    }
    *id = (uint16_t)++asked.n;
    return 0;
}

static void map_client(uint64_t address, uint64_t size, uint32_t flags, int fd)
{
    const struct wire_dma_map m = {.argsz = sizeof m,
                                   .flags = flags,
                                   .offset = fd < 0 ? 0 : address - BUS,
                                   .address = address,
                                   .size = size};

    ck_assert_int_eq(dma_table_map(&d.dma.table, &m, &fd), 0);
}

static void transfer_setup(void)
{
    const uint16_t master = 6;

    memset(&asked, 0, sizeof asked);
    ck_assert_int_eq(device_init(&d, EDU_DMA_MASK_DEFAULT, 8), 0);
    ck_assert_int_eq(device_write(&d, WIRE_PCI_CONFIG, 4, &master, 2), 0);
    d.dma.send = take_request;
    d.dma.send_max = 1000;
    for (unsigned i = 0; i < EDU_BUFFER_SIZE; i++) {
        d.dma.buffer[i] = (uint8_t)(i * 7);
    }
    memory_fd = memfd_create("client", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(memory_fd, 0x10000), 0);
}

static void transfer_teardown(void)
{
    close(memory_fd);
    device_deinit(&d);
}

static void reg(uint64_t offset, uint64_t v)
{
    ck_assert_int_eq(device_write(&d, WIRE_PCI_BAR0, offset, &v, 8), 0);
}

static bool running(void)
{
    uint64_t v;

    ck_assert_int_eq(device_read(&d, WIRE_PCI_BAR0, EDU_DMA_CMD, &v, 8), 0);
    return v & EDU_DMA_START;
}

static void start(uint64_t src, uint64_t dst, uint64_t count, uint64_t cmd)
{
    reg(EDU_DMA_SRC, src);
    reg(EDU_DMA_DST, dst);
    reg(EDU_DMA_COUNT, count);
    reg(EDU_DMA_CMD, cmd);
    ck_assert(running());
    ck_assert_uint_eq(asked.n, 0);
    device_work(&d);
}

/* Answers the device's request; bytes is the data of a DMA_READ. */
static bool reply(const void *bytes)
{
    uint8_t p[sizeof asked.access + EDU_BUFFER_SIZE];
    struct wire_hdr hdr = {.id = (uint16_t)asked.n,
                           .command = asked.write ? WIRE_DMA_WRITE : WIRE_DMA_READ,
                           .flags = WIRE_TYPE_REPLY};
    size_t n = asked.write ? WIRE_DMA_WRITE_REPLY_MIN : sizeof asked.access + asked.access.count;

    ck_assert(dma_awaits(&d.dma, hdr.id));
    wire_put(p, &asked.access, sizeof asked.access);
    if (bytes) {
        memcpy(p + sizeof asked.access, bytes, asked.access.count);
    }
    if (!dma_reply(&d.dma, &hdr, p, n)) {
        return false;
    }
    device_work(&d);
    return true;
}

static uint32_t irq_status(void)
{
    uint32_t v;

    ck_assert_int_eq(device_read(&d, WIRE_PCI_BAR0, EDU_IRQ_STATUS, &v, 4), 0);
    return v;
}

START_TEST(by_file_to_ram)
{
    uint8_t got[102];

    map_client(BUS, 0x10000, RW, dup(memory_fd));
    start(EDU_BUFFER + 3, BUS + 0xffe, 100, 7);
    ck_assert(!running());
    ck_assert_uint_eq(irq_status(), EDU_IRQ_DMA);
    ck_assert_uint_eq(asked.n, 0);
    ck_assert_int_eq(pread(memory_fd, got, sizeof got, 0xffd), sizeof got);
    ck_assert_mem_eq(got + 1, d.dma.buffer + 3, 100);
    ck_assert_uint_eq(got[0] | got[101], 0);
}
END_TEST

START_TEST(by_file_from_ram)
{
    uint8_t want[EDU_BUFFER_SIZE];

    memset(want, 0x5a, sizeof want);
    ck_assert_int_eq(pwrite(memory_fd, want, sizeof want, 0x2000), sizeof want);
    map_client(BUS, 0x10000, RW, dup(memory_fd));
    start(BUS + 0x2000, EDU_BUFFER, EDU_BUFFER_SIZE, 1);
    ck_assert(!running());
    ck_assert_uint_eq(irq_status(), 0);
    ck_assert_mem_eq(d.dma.buffer, want, sizeof want);
}
END_TEST

/* Two ranges side by side, one of them without a file: each part goes its own way. */
START_TEST(across_ranges)
{
    uint8_t got[PAGE];

    map_client(BUS, PAGE, RW, dup(memory_fd));
    map_client(BUS + PAGE, PAGE, RW, -1);
    start(EDU_BUFFER, BUS + PAGE - 10, 30, 3);
    ck_assert(running());
    ck_assert_uint_eq(asked.n, 1);
    ck_assert_uint_eq(asked.access.address, BUS + PAGE);
    ck_assert_uint_eq(asked.access.count, 20);
    ck_assert_mem_eq(asked.data, d.dma.buffer + 10, 20);
    ck_assert_int_eq(pread(memory_fd, got, 10, PAGE - 10), 10);
    ck_assert_mem_eq(got, d.dma.buffer, 10);
    ck_assert(reply(NULL));
    ck_assert(!running());
}
END_TEST

START_TEST(by_messages_in_pieces)
{
    uint8_t bytes[1000];

    map_client(BUS, 0x10000, RW, -1);
    start(BUS, EDU_BUFFER, 2500, 5);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(running());
        ck_assert_uint_eq(asked.n, i + 1);
        ck_assert(!asked.write);
        ck_assert_uint_eq(asked.access.address, BUS + 1000 * i);
        ck_assert_uint_eq(asked.access.count, i < 2 ? 1000 : 500);
        memset(bytes, (int)i + 1, sizeof bytes);
        ck_assert(reply(bytes));
    }
    ck_assert(!running());
    ck_assert_uint_eq(irq_status(), EDU_IRQ_DMA);
    ck_assert_uint_eq(d.dma.buffer[999], 1);
    ck_assert_uint_eq(d.dma.buffer[1000], 2);
    ck_assert_uint_eq(d.dma.buffer[2499], 3);
    ck_assert_uint_eq(d.dma.buffer[2500], (uint8_t)(2500 * 7));
}
END_TEST

/* A file that ends before its range does: the client is asked for what lies behind. */
START_TEST(file_too_short)
{
    uint8_t bytes[16];

    memset(bytes, 9, sizeof bytes);
    map_client(BUS, 0x20000, RW, dup(memory_fd));
    start(BUS + 0x10000, EDU_BUFFER, 16, 1);
    ck_assert_uint_eq(asked.n, 1);
    ck_assert(reply(bytes));
    ck_assert_mem_eq(d.dma.buffer, bytes, 16);
}
END_TEST

static const struct {
    uint64_t src;
    uint64_t dst;
    uint64_t count;
    uint64_t cmd;
} impossible[] = {
    {EDU_BUFFER, BUS + 0x8000, 16, 7},         /* not mapped */
    {EDU_BUFFER, BUS + 0x1000, 16, 7},         /* not writable */
    {BUS + 0x2000, EDU_BUFFER, 16, 5},         /* not readable */
    {EDU_BUFFER, BUS, EDU_BUFFER_SIZE + 1, 7}, /* larger than the buffer */
    {EDU_BUFFER + 1, BUS, EDU_BUFFER_SIZE, 7}, /* past its end */
    {EDU_BUFFER - 1, BUS, 16, 7},              /* before it */
    {EDU_BUFFER, BUS, UINT64_MAX, 7},
    {UINT64_MAX, BUS, 2, 7},
    {BUS, EDU_BUFFER + EDU_BUFFER_SIZE, 1, 5},
};

/* Nothing is moved, nothing is asked for; the transfer ends as others do. */
START_TEST(not_possible)
{
    uint8_t before[EDU_BUFFER_SIZE];

    memcpy(before, d.dma.buffer, sizeof before);
    map_client(BUS, PAGE, RW, -1);
    map_client(BUS + 0x1000, PAGE, WIRE_DMA_READABLE, -1);
    map_client(BUS + 0x2000, PAGE, WIRE_DMA_WRITEABLE, -1);
    start(impossible[_i].src, impossible[_i].dst, impossible[_i].count, impossible[_i].cmd);
    ck_assert(!running());
    ck_assert_uint_eq(asked.n, 0);
    ck_assert_uint_eq(irq_status(), EDU_IRQ_DMA);
    ck_assert_mem_eq(d.dma.buffer, before, sizeof before);
}
END_TEST

START_TEST(no_bytes)
{
    start(EDU_BUFFER + EDU_BUFFER_SIZE, BUS, 0, 7);
    ck_assert(!running());
    ck_assert_uint_eq(irq_status(), EDU_IRQ_DMA);
}
END_TEST

START_TEST(no_bus_master)
{
    const uint16_t off = 2;

    ck_assert_int_eq(device_write(&d, WIRE_PCI_CONFIG, 4, &off, 2), 0);
    map_client(BUS, PAGE, RW, -1);
    start(BUS, EDU_BUFFER, 16, 1);
    ck_assert(!running());
    ck_assert_uint_eq(asked.n, 0);
}
END_TEST

START_TEST(address_mask)
{
    map_client(BUS, PAGE, RW, -1);
    start(0xabc0000000u + BUS, EDU_BUFFER, 16, 1);
    ck_assert_uint_eq(asked.n, 1);
    ck_assert_uint_eq(asked.access.address, BUS);
}
END_TEST

START_TEST(client_refuses)
{
    const struct wire_hdr hdr = {
        .id = 1, .command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY | WIRE_ERROR, .error = EFAULT};

    map_client(BUS, PAGE, RW, -1);
    start(BUS, EDU_BUFFER, 16, 5);
    ck_assert(dma_reply(&d.dma, &hdr, NULL, 0));
    device_work(&d);
    ck_assert(!running());
    ck_assert_uint_eq(asked.n, 1);
    ck_assert_uint_eq(irq_status(), EDU_IRQ_DMA);
    /* The next transfer is none the worse. */
    asked.n = 0;
    start(BUS, EDU_BUFFER, 16, 1);
    ck_assert(running());
}
END_TEST

START_TEST(wrong_reply)
{
    uint8_t bytes[16] = {0};

    map_client(BUS, PAGE, RW, -1);
    start(BUS, EDU_BUFFER, 16, 1);
    switch (_i) {
    case 0:
        asked.access.address++;
        break;
    case 1:
        asked.access.count--;
        break;
    default:
        asked.write = true;
        break;
    }
    ck_assert(!reply(bytes));
}
END_TEST

/* The range goes away while the client is being asked: the transfer ends without the reply. */
START_TEST(unmapped_under_way)
{
    map_client(BUS, PAGE, RW, -1);
    map_client(BUS + 0x2000, PAGE, RW, -1);
    start(BUS, EDU_BUFFER, 16, 5);
    ck_assert(dma_touches(&d.dma, BUS, PAGE));
    ck_assert(!dma_touches(&d.dma, BUS + 0x2000, PAGE));
    ck_assert_int_eq(dma_table_unmap(&d.dma.table, BUS, PAGE), 0);
    dma_pause(&d.dma);
    device_work(&d);
    ck_assert(!running());
    ck_assert(!dma_awaits(&d.dma, 1));
    ck_assert_uint_eq(irq_status(), EDU_IRQ_DMA);
}
END_TEST

/* Stopped under way: asked again after the stop, for the bytes that are still missing. */
START_TEST(stopped_under_way)
{
    uint8_t bytes[1000] = {0};

    map_client(BUS, PAGE, RW, -1);
    start(BUS, EDU_BUFFER, 1500, 5);
    ck_assert(reply(bytes));
    ck_assert_uint_eq(asked.n, 2);
    device_stop(&d);
    device_work(&d);
    ck_assert(!dma_awaits(&d.dma, 2));
    ck_assert_uint_eq(asked.n, 2);
    ck_assert(running());
    device_resume(&d);
    device_work(&d);
    ck_assert_uint_eq(asked.n, 3);
    ck_assert_uint_eq(asked.access.address, BUS + 1000);
    ck_assert_uint_eq(asked.access.count, 500);
    ck_assert(reply(bytes));
    ck_assert(!running());
}
END_TEST

START_TEST(reset_under_way)
{
    map_client(BUS, PAGE, RW, -1);
    start(BUS, EDU_BUFFER, 16, 5);
    device_reset(&d);
    device_work(&d);
    ck_assert(!running());
    ck_assert(!dma_awaits(&d.dma, 1));
    ck_assert_uint_eq(irq_status(), 0);
}
END_TEST

/* ---- the dirty log ---- */

static struct dirty log_;

static void dirty_setup(void)
{
    dirty_init(&log_);
}

static void dirty_teardown(void)
{
    dirty_deinit(&log_);
}

static uint64_t report(uint64_t iova, uint64_t length, uint64_t page_size)
{
    const struct wire_dma_report r = {.iova = iova, .length = length, .page_size = page_size};
    uint64_t bits = 0;

    ck_assert_uint_eq(dirty_bitmap_size(&r), 8);
    dirty_report(&log_, &r, (uint8_t *)&bits);
    return bits;
}

START_TEST(dirty_pages)
{
    dirty_mark(&log_, 0x1000, 1);
    ck_assert_int_eq(dirty_start(&log_, NULL, 0), 0);
    ck_assert_int_eq(dirty_start(&log_, NULL, 0), -EBUSY);
    ck_assert_uint_eq(report(0, 0x40000, PAGE), 0);
    dirty_mark(&log_, 0x3fff, 2);
    dirty_mark(&log_, 0x1000, 0x1000);
    dirty_mark(&log_, 0x1000, 1);
    ck_assert_uint_eq(report(0, 0x40000, PAGE), 0x1a);
    ck_assert_uint_eq(report(0, 0x40000, PAGE), 0);
    dirty_mark(&log_, 0x5000, 1);
    dirty_stop(&log_);
    ck_assert_int_eq(dirty_start(&log_, NULL, 0), 0);
    ck_assert_uint_eq(report(0, 0x40000, PAGE), 0);
}
END_TEST

START_TEST(dirty_units)
{
    ck_assert_int_eq(dirty_start(&log_, NULL, 0), 0);
    dirty_mark(&log_, 0x13000, 1);
    ck_assert_uint_eq(report(0x10000, 0x8000, 0x2000), 0x2);
    dirty_mark(&log_, 0x13000, 1);
    ck_assert_uint_eq(report(0x13000, 0x2000, 0x400), 0xf);
    /* A report of half the page leaves the other half to be reported. */
    dirty_mark(&log_, 0x13000, 1);
    ck_assert_uint_eq(report(0x13000, 0x800, 0x400), 0x3);
    ck_assert_uint_eq(report(0x13800, 0x800, 0x400), 0x3);
}
END_TEST

START_TEST(dirty_ranges)
{
    struct wire_dma_logging_range ranges[DIRTY_RANGES + 1] = {{0x2000, 0x1000}, {0x8000, 1}};

    ck_assert_int_eq(dirty_start(&log_, ranges, 2), 0);
    dirty_mark(&log_, 0, 0x10000);
    ck_assert_uint_eq(report(0, 0x40000, PAGE), 0x104);
    dirty_stop(&log_);
    ranges[1].length = 0;
    ck_assert_int_eq(dirty_start(&log_, ranges, 2), -EINVAL);
    ranges[1] = (struct wire_dma_logging_range){UINT64_MAX - 1, 3};
    ck_assert_int_eq(dirty_start(&log_, ranges, 2), -EINVAL);
    for (unsigned i = 0; i <= DIRTY_RANGES; i++) {
        ranges[i] = (struct wire_dma_logging_range){i * 0x1000, 0x1000};
    }
    ck_assert_int_eq(dirty_start(&log_, ranges, DIRTY_RANGES + 1), -EINVAL);
    ck_assert_int_eq(dirty_start(&log_, ranges, DIRTY_RANGES), 0);
}
END_TEST

/* More pages than are kept: everything that is logged is reported, and goes on being. */
START_TEST(dirty_overflow)
{
    const struct wire_dma_logging_range ranges[] = {{0, UINT64_C(1) << 40}};

    ck_assert_int_eq(dirty_start(&log_, ranges, 1), 0);
    for (uint64_t i = 0; i < DIRTY_PAGES; i++) {
        dirty_mark(&log_, i * PAGE, 1);
    }
    ck_assert(!log_.overflow);
    dirty_mark(&log_, 5 * PAGE, 1);
    ck_assert(!log_.overflow);
    dirty_mark(&log_, (uint64_t)DIRTY_PAGES * PAGE, 1);
    ck_assert(log_.overflow);
    ck_assert_uint_eq(report(UINT64_C(1) << 39, 0x40000, PAGE), UINT64_MAX);
    ck_assert_uint_eq(report((UINT64_C(1) << 40) - PAGE, 0x2000, PAGE), 1);
    ck_assert_uint_eq(report(UINT64_C(1) << 39, 0x40000, PAGE), UINT64_MAX);
}
END_TEST

static const struct {
    struct wire_dma_report report;
    uint64_t size;
} reports[] = {
    {{0, 1, 1}, 8},
    {{0, 64 * 4096, 4096}, 8},
    {{0, 64 * 4096 + 1, 4096}, 16},
    {{0, UINT64_MAX, UINT64_C(1) << 63}, 8},
    {{UINT64_MAX - 4095, 4096, 4096}, 8},
    {{0, 0, 4096}, 0},
    {{0, 4096, 0}, 0},
    {{0, 4096, 4097}, 0},
    {{1, 4096, 4096}, 0},
    {{UINT64_MAX - 4095, 4097, 4096}, 0},
};

START_TEST(bitmap_size)
{
    ck_assert_uint_eq(dirty_bitmap_size(&reports[_i].report), reports[_i].size);
}
END_TEST

/* The device logs what it writes, by either way, and not what it reads. */
START_TEST(device_writes_are_logged)
{
    ck_assert_int_eq(dirty_start(&d.dma.dirty, NULL, 0), 0);
    map_client(BUS, 0x4000, RW, dup(memory_fd));
    map_client(BUS + 0x4000, 0x4000, RW, -1);
    start(EDU_BUFFER, BUS + 0x1000, 16, 3);
    start(BUS + 0x2000, EDU_BUFFER, 16, 1);
    start(EDU_BUFFER, BUS + 0x5000, 16, 3);
    ck_assert(reply(NULL));
    log_ = d.dma.dirty;
    ck_assert_uint_eq(report(BUS, 0x40000, PAGE), 0x22);
}
END_TEST

static void add(Suite *s, const char *name, void (*up)(void), void (*down)(void), TCase **tc)
{
    *tc = unit_case(s, name);
    tcase_add_checked_fixture(*tc, up, down);
}

int main(void)
{
    Suite *s = suite_create("edu dma");
    TCase *tc;

    add(s, "table", table_setup, table_teardown, &tc);
    tcase_add_loop_test(tc, mapping, 0, sizeof maps / sizeof *maps);
    tcase_add_test(tc, argsz);
    tcase_add_test(tc, as_many_as_agreed);
    tcase_add_loop_test(tc, unmapping_is_exact, 0, sizeof unmaps / sizeof *unmaps);
    tcase_add_test(tc, finding);
    tcase_add_test(tc, fds);
    add(s, "transfers", transfer_setup, transfer_teardown, &tc);
    tcase_add_test(tc, by_file_to_ram);
    tcase_add_test(tc, by_file_from_ram);
    tcase_add_test(tc, across_ranges);
    tcase_add_test(tc, by_messages_in_pieces);
    tcase_add_test(tc, file_too_short);
    tcase_add_loop_test(tc, not_possible, 0, sizeof impossible / sizeof *impossible);
    tcase_add_test(tc, no_bytes);
    tcase_add_test(tc, no_bus_master);
    tcase_add_test(tc, address_mask);
    tcase_add_test(tc, client_refuses);
    tcase_add_loop_test(tc, wrong_reply, 0, 3);
    tcase_add_test(tc, unmapped_under_way);
    tcase_add_test(tc, stopped_under_way);
    tcase_add_test(tc, reset_under_way);
    tcase_add_test(tc, device_writes_are_logged);
    add(s, "dirty log", dirty_setup, dirty_teardown, &tc);
    tcase_add_test(tc, dirty_pages);
    tcase_add_test(tc, dirty_units);
    tcase_add_test(tc, dirty_ranges);
    tcase_add_test(tc, dirty_overflow);
    tcase_add_loop_test(tc, bitmap_size, 0, sizeof reports / sizeof *reports);
    return unit_run(s);
}
