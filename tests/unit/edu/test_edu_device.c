/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device: registers, what they set in motion, interrupts, both BARs, reset. */
#define _GNU_SOURCE
#include "contrib/edu/device.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define BAR0 WIRE_PCI_BAR0
#define BAR2 2u
#define CONFIG WIRE_PCI_CONFIG
#define ONES32 0xffffffffu

static struct device d;
static int irq_fd;

static void setup(void)
{
    ck_assert_int_eq(device_init(&d, EDU_DMA_MASK_DEFAULT, 8), 0);
    irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_assert_int_ge(irq_fd, 0);
}

static void teardown(void)
{
    close(irq_fd);
    device_deinit(&d);
}

static uint64_t get(uint32_t region, uint64_t offset, uint32_t n)
{
    uint64_t v = 0;

    ck_assert_int_eq(device_read(&d, region, offset, &v, n), 0);
    return v;
}

static void put(uint32_t region, uint64_t offset, uint64_t v, uint32_t n)
{
    ck_assert_int_eq(device_write(&d, region, offset, &v, n), 0);
}

/* Interrupts that came since the last look. */
static uint64_t fired(void)
{
    uint64_t n;

    return read(irq_fd, &n, sizeof n) == (ssize_t)sizeof n ? n : 0;
}

static int set_irqs(uint32_t index, uint32_t flags, uint32_t count, int fd)
{
    const struct wire_irq_set set = {
        .argsz = sizeof set, .flags = flags, .index = index, .count = count};
    struct fdset fds;
    int err;

    fdset_init(&fds);
    if (fd >= 0) {
        ck_assert_int_eq(fdset_add_take(&fds, dup(fd)), 0);
    }
    err = irq_set(&d.irq, &set, NULL, &fds);
    fdset_close(&fds);
    if (!err) {
        device_show_irq(&d);
    }
    return err;
}

static void use(uint32_t index)
{
    ck_assert_int_eq(
        set_irqs(index, WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER, 1, irq_fd), 0);
}

static void unmask(void)
{
    ck_assert_int_eq(
        set_irqs(WIRE_PCI_INTX, WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_UNMASK, 1, -1), 0);
}

/* ---- BAR 0 ---- */

START_TEST(power_on)
{
    ck_assert_uint_eq(get(BAR0, EDU_IDENT, 4), 0x010000ed);
    ck_assert_uint_eq(get(BAR0, EDU_LIVENESS, 4), 0);
    ck_assert_uint_eq(get(BAR0, EDU_STATUS, 4), 0);
    ck_assert_uint_eq(get(BAR0, EDU_IRQ_STATUS, 4), 0);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_CMD, 8), 0);
}
END_TEST

START_TEST(liveness)
{
    put(BAR0, EDU_LIVENESS, 0x12345678, 4);
    ck_assert_uint_eq(get(BAR0, EDU_LIVENESS, 4), 0xedcba987);
    put(BAR0, EDU_IDENT, 0, 4);
    ck_assert_uint_eq(get(BAR0, EDU_IDENT, 4), 0x010000ed);
}
END_TEST

static const struct {
    uint64_t offset;
    uint32_t n;
    bool answered;
} accesses[] = {
    {EDU_IDENT, 1, false},       {EDU_IDENT, 2, false},         {EDU_IDENT, 4, true},
    {EDU_IDENT, 8, false},       {EDU_IDENT + 2, 4, false},     {EDU_DMA_SRC - 4, 8, false},
    {EDU_DMA_SRC - 4, 4, false}, {EDU_DMA_SRC, 4, true},        {EDU_DMA_SRC, 8, true},
    {EDU_DMA_SRC, 1, false},     {EDU_DMA_SRC, 2, false},       {EDU_DMA_SRC + 4, 4, false},
    {EDU_IRQ_RAISE, 4, false},   {EDU_IRQ_ACK, 4, false},       {0xa0, 8, false},
    {EDU_BUFFER, 8, false},      {EDU_BAR0_SIZE - 4, 4, false},
};

/* "Only size == 4 accesses are allowed for addresses < 0x80. size == 4 or 8 for the rest." */
START_TEST(access_size)
{
    const uint32_t n = accesses[_i].n;
    const uint64_t ones = n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;

    put(BAR0, EDU_DMA_SRC, 0x1122334455667788, 8);
    if (accesses[_i].answered) {
        ck_assert_uint_ne(get(BAR0, accesses[_i].offset, n), ones);
    } else {
        ck_assert_uint_eq(get(BAR0, accesses[_i].offset, n), ones);
        put(BAR0, accesses[_i].offset == EDU_IRQ_RAISE ? 0xa0 : accesses[_i].offset, 0, n);
        ck_assert_uint_eq(get(BAR0, EDU_DMA_SRC, 8), 0x1122334455667788);
    }
}
END_TEST

