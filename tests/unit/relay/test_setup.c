/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What is kept of a session, so that its device can be replaced, and what is not. */
#define _GNU_SOURCE
#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/relay/setup/reattach.h"
#include "proxy/relay/setup/setup.h"
#include "tests/support/unit.h"

static struct setup *s;

static void begin(void)
{
    s = setup_new(SETUP_SHARES_NONE, true);
    ck_assert_ptr_nonnull(s);
}

static void end(void)
{
    setup_free(s);
}

/* A message passes. */
static void pass(enum side from, uint16_t id, uint16_t command, uint32_t flags, const void *payload,
                 size_t n, unsigned n_fds)
{
    const struct wire_hdr hdr = {
        .id = id, .command = command, .size = (uint32_t)(WIRE_HDR_SIZE + n), .flags = flags};
    uint8_t bytes[512];
    struct fdset fds;

    wire_put_hdr(bytes, &hdr);
    if (n > 0) {
        memcpy(bytes + WIRE_HDR_SIZE, payload, n);
    }
    fdset_init(&fds);
    for (unsigned i = 0; i < n_fds; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, memfd_create("test", MFD_CLOEXEC)), 0);
    }
    setup_note(s, from, bytes, hdr.size, &fds, 0);
    fdset_close(&fds);
}

static void ask(uint16_t id, uint16_t command, const void *payload, size_t n, unsigned n_fds)
{
    pass(SIDE_CLIENT, id, command, WIRE_TYPE_COMMAND, payload, n, n_fds);
}

static void agree(uint16_t id, uint16_t command)
{
    pass(SIDE_BACKEND, id, command, WIRE_TYPE_REPLY, NULL, 0, 0);
}

static void map(uint16_t id, uint64_t address, unsigned n_fds)
{
    const struct wire_dma_map m = {.argsz = sizeof m, .address = address, .size = 0x1000};

    ask(id, WIRE_DMA_MAP, &m, sizeof m, n_fds);
}

static void unmap(uint16_t id, uint64_t address, uint64_t size, uint32_t flags)
{
    const struct wire_dma_unmap u = {
        .argsz = sizeof u, .flags = flags, .address = address, .size = size};

    ask(id, WIRE_DMA_UNMAP, &u, sizeof u, 0);
}

/* ---- maps ---- */

START_TEST(a_map_is_kept_once_the_device_has_agreed)
{
    map(1, 0x1000, 1);
    ck_assert_uint_eq(s->n_maps, 0);
    ck_assert_uint_eq(s->n_requests, 1);
    agree(1, WIRE_DMA_MAP);
    ck_assert_uint_eq(s->n_maps, 1);
    ck_assert_uint_eq(s->n_requests, 0);
    ck_assert_int_ge(setup_map_first(s)->fd, 0);
}
END_TEST

START_TEST(a_map_that_the_device_refuses_is_not_kept)
{
    map(1, 0x1000, 1);
    pass(SIDE_BACKEND, 1, WIRE_DMA_MAP, WIRE_TYPE_REPLY | WIRE_ERROR, NULL, 0, 0);
    ck_assert_uint_eq(s->n_maps, 0);
    ck_assert_uint_eq(s->n_fds, 0);
}
END_TEST

START_TEST(a_map_that_wants_no_reply_is_kept_at_once)
{
    const struct wire_dma_map m = {.argsz = sizeof m, .address = 0x1000, .size = 0x1000};

    pass(SIDE_CLIENT, 1, WIRE_DMA_MAP, WIRE_NO_REPLY, &m, sizeof m, 1);
    ck_assert_uint_eq(s->n_maps, 1);
    ck_assert_uint_eq(s->n_requests, 0);
}
END_TEST

