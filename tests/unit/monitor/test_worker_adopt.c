/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A monitor that goes on with the workers of an earlier one: the pool is real, the workers are this
 * test, at the other ends of their channels, and processes that only wait.
 */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_pool_adopt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define SLOTS 8u

/* A worker: its process, and its end of the channel. */
struct fake {
    pid_t pid;
    int channel_fd;
    struct worker_process *w;
};

static struct config config;
static struct monitor_context context;
static struct monitor_session_table sessions;
static struct worker_pool pool;
static struct route *route;
static struct route_table routes;
static struct fake fakes[2];
static uint64_t ended;               /* the last session that has ended, … */
static enum session_reason ended_by; /* … for this reason */

static void on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                     const struct ipc_ended *what)
{
    (void)arg;
    (void)what;
    ended = t->id;
    ended_by = reason;
}

static void ignore_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    pause();
}

/* Lets happen what can happen without waiting. */
static void settle(void)
{
    for (int i = 0; i < 8; i++) {
        ck_assert_int_ge(event_base_loop(context.base, EVLOOP_NONBLOCK), 0);
    }
}

static void open_pool(void)
{
    static const struct monitor_session_events events = {.ended = on_ended};

    log_init("test", LOG_ERROR);
    ended = 0;
    memset(&context, 0, sizeof context);
    ck_assert_int_eq(config_init(&config), 0);
    config.workers = 1;
    context.config = &config;
    context.base = event_base_new();
    context.generation = generation_new(&config);
    ck_assert_int_eq(children_init(&context.children, context.base, NULL, NULL, NULL), 0);
    ck_assert_int_eq(monitor_session_table_init(&sessions, &context, &pool), 0);
    worker_pool_init(&pool, &context, &sessions);
    monitor_session_observe(&sessions, &events, NULL);
    ck_assert_int_eq(route_table_open(&routes, context.base, context.generation, NULL, NULL), 0);
}

/* Adopts a worker, the first one in the configured one's place. */
static void adopt(struct fake *f, bool retires)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    f->channel_fd = pair[1];
    f->pid = process_fork(wait_for_ever, NULL);
    {
        const struct worker_pool_adoptee a = {.pid = f->pid,
                                              .channel_fd = pair[0],
                                              .pages = worker_pages_new(SLOTS, 0),
                                              .retires = retires};

        f->w = worker_pool_adopt_take(&pool, &a);
    }
    ck_assert_ptr_nonnull(f->w);
    ck_assert_int_eq(f->w->retires, retires);
}

/* Waits until the worker's process has ended, and the pool knows it. */
static void await_end(struct fake *f)
{
    pid_t next;

    /* None is started in its place, but one may have been already. */
    context.stopping = true;
    while (f->w->pid == f->pid) {
        ck_assert_int_ge(event_base_loop(context.base, EVLOOP_ONCE), 0);
    }
    next = f->w->pid;
    if (next > 0) {
        kill(next, SIGKILL);
    }
    while (next > 0 && f->w->pid == next) {
        ck_assert_int_ge(event_base_loop(context.base, EVLOOP_ONCE), 0);
    }
    sock_close(&f->channel_fd);
}

static void let_die(struct fake *f)
{
    kill(f->pid, SIGKILL);
    await_end(f);
}

static void close_pool(void)
{
    struct monitor_session *t;

    while ((t = monitor_session_behind(&sessions, 0))) {
        monitor_session_end(t, REASON_SHUTDOWN, NULL);
    }
    context.stopping = true;
    worker_pool_deinit(&pool);
    monitor_session_table_deinit(&sessions);
    route_table_free(&routes);
    generation_release(context.generation);
    config_deinit(&config);
    children_deinit(&context.children);
    event_base_free(context.base);
}

/* A session of the worker's, with a page there. */
static struct monitor_session *give(const struct fake *f, enum session_state state)
{
    struct monitor_session *t;
    struct session_page page;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    if (!route) {
        static struct config_route words;