static const struct {
    uint32_t region;
    uint64_t offset;
    uint32_t n;
    int outcome;
} bounds[] = {
    {BAR0, EDU_BAR0_SIZE - 1, 1, 0},
    {BAR0, EDU_BAR0_SIZE - 1, 2, -EINVAL},
    {BAR0, EDU_BAR0_SIZE, 1, -EINVAL},
    {BAR0, 0, 0, -EINVAL},
    {BAR0, UINT64_MAX, 1, -EINVAL},
    {BAR0, UINT64_MAX - 3, 4, -EINVAL},
    {1, 0, 4, -EINVAL},
    {BAR2, EDU_BAR2_SIZE - 4, 4, 0},
    {BAR2, EDU_BAR2_SIZE - 4, 5, -EINVAL},
    {WIRE_PCI_ROM, 0, 4, -EINVAL},
    {CONFIG, 255, 1, 0},
    {CONFIG, 255, 2, -EINVAL},
    {WIRE_PCI_VGA, 0, 1, -EINVAL},
    {WIRE_PCI_NUM_REGIONS, 0, 1, -EINVAL},
    {UINT32_MAX, 0, 1, -EINVAL},
};

START_TEST(region_bounds)
{
    uint8_t bytes[8] = {0};

    ck_assert_int_eq(device_read(&d, bounds[_i].region, bounds[_i].offset, bytes, bounds[_i].n),
                     bounds[_i].outcome);
    ck_assert_int_eq(device_write(&d, bounds[_i].region, bounds[_i].offset, bytes, bounds[_i].n),
                     bounds[_i].outcome);
}
END_TEST

static const struct {
    uint32_t n;
    uint32_t result;
} factorials[] = {
    {0, 1},  {1, 1},      {5, 120}, {12, 479001600}, {13, 1932053504}, {33, 0x80000000u},
    {34, 0}, {ONES32, 0},
};

START_TEST(factorial)
{
    put(BAR0, EDU_FACTORIAL, factorials[_i].n, 4);
    ck_assert_uint_eq(get(BAR0, EDU_STATUS, 4), EDU_STATUS_COMPUTING);
    /* What is written while it is computing is dropped. */
    put(BAR0, EDU_FACTORIAL, 3, 4);
    device_work(&d);
    ck_assert_uint_eq(get(BAR0, EDU_STATUS, 4), 0);
    ck_assert_uint_eq(get(BAR0, EDU_FACTORIAL, 4), factorials[_i].result);
}
END_TEST

START_TEST(status_bits)
{
    put(BAR0, EDU_STATUS, ONES32, 4);
    ck_assert_uint_eq(get(BAR0, EDU_STATUS, 4), EDU_STATUS_IRQ);
    put(BAR0, EDU_STATUS, 0, 4);
    ck_assert_uint_eq(get(BAR0, EDU_STATUS, 4), 0);
}
END_TEST

START_TEST(wide_registers)
{
    put(BAR0, EDU_DMA_DST, UINT64_MAX, 8);
    put(BAR0, EDU_DMA_DST, 0x1234, 4);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_DST, 8), 0x1234);
    /* A command without the start bit is none. */
    put(BAR0, EDU_DMA_CMD, EDU_DMA_TO_RAM | EDU_DMA_IRQ, 8);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_CMD, 8), 0);
    /* Once started, the parameters stand still. */
    put(BAR0, EDU_DMA_CMD, UINT64_MAX, 8);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_CMD, 8), 7);
    put(BAR0, EDU_DMA_DST, 0x5678, 8);
    put(BAR0, EDU_DMA_CMD, EDU_DMA_START, 8);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_DST, 8), 0x1234);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_CMD, 8), 7);
}
END_TEST

/* ---- interrupts ---- */

