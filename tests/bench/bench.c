/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the programs of the benchmarks share. May exit.
 */
#define _GNU_SOURCE
#include "tests/bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"

const char bench_qemu_json[] =
    "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
    "\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, "
    "\"pgsize\": 4096}, \"write_multiple\": true}}";

_Noreturn void bench_die(const char *what, int err)
{
    if (err) {
        fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(-err));
    } else {
        fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    }
    exit(3);
}

struct bench_options bench_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"listen", required_argument, NULL, 'l'},
        {"backend", required_argument, NULL, 'b'},
        {"ready-fd", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct bench_options o = {.ready_fd = -1};
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'l':
            o.listen = optarg;
            break;
        case 'b':
            o.backend = optarg;
            break;
        case 'r':
            o.ready_fd = atoi(optarg);
            break;
        default:
            exit(2);
        }
    }
    if (!o.listen || optind != argc) {
        fprintf(stderr, "usage: %s --listen PATH [--backend PATH] [--ready-fd N]\n",
                program_invocation_short_name);
        exit(2);
    }
    return o;
}

void bench_ready(int ready_fd)
{
    if (ready_fd < 0) {
        return;
    }
    if (write(ready_fd, "ready\n", 6) != 6) {
        bench_die("ready-fd", -errno);
    }
    close(ready_fd);
}

void bench_raise_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0) {
        bench_die("getrlimit", -errno);
    }
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) < 0) {
        bench_die("setrlimit", -errno);
    }
}

void bench_block(int fd)
{
    const struct timeval t = {.tv_sec = BENCH_TIMEOUT_S};
    int err = sock_block(fd);

    if (err) {
        bench_die("fcntl", err);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) < 0) {
        bench_die("setsockopt", -errno);
    }
}

uint64_t bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bench_shuffle(size_t *order, size_t n)
{
    for (size_t i = n - 1; i > 0; i--) {
        const size_t j = (size_t)random() % (i + 1);
        const size_t kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
}
