/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The rig of the lane's suites. */
#define _GNU_SOURCE
#include "tests/unit/relay/channel_pair_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdinfo.h"
#include "base/sock.h"
#include "proxy/ipc/session_page.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* More turns of the loop than anything here takes. */
#define TURNS 64

struct event_base *base;
static struct queue_pool pool;
struct report report;
struct dma_gate gate;
struct channel_pair channels;
static struct session_page page;
int client;
int backend;
unsigned denials;
unsigned refusals;               /* CHANNEL_PAIR_REFUSED */
struct channel_pair_event ended; /* .reason REASON_NONE: not as yet */

static void on_gate(void *arg, const struct dma_denial *d)
{
    (void)arg;
    denials += d != NULL;
}

static void on_lane(struct channel_pair *l, const struct channel_pair_event *e, void *arg)
{
    (void)arg;
    if (e->news == CHANNEL_PAIR_REFUSED) {
        refusals++;
    } else if (e->news != CHANNEL_PAIR_HALF_CLOSED && e->news != CHANNEL_PAIR_WAITS) {
        ended = *e;
        channel_pair_stop(l);
    }
}

static int open_end(int *ours)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(sock_nonblock(pair[1]), 0);
    *ours = pair[0];
    return pair[1];
}

void channel_pair_begin(const struct dma_settings *set, bool recorded)
{
    const struct channel_pair_limits each = {
        .max_fds = 8, .takes = {.max_data = MAX_DATA, .max_bitmap = MAX_DATA}};
    const struct channel_pair_limits limits[SIDES] = {each, each};
    static struct dma_settings kept;
    const struct channel_pair_page parts = {.to_backend = &page.marks[SESSION_PAGE_TO_BACKEND],
                                            .to_client = &page.marks[SESSION_PAGE_TO_CLIENT],
                                            .client_asked = &page.asked[SESSION_PAGE_TO_BACKEND],
                                            .backend_asked = &page.asked[SESSION_PAGE_TO_CLIENT]};
    int client_end;
    int backend_end;

    memset(&page, 0, sizeof page);
    denials = 0;
    refusals = 0;
    ended = (struct channel_pair_event){.reason = REASON_NONE};
    base = event_base_new();
    ck_assert_ptr_nonnull(base);
    queue_pool_init(&pool);
    report_init(&report, recorded);
    kept = *set;
    dma_gate_init(&gate, &kept, 65535, &report, on_gate, NULL);
    gate.fdinfo_fd = fdinfo_open();
    ck_assert_int_ge(gate.fdinfo_fd, 0);
    client_end = open_end(&client);
    backend_end = open_end(&backend);
    ck_assert_int_eq(channel_pair_init_take(&channels, base, client_end, backend_end, limits,
                                            &parts, &pool, &gate, on_lane, NULL),
                     0);
}

void channel_pair_withhold(void)
{
    const struct dma_settings set = {.withhold = 1};

    channel_pair_begin(&set, false);
}

void channel_pair_gate_end(void)
{
    channel_pair_deinit(&channels);
    sock_close(&gate.fdinfo_fd);
    dma_gate_deinit(&gate);
    report_deinit(&report);
    queue_pool_deinit(&pool);
    event_base_free(base);
    sock_close(&client);
    sock_close(&backend);
}

void channel_pair_settle(void)
{
    for (int i = 0; i < TURNS; i++) {
        ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
    }
}

/* ---- messages ---- */

void channel_pair_add(struct bytes *b, struct wire_hdr hdr, const void *body, size_t body_n,
                      size_t data)
{
    uint8_t *more;

    hdr.size = (uint32_t)(WIRE_HDR_SIZE + body_n + data);
    more = realloc(b->p, b->n + hdr.size);
    ck_assert_ptr_nonnull(more);
    b->p = more;
    wire_put_hdr(b->p + b->n, &hdr);
    memcpy(b->p + b->n + WIRE_HDR_SIZE, body, body_n);
    for (size_t i = 0; i < data; i++) {
        b->p[b->n + WIRE_HDR_SIZE + body_n + i] = (uint8_t)(i * 7 + hdr.id);
    }
    b->n += hdr.size;
}

void channel_pair_add_access(struct bytes *b, uint16_t id, uint16_t command, uint64_t address,
                             uint32_t count)
{
    const struct wire_dma_access a = {.address = address, .count = count};

    channel_pair_add(b, (struct wire_hdr){.id = id, .command = command}, &a, sizeof a,
                     command == WIRE_DMA_WRITE ? count : 0);
}

void channel_pair_add_map(struct bytes *b, uint16_t id, uint64_t address, uint32_t flags)
{
    const struct wire_dma_map m = {
        .argsz = sizeof m, .flags = flags, .address = address, .size = 0x200000};

    channel_pair_add(b, (struct wire_hdr){.id = id, .command = WIRE_DMA_MAP}, &m, sizeof m, 0);
}

void bytes_free(struct bytes *b)
{
    free(b->p);
    *b = (struct bytes){NULL, 0};
}

void channel_pair_send_bytes(int fd, struct bytes *b, const struct fdset *fds)
{
    peer_send_raw(fd, b->p, b->n, fds);
    bytes_free(b);
    channel_pair_settle();
}

/* A map that lives from now on; where memory is withheld its fd must not arrive. */
void channel_pair_map(uint16_t id, uint64_t address, uint32_t flags)
{
    struct bytes b = {NULL, 0};
    struct fdset fd;
    struct message m;

    fdset_init(&fd);
    peer_memfds(&fd, 1);
    channel_pair_add_map(&b, id, address, flags);
    channel_pair_send_bytes(client, &b, &fd);
    fdset_close(&fd);
    peer_recv(backend, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_MAP);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.fds.n, gate.set->withhold ? 0 : 1);
    message_deinit(&m);
}

/* The next message at fd is this request, its data as it was sent. */
void channel_pair_expect(int fd, uint16_t id, uint16_t command)
{
    struct message m;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.command, command);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.flags, 0);
    for (size_t i = sizeof(struct wire_dma_access); command == WIRE_DMA_WRITE && i < m.n; i++) {
        ck_assert_uint_eq(m.payload[i], (uint8_t)((i - sizeof(struct wire_dma_access)) * 7 + id));
    }
    message_deinit(&m);
}

void channel_pair_expect_error(int fd, uint16_t id, uint16_t command, int err)
{
    ck_assert_int_eq(peer_recv_error(fd, id, command), err);
}
