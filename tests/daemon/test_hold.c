/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "on backend loss hold": a device goes, and its session goes on with the next process, which is
 * given all that was set up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/hold_rig.h"
#include "tests/daemon/policy_rig.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define LESS "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":32768}}"
#define HOLD "on backend loss hold 60s\nanswer-after never\n"

static void hear_reply(int fd, uint16_t code, struct message *m)
{
    peer_recv(fd, m);
    ck_assert_uint_eq(m->hdr.command, code);
    ck_assert_uint_eq(m->hdr.flags, WIRE_TYPE_REPLY);
}

/* A write to the configuration space. */
struct config_write {
    struct wire_region_access access;
    uint8_t data[4];
};

/* Without the padding behind data. */
#define CONFIG_WRITE_SIZE (sizeof(struct wire_region_access) + 4)

static struct config_write config_write(uint32_t offset, uint32_t value)
{
    struct config_write w = {.access = {.offset = offset, .region = WIRE_PCI_CONFIG, .count = 4}};

    memcpy(w.data, &value, sizeof value);
    return w;
}

static void set_up_config(const struct pair *p, uint32_t offset, uint32_t value)
{
    const struct config_write w = config_write(offset, value);

    hold_rig_set_up(p, WIRE_REGION_WRITE, &w, CONFIG_WRITE_SIZE, NULL, &w.access, sizeof w.access);
}

static void set_up_interrupt(const struct pair *p, int event_fd)
{
    const struct wire_irq_set set = {.argsz = sizeof set,
                                     .flags =
                                         WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER,
                                     .index = WIRE_PCI_MSIX,
                                     .start = 2,
                                     .count = 1};
    struct fdset fds;

    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, dup(event_fd)), 0);
    hold_rig_set_up(p, WIRE_DEVICE_SET_IRQS, &set, sizeof set, &fds, NULL, 0);
    fdset_close(&fds);
}

static const struct wire_region_info bar = {.argsz = sizeof bar,
                                            .flags = WIRE_REGION_FLAG_READ | WIRE_REGION_FLAG_WRITE,
                                            .index = 0,
                                            .size = 0x1000};

static void set_up_info(const struct pair *p)
{
    const struct wire_region_info asked = {.argsz = sizeof asked};

    hold_rig_set_up(p, WIRE_DEVICE_GET_REGION_INFO, &asked, sizeof asked, NULL, &bar, sizeof bar);
}

/* ---- what the next process is given ---- */

static void expect_config(const struct pair *p, uint32_t offset, uint32_t value)
{
    const struct config_write w = config_write(offset, value);
    struct message m;

    hold_rig_hear(p->backend_fd, WIRE_REGION_WRITE, 0, &m);
    ck_assert_uint_eq(m.n, CONFIG_WRITE_SIZE);
    ck_assert_mem_eq(m.payload, &w, CONFIG_WRITE_SIZE);
    hold_rig_agree(p->backend_fd, &m, &w.access, sizeof w.access);
}

static void expect_interrupt(const struct pair *p, int event_fd)
{
    struct wire_irq_set set;
    struct message m;

    hold_rig_hear(p->backend_fd, WIRE_DEVICE_SET_IRQS, 1, &m);
    memcpy(&set, m.payload, sizeof set);
    ck_assert_uint_eq(set.flags, WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER);
    ck_assert_uint_eq(set.index, WIRE_PCI_MSIX);
    ck_assert_uint_eq(set.start, 2);
    ck_assert_uint_eq(set.count, 1);
    ck_assert_int_eq(eventfd_write(m.fds.fds[0], 5), 0);
    hold_rig_agree(p->backend_fd, &m, NULL, 0);
    {
        eventfd_t value;

        ck_assert_int_eq(eventfd_read(event_fd, &value), 0);
        ck_assert_uint_eq(value, 5);
    }
}

/* Each vector is triggered once, in case an interrupt was lost. */
static void expect_kick(const struct pair *p)
{
    struct wire_irq_set set;
    struct message m;

    hold_rig_hear(p->backend_fd, WIRE_DEVICE_SET_IRQS, 0, &m);
    memcpy(&set, m.payload, sizeof set);
    ck_assert_uint_eq(set.flags, WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_TRIGGER);
    ck_assert_uint_eq(set.start, 2);
    ck_assert_uint_eq(set.count, 1);
    hold_rig_agree(p->backend_fd, &m, NULL, 0);
}

