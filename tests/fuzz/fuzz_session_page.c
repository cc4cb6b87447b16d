/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session's page as a worker that was taken over could leave it: of one that is sound, any
 * direction goes on from its mark, whatever lies in the sender's socket, without a lost fd, and
 * leaves the mark sound.
 *
 * The input: a byte of settings, a byte that counts the changes to an empty page, three bytes for
 * each of them, of their offset and value; the direction's mark; the head of held bytes, if there
 * are any; and the bytes in the sender's socket, and in the place of the held ones, of which the
 * last is the kernel's note as well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/ipc/session_page.h"
#include "proxy/relay/relay_direction.h"
#include "tests/fuzz/fuzz.h"

#define SESSION 42u
#define TURNS 64

/* Of the settings; the lowest two bits are the direction. */
enum { WAY = 3, SETTLED = 4, WATCHES = 8, WITH_FD = 16, CLOSES = 32, OVERDUE = 64, HOLDS = 128 };

struct way {
    int fds[4]; /* the sender's end, from_fd, to_fd, the receiver's end */
    struct queue_pool pool;
    struct report report;
    struct dma_gate gate;
    struct dma_gate_side side;
    struct asked asked[2];
    struct relay_direction direction;
};

/* One for the worker's own queues, and one for that of the dead worker. */
static uint8_t places[2][HELD_PLACE] __attribute__((aligned(HELD_HEAD)));
static struct sock_post post;

static void way_on_gate(void *arg, const struct dma_denial *d)
{
    (void)arg;
    (void)d;
}

static void way_open(struct way *w, struct session_page *p, uint8_t settings)
{
    static const struct dma_settings set = {.withhold = 0};
    const struct wire_takes takes = {.max_data = 1u << 20, .max_bitmap = 1u << 20};
    const enum session_page_way way = (enum session_page_way)(settings & WAY);

    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->fds) == 0);
    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->fds + 2) == 0);
    queue_pool_init(&w->pool);
    queue_pool_share(&w->pool, places[0], 1, 1, &post);
    report_init(&w->report, settings & WATCHES);
    dma_gate_init(&w->gate, &set, p->max_dma_maps, &w->report, way_on_gate, NULL);
    dma_gate_side_init(&w->side, &w->gate);
    asked_init(&w->asked[0], &takes, &p->asked[way]);
    asked_init(&w->asked[1], &takes, &p->asked[way ^ 1]);
    relay_init(&w->direction, w->fds[1], w->fds[2], 16, &takes, &w->pool, &p->marks[way]);
    relay_ask(&w->direction, &w->asked[0], &w->asked[1]);
    relay_guard(&w->direction, &w->side, session_page_from(way) == SIDE_CLIENT);
    if (settings & OVERDUE) {
        relay_watch(&w->direction, &p->overdue);
    }
}

static void way_close(struct way *w)
{
    relay_deinit(&w->direction);
    dma_gate_side_deinit(&w->side);
    dma_gate_deinit(&w->gate);
    report_deinit(&w->report);
    queue_pool_deinit(&w->pool);
    for (int i = 0; i < 4; i++) {
        sock_close(&w->fds[i]);
    }
}

/* Writes what the sender's socket has when the direction goes on. */
static void way_write(const struct way *w, uint8_t settings, const uint8_t *p, size_t n)
{
    struct fdset fds;

    fdset_init(&fds);
    if (settings & WITH_FD) {
        FUZZ_REQUIRE(fdset_add_take(&fds, fcntl(w->fds[3], F_DUPFD_CLOEXEC, 0)) == 0);
    }
    if (n > 0) {
        FUZZ_REQUIRE(sock_send(w->fds[0], p, n, &fds, MSG_DONTWAIT) > 0);
    }
    fdset_close(&fds);
    if (settings & CLOSES) {
        shutdown(w->fds[0], SHUT_WR);
    }
}