        words = config_route_default((struct config_place){.line = 1});
        words.name = (char[]){"r"};
        words.handshake_ms = LIMIT_HANDSHAKE_MS;
        route = route_new(&routes, context.generation, &words);
        ck_assert_ptr_nonnull(route);
        route_add(&routes, route);
    }
    t = monitor_session_new(&sessions, route, pair[0]);
    ck_assert_ptr_nonnull(t);
    t->backend_fd = pair[1];
    event_assign(&t->client_event, context.base, t->client_fd, EV_READ, ignore_event, NULL);
    event_assign(&t->timer, context.base, -1, 0, ignore_event, NULL);
    for (int i = SESSION_DIALING; i <= (int)state; i++) {
        ck_assert(monitor_session_advance(t, (enum session_state)i));
    }
    t->pages = f->w->pages;
    t->slot = worker_pages_take(t->pages);
    memset(&page, 0, sizeof page);
    page.version = SESSION_PAGE_VERSION;
    page.session = t->id;
    ck_assert(worker_pages_write(t->pages, t->slot, &page));
    worker_pool_adopt_session(f->w, t);
    return t;
}

/* ---- the channel ---- */

static void put(const struct fake *f, const struct ipc_msg *m)
{
    ck_assert_int_eq(ipc_send(f->channel_fd, m, NULL, 0), 0);
    settle();
}

static void get(const struct fake *f, enum ipc_type type, uint64_t session, unsigned n_fds)
{
    struct ipc_msg m;
    struct fdset fds;

    fdset_init(&fds);
    ck_assert_int_eq(ipc_recv(f->channel_fd, &m, &fds), 1);
    ck_assert_uint_eq(m.type, type);
    ck_assert_uint_eq(m.session, session);
    ck_assert_uint_eq(fds.n, n_fds);
    fdset_close(&fds);
}

static void get_nothing(const struct fake *f)
{
    struct ipc_msg m;
    struct fdset fds;

    fdset_init(&fds);
    ck_assert_int_eq(ipc_recv(f->channel_fd, &m, &fds), -EAGAIN);
}

static void list(const struct fake *f, const struct monitor_session *t, enum session_state state)
{
    struct ipc_msg m = {.type = IPC_ADOPTED, .u.adopted = {.last = 1}};

    if (t) {
        m.u.adopted.n = 1;
        m.u.adopted.held[0] = (struct ipc_held){.session = t->id, .state = state};
    }
    put(f, &m);
}

static void begin(void)
{
    route = NULL;
    open_pool();
    adopt(&fakes[0], false);
    get(&fakes[0], IPC_ADOPT, 0, 0);
}

static void finish(void)
{
    let_die(&fakes[0]);
    close_pool();
}

/* ---- */

START_TEST(a_session_that_is_listed_goes_on)
{
    struct monitor_session *t;

    begin();
    t = give(&fakes[0], SESSION_RELAYING);
    ck_assert(!worker_process_takes_work(fakes[0].w));
    list(&fakes[0], t, SESSION_RELAYING);
    get(&fakes[0], IPC_TAP, t->id, 0);
    get_nothing(&fakes[0]);
    ck_assert_ptr_eq(t->member, fakes[0].w);
    ck_assert(worker_process_takes_work(fakes[0].w));
    ck_assert_uint_eq(ended, 0);
    finish();
}
END_TEST

START_TEST(a_process_that_has_ended_is_reported_again)
{
    struct monitor_session *t;

    begin();
    t = give(&fakes[0], SESSION_RELAYING);
    t->gone = 1u << SIDE_CLIENT;
    list(&fakes[0], t, SESSION_RELAYING);
    get(&fakes[0], IPC_TAP, t->id, 0);
    get(&fakes[0], IPC_GONE, t->id, 0);
    finish();
}
END_TEST

START_TEST(one_that_was_sent_to_the_worker_and_did_not_come_is_sent_again)
{
    struct monitor_session *t;

    begin();
    t = give(&fakes[0], SESSION_RELAYING);
    t->resuming = true;
    list(&fakes[0], NULL, SESSION_DEAD);
    get(&fakes[0], IPC_RESUME, t->id, 2);
    put(&fakes[0], &(struct ipc_msg){.type = IPC_RESUMED, .session = t->id});
    ck_assert(!t->resuming);
    ck_assert_uint_eq(t->resumed, 1);
    finish();
}
END_TEST