START_TEST(an_unmapping_ends_the_maps_in_its_range)
{
    for (uint16_t i = 1; i <= 4; i++) {
        map(i, i * 0x1000u, 1);
        agree(i, WIRE_DMA_MAP);
    }
    unmap(9, 0x2000, 0x2000, 0);
    agree(9, WIRE_DMA_UNMAP);
    ck_assert_uint_eq(s->n_maps, 2);
    ck_assert_uint_eq(s->n_fds, 2);
    ck_assert_uint_eq(setup_map_first(s)->map.address, 0x1000);
    ck_assert_uint_eq(setup_map_next(setup_map_first(s))->map.address, 0x4000);
    unmap(9, 0, 0, WIRE_UNMAP_ALL);
    agree(9, WIRE_DMA_UNMAP);
    ck_assert_uint_eq(s->n_maps, 0);
}
END_TEST

/* ---- limits ---- */

START_TEST(one_map_too_many_gives_the_record_up)
{
    for (uint32_t i = 0; i < LIMIT_SETUP_MAPS; i++) {
        map(1, i * 0x1000ull, 0);
        agree(1, WIRE_DMA_MAP);
    }
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    map(1, LIMIT_SETUP_MAPS * 0x1000ull, 0);
    agree(1, WIRE_DMA_MAP);
    ck_assert_int_eq(s->lack, SETUP_LACKS_MAPS);
    ck_assert_uint_eq(s->n_maps, 0);
}
END_TEST

START_TEST(one_fd_too_many_gives_the_record_up)
{
    for (uint32_t i = 0; i < LIMIT_SETUP_FDS; i++) {
        map(1, i * 0x1000ull, 1);
        agree(1, WIRE_DMA_MAP);
    }
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    ck_assert_uint_eq(s->n_fds, LIMIT_SETUP_FDS);
    map(1, LIMIT_SETUP_FDS * 0x1000ull, 1);
    ck_assert_int_eq(s->lack, SETUP_LACKS_FDS);
    ck_assert_uint_eq(s->n_fds, 0);
}
END_TEST

