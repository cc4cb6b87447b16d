/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The first and only program of the end-to-end tests' guest: finds the edu device in sysfs as any
 * driver in user space would, maps its registers, lets it compute a factorial, copy memory by DMA
 * and send MSIs, and reports on the console, one line a step; or it has the kernel measure a file,
 * see measure.c. The last line is "e2e: pass" or "e2e: fail: WHY"; then the machine is switched
 * off.
 *
 * It runs as the guest's init, statically linked, with nothing else in the file system.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contrib/edu/regs.h"
#include "tests/e2e/guest/guest.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PAGE 4096u
#define WAIT_SECONDS 30
#define MSI_DATA 0x4321u

/* The number in a sysfs attribute of a PCI device. */
static unsigned long read_attribute(const char *device, const char *name)
{
    char path[512], text[64];
    ssize_t size;
    int fd;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail("open %s", path);
    size = read(fd, text, sizeof(text) - 1);
    if (size < 0)
        fail("read %s", path);
    close(fd);
    text[size] = '\0';
    return strtoul(text, NULL, 0);
}

static void find_device(char *name, size_t size)
{
    DIR *dir = opendir(PCI_DEVICES);
    struct dirent *entry;

    if (dir == NULL)
        fail("open " PCI_DEVICES);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (read_attribute(entry->d_name, "vendor") == EDU_VENDOR_ID &&
            read_attribute(entry->d_name, "device") == EDU_DEVICE_ID) {
            snprintf(name, size, "%s", entry->d_name);
            closedir(dir);
            return;
        }
    }
    errno = ENODEV;
    fail("no PCI device %04x:%04x", EDU_VENDOR_ID, EDU_DEVICE_ID);
}

static int open_device_file(const char *device, const char *name)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, name);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail("open %s", path);
    return fd;
}

static void config_write(int config_fd, uint32_t offset, uint32_t value, size_t size)
{
    if (pwrite(config_fd, &value, size, offset) != (ssize_t)size)
        fail("write configuration space at %#" PRIx32, offset);
}

/* What a driver's pci_enable_device and pci_set_master do: memory decoding and bus mastering on. */
static void enable_device(const char *device)
{
    int config_fd = open_device_file(device, "config");
    uint16_t command;

    if (pread(config_fd, &command, sizeof(command), 4) != sizeof(command))
        fail("read the command register");
    config_write(config_fd, 4, command | 0x0006u, sizeof(command));
    close(config_fd);
}

static volatile uint8_t *map_bar(const char *device, const char *resource, size_t size)
{
    int fd = open_device_file(device, resource);
    void *bar = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (bar == MAP_FAILED)
        fail("map %s", resource);
    close(fd);
    return bar;
}

static uint32_t get32(volatile uint8_t *bar, uint64_t offset)
{
    return *(volatile uint32_t *)(bar + offset);
}

static void put32(volatile uint8_t *bar, uint64_t offset, uint32_t value)
{
    *(volatile uint32_t *)(bar + offset) = value;
}

static void put64(volatile uint8_t *bar, uint64_t offset, uint64_t value)
{
    *(volatile uint64_t *)(bar + offset) = value;
}

/* Asks a register until the bit is clear; each question is a round trip to the device process. */
static void wait_clear(volatile uint8_t *bar, uint64_t reg, uint32_t bit)
{
    time_t end = time(NULL) + WAIT_SECONDS;

    for (;;) {
        uint32_t value = get32(bar, reg);

        if (value == UINT32_MAX) {
            errno = ENODEV;
            fail("register %#" PRIx64 ": the device is gone", reg);
        }
        if ((value & bit) == 0)
            return;
        if (time(NULL) > end) {
            errno = ETIMEDOUT;
            fail("register %#" PRIx64 " stays busy", reg);
        }
    }
}

/* A page that stays where it is, and its physical address: what the device must be told. */
static uint8_t *dma_page(uint64_t *physical)
{
    uint64_t entry;
    uint8_t *page;
    int fd;

    page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
    if (page == MAP_FAILED)
        fail("lock a page");
    page[0] = 1;
    fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail("open pagemap");
    if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE * sizeof(entry))) !=
        sizeof(entry))
        fail("read pagemap");
    close(fd);
    *physical = (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
    if ((entry >> 63) == 0 || *physical == 0) {
        errno = EFAULT;
        fail("the page has no physical address");
    }
    return page;
}