static void expect_info(const struct pair *p, uint64_t size)
{
    struct wire_region_info info = bar;
    struct message m;

    hold_rig_hear(p->backend_fd, WIRE_DEVICE_GET_REGION_INFO, 0, &m);
    info.size = size;
    hold_rig_agree(p->backend_fd, &m, &info, sizeof info);
}

/* The question of pair_ping. */
static void expect_device_info(const struct pair *p)
{
    const struct wire_device_info info = {.argsz = sizeof info, .num_regions = 9, .num_irqs = 5};
    struct message m;

    hold_rig_hear(p->backend_fd, WIRE_DEVICE_GET_INFO, 0, &m);
    hold_rig_agree(p->backend_fd, &m, &info, sizeof info);
}

/* ---- tests ---- */

START_TEST(the_next_process_gets_all_that_was_set_up_in_order)
{
    const int memory_fd = peer_memfd();
    const int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    set_up_interrupt(&p, event_fd);
    set_up_config(&p, 0x04, 6);
    set_up_config(&p, 0x10, 0xe0000000);
    hold_rig_set_up_map(&p, 1, memory_fd);
    hold_rig_set_up_map(&p, 0, memory_fd);
    set_up_info(&p);
    hold_rig_lose_device(&r, &p);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    hold_rig_expect_map(&p, 0, memory_fd);
    hold_rig_expect_map(&p, 1, memory_fd);
    expect_info(&p, bar.size);
    expect_config(&p, 0x10, 0xe0000000);
    expect_config(&p, 0x04, 6);
    expect_interrupt(&p, event_fd);
    expect_kick(&p);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    pair_ping(&p);
    close(memory_fd);
    close(event_fd);
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    rig_stop(&r);
}
END_TEST