/* The receiver reads all that has come. */
static void way_drain(const struct way *w)
{
    uint8_t data[4096];
    struct fdset fds;

    fdset_init(&fds);
    while (sock_recv(w->fds[3], data, sizeof data, &fds, MSG_DONTWAIT) > 0) {
        fdset_close(&fds);
    }
    fdset_close(&fds);
}

static void way_go_on(struct way *w)
{
    struct relay_direction *const p = &w->direction;
    const bool holds = p->mark->place != 0;
    const enum relay_recovery r = relay_recover(p);
    const bool recovered = r <= RELAY_RECOVERED_UNSENT;
    enum relay_outcome turn = RELAY_MORE;
    struct relay_detail detail;

    FUZZ_REQUIRE(r != RELAY_RECOVERY_UNSOUND || p->mark->step == RELAY_MARK_INTENT || holds);
    if (recovered) {
        FUZZ_REQUIRE(p->mark->step == RELAY_MARK_IDLE);
    }
    for (int i = 0; recovered && turn == RELAY_MORE && i < TURNS; i++) {
        turn = relay_turn(p, &detail);
        FUZZ_REQUIRE(relay_mark_sound(p->mark));
        way_drain(w);
        w->report.n = 0;
    }
}

/* Fills the place of held bytes. Returns the number of bytes that describe their head. */
static size_t way_hold(struct relay_mark *m, const uint8_t *p, size_t n, uint32_t done)
{
    struct held *const h = (struct held *)places[1];

    if (n < sizeof *h) {
        m->place = 1;
        return 0;
    }
    memcpy(h, p, sizeof *h);
    memcpy(places[1] + HELD_HEAD, p + sizeof *h,
           n - sizeof *h < LIMIT_QUEUE ? n - sizeof *h : LIMIT_QUEUE);
    post.done = done;
    held_settle(h, &post);
    m->place = 2;
    return sizeof *h;
}

/* Makes the changes. Returns the number of bytes that describe them. */
static size_t page_change(struct session_page *page, const uint8_t *p, size_t n)
{
    size_t at = 1;

    for (uint8_t left = n > 0 ? p[0] : 0; left > 0 && n - at >= 3; left--, at += 3) {
        const size_t place = (size_t)(p[at] | p[at + 1] << 8) % sizeof *page;

        ((uint8_t *)page)[place] = p[at + 2];
    }
    return at < n ? at : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct session_page page;
    struct ipc_count counts[SIDES];
    enum session_page_way way;
    struct way w;
    uint64_t hand;
    size_t used;
    int lowest;

    if (n < 2 + sizeof hand + sizeof *page.marks) {
        return 0;
    }
    memcpy(&hand, p + 2, sizeof hand);
    if (session_page_in_hand(hand, &way) != 0) {
        FUZZ_REQUIRE(way <= SESSION_PAGE_RESUMING);
    }
    page = (struct session_page){.version = SESSION_PAGE_VERSION, .session = SESSION};
    used = 1 + page_change(&page, p + 1, n - 1);
    if (n - used < sizeof *page.marks) {
        return 0;
    }
    memcpy(&page.marks[p[0] & WAY], p + used, sizeof *page.marks);
    used += sizeof *page.marks;
    if (p[0] & HOLDS) {
        used += way_hold(&page.marks[p[0] & WAY], p + used, n - used, p[n - 1]);
    }
    if (!session_page_sound(&page, SESSION)) {
        return 0;
    }
    if (p[0] & SETTLED) {
        session_page_settle(&page, p[n - 1]);
        FUZZ_REQUIRE(session_page_sound(&page, SESSION));
    }
    session_page_counts(&page, &counts[SIDE_BACKEND], &counts[SIDE_CLIENT]);
    lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    close(lowest);
    memset(&w, 0, sizeof w);
    way_open(&w, &page, p[0]);
    way_write(&w, p[0], p + used, n - used);
    way_go_on(&w);
    way_close(&w);
    /* No fd stays open. */
    FUZZ_REQUIRE(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) == lowest);
    close(lowest);
    return 0;
}
