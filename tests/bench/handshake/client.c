/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The handshake benchmark's client: starts sessions, and times each from its connect to the last
 * byte of its VERSION reply.
 *
 *   --slices N --sessions M --quiet SOCKET NAME=SAYS,EXPECTS,SOCKET...
 *
 * SAYS: stock (QEMU's request), challenge, recite (a challenge and an own recital)
 * EXPECTS: nothing, refrain, recital, recital-via-yes, recital-via-no
 *
 * One slice is M sessions on one way, after a few that are not counted; they are kept to its end,
 * so that no session's end falls into another's start. Each round does a slice on every way in a
 * random order. Requests are made before the clock starts, and every reply is judged when it has
 * stopped: one that is not what was expected ends the program. Prints JSON: all times, in ns.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "base/wire/wire.h"
#include "handshake/recital.h"
#include "handshake/version.h"
#include "tests/bench/bench.h"

#define WAYS_MAX 16
#define SESSIONS_MAX 64u
#define LICENCE "GPL-2.0-or-later"

/* Sessions at the beginning of a slice that are not counted: the way before left its traces. */
#define WARM_UP 2u

struct way {
    const char *name;
    const char *says;
    const char *expects;
    const char *path;
    uint64_t started; /* sessions, counted or not */
    uint64_t *times;  /* of the counted ones, nanoseconds: its part of all_times */
};

/* A message, and the exchange that it belongs to. */
struct exchange {
    struct recital_client recital;
    uint8_t request[WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX];
    size_t request_size;
    uint8_t reply[RECITAL_REPLY_SIZE_MAX];
    size_t reply_size;
};

static unsigned slices = 50;
static unsigned sessions = 20;
static const char *quiet_path;
static uint64_t *all_times;

static _Noreturn void way_failed(const struct way *w, const char *what)
{
    fprintf(stderr, "%s: ", w->name);
    bench_die(what, 0);
}

/* Adds what a poem-aware client says. */
static enum recital_outcome ask(const struct way *w, struct exchange *x, struct version_offer *o)
{
    uint8_t random_bytes[2 * RECITAL_RANDOM_SIZE];
    const bool recites = strcmp(w->says, "recite") == 0;
    const struct recital_ask say = {.poem = &poem_builtin,
                                    .challenge = random_bytes,
                                    .nonce = recites ? random_bytes + RECITAL_RANDOM_SIZE : NULL,
                                    .licence = recites ? LICENCE : NULL};

    if (getrandom(random_bytes, sizeof random_bytes, 0) != sizeof random_bytes) {
        return RECITAL_NO_MEMORY;
    }
    return recital_client_ask(&x->recital, &say, o->number,
                              json_object_get(o->json, "capabilities"));
}

static void put_header(struct exchange *x, size_t payload)
{
    const struct wire_hdr hdr = {.command = WIRE_VERSION,
                                 .size = (uint32_t)(WIRE_HDR_SIZE + payload)};

    wire_put_hdr(x->request, &hdr);
    x->request_size = hdr.size;
}

/* Makes the request: QEMU's, byte by byte, or with what a client that knows of poems adds. */
static void make_request(const struct way *w, struct exchange *x)
{
    const struct wire_version number = {0};
    struct version_offer o;

    if (strcmp(w->says, "stock") == 0) {
        wire_put(x->request + WIRE_HDR_SIZE, &number, sizeof number);
        memcpy(x->request + WIRE_HDR_SIZE + sizeof number, bench_qemu_json,
               strlen(bench_qemu_json) + 1);
        put_header(x, sizeof number + strlen(bench_qemu_json) + 1);
        recital_client_silent(&x->recital);
        return;
    }
    version_init(&o);
    o.json = json_loads(bench_qemu_json, 0, NULL);
    if (!o.json || ask(w, x, &o) != RECITAL_OK) {
        way_failed(w, "no request could be made");
    }
    put_header(x, version_write(&o, x->request + WIRE_HDR_SIZE, VERSION_PAYLOAD_MAX));
    version_deinit(&o);
    if (recital_client_sent(&x->recital, x->request, x->request_size) != RECITAL_OK) {
        way_failed(w, "no request could be made");
    }
}

/* Receives the whole reply, and nothing behind it: in one call where it comes in one. */
static void receive(const struct way *w, int fd, struct exchange *x)
{
    struct wire_hdr hdr = {.size = WIRE_HDR_SIZE};

    x->reply_size = 0;
    while (x->reply_size < hdr.size) {
        const ssize_t n = recv(fd, x->reply + x->reply_size, sizeof x->reply - x->reply_size, 0);

        if (n <= 0) {
            way_failed(w, n < 0 ? strerror(errno) : "closed before its reply was whole");
        }
        x->reply_size += (size_t)n;
        if (x->reply_size >= WIRE_HDR_SIZE &&
            wire_get_hdr(x->reply, x->reply_size, sizeof x->reply, &hdr) != WIRE_FRAME_OK) {
            way_failed(w, "no message");
        }
    }
    if (hdr.flags != WIRE_TYPE_REPLY || hdr.command != WIRE_VERSION || hdr.size != x->reply_size) {
        way_failed(w, hdr.error ? strerror((int)hdr.error) : "not the reply that was due");
    }
}

static bool is_expected(const struct way *w, const struct exchange *x, enum recital_outcome o,
                        const struct recital_reply *told)
{
    if (strcmp(w->expects, "nothing") == 0) {
        return o == RECITAL_MISSING && !told->refrain && !told->speaks;
    }
    if (strcmp(w->expects, "refrain") == 0) {
        return o == RECITAL_MISSING && told->refrain && x->reply_size <= x->request_size;
    }
    if (strcmp(w->expects, "recital") == 0) {
        return o == RECITAL_OK && told->via.n == 0;
    }
    return o == RECITAL_OK && told->via.n == 1 &&
           told->via.hops[0].recited == (strcmp(w->expects, "recital-via-yes") == 0);
}

static void judge(const struct way *w, const struct exchange *x)
{
    struct version_offer o;
    struct recital_reply told;
    enum recital_outcome judged;
    enum json_outcome json;

    version_init(&o);
    if (version_read(&o, x->reply + WIRE_HDR_SIZE, x->reply_size - WIRE_HDR_SIZE, &json) !=
        VERSION_OK) {
        way_failed(w, "the reply cannot be read");
    }
    judged = recital_client_judge(&x->recital, json_object_get(o.json, "capabilities"), &told);
    if (!is_expected(w, x, judged, &told)) {
        way_failed(w, "the reply does not say what it should");
    }
    version_deinit(&o);
}

/* Starts a session: nanoseconds from connect to reply. Its socket goes to *fd. */
static uint64_t start_session(struct way *w, int *fd)
{
    static struct exchange x;
    uint64_t begun;
    uint64_t taken;
    int err;

    make_request(w, &x);
    begun = bench_now();
    *fd = sock_connect(w->path, false);
    if (*fd < 0) {
        bench_die(w->path, *fd);
    }
    bench_block(*fd);
    err = sock_send_all(*fd, x.request, x.request_size, NULL);
    if (err) {
        bench_die(w->name, err);
    }
    receive(w, *fd, &x);
    taken = bench_now() - begun;
    judge(w, &x);
    w->started++;
    return taken;
}

/* Waits until the device has no session any more. */
static void await_quiet(void)
{
    int fd = sock_connect(quiet_path, false);
    char nothing;

    if (fd < 0) {
        bench_die(quiet_path, fd);
    }
    bench_block(fd);
    if (recv(fd, &nothing, 1, 0) != 0) {
        bench_die("sessions do not end", 0);
    }
    sock_close(&fd);
}

static void slice(struct way *w, uint64_t *times)
{
    int fds[WARM_UP + SESSIONS_MAX];

    for (unsigned i = 0; i < WARM_UP; i++) {
        (void)start_session(w, &fds[i]);
    }
    for (unsigned i = 0; i < sessions; i++) {
        times[i] = start_session(w, &fds[WARM_UP + i]);
    }
    for (unsigned i = 0; i < WARM_UP + sessions; i++) {
        sock_close(&fds[i]);
    }
    await_quiet();
}

static void report(const struct way *w)
{
    printf("\"%s\":{\"started\":%" PRIu64 ",\"slices_ns\":[", w->name, w->started);
    for (unsigned s = 0; s < slices; s++) {
        printf("%s[", s > 0 ? "," : "");
        for (unsigned i = 0; i < sessions; i++) {
            printf("%s%" PRIu64, i > 0 ? "," : "", w->times[s * sessions + i]);
        }
        printf("]");
    }
    printf("]}");
}

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: %s [--slices N] [--sessions M] --quiet SOCKET NAME=SAYS,EXPECTS,SOCKET...\n",
            program_invocation_short_name);
    exit(2);
}

