/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The benchmark's client.
 *
 *   measure [--slices N] [--load NAME]... WAY=SOCKET...
 *       keeps one session on every socket and runs each load in short slices, one way after the
 *       other, so that what the machine does meanwhile hits all ways alike. Prints JSON.
 *   hold SOCKET COUNT
 *       makes COUNT sessions and prints the seconds it took. For each line of standard input it
 *       then reads 64 KiB on every one of them and prints a line; it ends with the input.
 *
 * Commands are sent as QEMU sends them, one message a send, unless a load says otherwise; replies
 * are taken with as few receives as possible, so that as little as possible of a round trip is the
 * client's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/client.h"
#include "base/sock.h"
#include "base/wire/wire.h"
#include "tests/bench/bench.h"

#define WAYS_MAX 8
#define DEPTH_MAX 32u
#define SAMPLES_MAX 400u

/* A slice begins with one message in so many that is not counted: the way before left its traces.
 */
#define WARM_UP 10

#define ACCESS_SIZE (WIRE_HDR_SIZE + sizeof(struct wire_region_access))
#define MESSAGE_MAX (ACCESS_SIZE + BENCH_DATA_MAX)

/*
 * One kind of work. A slice is about 10 ms of it on a machine of 2020: where the scheduler puts the
 * processes changes at a slower pace than that, and then hits all ways.
 */
struct load {
    const char *name;
    enum wire_command command;
    uint32_t count;    /* bytes of data in each message */
    unsigned depth;    /* commands under way; with 1, each round trip is timed by itself */
    bool glued;        /* all commands that may leave do so in one send */
    unsigned messages; /* of a slice; with depth 1 at most SAMPLES_MAX */
};

static const struct load loads[] = {
    {"read_4", WIRE_REGION_READ, 4, 1, false, 400},
    {"pipelined_32", WIRE_REGION_READ, 4, 32, false, 2000},
    {"pipelined_32_glued", WIRE_REGION_READ, 4, 32, true, 4000},
    {"read_64k", WIRE_REGION_READ, 65536, 1, false, 100},
    {"write_64k", WIRE_REGION_WRITE, 65536, 1, false, 100},
    {"read_1m", WIRE_REGION_READ, 1048576, 1, false, 10},
    {"write_1m", WIRE_REGION_WRITE, 1048576, 1, false, 10},
};
#define LOADS (sizeof loads / sizeof loads[0])

/* What one slice came to. The quantiles are of its round trips, with depth 1. */
struct figures {
    uint64_t elapsed; /* nanoseconds of all its messages */
    uint64_t median;
    uint64_t p99;
};

/* One road to the device, and what the load that is running has seen on it. */
struct way {
    const char *name;
    struct client client;
    uint16_t next_id; /* of the next command */
    uint16_t due_id;  /* of the next reply */
    struct figures *slices;
};

/* A slice's commands are laid out here, DEPTH_MAX small ones or one of any size. */
static uint8_t commands[DEPTH_MAX * ACCESS_SIZE + MESSAGE_MAX];
static uint8_t replies[MESSAGE_MAX];

static size_t command_size(const struct load *l)
{
    return ACCESS_SIZE + (l->command == WIRE_REGION_WRITE ? l->count : 0);
}

static size_t reply_size(const struct load *l)
{
    return ACCESS_SIZE + (l->command == WIRE_REGION_READ ? l->count : 0);
}

/* Writes the fixed part of the next command to p; data behind it is left as it is. */
static void put_command(struct way *w, const struct load *l, uint8_t *p)
{
    const struct wire_hdr hdr = {
        .id = w->next_id++, .command = (uint16_t)l->command, .size = (uint32_t)command_size(l)};
    const struct wire_region_access access = {.count = l->count};

    wire_put_hdr(p, &hdr);
    wire_put(p + WIRE_HDR_SIZE, &access, sizeof access);
}

/* Ends the program unless p is the header of the reply that is due. */
static void check_reply(struct way *w, const struct load *l, const uint8_t *p)
{
    struct wire_hdr hdr;

    if (wire_get_hdr(p, WIRE_HDR_SIZE, MESSAGE_MAX, &hdr) != WIRE_FRAME_OK || hdr.id != w->due_id ||
        hdr.command != l->command || hdr.size != reply_size(l) || hdr.flags != WIRE_TYPE_REPLY) {
        fprintf(stderr, "%s: %s: ", w->name, l->name);
        bench_die("not the reply that was due", 0);
    }
    w->due_id++;
}