START_TEST(one_request_too_many_gives_the_record_up)
{
    for (uint16_t i = 0; i < LIMIT_SETUP_REQUESTS; i++) {
        ask(i, WIRE_DEVICE_RESET, NULL, 0, 0);
    }
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    ask(LIMIT_SETUP_REQUESTS, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(s->lack, SETUP_LACKS_REQUESTS);
}
END_TEST

static void set_irqs(uint32_t flags, uint32_t index, uint32_t start, uint32_t count, unsigned n_fds)
{
    const struct wire_irq_set set = {
        .argsz = sizeof set, .flags = flags, .index = index, .start = start, .count = count};

    ask(1, WIRE_DEVICE_SET_IRQS, &set, sizeof set, n_fds);
    agree(1, WIRE_DEVICE_SET_IRQS);
}

#define TRIGGERED (WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER)

/* As many bytes of requests are under way as are kept. */
static void fill_requests(void)
{
    static uint8_t payload[480 - WIRE_HDR_SIZE];

    for (uint16_t i = 0;
         s->request_bytes + sizeof payload + WIRE_HDR_SIZE <= LIMIT_SETUP_REQUEST_BYTES; i++) {
        ask(i, WIRE_REGION_READ, payload, sizeof payload, 0);
    }
}

START_TEST(a_map_that_cannot_be_kept_gives_the_record_up)
{
    fill_requests();
    ask(500, WIRE_REGION_READ, &(uint8_t[400]){0}, 400, 0);
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    ck_assert(!TAILQ_LAST(&s->requests, setup_request_list)->whole);
    for (uint16_t i = 501; s->lack == SETUP_KEPT && i < 510; i++) {
        map(i, 0x1000 * i, 0);
    }
    ck_assert_int_eq(s->lack, SETUP_LACKS_REQUESTS);
}
END_TEST

START_TEST(a_large_map_gives_the_record_up)
{
    const struct wire_hdr hdr = {.command = WIRE_DMA_MAP, .size = LIMIT_QUEUE + 1};

    setup_note_large(s, SIDE_CLIENT, &hdr, 0);
    ck_assert_int_eq(s->lack, SETUP_LACKS_REQUESTS);
}
END_TEST

/* The device sends more requests than are kept while another process is given the maps. */
START_TEST(a_pinned_record_keeps_what_is_being_read)
{
    struct reattach_message m;
    struct reattach r;

    map(1, 0x1000, 1);
    agree(1, WIRE_DMA_MAP);
    setup_pin(s, true);
    reattach_init(&r, s, 8);
    for (uint16_t i = 0; i <= LIMIT_SETUP_ASKED; i++) {
        pass(SIDE_BACKEND, i, WIRE_DMA_READ, WIRE_TYPE_COMMAND, NULL, 0, 0);
    }
    ck_assert_int_eq(s->lack, SETUP_LACKS_REQUESTS);
    ck_assert(reattach_next(&r, &m));
    ck_assert_uint_eq(m.n_fds, 1);
    ck_assert_int_ge(fcntl(*m.fds, F_GETFD), 0);
    setup_pin(s, false);
    ck_assert_uint_eq(s->n_maps, 0);
}
END_TEST

START_TEST(the_last_vector_is_kept_and_none_behind_it)
{
    set_irqs(TRIGGERED, WIRE_PCI_MSIX, LIMIT_SETUP_VECTORS - 1, 1, 1);
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    ck_assert_uint_eq(s->n_fds, 1);
    set_irqs(TRIGGERED, WIRE_PCI_MSIX, LIMIT_SETUP_VECTORS, 1, 1);
    ck_assert_int_eq(s->lack, SETUP_LACKS_VECTORS);
}
END_TEST

START_TEST(what_only_the_device_could_repeat_gives_the_record_up)
{
    const uint32_t set[] = {16, WIRE_FEATURE_SET | WIRE_FEATURE_MIG_DEVICE_STATE, 3, 0};

    ask(1, WIRE_DEVICE_FEATURE, set, sizeof set, 0);
    agree(1, WIRE_DEVICE_FEATURE);
    ck_assert_int_eq(s->lack, SETUP_LACKS_MIGRATION);
}
END_TEST

/* ---- interrupts ---- */

static struct setup_irqs_run run_at(unsigned i)
{
    struct setup_irqs_run run = {.count = 0};
    uint64_t at = 0;

    for (unsigned k = 0; k <= i; k++) {
        if (!setup_irqs_next(&s->irqs, &at, 8, &run)) {
            return (struct setup_irqs_run){.count = 0};
        }
    }
    return run;
}

START_TEST(vectors_come_in_runs_that_a_message_can_carry)
{
    set_irqs(TRIGGERED, WIRE_PCI_MSIX, 3, 10, 10);
    ck_assert_uint_eq(run_at(0).start, 3);
    ck_assert_uint_eq(run_at(0).count, 8);
    ck_assert_uint_eq(run_at(1).start, 11);
    ck_assert_uint_eq(run_at(1).count, 2);
    ck_assert_uint_eq(run_at(2).count, 0);
}
END_TEST

START_TEST(a_vector_set_without_an_fd_has_none)
{
    set_irqs(TRIGGERED, WIRE_PCI_MSIX, 0, 3, 3);
    set_irqs(TRIGGERED, WIRE_PCI_MSIX, 1, 1, 0);
    ck_assert_uint_eq(s->n_fds, 2);
    ck_assert_uint_eq(run_at(0).count, 1);
    ck_assert_uint_eq(run_at(1).start, 2);
}
END_TEST

START_TEST(disabling_an_index_ends_all_of_it)
{
    set_irqs(TRIGGERED, WIRE_PCI_MSI, 0, 2, 2);
    set_irqs(TRIGGERED, WIRE_PCI_MSIX, 0, 2, 2);
    set_irqs(WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_TRIGGER, WIRE_PCI_MSI, 0, 0, 0);
    ck_assert_uint_eq(s->n_fds, 2);
    ck_assert_uint_eq(run_at(0).index, WIRE_PCI_MSIX);
}
END_TEST

START_TEST(masks_are_kept_behind_the_eventfds)
{
    set_irqs(WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_MASK, WIRE_PCI_INTX, 0, 1, 0);
    set_irqs(TRIGGERED, WIRE_PCI_INTX, 0, 1, 1);
    ck_assert_uint_eq(run_at(0).flags, TRIGGERED);
    ck_assert_uint_eq(run_at(1).flags, WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_MASK);
    set_irqs(WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_UNMASK, WIRE_PCI_INTX, 0, 1, 0);
    ck_assert_uint_eq(run_at(1).count, 0);
}
END_TEST

/* ---- configuration space ---- */

static void write_config(uint32_t offset, uint32_t count, uint8_t value)
{
    struct {
        struct wire_region_access a;
        uint8_t data[16];
    } w = {.a = {.offset = offset, .region = WIRE_PCI_CONFIG, .count = count}};

    memset(w.data, value, sizeof w.data);
    ask(1, WIRE_REGION_WRITE, &w, sizeof w.a + count, 0);
    agree(1, WIRE_REGION_WRITE);
}

START_TEST(the_command_register_comes_last)
{
    unsigned at = 0;
    unsigned width;

    write_config(SETUP_CONFIG_COMMAND, 2, 6);
    write_config(0x3c, 1, 1);
    write_config(0x10, 4, 2);
    ck_assert_int_eq(setup_config_next(s->config, &at, &width), 0x10);
    ck_assert_int_eq(setup_config_next(s->config, &at, &width), 0x3c);
    ck_assert_int_eq(setup_config_next(s->config, &at, &width), SETUP_CONFIG_COMMAND);
    ck_assert_uint_eq(width, 2);
    ck_assert_int_eq(setup_config_next(s->config, &at, &width), -1);
}
END_TEST

START_TEST(a_base_address_is_unknown_after_it_was_written)
{
    write_config(0x10, 4, 0xff);
    ck_assert(!setup_config_knows(s->config, 0x10, 4));
    write_config(SETUP_CONFIG_COMMAND, 2, 6);
    ck_assert(setup_config_knows(s->config, SETUP_CONFIG_COMMAND, 2));
}
END_TEST

START_TEST(a_reset_ends_what_was_written)
{
    unsigned at = 0;
    unsigned width;

    write_config(0x3c, 1, 1);
    ask(2, WIRE_DEVICE_RESET, NULL, 0, 0);
    agree(2, WIRE_DEVICE_RESET);
    ck_assert_int_eq(setup_config_next(s->config, &at, &width), -1);
}
END_TEST

START_TEST(a_write_beyond_the_space_changes_nothing)
{
    write_config(SETUP_CONFIG_SIZE - 4, 4, 1);
    write_config(SETUP_CONFIG_SIZE, 4, 1);
    write_config(SETUP_CONFIG_SIZE - 2, 4, 1);
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    ck_assert_uint_eq(s->config->width[SETUP_CONFIG_SIZE - 2], 2);
}
END_TEST

/* ---- the device's requests ---- */

START_TEST(a_reply_to_a_device_that_is_gone_is_stale_once)
{
    const struct wire_hdr reply = {.id = 7, .command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY};

    pass(SIDE_BACKEND, 7, WIRE_DMA_READ, WIRE_TYPE_COMMAND, NULL, 0, 0);
    ck_assert(!setup_is_stale(s, &reply));
    setup_lose_device(s);
    ck_assert(setup_is_stale(s, &reply));
    setup_drop_stale(s, &reply);
    ck_assert(!setup_is_stale(s, &reply));
}
END_TEST

/* ---- what is not shared ---- */

START_TEST(a_region_loses_its_memory_but_not_its_size)
{
    struct {
        struct wire_hdr hdr;
        struct wire_region_info info;
        uint8_t caps[32];
    } m = {
        .hdr = {.command = WIRE_DEVICE_GET_REGION_INFO, .size = sizeof m, .flags = WIRE_TYPE_REPLY},
        .info = {.argsz = 64, .flags = 0xf, .index = 2, .cap_offset = 32, .size = 0x2000}};

    ck_assert(setup_strips(s, SIDE_BACKEND, &m.hdr));
    setup_strip((uint8_t *)&m, sizeof m);
    ck_assert_uint_eq(m.info.flags, WIRE_REGION_FLAG_READ | WIRE_REGION_FLAG_WRITE);
    ck_assert_uint_eq(m.info.cap_offset, 0);
    ck_assert_uint_eq(m.info.argsz, sizeof m.info);
    ck_assert_uint_eq(m.info.size, 0x2000);
}
END_TEST

/* ---- what is adopted ---- */

static void share_region(uint32_t index, unsigned n_fds)
{
    const struct wire_region_info asked = {.argsz = 64, .index = index};
    const struct wire_region_info has = {.argsz = 64, .flags = 7, .index = index, .size = 0x2000};

    ask(1, WIRE_DEVICE_GET_REGION_INFO, &asked, sizeof asked, 0);
    pass(SIDE_BACKEND, 1, WIRE_DEVICE_GET_REGION_INFO, WIRE_TYPE_REPLY, &has, sizeof has, n_fds);
}

START_TEST(memory_of_one_region_is_kept)
{
    const struct wire_hdr reply = {.command = WIRE_DEVICE_GET_REGION_INFO,
                                   .flags = WIRE_TYPE_REPLY};

    s->shares = SETUP_SHARES_MEMORY;
    ck_assert(!setup_strips(s, SIDE_BACKEND, &reply));
    share_region(0, 0);
    ck_assert_int_eq(s->memory_fd, -1);
    share_region(2, 1);
    ck_assert_int_ge(s->memory_fd, 0);
    ck_assert_uint_eq(s->memory_region, 2);
    share_region(2, 1);
    ck_assert_int_eq(s->lack, SETUP_KEPT);
    share_region(0, 1);
    ck_assert_int_eq(s->lack, SETUP_LACKS_SHARED);
    ck_assert_int_eq(s->memory_fd, -1);
}
END_TEST

START_TEST(memory_that_is_not_adopted_is_not_kept)
{
    share_region(2, 1);
    ck_assert_int_eq(s->memory_fd, -1);
    ck_assert_int_eq(s->lack, SETUP_KEPT);
}
END_TEST

/* ---- an NVMe controller ---- */

struct access {
    struct wire_region_access at;
    uint8_t data[4];
};

/* Without padding. */
#define ACCESS_SIZE (sizeof(struct wire_region_access) + 4)

static struct access access_of(uint32_t region, uint64_t offset, uint32_t value)
{
    struct access a = {.at = {.region = region, .offset = offset, .count = 4}};

    memcpy(a.data, &value, sizeof value);
    return a;
}

/* The client reads the revision and class code. */
static void read_class(uint32_t value)
{
    const struct access a = access_of(WIRE_PCI_CONFIG, 8, value);

    ask(1, WIRE_REGION_READ, &a.at, sizeof a.at, 0);
    pass(SIDE_BACKEND, 1, WIRE_REGION_READ, WIRE_TYPE_REPLY, &a, ACCESS_SIZE, 0);
}

/* What the client is given for what the device has answered. */
static uint32_t shown(uint32_t region, uint64_t offset, uint32_t value)
{
    const struct access a = access_of(region, offset, value);
    const struct wire_hdr hdr = {
        .command = WIRE_REGION_READ, .size = WIRE_HDR_SIZE + ACCESS_SIZE, .flags = WIRE_TYPE_REPLY};
    uint8_t bytes[WIRE_HDR_SIZE + ACCESS_SIZE];

    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE, &a, ACCESS_SIZE);
    if (setup_strips(s, SIDE_BACKEND, &hdr)) {
        setup_strip(bytes, sizeof bytes);
    }
    memcpy(&value, bytes + sizeof bytes - sizeof value, sizeof value);
    return value;
}