static void run_dma(volatile uint8_t *bar, uint64_t source, uint64_t destination, uint64_t command)
{
    put64(bar, EDU_DMA_SRC, source);
    put64(bar, EDU_DMA_DST, destination);
    put64(bar, EDU_DMA_COUNT, PAGE);
    put64(bar, EDU_DMA_CMD, EDU_DMA_START | command);
    wait_clear(bar, EDU_DMA_CMD, EDU_DMA_START);
}

static uint32_t factorial(volatile uint8_t *bar, uint32_t n)
{
    put32(bar, EDU_FACTORIAL, n);
    wait_clear(bar, EDU_STATUS, EDU_STATUS_COMPUTING);
    return get32(bar, EDU_FACTORIAL);
}

static void check_registers(volatile uint8_t *bar)
{
    uint32_t got = get32(bar, EDU_IDENT);

    errno = EIO;
    if (got != EDU_IDENT_VALUE)
        fail("identification %#" PRIx32, got);
    say("identification %#" PRIx32, got);

    put32(bar, EDU_LIVENESS, 0x12345678);
    got = get32(bar, EDU_LIVENESS);
    if (got != ~UINT32_C(0x12345678))
        fail("liveness %#" PRIx32, got);
    say("liveness %#" PRIx32, got);

    got = factorial(bar, 10);
    if (got != 3628800)
        fail("10! = %" PRIu32, got);
    say("10! = %" PRIu32, got);
}

/* Two pages, and where the device finds them. */
struct dma_pages {
    uint64_t source, destination;
    uint8_t *out, *back;
};

static struct dma_pages make_pages(void)
{
    struct dma_pages p;

    p.out = dma_page(&p.source);
    p.back = dma_page(&p.destination);
    return p;
}

/* Copies a page to the device and back; seed: its contents. */
static void round_trip(volatile uint8_t *bar, const struct dma_pages *p, unsigned seed)
{
    for (unsigned i = 0; i < PAGE; i++)
        p->out[i] = (uint8_t)(i * 13 + i / 256 + seed);
    memset(p->back, 0xee, PAGE);
    run_dma(bar, p->source, EDU_BUFFER, 0);
    run_dma(bar, EDU_BUFFER, p->destination, EDU_DMA_TO_RAM);
    for (unsigned i = 0; i < PAGE; i++) {
        if (p->back[i] != p->out[i]) {
            errno = EIO;
            fail("DMA: byte %u is %#x, not %#x", i, p->back[i], p->out[i]);
        }
    }
}

static void check_dma(volatile uint8_t *bar)
{
    const struct dma_pages p = make_pages();

    round_trip(bar, &p, 0);
    say("DMA round trip of %u bytes, %#" PRIx64 " to %#" PRIx64, PAGE, p.source, p.destination);
}

/*
 * Has the device's MSIs written into a page of ours, whose physical address this is: a program
 * cannot take an interrupt of the processor, but a message is a write to memory wherever it goes.
 */
static void enable_msi(const char *device, uint64_t physical)
{
    int config_fd = open_device_file(device, "config");

    config_write(config_fd, EDU_CONFIG_MSI + 4, (uint32_t)physical, 4);
    config_write(config_fd, EDU_CONFIG_MSI + 8, (uint32_t)(physical >> 32), 4);
    config_write(config_fd, EDU_CONFIG_MSI + 12, MSI_DATA, 2);
    config_write(config_fd, EDU_CONFIG_MSI + 2, 1, 2);
    close(config_fd);
}

/* Has the device raise its interrupt, and waits for the message. */
static void take_msi(volatile uint8_t *bar, volatile uint32_t *message)
{
    time_t end = time(NULL) + WAIT_SECONDS;

    *message = 0;
    put32(bar, EDU_IRQ_RAISE, 1);
    while (*message != MSI_DATA) {
        if (time(NULL) > end) {
            errno = ETIMEDOUT;
            fail("MSI: the page has %#" PRIx32, *message);
        }
    }
    put32(bar, EDU_IRQ_ACK, 1);
}

