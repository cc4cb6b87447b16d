/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The process's only loop, in poll(2): signals, the listening socket or the client's sockets, the
 * doorbell. While a client is connected, further ones wait in the accept queue.
 */
#define _GNU_SOURCE
#include "contrib/edu/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sock.h"
#include "contrib/edu/session.h"

struct server {
    const struct options *options;
    struct device device;
    struct migration migration;
    struct session_setup setup;
    int signal_fd;
    int listen_fd;    /* -1: no further client */
    int connected_fd; /* the only client, before its session; or -1 */
    dev_t path_dev;   /* of the socket file to remove; 0 if none */
    ino_t path_ino;
    int error; /* -errno that ended the loop; 0 after success */
};

/* Why a wait ended. */
enum turn { TURN_GO_ON, TURN_CLIENT_OVER, TURN_END };

/* ---- start ---- */

static int edu_serve_block_signals(struct server *v)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* A client's interrupt fd may be a pipe without a reader. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
        return -errno;
    }
    v->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return v->signal_fd < 0 ? -errno : 0;
}

static int edu_serve_listen_at(struct server *v, const char *path)
{
    struct stat st;
    /* Asking for the mask sets it. */
    const mode_t mask = umask(S_IRWXG | S_IRWXO);

    umask(mask);
    v->listen_fd = sock_listen(path, 0777 & ~mask, (uid_t)-1, (gid_t)-1, LIMIT_BACKLOG);
    if (v->listen_fd < 0) {
        return v->listen_fd;
    }
    if (lstat(path, &st) == 0) {
        v->path_dev = st.st_dev;
        v->path_ino = st.st_ino;
    }
    return 0;
}

/* Uses the socket of "--fd"; asks the kernel whether it is connected or listening. */
static int edu_serve_use_given(struct server *v, int fd)
{
    int listening;
    socklen_t n = sizeof listening;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) < 0) {
        return -errno;
    }
    if (!listening) {
        v->connected_fd = fd;
        return 0;
    }
    v->listen_fd = fd;
    return sock_nonblock(fd);
}

/* Removes only the file that this process created: another may have taken the name since. */
static void edu_serve_remove_path(const struct server *v)
{
    struct stat st;

    if (v->path_ino != 0 && lstat(v->options->socket_path, &st) == 0 && st.st_dev == v->path_dev &&
        st.st_ino == v->path_ino) {
        unlink(v->options->socket_path);
    }
}

static int edu_serve_start(struct server *v)
{
    const struct options *o = v->options;
    int err = edu_serve_block_signals(v);

    if (!err) {
        err = o->socket_path ? edu_serve_listen_at(v, o->socket_path)
                             : edu_serve_use_given(v, o->given_fd);
    }
    if (!err && o->ready_fd >= 0) {
        err = write(o->ready_fd, "\n", 1) == 1 ? 0 : -errno;
        close(o->ready_fd);
    }
    return err;
}

/* ---- the loop ---- */

static bool edu_serve_reported_to_end(const struct pollfd *p)
{
    return p->revents & POLLIN;
}

static enum turn edu_serve_end_with(struct server *v, int err)
{
    v->error = err;
    return TURN_END;
}

/* Waits for a client. Returns TURN_GO_ON with its socket in *fd, or TURN_END. */
static enum turn edu_serve_next_client(struct server *v, int *fd)
{
    struct pollfd p[] = {{.fd = v->signal_fd, .events = POLLIN},
                         {.fd = v->listen_fd, .events = POLLIN}};

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            return edu_serve_end_with(v, -errno);
        }
        if (edu_serve_reported_to_end(&p[0])) {
            return TURN_END;
        }
        *fd = accept4(v->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (*fd >= 0) {
            return TURN_GO_ON;
        }
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
            return edu_serve_end_with(v, -errno);
        }
    }
}

static enum turn edu_serve_turn(struct server *v, struct session *s)
{
    struct pollfd p[] = {
        {.fd = v->signal_fd, .events = POLLIN},
        {.fd = v->device.bar2.doorbell_fd, .events = POLLIN},
        {.fd = s->main.fd, .events = session_events(s, &s->main)},
        {.fd = s->twin.fd, .events = session_events(s, &s->twin)},
    };

    /* A socket that must not be read now would report its hang-up again and again. */
    for (int i = 2; i < 4; i++) {
        p[i].fd = p[i].events ? p[i].fd : -1;
    }
    if (poll(p, 4, session_timeout(s)) < 0) {
        return errno == EINTR ? TURN_GO_ON : edu_serve_end_with(v, -errno);
    }
    if (edu_serve_reported_to_end(&p[0])) {
        return TURN_END;
    }
    if (p[1].revents & POLLIN) {
        bar2_drain(&v->device.bar2);
    }
    /* Replies that the device waits for come first: they free resources that commands need. */
    if ((p[3].revents && !session_ready(s, &s->twin, p[3].revents)) ||
        (p[2].revents && !session_ready(s, &s->main, p[2].revents)) || !session_tick(s)) {
        return TURN_CLIENT_OVER;
    }
    return TURN_GO_ON;
}

/* Serves one client; takes its socket. */
static enum turn edu_serve_client(struct server *v, int fd)
{
    struct session s;
    enum turn t = TURN_GO_ON;
    int err = session_init_take(&s, &v->setup, fd);

    if (err) {
        log_error("cannot serve a client: errno %d", -err);
        return TURN_CLIENT_OVER;
    }
    log_info("a client has connected");
    while (t == TURN_GO_ON) {
        t = edu_serve_turn(v, &s);
    }
    session_deinit(&s);
    err = device_client_gone(&v->device);
    if (err) {
        return edu_serve_end_with(v, err);
    }
    return t;
}

static int edu_serve_run(struct server *v)
{
    int fd;

    if (v->connected_fd >= 0) {
        fd = v->connected_fd;
        v->connected_fd = -1;
        (void)edu_serve_client(v, fd);
        return v->error;
    }
    while (edu_serve_next_client(v, &fd) != TURN_END) {
        if (edu_serve_client(v, fd) == TURN_END || v->options->once) {
            break;
        }
    }
    return v->error;
}

int edu_serve_clients(const struct options *o, const struct poem *poem)
{
    struct server v = {.options = o, .signal_fd = -1, .listen_fd = -1, .connected_fd = -1};
    int err = device_init(&v.device, o->dma_mask, o->caps.max_dma_maps);

    if (err) {
        log_error("the device's memory: %s", strerror(-err));
        return err;
    }
    if (o->bar2_fd >= 0) {
        err = bar2_adopt_take(&v.device.bar2, o->bar2_fd);
        if (err) {
            log_error("--bar2-fd %d: %s", o->bar2_fd, strerror(-err));
            device_deinit(&v.device);
            return err;
        }
    }
    v.device.dma.stray = o->stray_dma;
    migration_init(&v.migration);
    v.setup = (struct session_setup){
        .device = &v.device,
        .migration = &v.migration,
        .caps = &o->caps,
        .reciter = {.poem = poem, .recite = o->recite, .licence = o->licence},
        .faults = &o->faults,
        .mmap = !o->no_mmap};
    err = edu_serve_start(&v);
    err = err ? err : edu_serve_run(&v);
    if (err) {
        log_error("cannot go on: %s", strerror(-err));
    }
    edu_serve_remove_path(&v);
    sock_close(&v.listen_fd);
    sock_close(&v.connected_fd);
    sock_close(&v.signal_fd);
    device_deinit(&v.device);
    return err;
}