START_TEST(intx_is_a_level)
{
    use(WIRE_PCI_INTX);
    put(BAR0, EDU_IRQ_RAISE, 2, 4);
    ck_assert_uint_eq(fired(), 1);
    ck_assert_uint_eq(get(BAR0, EDU_IRQ_STATUS, 4), 2);
    ck_assert_uint_eq(get(CONFIG, 6, 2), 0x18);
    /* It masked itself. */
    put(BAR0, EDU_IRQ_RAISE, 4, 4);
    ck_assert_uint_eq(fired(), 0);
    ck_assert_uint_eq(get(BAR0, EDU_IRQ_STATUS, 4), 6);
    /* Unmasked while it is still pending: again. */
    unmask();
    ck_assert_uint_eq(fired(), 1);
    put(BAR0, EDU_IRQ_ACK, 6, 4);
    ck_assert_uint_eq(get(CONFIG, 6, 2), 0x10);
    unmask();
    ck_assert_uint_eq(fired(), 0);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 1);
}
END_TEST

START_TEST(intx_disabled)
{
    use(WIRE_PCI_INTX);
    put(CONFIG, 4, 0x400, 2);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 0);
    put(CONFIG, 4, 0, 2);
    ck_assert_uint_eq(fired(), 1);
}
END_TEST

START_TEST(intx_pending_before_its_eventfd)
{
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    use(WIRE_PCI_INTX);
    ck_assert_uint_eq(fired(), 1);
}
END_TEST

START_TEST(msi_is_an_edge)
{
    use(WIRE_PCI_MSI);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 2);
    ck_assert_uint_eq(get(CONFIG, 6, 2), 0x10);
    put(BAR0, EDU_IRQ_RAISE, 0, 4);
    ck_assert_uint_eq(fired(), 1);
    put(BAR0, EDU_IRQ_ACK, 1, 4);
    put(BAR0, EDU_IRQ_RAISE, 0, 4);
    ck_assert_uint_eq(fired(), 0);
}
END_TEST

START_TEST(msi_enabled_without_an_eventfd)
{
    use(WIRE_PCI_INTX);
    put(CONFIG, EDU_CONFIG_MSI + 2, 1, 2);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 0);
    put(CONFIG, EDU_CONFIG_MSI + 2, 0, 2);
    ck_assert_uint_eq(fired(), 1);
}
END_TEST

START_TEST(factorial_interrupts)
{
    use(WIRE_PCI_MSI);
    put(BAR0, EDU_STATUS, EDU_STATUS_IRQ, 4);
    put(BAR0, EDU_FACTORIAL, 4, 4);
    ck_assert_uint_eq(fired(), 0);
    device_work(&d);
    ck_assert_uint_eq(fired(), 1);
    ck_assert_uint_eq(get(BAR0, EDU_IRQ_STATUS, 4), EDU_IRQ_FACTORIAL);
    ck_assert_uint_eq(get(BAR0, EDU_STATUS, 4), EDU_STATUS_IRQ);
}
END_TEST

/* A client's eventfd that is full must not stop the device. */
START_TEST(full_eventfd)
{
    const uint64_t most = UINT64_MAX - 1;
    const int full_fd = eventfd(0, EFD_CLOEXEC);

    ck_assert_int_eq(write(full_fd, &most, sizeof most), sizeof most);
    ck_assert_int_eq(
        set_irqs(WIRE_PCI_MSI, WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER, 1, full_fd),
        0);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(get(BAR0, EDU_IRQ_STATUS, 4), 1);
    close(full_fd);
}
END_TEST

