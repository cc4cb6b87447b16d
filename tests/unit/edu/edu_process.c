/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu program under test. EDU_PROGRAM is its path, set by the build.
 */
#define _GNU_SOURCE
#include "tests/unit/edu/edu_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contrib/edu/regs.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define ARGS_MAX 24

static const char offer[] =
    "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"pgsizes\":4096,"
    "\"max_dma_maps\":65535,\"write_multiple\":true,\"migration\":{\"pgsize\":4096},"
    "\"twin_socket\":{\"supported\":true}}}";

/* Adds options behind what is there already, and the end. */
static void append(const char *argv[], size_t n, const char *const options[])
{
    while (options && *options) {
        ck_assert_uint_lt(n, ARGS_MAX - 1);
        argv[n++] = *options++;
    }
    argv[n] = NULL;
}

static int open_log(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    return fd;
}

void edu_start(struct edu *e, const char *name, const char *const options[])
{
    const char *argv[ARGS_MAX] = {EDU_PROGRAM, "--socket-path", e->path, "--ready-fd"};
    struct pollfd ready;
    char number[16];
    char said;
    int log_fd;
    int pipe_fds[2];

    snprintf(e->path, sizeof e->path, "%s/%s.sock", unit_folder(), name);
    snprintf(e->log, sizeof e->log, "%s/%s.log", unit_folder(), name);
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    snprintf(number, sizeof number, "%d", pipe_fds[1]);
    argv[4] = number;
    append(argv, 5, options);
    log_fd = open_log(e->log);
    e->pid = process_start(argv, log_fd, pipe_fds[1]);
    close(log_fd);
    close(pipe_fds[1]);
    ready = (struct pollfd){.fd = pipe_fds[0], .events = POLLIN};
    ck_assert_int_eq(poll(&ready, 1, patience_ms()), 1);
    ck_assert_msg(read(pipe_fds[0], &said, 1) == 1 && said == '\n', "edu is not ready");
    close(pipe_fds[0]);
}

int edu_join(pid_t pid)
{
    const int status = process_wait(pid);

    ck_assert_msg(WIFEXITED(status), "edu ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

void edu_stop(struct edu *e)
{
    ck_assert_int_eq(kill(e->pid, SIGTERM), 0);
    ck_assert_int_eq(edu_join(e->pid), 0);
    ck_assert_msg(access(e->path, F_OK) != 0, "the socket file is still there");
}

pid_t edu_start_fd(int fd, const char *const options[])
{
    const char *argv[ARGS_MAX] = {EDU_PROGRAM, "--fd"};
    const int log_fd = open_log(unit_path("fd.log"));
    char number[16];
    pid_t pid;

    snprintf(number, sizeof number, "%d", fd);
    argv[2] = number;
    append(argv, 3, options);
    pid = process_start(argv, log_fd, fd);
    close(log_fd);
    close(fd);
    return pid;
}

int edu_run(const char *const options[])
{
    const char *argv[ARGS_MAX] = {EDU_PROGRAM};
    const int log_fd = open_log(unit_path("run.log"));
    pid_t pid;

    append(argv, 1, options);
    pid = process_start(argv, log_fd, -1);
    close(log_fd);
    return edu_join(pid);
}

void edu_ok(const struct client *c, enum client_outcome o)
{
    char text[256];

    ck_assert_msg(o == CLIENT_OK, "%s", client_text(c, o, text, sizeof text));
}

void edu_dial(const char *path, struct client *c)
{
    client_init_take(c, peer_connect(path), patience_ms());
}

void edu_connect(const struct edu *e, struct client *c)
{
    edu_dial(e->path, c);
    edu_ok(c, client_version(c, 0, 0, offer));
}

int edu_errno(struct client *c, uint16_t command, const void *p, size_t n)
{
    const void *out;
    size_t out_n;
    const enum client_outcome o =
        client_request(c, (enum wire_command)command, p, n, NULL, 0, NULL, &out, &out_n, NULL);

    if (o == CLIENT_REFUSED) {
        return c->error;
    }
    edu_ok(c, o);
    return 0;
}

uint64_t edu_get(struct client *c, uint64_t offset, uint32_t n)
{
    uint64_t v = 0;

    edu_ok(c, client_region_read(c, WIRE_PCI_BAR0, offset, &v, n));
    return v;
}

void edu_put(struct client *c, uint64_t offset, uint64_t value, uint32_t n)
{
    edu_ok(c, client_region_write(c, WIRE_PCI_BAR0, offset, &value, n));
}

void edu_master(struct client *c)
{
    const uint16_t command = 6;

    edu_ok(c, client_region_write(c, WIRE_PCI_CONFIG, 4, &command, sizeof command));
}

void edu_dma(struct client *c, uint64_t src, uint64_t dst, uint64_t count, uint64_t cmd)
{
    edu_put(c, EDU_DMA_SRC, src, 8);
    edu_put(c, EDU_DMA_DST, dst, 8);
    edu_put(c, EDU_DMA_COUNT, count, 8);
    edu_put(c, EDU_DMA_CMD, cmd, 8);
}

bool edu_dma_running(struct client *c)
{
    return edu_get(c, EDU_DMA_CMD, 8) & EDU_DMA_START;
}