START_TEST(one_that_the_worker_has_let_go_of_goes_on_from_its_page)
{
    struct monitor_session *t;

    begin();
    t = give(&fakes[0], SESSION_RELAYING);
    list(&fakes[0], NULL, SESSION_DEAD);
    ck_assert_int_eq(t->lost_by, REASON_MONITOR_GONE);
    get(&fakes[0], IPC_RESUME, t->id, 2);
    ck_assert_uint_eq(ended, 0);
    finish();
}
END_TEST

START_TEST(a_handshake_that_the_worker_has_not_is_refused)
{
    struct monitor_session *t;
    uint64_t id;

    begin();
    t = give(&fakes[0], SESSION_RECITING);
    id = t->id;
    list(&fakes[0], NULL, SESSION_DEAD);
    ck_assert_uint_eq(ended, id);
    ck_assert_int_eq(ended_by, REASON_MONITOR_GONE);
    get(&fakes[0], IPC_REFUSE, 0, 1);
    finish();
}
END_TEST

START_TEST(a_handshake_that_it_has_is_refused_by_it)
{
    struct monitor_session *t;
    uint64_t id;

    begin();
    t = give(&fakes[0], SESSION_DECIDING);
    id = t->id;
    list(&fakes[0], t, SESSION_DEAD);
    get_nothing(&fakes[0]);
    ck_assert_uint_eq(ended, 0);
    put(&fakes[0],
        &(struct ipc_msg){.type = IPC_ENDED, .session = id, .u.ended.reason = REASON_MONITOR_GONE});
    ck_assert_uint_eq(ended, id);
    finish();
}
END_TEST

/* No verdict is on record for it. */
START_TEST(a_handshake_that_relays_is_ended)
{
    struct monitor_session *t;
    uint64_t id;

    begin();
    t = give(&fakes[0], SESSION_DECIDING);
    id = t->id;
    list(&fakes[0], t, SESSION_RELAYING);
    ck_assert_uint_eq(ended, id);
    get(&fakes[0], IPC_END, id, 0);
    finish();
}
END_TEST

START_TEST(a_session_that_the_monitor_does_not_know_is_ended)
{
    const struct monitor_session unknown = {.id = 77};

    begin();
    list(&fakes[0], &unknown, SESSION_RELAYING);
    get(&fakes[0], IPC_END, 77, 0);
    put(&fakes[0], &(struct ipc_msg){.type = IPC_ENDED, .session = 77});
    ck_assert(!process_gone(fakes[0].pid));
    finish();
}
END_TEST

START_TEST(what_an_earlier_monitor_was_sent_is_ignored_if_it_is_repeated)
{
    static const enum ipc_type types[] = {
        IPC_EXPORT,      IPC_EVIDENCE, IPC_HANDED_OVER, IPC_PONG,  IPC_COUNTS,
        IPC_TURNED_AWAY, IPC_RECEIVED, IPC_HEARD,       IPC_READY, IPC_RESUMED,
        IPC_LOST,        IPC_ATTACHED, IPC_DETACHED};
    struct monitor_session *t;

    begin();
    t = give(&fakes[0], SESSION_RELAYING);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        put(&fakes[0], &(struct ipc_msg){.type = types[i],
                                         .session = ipc_names_session(types[i]) ? t->id : 0});
        put(&fakes[0], &(struct ipc_msg){.type = types[i], .session = 99});
    }
    put(&fakes[0], &(struct ipc_msg){.type = IPC_TAINT,
                                     .session = t->id,
                                     .u.taint = {.bits = TAINT_DMA, .by = SIDE_BACKEND}});
    ck_assert_uint_eq(t->taint, TAINT_DMA);
    list(&fakes[0], t, SESSION_RELAYING);
    get(&fakes[0], IPC_TAP, t->id, 0);
    ck_assert(!process_gone(fakes[0].pid));
    /* From now on the rules apply again. */
    put(&fakes[0], &(struct ipc_msg){.type = IPC_PONG});
    await_end(&fakes[0]);
    close_pool();
}
END_TEST

START_TEST(a_list_out_of_order_is_no_list)
{
    struct ipc_msg m = {.type = IPC_ADOPTED, .u.adopted = {.n = 2}};

    begin();
    m.u.adopted.held[0] = (struct ipc_held){.session = 8, .state = SESSION_DEAD};
    m.u.adopted.held[1] = (struct ipc_held){.session = 8, .state = SESSION_DEAD};
    put(&fakes[0], &m);
    await_end(&fakes[0]);
    close_pool();
}
END_TEST

