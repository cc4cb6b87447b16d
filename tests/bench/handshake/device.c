/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The handshake benchmark's device: a vfio-user server that answers VERSION, and counts.
 *
 *   --ready-fd N --quiet SOCKET NAME=SOCKET | NAME+recites=SOCKET ...
 *
 * One listening socket for each way that leads to it, so that what arrives can be told apart; one
 * that recites gives the recital where it is challenged, and the others know nothing of poems. A
 * connection to the quiet socket is closed as soon as nobody is connected to any other. When
 * standard input ends, what was counted goes to standard output as JSON. Reads are blocking: a peer
 * that stops in the middle of a message holds all others up until its time-out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "base/wire/wire.h"
#include "handshake/recital.h"
#include "handshake/version.h"
#include "tests/bench/bench.h"

#define WAYS_MAX 16
#define LICENCE "GPL-2.0-or-later"

/* What arrived on one listening socket. */
struct way {
    const char *name;
    bool recites;
    uint64_t connections;
    uint64_t versions; /* VERSION exchanges */
    uint64_t others;   /* all other messages */
};

/* What epoll watches. */
enum watched { LISTENING, QUIET, CONNECTED, INPUT };

static struct way ways[WAYS_MAX];
static size_t n_ways;
static int epoll_fd;
static unsigned connected;
static int waiting_fd = -1; /* of whoever waits for quiet */

/* What the device can do, in the order in which QEMU asks: it fills the room that a reply has. */
static json_t *own_json;

/* Watches an fd: what it is, and to which way it belongs, is kept beside it in the event. */
static void watch(enum watched what, int fd, size_t way)
{
    struct epoll_event e = {
        .events = EPOLLIN,
        .data = {.u64 = (uint64_t)what << 48 | (uint64_t)way << 32 | (uint32_t)fd},
    };

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) {
        bench_die("epoll_ctl", -errno);
    }
}

static void listen_at(enum watched what, const char *path, size_t way)
{
    const int fd = sock_listen(path, 0600, (uid_t)-1, (gid_t)-1, 4096);

    if (fd < 0) {
        bench_die(path, fd);
    }
    watch(what, fd, way);
}

static int accept_one(int listen_fd)
{
    const int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED) {
        bench_die("accept", -errno);
    }
    return fd;
}

static void accept_all(int listen_fd, size_t way)
{
    int fd;

    while ((fd = accept_one(listen_fd)) >= 0) {
        bench_block(fd);
        watch(CONNECTED, fd, way);
        ways[way].connections++;
        connected++;
    }
}

/* Nobody but one client waits for quiet. */
static void accept_waiting(int listen_fd)
{
    sock_close(&waiting_fd);
    waiting_fd = accept_one(listen_fd);
}

/* Adds the recital, where the way recites. Returns the errno to refuse with, or 0. */
static int recite(const struct way *way, const uint8_t *message, const struct wire_hdr *hdr,
                  const struct version_offer *offer, json_t *reply)
{
    const struct recital_answer answer = {
        .poem = &poem_builtin, .recite = true, .licence = LICENCE};
    struct recital_request asked;
    enum recital_outcome o;

    if (!way->recites) {
        return 0;
    }
    o = recital_request_read(&asked, &poem_builtin, message, hdr->size,
                             json_object_get(offer->json, "capabilities"), NULL);
    if (o == RECITAL_OK) {
        o = recital_reply_add(&asked, &answer, json_object_get(reply, "capabilities"));
    }
    return recital_errno(o);
}

/* Writes the reply to a whole VERSION request to out. */
static struct wire_hdr answer_version(const struct way *way, const uint8_t *message,
                                      const struct wire_hdr *hdr, uint8_t *out, size_t room)
{
    struct version_offer offer;
    struct version_offer reply;
    struct wire_hdr answer = wire_error_hdr(hdr, EPROTO);
    enum json_outcome json;
    int err;

    version_init(&offer);
    version_init(&reply);
    if (version_read(&offer, message + WIRE_HDR_SIZE, hdr->size - WIRE_HDR_SIZE, &json) ==
        VERSION_OK) {
        reply.json = json_deep_copy(own_json);
        err = reply.json ? recite(way, message, hdr, &offer, reply.json) : ENOMEM;
        answer = err ? wire_error_hdr(hdr, err)
                     : wire_reply_hdr(hdr, (uint32_t)version_write(&reply, out + WIRE_HDR_SIZE,
                                                                   room - WIRE_HDR_SIZE));
    }
    wire_put_hdr(out, &answer);
    version_deinit(&offer);
    version_deinit(&reply);
    return answer;
}