START_TEST(a_request_under_way_is_sent_again)
{
    const struct wire_region_access a = {.count = 4};
    uint8_t data[sizeof a + 4];
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    peer_send(p.client_fd, hold_rig_command(9, WIRE_REGION_READ), &a, sizeof a, NULL);
    hold_rig_hear(p.backend_fd, WIRE_REGION_READ, 0, &m);
    message_deinit(&m);
    hold_rig_lose_device(&r, &p);
    peer_send(p.client_fd, hold_rig_command(10, WIRE_REGION_READ), &a, sizeof a, NULL);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    memset(data, 7, sizeof data);
    memcpy(data, &a, sizeof a);
    for (uint16_t id = 9; id <= 10; id++) {
        hold_rig_hear(p.backend_fd, WIRE_REGION_READ, 0, &m);
        ck_assert_uint_eq(m.hdr.id, id);
        hold_rig_agree(p.backend_fd, &m, data, sizeof data);
        peer_recv(p.client_fd, &m);
        ck_assert_uint_eq(m.hdr.id, id);
        ck_assert_uint_eq(m.payload[sizeof a], 7);
        message_deinit(&m);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The device asks for memory; the client receives that. */
static void ask_memory(const struct pair *p, uint16_t id)
{
    const struct wire_dma_access a = {.address = 0x1000, .count = 4};
    struct message m;

    peer_send(p->backend_fd, hold_rig_command(id, WIRE_DMA_READ), &a, sizeof a, NULL);
    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
    message_deinit(&m);
}

/* The client's reply, with a byte by which it is known. */
static void give_memory(const struct pair *p, uint16_t id, uint8_t byte)
{
    const struct wire_dma_access a = {.address = 0x1000, .count = 4};
    const struct wire_hdr asked = hold_rig_command(id, WIRE_DMA_READ);
    uint8_t payload[sizeof a + 4] = {0};

    memcpy(payload, &a, sizeof a);
    payload[sizeof a] = byte;
    peer_send(p->client_fd, wire_reply_hdr(&asked, sizeof payload), payload, sizeof payload, NULL);
}

START_TEST(a_reply_to_the_lost_process_goes_nowhere)
{
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    ask_memory(&p, 3);
    ask_memory(&p, 4);
    hold_rig_lose_device(&r, &p);
    give_memory(&p, 3, 0x33);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    pair_ping(&p);
    /* Its own requests may have the same ids: replies are for the oldest. */
    ask_memory(&p, 4);
    give_memory(&p, 4, 0x44);
    give_memory(&p, 4, 0x55);
    hear_reply(p.backend_fd, WIRE_DMA_READ, &m);
    ck_assert_uint_eq(m.hdr.id, 4);
    ck_assert_uint_eq(m.payload[sizeof(struct wire_dma_access)], 0x55);
    message_deinit(&m);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* What is kept answers at once; what comes while the session is held is set up, too. */
START_TEST(a_held_session_answers_from_what_is_kept)
{
    const int memory_fd = peer_memfd();
    const struct config_write w = config_write(0x3c, 0x0b);
    const struct wire_region_access line = {.offset = 0x3c, .region = WIRE_PCI_CONFIG, .count = 1};
    struct fdset fds;
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    hold_rig_lose_device(&r, &p);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, dup(memory_fd)), 0);
    peer_send(p.client_fd, hold_rig_command(1, WIRE_DMA_MAP), &hold_rig_maps[0],
              sizeof hold_rig_maps[0], &fds);
    fdset_close(&fds);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    message_deinit(&m);
    peer_send(p.client_fd, hold_rig_command(2, WIRE_REGION_WRITE), &w, CONFIG_WRITE_SIZE, NULL);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.n, sizeof w.access);
    message_deinit(&m);
    peer_send(p.client_fd, hold_rig_command(3, WIRE_REGION_READ), &line, sizeof line, NULL);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.n, sizeof line + 1);
    ck_assert_uint_eq(m.payload[sizeof line], 0x0b);
    message_deinit(&m);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    hold_rig_expect_map(&p, 0, memory_fd);
    expect_config(&p, 0x3c, 0x0b);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    pair_ping(&p);
    close(memory_fd);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(what_only_the_device_knows_gets_an_error_in_time)
{
    const struct wire_region_access a = {.count = 4};
    struct pair p;
    struct rig r;

    rig_start(&r, "on backend loss hold 60s\nanswer-after 1s\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    hold_rig_lose_device(&r, &p);
    for (uint16_t id = 1; id <= 3; id++) {
        peer_send(p.client_fd, hold_rig_command(id, WIRE_REGION_READ), &a, sizeof a, NULL);
        ck_assert_int_eq(peer_recv_error(p.client_fd, id, WIRE_REGION_READ), EIO);
    }
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    rig_await_log(&r, "3 requests were answered with an error meanwhile", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The client reads 4 bytes; the device, if it is there, answers value. Returns what arrives. */
static uint32_t read_register(const struct pair *p, uint32_t region, uint64_t offset, bool there,
                              uint32_t value)
{
    const struct wire_region_access a = {.region = region, .offset = offset, .count = 4};
    uint8_t payload[sizeof a + 4];
    struct message m;

    peer_send(p->client_fd, hold_rig_command(8, WIRE_REGION_READ), &a, sizeof a, NULL);
    if (there) {
        memcpy(payload, &a, sizeof a);
        memcpy(payload + sizeof a, &value, sizeof value);
        hold_rig_hear(p->backend_fd, WIRE_REGION_READ, 0, &m);
        hold_rig_agree(p->backend_fd, &m, payload, sizeof payload);
    }
    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.n, sizeof payload);
    memcpy(&value, m.payload + sizeof a, sizeof value);
    message_deinit(&m);
    return value;
}

/* NVM Express: class 01 08 02; CC at 0x14, CSTS at 0x1c with RDY in bit 0, CFS in bit 1. */
START_TEST(an_nvme_controller_is_shown_as_failed_until_it_is_disabled)
{
    const struct {
        struct wire_region_access a;
        uint32_t value;
    } disable = {.a = {.offset = 0x14, .count = 4}};
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD "assist nvme\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    ck_assert_uint_eq(read_register(&p, WIRE_PCI_CONFIG, 8, true, 0x01080200), 0x01080200);
    ck_assert_uint_eq(read_register(&p, WIRE_PCI_BAR0, 0x1c, true, 1), 1);
    hold_rig_lose_device(&r, &p);
    ck_assert_uint_eq(read_register(&p, WIRE_PCI_BAR0, 0x1c, false, 0), 2);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    ck_assert_uint_eq(read_register(&p, WIRE_PCI_BAR0, 0x1c, true, 0), 2);
    hold_rig_set_up(&p, WIRE_REGION_WRITE, &disable, CONFIG_WRITE_SIZE, NULL, &disable.a,
                    sizeof disable.a);
    ck_assert_uint_eq(read_register(&p, WIRE_PCI_BAR0, 0x1c, true, 0), 0);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_process_that_promises_less_is_not_taken)
{
    char line[256];
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    hold_rig_lose_device(&r, &p);
    hold_rig_next_device(&r, &p, LESS);
    rig_await_log(&r, "is not taken", line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "max_data_xfer_size is 32768, 65536 was promised"));
    peer_expect_eof(p.backend_fd);
    sock_close(&p.backend_fd);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_process_with_another_region_is_not_taken)
{
    char line[256];
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    set_up_info(&p);
    hold_rig_lose_device(&r, &p);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    expect_info(&p, 0x800);
    rig_await_log(&r, "is not taken", line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "byte 16 is 0x800, it was 0x1000"));
    peer_expect_eof(p.backend_fd);
    sock_close(&p.backend_fd);
    hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
    expect_info(&p, bar.size);
    rig_await_log(&r, "goes on with another process of its device", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* What still waits gets an error first. */
START_TEST(the_session_ends_when_its_time_is_over)
{
    const struct wire_region_access a = {.count = 4};
    struct pair p;
    struct rig r;

    rig_start(&r, "on backend loss hold 1s\nanswer-after never\n");
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    sock_close(&r.backend_fd);
    unlink(r.backend);
    hold_rig_lose_device(&r, &p);
    peer_send(p.client_fd, hold_rig_command(5, WIRE_REGION_READ), &a, sizeof a, NULL);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 5, WIRE_REGION_READ), EIO);
    peer_expect_eof(p.client_fd);
    rig_await_log(&r, "ended: reason=backend-lost", NULL, 0);
    sock_close(&p.client_fd);
    r.backend_fd = peer_listen(r.backend, 8);
    rig_stop(&r);
}
END_TEST