/* ---- retiring ---- */

static struct monitor_session *begin_retiring(void)
{
    struct monitor_session *t;

    begin();
    list(&fakes[0], NULL, SESSION_DEAD);
    adopt(&fakes[1], true);
    get(&fakes[1], IPC_ADOPT, 0, 0);
    t = give(&fakes[1], SESSION_RELAYING);
    list(&fakes[1], t, SESSION_RELAYING);
    get(&fakes[1], IPC_TAP, t->id, 0);
    return t;
}

START_TEST(a_worker_that_retires_hands_its_sessions_over_and_goes)
{
    struct monitor_session *const t = begin_retiring();
    struct session_page page;

    worker_pool_adopt_beat(fakes[1].w);
    worker_pool_adopt_beat(fakes[1].w);
    get(&fakes[1], IPC_HAND_OVER, t->id, 0);
    get_nothing(&fakes[1]);
    put(&fakes[1], &(struct ipc_msg){.type = IPC_HANDED_OVER, .session = t->id});
    get(&fakes[0], IPC_RESUME, t->id, 2);
    ck_assert_ptr_eq(t->member, fakes[0].w);
    ck_assert_ptr_eq(t->pages, fakes[0].w->pages);
    ck_assert(worker_pages_read(t->pages, t->slot, &page));
    ck_assert(session_page_sound(&page, t->id));
    put(&fakes[0], &(struct ipc_msg){.type = IPC_RESUMED, .session = t->id});
    ck_assert_int_eq(t->lost_by, REASON_UPGRADE);
    ck_assert_int_eq(t->resumed_from, fakes[1].pid);
    worker_pool_adopt_beat(fakes[1].w);
    get(&fakes[1], IPC_QUIT, 0, 0);
    let_die(&fakes[1]);
    finish();
}
END_TEST

START_TEST(it_keeps_them_while_no_other_takes_work)
{
    struct monitor_session *const t = begin_retiring();

    fakes[0].w->ready = false;
    worker_pool_adopt_beat(fakes[1].w);
    get_nothing(&fakes[1]);
    ck_assert_ptr_eq(t->member, fakes[1].w);
    let_die(&fakes[1]);
    finish();
}
END_TEST

START_TEST(it_is_given_none)
{
    (void)begin_retiring();
    ck_assert(!worker_process_takes_work(fakes[1].w));
    ck_assert_ptr_eq(worker_process_least_busy(&pool), fakes[0].w);
    let_die(&fakes[1]);
    finish();
}
END_TEST

START_TEST(nothing_is_handed_over_unasked)
{
    struct monitor_session *const t = begin_retiring();

    put(&fakes[1], &(struct ipc_msg){.type = IPC_HANDED_OVER, .session = t->id});
    await_end(&fakes[1]);
    finish();
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("worker_adopt");
    TCase *tc = unit_case(s, "adopt");

    tcase_add_test(tc, a_session_that_is_listed_goes_on);
    tcase_add_test(tc, a_process_that_has_ended_is_reported_again);
    tcase_add_test(tc, one_that_was_sent_to_the_worker_and_did_not_come_is_sent_again);
    tcase_add_test(tc, one_that_the_worker_has_let_go_of_goes_on_from_its_page);
    tcase_add_test(tc, a_handshake_that_the_worker_has_not_is_refused);
    tcase_add_test(tc, a_handshake_that_it_has_is_refused_by_it);
    tcase_add_test(tc, a_handshake_that_relays_is_ended);
    tcase_add_test(tc, a_session_that_the_monitor_does_not_know_is_ended);
    tcase_add_test(tc, what_an_earlier_monitor_was_sent_is_ignored_if_it_is_repeated);
    tcase_add_test(tc, a_list_out_of_order_is_no_list);
    tc = unit_case(s, "retire");
    tcase_add_test(tc, a_worker_that_retires_hands_its_sessions_over_and_goes);
    tcase_add_test(tc, it_keeps_them_while_no_other_takes_work);
    tcase_add_test(tc, it_is_given_none);
    tcase_add_test(tc, nothing_is_handed_over_unasked);
    return unit_run(s);
}