static struct way parse_way(char *word)
{
    struct way w = {.name = strsep(&word, "=")};

    w.says = strsep(&word, ",");
    w.expects = strsep(&word, ",");
    w.path = word;
    if (!w.path) {
        usage();
    }
    return w;
}

static void parse_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"slices", required_argument, NULL, 's'},
        {"sessions", required_argument, NULL, 'n'},
        {"quiet", required_argument, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 's' && atoi(optarg) > 0) {
            slices = (unsigned)atoi(optarg);
        } else if (c == 'n' && atoi(optarg) > 0 && (unsigned)atoi(optarg) <= SESSIONS_MAX) {
            sessions = (unsigned)atoi(optarg);
        } else if (c == 'q') {
            quiet_path = optarg;
        } else {
            usage();
        }
    }
    if (!quiet_path || optind == argc || argc - optind > WAYS_MAX) {
        usage();
    }
}

int main(int argc, char **argv)
{
    struct way ways[WAYS_MAX];
    size_t order[WAYS_MAX];
    size_t n = 0;

    parse_options(argc, argv);
    bench_raise_files();
    if (recital_prepare() < 0) {
        bench_die("start", -ENOMEM);
    }
    all_times = calloc((size_t)(argc - optind) * slices * sessions, sizeof *all_times);
    if (!all_times) {
        bench_die("memory", -ENOMEM);
    }
    for (; optind < argc; optind++, n++) {
        order[n] = n;
        ways[n] = parse_way(argv[optind]);
        ways[n].times = all_times + n * slices * sessions;
    }
    for (unsigned s = 0; s < slices; s++) {
        bench_shuffle(order, n);
        for (size_t i = 0; i < n; i++) {
            slice(&ways[order[i]], ways[order[i]].times + (size_t)s * sessions);
        }
    }
    printf("{");
    for (size_t i = 0; i < n; i++) {
        report(&ways[i]);
        printf("%s", i + 1 < n ? "," : "}\n");
    }
    free(all_times);
    return 0;
}