/* Takes one message and answers it. False ends the connection. */
static bool serve(int fd, struct way *w)
{
    static uint8_t in[WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX];
    static uint8_t out[WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX];
    struct fdset fds;
    struct wire_hdr hdr;
    struct wire_hdr answer;
    bool good;

    fdset_init(&fds);
    good = sock_recv_all(fd, in, WIRE_HDR_SIZE, &fds) == 0 &&
           wire_get_hdr(in, WIRE_HDR_SIZE, sizeof in, &hdr) == WIRE_FRAME_OK &&
           (hdr.size == WIRE_HDR_SIZE ||
            sock_recv_all(fd, in + WIRE_HDR_SIZE, hdr.size - WIRE_HDR_SIZE, &fds) == 0);
    fdset_close(&fds);
    if (!good) {
        return false;
    }
    if (hdr.command != WIRE_VERSION) {
        w->others++;
        answer = wire_error_hdr(&hdr, ENOTSUP);
        wire_put_hdr(out, &answer);
    } else {
        w->versions++;
        answer = answer_version(w, in, &hdr, out, sizeof out);
    }
    return sock_send_all(fd, out, answer.size, NULL) == 0;
}

/* Ends the program, all that was counted being said. */
static _Noreturn void report(void)
{
    printf("{");
    for (size_t i = 0; i < n_ways; i++) {
        const struct way *w = &ways[i];

        printf("%s\"%s\":{\"connections\":%ju,\"versions\":%ju,\"others\":%ju}", i > 0 ? "," : "",
               w->name, (uintmax_t)w->connections, (uintmax_t)w->versions, (uintmax_t)w->others);
    }
    printf("}\n");
    exit(0);
}

static void handle(uint64_t watched)
{
    const size_t way = watched >> 32 & 0xffff;
    const int fd = (int)(uint32_t)watched;

    switch ((enum watched)(watched >> 48)) {
    case LISTENING:
        accept_all(fd, way);
        break;
    case QUIET:
        accept_waiting(fd);
        break;
    case CONNECTED:
        if (!serve(fd, &ways[way])) {
            close(fd);
            connected--;
        }
        break;
    case INPUT:
        report();
    }
}

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: %s --ready-fd N --quiet SOCKET NAME[+recites]=SOCKET...\n",
            program_invocation_short_name);
    exit(2);
}

/* Listens for NAME=SOCKET or NAME+recites=SOCKET. */
static void add_way(char *word)
{
    char *path = strchr(word, '=');
    char *recites;
    struct way *way = &ways[n_ways];

    if (!path || n_ways == WAYS_MAX) {
        usage();
    }
    *path++ = '\0';
    recites = strstr(word, "+recites");
    if (recites) {
        *recites = '\0';
    }
    *way = (struct way){.name = word, .recites = recites != NULL};
    n_ways++;
    listen_at(LISTENING, path, (size_t)(way - ways));
}

static void start(int argc, char **argv)
{
    static const struct option longs[] = {
        {"quiet", required_argument, NULL, 'q'},
        {"ready-fd", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int ready_fd = -1;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'q') {
            listen_at(QUIET, optarg, 0);
        } else if (c == 'r') {
            ready_fd = atoi(optarg);
        } else {
            usage();
        }
    }
    for (; optind < argc; optind++) {
        add_way(argv[optind]);
    }
    watch(INPUT, STDIN_FILENO, 0);
    bench_ready(ready_fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[64];

    bench_raise_files();
    own_json = json_loads(bench_qemu_json, 0, NULL);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!own_json || epoll_fd < 0 || recital_prepare() < 0) {
        bench_die("start", -ENOMEM);
    }
    start(argc, argv);
    for (;;) {
        const int n = epoll_wait(epoll_fd, events, 64, -1);

        if (n < 0 && errno != EINTR) {
            bench_die("epoll_wait", -errno);
        }
        for (int i = 0; i < n; i++) {
            handle(events[i].data.u64);
        }
        if (connected == 0) {
            sock_close(&waiting_fd);
        }
    }
}