static const struct {
    uint32_t index;
    uint32_t flags;
    uint32_t start;
    uint32_t count;
    uint32_t argsz;
    unsigned n_fds;
    int outcome;
} sets[] = {
    {WIRE_PCI_INTX, 0x24, 0, 1, 20, 1, 0}, /* assign */
    {WIRE_PCI_INTX, 0x24, 0, 1, 20, 0, 0}, /* de-assign */
    {WIRE_PCI_INTX, 0x21, 0, 0, 20, 0, 0}, /* disable all */
    {WIRE_PCI_INTX, 0x21, 0, 1, 20, 0, 0}, /* trigger */
    {WIRE_PCI_INTX, 0x09, 0, 1, 20, 0, 0}, /* mask */
    {WIRE_PCI_INTX, 0x11, 0, 1, 20, 0, 0}, /* unmask */
    {WIRE_PCI_MSI, 0x24, 0, 1, 20, 1, 0},
    {WIRE_PCI_MSIX, 0x21, 0, 0, 20, 0, 0},       /* nothing to disable */
    {WIRE_PCI_INTX, 0x24, 0, 1, 20, 2, -EINVAL}, /* more fds than interrupts */
    {WIRE_PCI_INTX, 0x24, 0, 2, 20, 2, -EINVAL}, /* more than there are */
    {WIRE_PCI_INTX, 0x24, 1, 1, 20, 1, -EINVAL},
    {WIRE_PCI_INTX, 0x24, UINT32_MAX, 2, 20, 1, -EINVAL},
    {WIRE_PCI_INTX, 0x21, 1, 0, 20, 0, -EINVAL}, /* none of them, yet from 1 on */
    {WIRE_PCI_INTX, 0x24, 0, 0, 20, 0, -EINVAL},
    {WIRE_PCI_INTX, 0x11, 0, 0, 20, 0, -EINVAL},
    {WIRE_PCI_INTX, 0x21, 0, 1, 24, 0, -EINVAL},  /* argsz */
    {WIRE_PCI_INTX, 0x21, 0, 1, 20, 1, -EINVAL},  /* fds without a use */
    {WIRE_PCI_INTX, 0x0c, 0, 1, 20, 1, -ENOTSUP}, /* masks by eventfd */
    {WIRE_PCI_MSI, 0x09, 0, 1, 20, 0, -ENOTSUP},  /* MSI has no mask */
    {WIRE_PCI_MSIX, 0x24, 0, 1, 20, 1, -EINVAL},
    {WIRE_PCI_NUM_IRQS, 0x21, 0, 0, 20, 0, -EINVAL},
};

START_TEST(set_irqs_table)
{
    const struct wire_irq_set set = {.argsz = sets[_i].argsz,
                                     .flags = sets[_i].flags,
                                     .index = sets[_i].index,
                                     .start = sets[_i].start,
                                     .count = sets[_i].count};
    struct fdset fds;

    fdset_init(&fds);
    for (unsigned i = 0; i < sets[_i].n_fds; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, dup(irq_fd)), 0);
    }
    ck_assert_int_eq(irq_set(&d.irq, &set, NULL, &fds), sets[_i].outcome);
    fdset_close(&fds);
}
END_TEST

START_TEST(trigger_and_deassign)
{
    const uint8_t no = 0;
    const uint8_t yes = 1;
    const struct wire_irq_set set = {.argsz = sizeof set + 1,
                                     .flags = WIRE_IRQ_SET_DATA_BOOL | WIRE_IRQ_SET_ACTION_TRIGGER,
                                     .index = WIRE_PCI_MSI,
                                     .count = 1};
    struct fdset none;

    fdset_init(&none);
    use(WIRE_PCI_MSI);
    ck_assert_int_eq(
        set_irqs(WIRE_PCI_MSI, WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_TRIGGER, 1, -1), 0);
    ck_assert_uint_eq(fired(), 1);
    ck_assert_int_eq(irq_set(&d.irq, &set, &no, &none), 0);
    ck_assert_uint_eq(fired(), 0);
    ck_assert_int_eq(irq_set(&d.irq, &set, &yes, &none), 0);
    ck_assert_uint_eq(fired(), 1);
    ck_assert_int_eq(
        set_irqs(WIRE_PCI_MSI, WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER, 1, -1), 0);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 0);
}
END_TEST

/* ---- BAR 2 ---- */

START_TEST(doorbell)
{
    const uint64_t three = 3;

    put(BAR2, EDU_DOORBELL, 77, 4);
    ck_assert_uint_eq(get(BAR2, EDU_DOORBELL_COUNT, 8), 1);
    ck_assert_int_eq(write(d.bar2.doorbell_fd, &three, sizeof three), sizeof three);
    ck_assert_uint_eq(get(BAR2, EDU_DOORBELL_COUNT, 4), 4);
    put(BAR2, EDU_DOORBELL, 0, 8);
    put(BAR2, EDU_DOORBELL, 0, 1);
    put(BAR2, EDU_DOORBELL_COUNT, 0, 8);
    ck_assert_uint_eq(get(BAR2, EDU_DOORBELL_COUNT, 8), 4);
    ck_assert_uint_eq(get(BAR2, EDU_DOORBELL, 4), ONES32);
    ck_assert_uint_eq(get(BAR2, 0xffc, 8), UINT64_MAX);
}
END_TEST