static void write_register(uint64_t offset, uint32_t value)
{
    const struct access a = access_of(0, offset, value);

    pass(SIDE_CLIENT, 2, WIRE_REGION_WRITE, WIRE_TYPE_COMMAND | WIRE_NO_REPLY, &a, ACCESS_SIZE, 0);
}

START_TEST(a_lost_nvme_controller_has_failed_until_it_is_disabled)
{
    read_class(0x01080200);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 1);
    setup_lose_device(s);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 3);
    ck_assert_uint_eq(shown(0, 0x18, 1), 1);
    ck_assert_uint_eq(shown(2, 0x1c, 1), 1);
    write_register(0x14, 0x460001);
    write_register(0x1000, 0);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 3);
    write_register(0x14, 0x460000);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 1);
    setup_lose_device(s);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 3);
}
END_TEST

/* It goes on with all that it was. */
START_TEST(a_replaced_nvme_controller_has_not_failed)
{
    read_class(0x01080200);
    setup_replace_device(s);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 1);
}
END_TEST

START_TEST(its_status_is_known_without_a_device)
{
    const struct wire_region_access status = {.offset = 0x1c, .count = 4};
    uint8_t out[SETUP_ANSWER_MAX];

    read_class(0x01080200);
    setup_lose_device(s);
    ask(3, WIRE_REGION_READ, &status, sizeof status, 0);
    ck_assert_uint_eq(setup_answer(s, TAILQ_FIRST(&s->requests), out), WIRE_HDR_SIZE + ACCESS_SIZE);
    ck_assert_uint_eq(out[WIRE_HDR_SIZE + sizeof status], 2);
    write_register(0x14, 0x460000);
    ck_assert_uint_eq(setup_answer(s, TAILQ_FIRST(&s->requests), out), WIRE_HDR_SIZE + ACCESS_SIZE);
    ck_assert_uint_eq(out[WIRE_HDR_SIZE + sizeof status], 0);
}
END_TEST