/* The client has a map of nothing that the device shares: each access is a message. */
START_TEST(memory_of_the_device_is_not_shared)
{
    struct wire_region_info shared = bar;
    const struct wire_region_info asked = {.argsz = sizeof asked};
    struct wire_region_info got;
    struct fdset fds;
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    shared.flags |= WIRE_REGION_FLAG_MMAP;
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    peer_send(p.client_fd, hold_rig_command(4, WIRE_DEVICE_GET_REGION_INFO), &asked, sizeof asked,
              NULL);
    hold_rig_hear(p.backend_fd, WIRE_DEVICE_GET_REGION_INFO, 0, &m);
    peer_send(p.backend_fd, wire_reply_hdr(&m.hdr, 0), &shared, sizeof shared, &fds);
    message_deinit(&m);
    fdset_close(&fds);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.fds.n, 0);
    ck_assert_uint_eq(m.n, sizeof got);
    memcpy(&got, m.payload, sizeof got);
    ck_assert_uint_eq(got.flags, bar.flags);
    ck_assert_uint_eq(got.size, bar.size);
    message_deinit(&m);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Nor has it its eventfds, which the next process would not know: each doorbell is a message. */
START_TEST(ioeventfds_of_the_device_are_not_shared)
{
    const struct wire_region_io_fds asked = {.argsz = 256, .index = 0};
    const struct wire_region_access doorbell = {.offset = 0x1000, .region = 0, .count = 4};
    uint8_t ring[sizeof doorbell + 4] = {0};
    struct {
        struct wire_region_io_fds head;
        struct wire_io_fd fd;
    } has = {.head = {.argsz = sizeof has, .count = 1},
             .fd = {.offset = 0x1000, .size = 4, .type = WIRE_IO_FD_IOEVENTFD}};
    struct wire_region_io_fds got;
    struct fdset fds;
    struct message m;
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, eventfd(0, EFD_CLOEXEC)), 0);
    peer_send(p.client_fd, hold_rig_command(4, WIRE_DEVICE_GET_REGION_IO_FDS), &asked, sizeof asked,
              NULL);
    hold_rig_hear(p.backend_fd, WIRE_DEVICE_GET_REGION_IO_FDS, 0, &m);
    peer_send(p.backend_fd, wire_reply_hdr(&m.hdr, 0), &has, sizeof has, &fds);
    message_deinit(&m);
    fdset_close(&fds);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.fds.n, 0);
    ck_assert_uint_ge(m.n, sizeof got);
    memcpy(&got, m.payload, sizeof got);
    ck_assert_uint_eq(got.count, 0);
    ck_assert_uint_eq(got.index, 0);
    message_deinit(&m);
    memcpy(ring, &doorbell, sizeof doorbell);
    hold_rig_set_up(&p, WIRE_REGION_WRITE, ring, sizeof ring, NULL, &doorbell, sizeof doorbell);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_session_survives_many_processes)
{
    const int memory_fd = peer_memfd();
    struct pair p;
    struct rig r;

    rig_start(&r, HOLD);
    rig_session(&r, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &p);
    hold_rig_set_up_map(&p, 0, memory_fd);
    pair_ping(&p);
    for (int i = 0; i < 100; i++) {
        hold_rig_lose_device(&r, &p);
        /* The next monitor dials for a session that is held. */
        ck_assert(i != 50 || kill(rig_monitor(&r), SIGKILL) == 0);
        hold_rig_next_device(&r, &p, HOLD_RIG_CAPS);
        hold_rig_expect_map(&p, 0, memory_fd);
        expect_device_info(&p);
        rig_await_log(&r, "goes on with another process of its device", NULL, 0);
        pair_ping(&p);
    }
    close(memory_fd);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The members of the log's record of this event, a new reference. */
static json_t *record_of(const char *file, const char *event)
{
    FILE *const f = fopen(file, "re");
    json_t *found = NULL;
    char *line = NULL;
    size_t size = 0;

    ck_assert_ptr_nonnull(f);
    while (!found && getline(&line, &size, f) > 0) {
        json_t *const o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *const is = json_string_value(json_object_get(o, "event"));

        found = is && strcmp(is, event) == 0 ? json_incref(o) : NULL;
        json_decref(o);
    }
    free(line);
    fclose(f);
    ck_assert_msg(found != NULL, "there is no record %s", event);
    return found;
}

START_TEST(the_record_has_both_processes)
{
    struct policy_rig policy;
    struct pair pair;
    char file[RIG_PATH];
    char key[RIG_PATH];
    json_t *o;

    policy_init(&policy);
    snprintf(file, sizeof file, "%s", unit_path("audit.log"));
    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    ck_assert_int_eq(policy_tool(&policy, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                                "--name", "test", key, NULL}),
                     0);
    snprintf(policy.global, sizeof policy.global, "audit %s key %s\n", file, key);
    policy_launch(&policy, HOLD);
    rig_session_at(policy.listen, policy.rig.backend_fd, HOLD_RIG_CAPS, HOLD_RIG_CAPS, &pair);
    hold_rig_lose_device(&policy.rig, &pair);
    hold_rig_next_device(&policy.rig, &pair, LESS);
    rig_await_log(&policy.rig, "is not taken", NULL, 0);
    sock_close(&pair.backend_fd);
    hold_rig_next_device(&policy.rig, &pair, HOLD_RIG_CAPS);
    rig_await_log(&policy.rig, "goes on with another process of its device", NULL, 0);
    pair_ping(&pair);
    pair_close(&pair);
    policy_stop(&policy);
    o = record_of(file, "backend-lost");
    ck_assert_str_eq(json_string_value(json_object_get(o, "reason")), "backend-closed");
    json_decref(o);
    o = record_of(file, "backend-refused");
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(o, "difference")), "max_data_xfer_size"));
    json_decref(o);
    o = record_of(file, "backend-replaced");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "before"), "pid")),
                     getpid());
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "backend"), "pid")),
                     getpid());
    json_decref(o);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *const s = suite_create("hold");
    TCase *const c = rig_case(s, "a device that is restarted");

    policy_client_main(argc, argv);
    tcase_add_test(c, the_next_process_gets_all_that_was_set_up_in_order);
    tcase_add_test(c, a_request_under_way_is_sent_again);
    tcase_add_test(c, a_reply_to_the_lost_process_goes_nowhere);
    tcase_add_test(c, a_held_session_answers_from_what_is_kept);
    tcase_add_test(c, what_only_the_device_knows_gets_an_error_in_time);
    tcase_add_test(c, an_nvme_controller_is_shown_as_failed_until_it_is_disabled);
    tcase_add_test(c, a_process_that_promises_less_is_not_taken);
    tcase_add_test(c, a_process_with_another_region_is_not_taken);
    tcase_add_test(c, the_session_ends_when_its_time_is_over);
    tcase_add_test(c, memory_of_the_device_is_not_shared);
    tcase_add_test(c, ioeventfds_of_the_device_are_not_shared);
    tcase_add_test(c, a_session_survives_many_processes);
    if (rig_wrapped()) {
        puts("skipped: test_hold, record: valgrind has no pidfd_open, which an inspector needs");
        return unit_run(s);
    }
    tcase_add_test(c, the_record_has_both_processes);
    return unit_run(s);
}