static void send_all(const struct way *w, const void *p, size_t n)
{
    const int err = sock_send_all(w->client.fd, p, n, NULL);

    if (err) {
        bench_die(w->name, err);
    }
}

/* Receives at least one byte; no fds are expected and none kept. */
static size_t receive(const struct way *w, void *p, size_t n)
{
    const ssize_t got = recv(w->client.fd, p, n, 0);

    if (got <= 0) {
        bench_die(w->name, got < 0 ? -errno : -ECONNRESET);
    }
    return (size_t)got;
}

/* One command and its reply. */
static void exchange(struct way *w, const struct load *l)
{
    const size_t due = reply_size(l);
    size_t have = 0;

    put_command(w, l, commands);
    send_all(w, commands, command_size(l));
    while (have < WIRE_HDR_SIZE) {
        have += receive(w, replies + have, due - have);
    }
    check_reply(w, l, replies);
    while (have < due) {
        have += receive(w, replies + have, due - have);
    }
}

/* Sends n small commands, in one send or in n. */
static void send_commands(struct way *w, const struct load *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = commands + i * ACCESS_SIZE;

        put_command(w, l, p);
        if (!l->glued) {
            send_all(w, p, ACCESS_SIZE);
        }
    }
    if (l->glued && n > 0) {
        send_all(w, commands, n * ACCESS_SIZE);
    }
}

/* Runs n small commands with depth of them under way: each reply lets another command go. */
static void pipeline(struct way *w, const struct load *l, size_t n)
{
    const size_t size = reply_size(l);
    size_t to_send = n;
    size_t due = n;
    size_t have = 0;
    size_t may = l->depth < n ? l->depth : n;

    while (due > 0) {
        size_t whole;

        send_commands(w, l, may);
        to_send -= may;
        have += receive(w, replies + have, DEPTH_MAX * size - have);
        whole = have / size;
        for (size_t i = 0; i < whole; i++) {
            check_reply(w, l, replies + i * size);
        }
        have -= whole * size;
        memmove(replies, replies + whole * size, have);
        due -= whole;
        may = whole < to_send ? whole : to_send;
    }
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Nearest rank: the smallest sample that per_mille of 1,000 are not above. */
static uint64_t quantile(const uint64_t *sorted, size_t n, size_t per_mille)
{
    return sorted[(n * per_mille + 999) / 1000 - 1];
}

/* Runs messages of a load that has one under way, each timed by itself. */
static void one_by_one(struct way *w, const struct load *l, struct figures *f)
{
    uint64_t samples[SAMPLES_MAX];
    uint64_t last = bench_now();

    for (unsigned i = 0; i < l->messages; i++) {
        const uint64_t before = last;

        exchange(w, l);
        last = bench_now();
        samples[i] = last - before;
    }
    qsort(samples, l->messages, sizeof samples[0], compare);
    f->median = quantile(samples, l->messages, 500);
    f->p99 = quantile(samples, l->messages, 990);
}

/* One slice on one way. */
static void slice(struct way *w, const struct load *l, struct figures *f)
{
    const unsigned warm_up = (l->messages + WARM_UP - 1) / WARM_UP;
    uint64_t start;

    if (l->depth > 1) {
        pipeline(w, l, warm_up);
        start = bench_now();
        pipeline(w, l, l->messages);
        f->elapsed = bench_now() - start;
        return;
    }
    for (unsigned i = 0; i < warm_up; i++) {
        exchange(w, l);
    }
    start = bench_now();
    one_by_one(w, l, f);
    f->elapsed = bench_now() - start;
}

static void report(const struct way *w, const struct load *l, unsigned slices)
{
    printf("\"%s\":[", w->name);
    for (unsigned i = 0; i < slices; i++) {
        const struct figures *f = &w->slices[i];
        const double per_s = l->messages / ((double)f->elapsed / 1e9);

        printf("%s{\"per_s\":%.1f,\"mb_per_s\":%.3f", i > 0 ? "," : "", per_s,
               per_s * l->count / 1e6);
        if (l->depth == 1) {
            printf(",\"median_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64, f->median, f->p99);
        }
        printf("}");
    }
    printf("]");
}

/* Runs one load on all ways and prints its part of the result: the figures of each slice. */
static void run_load(struct way *ways, size_t n, const struct load *l, unsigned slices)
{
    size_t order[WAYS_MAX];

    for (size_t i = 0; i < n; i++) {
        order[i] = i;
        ways[i].slices = calloc(slices, sizeof *ways[i].slices);
        if (!ways[i].slices) {
            bench_die("memory", -ENOMEM);
        }
    }
    for (unsigned s = 0; s < slices; s++) {
        bench_shuffle(order, n);
        for (size_t i = 0; i < n; i++) {
            slice(&ways[order[i]], l, &ways[order[i]].slices[s]);
        }
    }
    printf("\"%s\":{", l->name);
    for (size_t i = 0; i < n; i++) {
        report(&ways[i], l, slices);
        printf("%s", i + 1 < n ? "," : "}");
        free(ways[i].slices);
    }
}

/* Connects and negotiates as QEMU does. */
static void open_session(struct way *w, const char *name, const char *path)
{
    char text[128];
    const int err = client_init(&w->client, path, BENCH_TIMEOUT_S * 1000);
    enum client_outcome o;

    w->name = name;
    if (err) {
        bench_die(path, err);
    }
    o = client_version(&w->client, 0, 0, bench_qemu_json);
    if (o != CLIENT_OK) {
        fprintf(stderr, "%s: %s: ", path, client_text(&w->client, o, text, sizeof text));
        bench_die("no session", 0);
    }
    bench_block(w->client.fd);
}

/* A way that mangles data has no business being fast: reads all of it once and compares. */
static void verify(struct way *w)
{
    static const struct load all = {"verify", WIRE_REGION_READ, BENCH_DATA_MAX, 1, false, 1};

    exchange(w, &all);
    for (size_t i = 0; i < BENCH_DATA_MAX; i++) {
        if (replies[ACCESS_SIZE + i] != bench_byte(i)) {
            bench_die("the data read is not the device's", 0);
        }
    }
}

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: %s measure [--slices N] [--load NAME]... WAY=SOCKET...\n"
            "       %s hold SOCKET COUNT\n",
            program_invocation_short_name, program_invocation_short_name);
    exit(2);
}