START_TEST(another_class_is_left_alone)
{
    read_class(0x02000000);
    setup_lose_device(s);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 1);
}
END_TEST

START_TEST(nothing_is_shown_unless_the_route_asks_for_it)
{
    s->assists = false;
    read_class(0x01080200);
    setup_lose_device(s);
    ck_assert_uint_eq(shown(0, 0x1c, 1), 1);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("setup");
    TCase *const c = tcase_create("setup");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, a_map_is_kept_once_the_device_has_agreed);
    tcase_add_test(c, a_map_that_the_device_refuses_is_not_kept);
    tcase_add_test(c, a_map_that_wants_no_reply_is_kept_at_once);
    tcase_add_test(c, an_unmapping_ends_the_maps_in_its_range);
    tcase_add_test(c, one_map_too_many_gives_the_record_up);
    tcase_add_test(c, one_fd_too_many_gives_the_record_up);
    tcase_add_test(c, one_request_too_many_gives_the_record_up);
    tcase_add_test(c, a_map_that_cannot_be_kept_gives_the_record_up);
    tcase_add_test(c, a_large_map_gives_the_record_up);
    tcase_add_test(c, a_pinned_record_keeps_what_is_being_read);
    tcase_add_test(c, the_last_vector_is_kept_and_none_behind_it);
    tcase_add_test(c, what_only_the_device_could_repeat_gives_the_record_up);
    tcase_add_test(c, vectors_come_in_runs_that_a_message_can_carry);
    tcase_add_test(c, a_vector_set_without_an_fd_has_none);
    tcase_add_test(c, disabling_an_index_ends_all_of_it);
    tcase_add_test(c, masks_are_kept_behind_the_eventfds);
    tcase_add_test(c, the_command_register_comes_last);
    tcase_add_test(c, a_base_address_is_unknown_after_it_was_written);
    tcase_add_test(c, a_reset_ends_what_was_written);
    tcase_add_test(c, a_write_beyond_the_space_changes_nothing);
    tcase_add_test(c, a_reply_to_a_device_that_is_gone_is_stale_once);
    tcase_add_test(c, a_region_loses_its_memory_but_not_its_size);
    tcase_add_test(c, memory_of_one_region_is_kept);
    tcase_add_test(c, memory_that_is_not_adopted_is_not_kept);
    tcase_add_test(c, a_lost_nvme_controller_has_failed_until_it_is_disabled);
    tcase_add_test(c, a_replaced_nvme_controller_has_not_failed);
    tcase_add_test(c, its_status_is_known_without_a_device);
    tcase_add_test(c, another_class_is_left_alone);
    tcase_add_test(c, nothing_is_shown_unless_the_route_asks_for_it);
    suite_add_tcase(suite, c);
    return unit_run(suite);
}
