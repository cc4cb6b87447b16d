/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session that is handed over to another worker between two messages: nothing is lost, and its
 * connections stay open. The test is the monitor, and has copies of the sockets as it would.
 */
#define _GNU_SOURCE
#include "proxy/worker/session.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/worker/session_rig.h"

#define PAGES_SIZE session_page_file_size(1)

static struct session_rig rig;
static struct rig_peers peers;
static int copies[LIMIT_FDS_PER_SESSION]; /* of the broker's ends */

static const struct ipc_session settings = {.drain_ms = 60000, .route = "test"};

static struct session_page *page_of(const struct session_rig *r)
{
    return (struct session_page *)(void *)(r->host.pages + SESSION_PAGE_HEAD);
}

static void open_pages(struct session_rig *r)
{
    rig_init(r);
    r->host.pages_size = PAGES_SIZE;
    r->host.slots = 1;
    r->host.pages = calloc(1, PAGES_SIZE);
    ck_assert_ptr_nonnull(r->host.pages);
    ck_assert(
        gate_chunks_init(&r->host.chunks, (void *)(r->host.pages + session_page_chunk_at(1, 1))));
}

static void close_pages(struct session_rig *r)
{
    rig_deinit(r);
    free(r->host.pages);
}

static int copy(int fd)
{
    const int c = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    ck_assert_int_ge(c, 0);
    return c;
}

static void begin(bool twin)
{
    const struct session *s;

    rig_session(&rig, &peers, 1, 0, 0);
    if (twin) {
        rig_lead_with_twin(&rig, &peers);
    } else {
        rig_lead(&rig, &peers, SESSION_RELAYING);
    }
    rig.watched = NULL;
    s = session_of(&rig.host, 1);
    copies[0] = copy(s->channels->client.fd);
    copies[1] = copy(s->channels->backend.fd);
    copies[2] = twin ? copy(s->twin->client.fd) : -1;
    copies[3] = twin ? copy(s->twin->backend.fd) : -1;
}

static void open_rig(void)
{
    open_pages(&rig);
}

static void close_rig(void)
{
    rig_close_peers(&peers);
    close_pages(&rig);
}

static void close_copies(void)
{
    for (int i = 0; i < LIMIT_FDS_PER_SESSION; i++) {
        sock_close(&copies[i]);
    }
}

static void send_command(int from, uint16_t id)
{
    peer_send(from, (struct wire_hdr){.id = id, .command = WIRE_DEVICE_RESET}, NULL, 0, NULL);
}

static void expect_command(int to, uint16_t id)
{
    struct message got;

    peer_recv(to, &got);
    ck_assert_uint_eq(got.hdr.id, id);
    message_deinit(&got);
}

static void expect_left(uint64_t messages)
{
    struct ipc_count to_backend;
    struct ipc_count to_client;

    ck_assert_uint_eq(rig.n_sent, 1);
    ck_assert_uint_eq(rig.sent[0].type, IPC_HANDED_OVER);
    ck_assert_uint_eq(rig.sent[0].session, 1);
    ck_assert(session_host_empty(&rig.host));
    ck_assert_uint_eq(rig.host.leaving, 0);
    peer_expect_silence(peers.client);
    peer_expect_silence(peers.backend);
    ck_assert(session_page_sound(page_of(&rig), 1));
    session_page_counts(page_of(&rig), &to_backend, &to_client);
    ck_assert_uint_eq(to_backend.messages, messages);
}

/* Goes on in another worker, from the page. */
static void expect_goes_on(void)
{
    struct session_rig other;

    open_pages(&other);
    memcpy(page_of(&other), page_of(&rig), SESSION_PAGE_SIZE);
    ck_assert_int_eq(session_resume_take(&other.host, 1, &settings, copies), 0);
    rig_settle(&other);
    ck_assert_uint_eq(other.n_sent, 1);
    ck_assert_uint_eq(other.sent[0].type, IPC_RESUMED);
    ck_assert_uint_eq(other.sent[0].u.resumed.doubt, IPC_DOUBT_NONE);
    send_command(peers.client, 9);
    rig_settle(&other);
    expect_command(peers.backend, 9);
    close_pages(&other);
}

START_TEST(an_idle_session_leaves_at_once)
{
    begin(false);
    send_command(peers.client, 2);
    rig_settle(&rig);
    expect_command(peers.backend, 2);
    session_leave(&rig.host, 1);
    rig_settle(&rig);
    expect_left(1);
    expect_goes_on();
}
END_TEST