/* Has the device compute, copy memory, and send a message. */
static void run_round(volatile uint8_t *bar, const struct dma_pages *p, volatile uint32_t *message,
                      unsigned n)
{
    uint32_t got;

    errno = EIO;
    put32(bar, EDU_LIVENESS, n);
    got = get32(bar, EDU_LIVENESS);
    if (got != ~n)
        fail("liveness %#" PRIx32 " for %#x", got, n);
    got = factorial(bar, 3 + n % 2);
    if (got != (n % 2 ? 24 : 6))
        fail("factorial %" PRIu32 " of %u", got, 3 + n % 2);
    round_trip(bar, p, n);
    take_msi(bar, message);
}

/* Drives the device again and again, until a line comes from the console. */
static void repeat(const char *device, volatile uint8_t *bar)
{
    const struct dma_pages p = make_pages();
    struct pollfd console = {.fd = 0, .events = POLLIN};
    uint64_t longest = 0, physical;
    volatile uint32_t *const message = (volatile void *)dma_page(&physical);
    unsigned n = 0;

    enable_msi(device, physical);
    say("repeats");
    for (; poll(&console, 1, 0) == 0; n++) {
        struct timespec begin, end;
        uint64_t ms;

        clock_gettime(CLOCK_MONOTONIC, &begin);
        run_round(bar, &p, message, n);
        clock_gettime(CLOCK_MONOTONIC, &end);
        ms = (uint64_t)(end.tv_sec - begin.tv_sec) * 1000 + (uint64_t)(end.tv_nsec / 1000000) -
             (uint64_t)(begin.tv_nsec / 1000000);
        longest = ms > longest ? ms : longest;
    }
    say("repeated %u times, the longest took %" PRIu64 " ms", n, longest);
}

/*
 * Sends the device to memory that is none, from where a device of good manners does not read, and
 * where it does not write; then it must still do what it did before. "outside" on the kernel's
 * command line says where that is.
 */
static void check_outside(volatile uint8_t *bar, const char *outside)
{
    const uint64_t address = strtoull(outside, NULL, 0);

    run_dma(bar, address, EDU_BUFFER, 0);
    run_dma(bar, EDU_BUFFER, address, EDU_DMA_TO_RAM);
    say("DMA outside of memory, %#" PRIx64, address);
    check_dma(bar);
}

/* The second BAR: a register that counts, and a page that the hypervisor may have mapped. */
static void check_extra_bar(volatile uint8_t *bar)
{
    volatile uint8_t *page = bar + EDU_PAGE;

    put32(bar, EDU_DOORBELL, 1);
    put32(bar, EDU_DOORBELL, 1);
    errno = EIO;
    if (get32(bar, EDU_DOORBELL_COUNT) != 2)
        fail("doorbell rung %" PRIu32 " times", get32(bar, EDU_DOORBELL_COUNT));
    for (unsigned i = 0; i < EDU_PAGE_SIZE; i++)
        page[i] = (uint8_t)(i * 5 + 1);
    for (unsigned i = 0; i < EDU_PAGE_SIZE; i++) {
        if (page[i] != (uint8_t)(i * 5 + 1))
            fail("page: byte %u is %#x", i, page[i]);
    }
    say("doorbell and page");
}

static void drive(void)
{
    char device[256];
    volatile uint8_t *bar;

    mount_or_fail("proc", "/proc");
    mount_or_fail("sysfs", "/sys");
    find_device(device, sizeof(device));
    say("device %s", device);
    enable_device(device);
    bar = map_bar(device, "resource0", EDU_BAR0_SIZE);
    check_registers(bar);
    check_dma(bar);
    if (getenv("outside"))
        check_outside(bar, getenv("outside"));
    check_extra_bar(map_bar(device, "resource2", EDU_BAR2_SIZE));
    if (getenv("repeat"))
        repeat(device, bar);
    say("pass");
}

/* The work is done by a child, so that init is there to switch the machine off however it ends. */
int main(int argc, char **argv)
{
    int status = 0;
    pid_t child;

    if (argc > 1 && strcmp(argv[1], GUEST_NOTHING) == 0)
        return 0;

    child = fork();
    if (child == 0) {
        if (getenv("measure"))
            guest_measure(getenv("measure"));
        else
            drive();
        exit(0);
    }
    if (child < 0)
        say("fail: fork (%s)", strerror(errno));
    else if (waitpid(child, &status, 0) != child || WIFSIGNALED(status))
        say("fail: ended by signal %d", WTERMSIG(status));
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}