START_TEST(shared_page)
{
    uint8_t bytes[4] = {0};

    put(BAR2, EDU_PAGE + 1, 0xbbaa, 2);
    ck_assert_int_eq(pread(d.bar2.memory_fd, bytes, 4, EDU_PAGE), 4);
    ck_assert_mem_eq(bytes, "\0\xaa\xbb\0", 4);
    ck_assert_int_eq(pwrite(d.bar2.memory_fd, "x", 1, EDU_PAGE + EDU_PAGE_SIZE - 1), 1);
    ck_assert_uint_eq(get(BAR2, EDU_BAR2_SIZE - 1, 1), 'x');
    /* Its size is sealed. */
    ck_assert_int_ne(ftruncate(d.bar2.memory_fd, 0), 0);
    ck_assert_int_ne(ftruncate(d.bar2.memory_fd, 1 << 20), 0);
}
END_TEST

START_TEST(client_gone)
{
    const uint64_t one = 1;
    const int memory_fd = dup(d.bar2.memory_fd);
    const int doorbell_fd = dup(d.bar2.doorbell_fd);

    use(WIRE_PCI_MSI);
    put(BAR0, EDU_LIVENESS, 5, 4);
    put(BAR2, EDU_PAGE, 0x42, 1);
    put(BAR2, EDU_DOORBELL, 0, 4);
    ck_assert_int_eq(device_client_gone(&d), 0);
    /* The state is kept, what was the client's is not. */
    ck_assert_uint_eq(get(BAR0, EDU_LIVENESS, 4), ~5u);
    ck_assert_uint_eq(get(BAR2, EDU_PAGE, 1), 0x42);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 0);
    /* What the client kept reaches nothing. */
    ck_assert_int_eq(pwrite(memory_fd, "x", 1, EDU_PAGE), 1);
    ck_assert_int_eq(write(doorbell_fd, &one, sizeof one), sizeof one);
    ck_assert_uint_eq(get(BAR2, EDU_PAGE, 1), 0x42);
    ck_assert_uint_eq(get(BAR2, EDU_DOORBELL_COUNT, 8), 1);
    close(memory_fd);
    close(doorbell_fd);
}
END_TEST

START_TEST(reset)
{
    use(WIRE_PCI_MSI);
    put(BAR0, EDU_LIVENESS, 5, 4);
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    put(BAR0, EDU_DMA_SRC, 5, 8);
    put(CONFIG, 4, 6, 2);
    put(BAR2, EDU_PAGE, 0x42, 1);
    put(BAR2, EDU_DOORBELL, 0, 4);
    device_reset(&d);
    ck_assert_uint_eq(get(BAR0, EDU_LIVENESS, 4), 0);
    ck_assert_uint_eq(get(BAR0, EDU_IRQ_STATUS, 4), 0);
    ck_assert_uint_eq(get(BAR0, EDU_DMA_SRC, 8), 0);
    ck_assert_uint_eq(get(CONFIG, 4, 2), 0);
    ck_assert_uint_eq(get(BAR2, EDU_PAGE, 1), 0);
    ck_assert_uint_eq(get(BAR2, EDU_DOORBELL_COUNT, 8), 0);
    /* The eventfds are the client's affair. */
    (void)fired();
    put(BAR0, EDU_IRQ_RAISE, 1, 4);
    ck_assert_uint_eq(fired(), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu device");
    TCase *tc = unit_case(s, "device");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, power_on);
    tcase_add_test(tc, liveness);
    tcase_add_loop_test(tc, access_size, 0, sizeof accesses / sizeof *accesses);
    tcase_add_loop_test(tc, region_bounds, 0, sizeof bounds / sizeof *bounds);
    tcase_add_loop_test(tc, factorial, 0, sizeof factorials / sizeof *factorials);
    tcase_add_test(tc, status_bits);
    tcase_add_test(tc, wide_registers);
    tcase_add_test(tc, intx_is_a_level);
    tcase_add_test(tc, intx_disabled);
    tcase_add_test(tc, intx_pending_before_its_eventfd);
    tcase_add_test(tc, msi_is_an_edge);
    tcase_add_test(tc, msi_enabled_without_an_eventfd);
    tcase_add_test(tc, factorial_interrupts);
    tcase_add_test(tc, full_eventfd);
    tcase_add_loop_test(tc, set_irqs_table, 0, sizeof sets / sizeof *sets);
    tcase_add_test(tc, trigger_and_deassign);
    tcase_add_test(tc, doorbell);
    tcase_add_test(tc, shared_page);
    tcase_add_test(tc, client_gone);
    tcase_add_test(tc, reset);
    return unit_run(s);
}