START_TEST(one_with_twin_sockets_leaves_with_them)
{
    begin(true);
    session_leave(&rig.host, 1);
    rig_settle(&rig);
    expect_left(0);
    peer_expect_silence(peers.client_twin);
    expect_goes_on();
}
END_TEST

/* What has not been read is read by the next worker. */
START_TEST(messages_that_wait_are_left_to_the_next_worker)
{
    begin(false);
    send_command(peers.client, 2);
    session_leave(&rig.host, 1);
    send_command(peers.client, 3);
    rig_settle(&rig);
    expect_left(0);
    {
        struct session_rig other;

        open_pages(&other);
        memcpy(page_of(&other), page_of(&rig), SESSION_PAGE_SIZE);
        ck_assert_int_eq(session_resume_take(&other.host, 1, &settings, copies), 0);
        rig_settle(&other);
        expect_command(peers.backend, 2);
        expect_command(peers.backend, 3);
        close_pages(&other);
    }
}
END_TEST

START_TEST(a_message_that_is_held_is_completed_first)
{
    uint8_t data[64];
    const struct wire_hdr hdr = {.id = 2, .command = WIRE_DEVICE_RESET, .size = sizeof data};
    struct message got;

    begin(false);
    memset(data, 7, sizeof data);
    wire_put_hdr(data, &hdr);
    peer_send_raw(peers.client, data, 32, NULL);
    rig_settle(&rig);
    session_leave(&rig.host, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 0);
    ck_assert_uint_eq(rig.host.leaving, 1);
    /* Asked for twice, it leaves once. */
    session_leave(&rig.host, 1);
    ck_assert_uint_eq(rig.host.leaving, 1);
    peer_send_raw(peers.client, data + 32, 32, NULL);
    rig_await_sent(&rig, 1);
    peer_recv(peers.backend, &got);
    ck_assert_uint_eq(got.n, 48);
    message_deinit(&got);
    expect_left(1);
    expect_goes_on();
}
END_TEST

START_TEST(an_end_meanwhile_is_an_end)
{
    begin(false);
    close_copies();
    peer_send_raw(peers.client, "\1\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0", 17, NULL);
    rig_settle(&rig);
    session_leave(&rig.host, 1);
    ck_assert_uint_eq(rig.host.leaving, 1);
    sock_close(&peers.client);
    rig_await_sent(&rig, 1);
    ck_assert_uint_eq(rig.sent[0].type, IPC_ENDED);
    ck_assert_uint_eq(rig.sent[0].u.ended.reason, REASON_TRUNCATED_MESSAGE);
    ck_assert_uint_eq(rig.host.leaving, 0);
    /* One that is gone has nothing to hand over. */
    session_leave(&rig.host, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 1);
}
END_TEST

/* Its gate knows the maps, which are in its log. */
START_TEST(a_session_whose_maps_are_checked_goes_as_well)
{
    rig.dma.max_maps = 4;
    begin(false);
    send_command(peers.client, 2);
    rig_settle(&rig);
    expect_command(peers.backend, 2);
    session_leave(&rig.host, 1);
    rig_await_sent(&rig, 1);
    expect_left(1);
    ck_assert_uint_ne(page_of(&rig)->gate_log, 0);
    close_copies();
}
END_TEST

START_TEST(an_export_is_recorded_first)
{
    const struct wire_dma_map m = {.argsz = sizeof m, .address = 0x1000, .size = 0x1000};

    rig.recorded = true;
    begin(false);
    peer_send(peers.client,
              (struct wire_hdr){.id = 5, .command = WIRE_DMA_MAP, .flags = WIRE_NO_REPLY}, &m,
              sizeof m, NULL);
    rig_settle(&rig);
    expect_command(peers.backend, 5);
    ck_assert_uint_eq(rig.n_sent, 1);
    rig.n_sent = 0;
    session_leave(&rig.host, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 0);
    session_recorded(&rig.host, 1);
    rig_await_sent(&rig, 1);
    expect_left(1);
    close_copies();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session_leave");
    TCase *tc = unit_case(s, "leave");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, an_idle_session_leaves_at_once);
    tcase_add_test(tc, one_with_twin_sockets_leaves_with_them);
    tcase_add_test(tc, messages_that_wait_are_left_to_the_next_worker);
    tcase_add_test(tc, a_message_that_is_held_is_completed_first);
    tcase_add_test(tc, an_end_meanwhile_is_an_end);
    tcase_add_test(tc, a_session_whose_maps_are_checked_goes_as_well);
    tcase_add_test(tc, an_export_is_recorded_first);
    return unit_run(s);
}
