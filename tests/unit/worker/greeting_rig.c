/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rig of the greeting's suites. Everything happens in this process and nothing is waited for.
 */
#define _GNU_SOURCE
#include "tests/unit/worker/greeting_rig.h"

#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

const char rig_qemu_anew[] =
    "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16,\"max_dma_maps\":65535,"
    "\"max_data_xfer_size\":1048576,\"migration\":{\"max_bitmap_size\":268435456,"
    "\"pgsize\":4096},\"write_multiple\":true}}";

/* More turns of the loop than anything here takes. */
#define TURNS 8

static void on_news(struct greeting *g, enum greeting_news news, void *arg)
{
    struct greeting_rig *const r = arg;

    ck_assert_ptr_eq(g, r->greeting);
    if (news == GREETING_HEARD) {
        r->heard++;
        return;
    }
    r->news = news;
    r->n_news++;
}

/* A pair, one end of which is given away. */
static int open_end(int *ours)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *ours = pair[0];
    return pair[1];
}

/* The recital is tests/daemon/test_recital.c's: here the broker keeps silent. */
static void open_rig(struct greeting_rig *r, bool with_backend, int err)
{
    const struct greeting_settings how = {
        .refuse_err = err, .poem = &poem_builtin, .recite = CONFIG_RECITE_NEVER};
    int fd;

    *r = (struct greeting_rig){.backend = -1, .command = WIRE_VERSION};
    r->base = event_base_new();
    ck_assert_ptr_nonnull(r->base);
    fd = open_end(&r->client);
    r->greeting =
        greeting_new_take(r->base, fd, with_backend ? open_end(&r->backend) : -1, &how, on_news, r);
    ck_assert_ptr_nonnull(r->greeting);
}

void rig_begin(struct greeting_rig *r)
{
    open_rig(r, true, 0);
}

void rig_begin_refusing(struct greeting_rig *r, int err)
{
    open_rig(r, false, err);
}

void rig_finish(struct greeting_rig *r)
{
    greeting_free(r->greeting);
    sock_close(&r->client);
    sock_close(&r->backend);
    event_base_free(r->base);
}

void rig_settle(struct greeting_rig *r)
{
    for (int i = 0; i < TURNS; i++) {
        ck_assert_int_ge(event_base_loop(r->base, EVLOOP_NONBLOCK), 0);
    }
}

void rig_expect_news(struct greeting_rig *r, enum greeting_news news)
{
    rig_settle(r);
    ck_assert_uint_eq(r->n_news, 1);
    ck_assert_int_eq(r->news, news);
    r->n_news = 0;
}

void rig_expect_no_news(struct greeting_rig *r)
{
    rig_settle(r);
    ck_assert_uint_eq(r->n_news, 0);
}

void rig_expect_failure(struct greeting_rig *r, enum session_reason reason, int err,
                        bool by_backend)
{
    const struct greeting_result *const result = greeting_result(r->greeting);

    rig_expect_news(r, GREETING_FAILED);
    ck_assert_str_eq(session_reason_word(result->reason), session_reason_word(reason));
    ck_assert_int_eq(result->err, err);
    ck_assert_int_eq(result->by_backend, by_backend);
    ck_assert_ptr_nonnull(result->why);
    if (err) {
        ck_assert_int_eq(peer_recv_error(r->client, RIG_ID, r->command), err);
    }
    greeting_free(r->greeting);
    r->greeting = NULL;
    if (r->client >= 0) {
        peer_expect_eof(r->client);
    }
    if (r->backend >= 0) {
        peer_expect_eof(r->backend);
    }
}

void rig_request(struct greeting_rig *r)
{
    peer_send_version(r->client, RIG_ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    rig_expect_no_news(r);
    peer_recv_version(r->backend, RIG_ID, WIRE_TYPE_COMMAND, rig_qemu_anew);
}

void rig_reply(struct greeting_rig *r)
{
    peer_send_version(r->backend, RIG_ID, WIRE_TYPE_REPLY, RIG_REPLY, NULL);
    rig_expect_news(r, GREETING_EVIDENCE);
}

size_t rig_version(void *p, size_t room, uint32_t flags, const void *data, size_t n)
{
    const size_t size = WIRE_HDR_SIZE + sizeof(struct wire_version) + n;
    const struct wire_hdr hdr = {
        .id = RIG_ID, .command = WIRE_VERSION, .size = (uint32_t)size, .flags = flags};

    ck_assert_uint_le(size, room);
    memset(p, 0, size);
    wire_put_hdr(p, &hdr);
    if (n > 0) {
        memcpy((char *)p + size - n, data, n);
    }
    return size;
}