static size_t find_load(const char *name)
{
    for (size_t i = 0; i < LOADS; i++) {
        if (strcmp(name, loads[i].name) == 0) {
            return i;
        }
    }
    fprintf(stderr, "%s: no such load\n", name);
    usage();
}

/* Opens the ways that the command line names, the session's socket in each. */
static size_t open_ways(struct way *ways, char **names)
{
    size_t n = 0;

    for (; names[n]; n++) {
        char *path = strchr(names[n], '=');

        if (!path || n == WAYS_MAX) {
            usage();
        }
        *path++ = '\0';
        ways[n] = (struct way){0};
        open_session(&ways[n], names[n], path);
        verify(&ways[n]);
    }
    if (n == 0) {
        usage();
    }
    return n;
}

static void measure(int argc, char **argv)
{
    static const struct option longs[] = {
        {"slices", required_argument, NULL, 's'},
        {"load", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    struct way ways[WAYS_MAX];
    bool wanted[LOADS] = {false};
    bool all = true;
    unsigned slices = 50;
    const char *comma = "";
    size_t n;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 's' && atoi(optarg) > 0) {
            slices = (unsigned)atoi(optarg);
        } else if (c == 'l') {
            wanted[find_load(optarg)] = true;
            all = false;
        } else {
            usage();
        }
    }
    n = open_ways(ways, argv + optind);
    printf("{");
    for (size_t i = 0; i < LOADS; i++) {
        if (all || wanted[i]) {
            printf("%s", comma);
            run_load(ways, n, &loads[i], slices);
            comma = ",";
        }
    }
    printf("}\n");
    for (size_t i = 0; i < n; i++) {
        client_deinit(&ways[i].client);
    }
}

static void hold(int argc, char **argv)
{
    static const struct load work = {"hold", WIRE_REGION_READ, 65536, 1, false, 1};
    const int count = argc == 3 ? atoi(argv[2]) : 0;
    struct way *ways = calloc(count > 0 ? (size_t)count : 1, sizeof *ways);
    const uint64_t start = bench_now();
    char line[16];

    if (count <= 0) {
        usage();
    }
    if (!ways) {
        bench_die("memory", -ENOMEM);
    }
    bench_raise_files();
    for (int i = 0; i < count; i++) {
        open_session(&ways[i], argv[1], argv[1]);
    }
    printf("%.6f\n", (double)(bench_now() - start) / 1e9);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        for (int i = 0; i < count; i++) {
            exchange(&ways[i], &work);
        }
        printf("done\n");
        fflush(stdout);
    }
    for (int i = 0; i < count; i++) {
        client_deinit(&ways[i].client);
    }
    free(ways);
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "measure") == 0) {
        measure(argc - 1, argv + 1);
    } else if (argc >= 3 && strcmp(argv[1], "hold") == 0) {
        hold(argc - 1, argv + 1);
    } else {
        usage();
    }
    return 0;
}
