/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A device, good or bad in one way. */
#define _GNU_SOURCE
#include "tests/daemon/spawn_device.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/wire/wire.h"

static void spawn_device_reply(int fd, const struct wire_hdr *hdr, const void *payload, size_t n)
{
    uint8_t head[WIRE_HDR_SIZE];
    const struct wire_hdr r = wire_reply_hdr(hdr, (uint32_t)n);

    wire_put_hdr(head, &r);
    if (sock_send_all(fd, head, sizeof head, NULL) < 0 ||
        (n > 0 && sock_send_all(fd, payload, n, NULL) < 0)) {
        _exit(4);
    }
}

/* Answers VERSION, and every other command with what came in it; aborts at the one named. */
static void spawn_device_serve(int fd, unsigned abort_at)
{
    static const struct {
        struct wire_version version;
        char json[4];
    } version = {.json = "{}"};
    static uint8_t bytes[4096];
    struct wire_hdr hdr;

    while (recv(fd, bytes, WIRE_HDR_SIZE, MSG_WAITALL) == WIRE_HDR_SIZE) {
        const size_t n = wire_get_hdr(bytes, WIRE_HDR_SIZE, sizeof bytes, &hdr) == WIRE_FRAME_OK
                             ? hdr.size - WIRE_HDR_SIZE
                             : 0;

        if (n > 0 && recv(fd, bytes, n, MSG_WAITALL) != (ssize_t)n) {
            _exit(4);
        }
        if (hdr.command == abort_at) {
            abort();
        }
        if (hdr.command == WIRE_VERSION) {
            spawn_device_reply(fd, &hdr, &version, sizeof version.version + 3);
        } else {
            spawn_device_reply(fd, &hdr, bytes, n);
        }
    }
    _exit(0);
}

/* The open fds, as "0,1,2,3". */
static void spawn_device_fds(void)
{
    const char *comma = "";

    for (int i = 0; i < 1024; i++) {
        if (fcntl(i, F_GETFD) >= 0) {
            printf("%s%d", comma, i);
            comma = ",";
        }
    }
}

/* A line of /proc/self/status without its name. */
static void spawn_device_status(const char *name)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];

    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            printf(" %s%.*s", name, (int)strcspn(line + strlen(name) + 1, "\n"),
                   line + strlen(name) + 1);
        }
    }
    fclose(f);
}

/* In one line, as a device may have them. */
static void spawn_device_describe(void)
{
    char folder[64] = "?";
    struct stat st;

    printf("fds=");
    spawn_device_fds();
    (void)fstat(0, &st);
    printf(" null=%d", major(st.st_rdev) == 1 && minor(st.st_rdev) == 3);
    spawn_device_status("SigBlk:");
    spawn_device_status("SigIgn:");
    spawn_device_status("NoNewPrivs:");
    printf(" leads=%d", getpgrp() == getpid());
    printf(" folder=%s", getcwd(folder, sizeof folder));
    printf(" env=%d,%.5s", environ[0] && !environ[1], environ[0] ? environ[0] : "-");
    printf(" user=%u,%u,%u,%u groups=%d\n", getuid(), geteuid(), getgid(), getegid(),
           getgroups(0, NULL));
    fflush(stdout);
}

static void spawn_device_flood(void)
{
    static char line[100001];

    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    (void)!write(1, "a\x1b[31m\"b\n", 9);
    (void)!write(2, line, sizeof line - 1);
    for (int i = 0; i < 20000; i++) {
        (void)!write(2, "flooded\n", 8);
    }
}

static void spawn_device_act(int fd, const char *behaviour, const char *file)
{
    struct pollfd never = {.fd = -1};

    if (strcmp(behaviour, "good") == 0) {
        spawn_device_serve(fd, ~0u);
    } else if (strcmp(behaviour, "says") == 0) {
        spawn_device_describe();
        spawn_device_serve(fd, ~0u);
    } else if (strcmp(behaviour, "crashes") == 0) {
        spawn_device_serve(fd, WIRE_DEVICE_GET_INFO);
    } else if (strcmp(behaviour, "floods") == 0) {
        spawn_device_flood();
        spawn_device_serve(fd, ~0u);
    } else if (strcmp(behaviour, "ends") == 0) {
        if (access(file, F_OK) < 0) {
            _exit(5);
        }
        spawn_device_serve(fd, ~0u);
    } else if (strcmp(behaviour, "stays") == 0 || strcmp(behaviour, "forks") == 0 ||
               strcmp(behaviour, "leaves") == 0) {
        signal(SIGTERM, SIG_IGN);
        if (behaviour[0] == 'l' && fork() == 0) {
            /* Of a session of its own. */
            (void)setsid();
            (void)poll(&never, 1, -1);
        }
        if (behaviour[0] == 'f' && fork() == 0) {
            /* Of its group; it holds the pipe, too. */
            (void)poll(&never, 1, -1);
        }
        puts("stays");
        fflush(stdout);
        if (fork() == 0) {
            spawn_device_serve(fd, ~0u);
        }
        close(fd);
        for (;;) {
            (void)poll(&never, 1, -1);
        }
    } else if (strcmp(behaviour, "deaf") == 0) {
        close(fd);
        (void)poll(&never, 1, -1);
    }
    _exit(6);
}

void spawn_device_main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "--device") == 0) {
        spawn_device_act((int)strtol(argv[2], NULL, 10), argv[3], argc > 4 ? argv[4] : "");
    }
}
