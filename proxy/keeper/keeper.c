/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/text/numbers.h"
#include "proxy/keeper/keeper_alive.h"
#include "proxy/keeper/keeper_message.h"
#include "proxy/keeper/keeper_monitor.h"
#include "proxy/keeper/keeper_rest.h"
#include "proxy/keeper/keeper_rights.h"
#include "proxy/keeper/keeper_store.h"
#include "proxy/keeper/keeper_upgrade.h"

/* The exit status of a broker that could not run. */
#define KEEPER_FAILED 3

struct keeper {
    struct keeper_store store;
    struct keeper_monitor_plan plan;
    int signal_fd;
    int ready_fd;   /* -1 if not requested, or done */
    pid_t monitor;  /* 0: none runs */
    int socket_fd;  /* to the monitor, or -1 */
    bool full;      /* there was no room for the last fd, which has been logged */
    bool forking;   /* the monitor starts processes, which are not in the store yet */
    bool unknown;   /* a process waits to be collected that the monitor may know */
    bool ready;     /* this monitor has been ready */
    bool was_ready; /* one has been */
    struct keeper_alive alive;
    unsigned failures;    /* consecutive monitors that did not live for LIMIT_MONITOR_LIVES_MS */
    uint64_t started_ms;  /* of the last monitor */
    uint64_t again_ms;    /* of the next one, while none runs */
    uint64_t stop_by_ms;  /* when the monitor is killed; 0: it is not to stop */
    bool last;            /* this monitor has been started only to stop in order */
    int waiting_signal;   /* for the next monitor; 0: none */
    char answer[64];      /* to the monitor, not sent yet, or "" */
    int program_fd;       /* to go on as when the monitor has ended, or -1 */
    int fallback_fd;      /* the program to go back to if no monitor gets ready, or -1 */
    uint64_t ready_by_ms; /* until then */
    bool over;
    bool leaves; /* the service manager keeps the sessions */
    int status;  /* the exit status, once it is over */
};

static void keeper_finish(struct keeper *k, int status)
{
    k->over = true;
    k->status = status;
}

/* ---- collecting ---- */

/* Returns the pid of a child that has ended, any or the given one, and leaves it; 0: there is none.
 */
static pid_t keeper_ended(idtype_t type, pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(type, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : 0;
}

static bool keeper_has_message(const struct keeper *k)
{
    struct pollfd p = {.fd = k->socket_fd, .events = POLLIN};

    return k->socket_fd >= 0 && poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

/*
 * Collects processes that the monitor does not know, such as those that a device has left. One that
 * it knows is collected on its request, and may hide others from this function until then.
 *
 * The monitor announces a process before it starts it, so the announcement of one that has ended is
 * here: if a message waits, it may be that one, and is read first.
 */
static void keeper_collect_unknown(struct keeper *k)
{
    pid_t pid;

    k->unknown = false;
    while (!k->forking && (pid = keeper_ended(P_ALL, 0)) > 0 && pid != k->monitor &&
           !keeper_store_has_child(&k->store, pid)) {
        if (keeper_has_message(k)) {
            k->unknown = true;
            return;
        }
        (void)waitpid(pid, NULL, 0);
    }
}

/*
 * Collects a process that the monitor has seen end, and answers; not yet if a debugger still has
 * it. Returns true if it is collected.
 */
static bool keeper_collect(struct keeper *k, pid_t pid)
{
    int status = SIGKILL;

    if (waitpid(pid, &status, WNOHANG) == 0) {
        return false;
    }
    keeper_store_drop_child(&k->store, pid);
    snprintf(k->answer, sizeof k->answer, "COLLECTED=%ld %d\n", (long)pid, status);
    return true;
}

/* Collects what the monitor has asked for, one for each answer that has been sent. */
static void keeper_collect_wanted(struct keeper *k)
{
    pid_t pid = 0;

    while (k->store.n_wanted > 0 && !k->answer[0] &&
           (pid = keeper_store_next_wanted(&k->store, pid)) > 0) {
        if (keeper_collect(k, pid)) {
            keeper_collect_unknown(k);
            break;
        }
    }
}

/* ---- the monitor ---- */

static bool keeper_is_stop(int sig)
{
    return sig == SIGTERM || sig == SIGINT || sig == SIGQUIT;
}

/* Passes a signal on, to the next monitor if none runs. A stop does not wait for its time. */
static void keeper_forward(struct keeper *k, int sig)
{
    const uint64_t now = clock_ms();

    if (keeper_is_stop(sig) && !k->stop_by_ms) {
        k->stop_by_ms = now + LIMIT_MONITOR_STOP_MS;
    }
    if (k->monitor > 0) {
        kill(k->monitor, sig);
    } else if (!keeper_is_stop(k->waiting_signal)) {
        k->waiting_signal = sig;
        k->again_ms = keeper_is_stop(sig) ? now : k->again_ms;
    }
}

/* Leaves the sessions to the service manager, which starts the next broker. */
static void keeper_leave(struct keeper *k)
{
    k->leaves = true;
    if (k->monitor > 0) {
        /* Its last messages still count. */
        kill(k->monitor, SIGKILL);
    } else {
        keeper_finish(k, 0);
    }
}

/* A monitor could not be started, or did not live: the next one starts later each time. */
static void keeper_start_later(struct keeper *k)
{
    k->again_ms = clock_ms() + (k->failures > 0 ? backoff_ms(k->failures - 1) : 0);
    k->failures++;
}

static void keeper_start(struct keeper *k)
{
    const pid_t pid = keeper_monitor_start(&k->plan, &k->store, &k->socket_fd);

    k->started_ms = clock_ms();
    k->ready = false;
    k->alive.watched = false;
    k->forking = false;
    k->answer[0] = '\0';
    if (pid < 0) {
        log_error("cannot start the monitor: %s", strerror((int)-pid));
        keeper_start_later(k);
        if (!k->was_ready || k->stop_by_ms) {
            keeper_finish(k, KEEPER_FAILED);
        }
        return;
    }
    k->monitor = pid;
    if (k->waiting_signal) {
        kill(pid, k->waiting_signal);
        k->waiting_signal = 0;
    }
}

/* ---- other programs ---- */

/* Goes on as the program that the monitor has asked for. Returns only if that fails. */
static void keeper_upgrade(struct keeper *k)
{
    const int err = keeper_upgrade_execute(&k->store, &k->plan, k->program_fd, k->plan.exe_fd);

    log_error("cannot execute the new program: %s; going on with this one", strerror(-err));
    sock_close(&k->program_fd);
    k->failures = 0;
}

/* Goes back to the program before this one. Returns only if that fails. */
static void keeper_go_back(struct keeper *k)
{
    int err;

    log_error("the monitor of the new program did not get ready; going back to the earlier one");
    err = keeper_upgrade_execute(&k->store, &k->plan, k->fallback_fd, -1);
    log_error("cannot execute the earlier program: %s; going on with this one", strerror(-err));
    sock_close(&k->fallback_fd);
}

/* The monitor has ended: ends with it, or starts another. */
static void keeper_monitor_ended(struct keeper *k, int status)
{
    const uint64_t lived_ms = clock_ms() - k->started_ms;

    if (WIFSIGNALED(status) && !k->leaves) {
        log_error("monitor pid=%ld was killed by signal %d", (long)k->monitor, WTERMSIG(status));
    }
    if (k->forking) {
        keeper_rest_kill_listed(&k->store);
    }
    k->monitor = 0;
    k->forking = false;
    sock_close(&k->socket_fd);
    do {
        k->answer[0] = '\0';
        keeper_collect_wanted(k);
    } while (k->answer[0]);
    if (k->leaves) {
        keeper_finish(k, 0);
    } else if (k->program_fd >= 0 && !k->stop_by_ms) {
        keeper_upgrade(k);
        keeper_start_later(k);
    } else if (k->fallback_fd >= 0 && !k->ready && !k->stop_by_ms) {
        keeper_go_back(k);
        keeper_start_later(k);
    } else if (WIFEXITED(status) && (k->ready || !k->was_ready || k->stop_by_ms)) {
        keeper_finish(k, WEXITSTATUS(status));
    } else if (k->stop_by_ms && k->was_ready && !k->last) {
        /* Sessions end by a monitor, so that no client finds an error in place of their end. */
        k->last = true;
        k->stop_by_ms = 0;
        keeper_forward(k, SIGTERM);
    } else if (k->stop_by_ms || !k->was_ready) {
        keeper_finish(k, KEEPER_FAILED);
    } else {
        k->failures = k->ready && lived_ms >= LIMIT_MONITOR_LIVES_MS ? 0 : k->failures;
        keeper_start_later(k);
    }
}

/* ---- messages ---- */

/* All sockets listen and all workers are ready. */
static void keeper_monitor_ready(struct keeper *k)
{
    struct pollfd p = {.fd = k->ready_fd, .events = POLLOUT};

    k->ready = true;
    k->was_ready = true;
    keeper_alive_watch(&k->alive, clock_ms());
    sock_close(&k->fallback_fd);
    keeper_store_notify(&k->store, KEEPER_STORE_READY);
    if (k->ready_fd < 0) {
        return;
    }
    /* If the pipe is full, its reader is not interested. */
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT) || write(k->ready_fd, "\n", 1) < 0) {
        log_warning("cannot write to the ready fd: %s", strerror(errno));
    }
    sock_close(&k->ready_fd);
}

/* Logs it once, since each client may cause it. */
static void keeper_lacks_room(struct keeper *k, const char *why)
{
    if (!k->full) {
        log_error("%s: some sessions do not outlive the monitor; raise the limit", why);
    }
    k->full = true;
}

/* text is the message itself, which the service manager gets if it is one for it. */
static void keeper_dispatch(struct keeper *k, const struct keeper_message *m, const char *text,
                            struct fdset *fds)
{
    switch (m->verb) {
    case KEEPER_KEEP:
        if (keeper_store_keep_take(&k->store, m->name, fdset_steal(fds, 0))) {
            keeper_lacks_room(k, "out of memory");
        } else {
            k->full = false;
        }
        break;
    case KEEPER_DROP:
        keeper_store_drop(&k->store, m->name);
        break;
    case KEEPER_READY:
        keeper_monitor_ready(k);
        break;
    case KEEPER_STOPPING:
        k->alive.watched = false;
        keeper_store_notify(&k->store, text);
        break;
    case KEEPER_ALIVE:
        heartbeat_heard(&k->alive.beat);
        keeper_store_notify(&k->store, text);
        break;
    case KEEPER_RELOADING:
        keeper_store_notify(&k->store, text);
        break;
    case KEEPER_RELOADED:
        if (k->ready) {
            keeper_store_notify(&k->store, KEEPER_STORE_READY);
        }
        break;
    case KEEPER_FORKING:
        k->forking = true;
        break;
    case KEEPER_FORKED:
        k->forking = false;
        keeper_collect_unknown(k);
        break;
    case KEEPER_COLLECT:
        keeper_store_want_child(&k->store, m->pid);
        keeper_collect_wanted(k);
        break;
    case KEEPER_UPGRADE:
        sock_close(&k->program_fd);
        k->program_fd = fdset_steal(fds, 0);
        break;
    case KEEPER_NOTHING:
        break;
    }
}

/* Receives one message. Returns false if there is none, or never will be one again. */
static bool keeper_hear(struct keeper *k)
{
    char text[FDSTORE_MESSAGE_MAX + 1];
    struct keeper_message m;
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = k->socket_fd < 0 ? 0 : sock_recv(k->socket_fd, text, sizeof text - 1, &fds, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && n != -EAGAIN && n != -EMSGSIZE)) {
        sock_close(&k->socket_fd);
    } else if (n == -EMSGSIZE) {
        keeper_lacks_room(k, "out of file descriptors");
    } else if (n > 0 && keeper_message_read(&m, text, (size_t)n) &&
               fds.n == (m.verb == KEEPER_KEEP || m.verb == KEEPER_UPGRADE ? 1u : 0u)) {
        text[n] = '\0';
        keeper_dispatch(k, &m, text, &fds);
    } else if (n > 0) {
        log_error("the monitor has sent a message that is not valid");
    }
    fdset_close(&fds);
    return n > 0 || n == -EMSGSIZE;
}

/* Sends the answer that waits. Returns false if the monitor has no room for it. */
static bool keeper_answer(struct keeper *k)
{
    if (k->answer[0] != '\0' && k->socket_fd >= 0 &&
        sock_send(k->socket_fd, k->answer, strlen(k->answer), NULL, MSG_DONTWAIT) == -EAGAIN) {
        return false;
    }
    k->answer[0] = '\0';
    return true;
}

/* Has the monitor's messages, a few at a time, so that signals do not wait for long. */
static void keeper_hear_some(struct keeper *k)
{
    for (int i = 0; i < LIMIT_KEEPER_TURN && keeper_answer(k) && keeper_hear(k); i++) {
    }
    (void)keeper_answer(k);
}

/* ---- signals ---- */

/* A child has ended. The monitor's last messages come first. */
static void keeper_on_child(struct keeper *k)
{
    int status;

    if (k->monitor > 0 && keeper_ended(P_PID, k->monitor) == k->monitor) {
        while (keeper_hear(k)) {
        }
        (void)waitpid(k->monitor, &status, 0);
        keeper_monitor_ended(k, status);
    }
    keeper_collect_unknown(k);
}

static void keeper_on_signals(struct keeper *k)
{
    struct signalfd_siginfo info;

    while (!k->over && read(k->signal_fd, &info, sizeof info) == sizeof info) {
        const int sig = (int)info.ssi_signo;

        /* Of signals that wait, the kernel reports this one after others. */
        keeper_on_child(k);
        if (k->over || sig == SIGCHLD) {
            continue;
        }
        if (sig != KEEPER_LEAVE_SIGNAL) {
            keeper_forward(k, sig);
        } else if (k->store.manager_fd < 0) {
            keeper_forward(k, SIGTERM);
        } else {
            keeper_leave(k);
        }
    }
}

static int keeper_block_signals(void)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;

    /* None of the others ends or interrupts this process either; faults do in any case. */
    sigfillset(&set);
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) {
        return -errno;
    }
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&set, numbers[i]);
    }
    sigaddset(&set, KEEPER_LEAVE_SIGNAL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- the loop ---- */

/* Does what is due. Returns the milliseconds until the next thing is, or -1. */
static int keeper_on_time(struct keeper *k)
{
    const uint64_t now = clock_ms();
    uint64_t due;

    if (k->monitor == 0 && now >= k->again_ms) {
        keeper_start(k);
    } else if (k->monitor > 0 && k->stop_by_ms && now >= k->stop_by_ms) {
        log_error("monitor pid=%ld did not stop in time; killed", (long)k->monitor);
        kill(k->monitor, SIGKILL);
        k->stop_by_ms = now + LIMIT_MONITOR_STOP_MS;
    } else if (k->monitor > 0 && k->fallback_fd >= 0 && now >= k->ready_by_ms) {
        log_error("monitor pid=%ld of the new program did not get ready in time; killed",
                  (long)k->monitor);
        kill(k->monitor, SIGKILL);
        k->ready_by_ms = now + LIMIT_UPGRADE_READY_MS;
    } else if (k->monitor > 0 && !keeper_alive_look(&k->alive, k->monitor, now)) {
        log_error("monitor pid=%ld hangs: it has not made a turn for 2 s; killed",
                  (long)k->monitor);
        kill(k->monitor, SIGKILL);
    }
    due = k->monitor == 0       ? k->again_ms
          : k->stop_by_ms       ? k->stop_by_ms
          : k->fallback_fd >= 0 ? k->ready_by_ms
          : k->alive.watched    ? k->alive.due_ms
                                : 0;
    return due == 0 ? -1 : due > now ? (int)(due - now) : 0;
}

static void keeper_run(struct keeper *k)
{
    while (!k->over) {
        const int ms = keeper_on_time(k);
        struct pollfd p[] = {
            {.fd = k->signal_fd, .events = POLLIN},
            {.fd = k->socket_fd, .events = k->answer[0] ? POLLOUT : POLLIN},
        };

        if (k->over) {
            break;
        }
        if (poll(p, sizeof p / sizeof *p, ms) < 0 && errno != EINTR) {
            log_error("cannot wait for the monitor: %s", strerror(errno));
            keeper_finish(k, KEEPER_FAILED);
            break;
        }
        if (p[1].revents) {
            keeper_hear_some(k);
        }
        if (k->unknown) {
            keeper_collect_unknown(k);
        }
        if (p[0].revents) {
            keeper_on_signals(k);
        }
        do {
            keeper_collect_wanted(k);
        } while (k->answer[0] && keeper_answer(k));
    }
}

/* ---- the beginning ---- */

/* Above the numbers of this process's own fds, so that those of the monitor are not kept fds'. */
#define KEEPER_FIRST_FD 16

/* The words before the command line: name, KEEPER_ARG, ready fd, log level. */
#define KEEPER_WORDS 4

/*
 * Moves the ready fd out of the way of the others, and has standard input, output and error, of
 * which it may be one, open in any case. Returns 0 or -errno.
 */
static int keeper_take_ready_fd(struct keeper *k, int fd)
{
    int null_fd;

    k->ready_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, KEEPER_FIRST_FD);
    if (fd >= 0) {
        close(fd);
    }
    if (fd >= 0 && k->ready_fd < 0) {
        return -errno;
    }
    do {
        null_fd = open("/dev/null", O_RDWR | O_NOCTTY);
    } while (null_fd >= 0 && null_fd <= STDERR_FILENO);
    if (null_fd < 0) {
        return -errno;
    }
    close(null_fd);
    return 0;
}

/* Goes on where another program has been this keeper. Returns 0 or -errno. */
static int keeper_take_list(struct keeper *k, int list_fd)
{
    const int err = keeper_upgrade_take(&k->store, list_fd, &k->fallback_fd);

    k->was_ready = true;
    k->ready_by_ms = clock_ms() + LIMIT_UPGRADE_READY_MS;
    return err;
}

/* number is that of the ready fd, or -1; or, if it goes on, of the list (keeper_upgrade.h). */
static int keeper_init(struct keeper *k, bool again, int number, char **argv)
{
    int err = 0;

    *k = (struct keeper){
        .ready_fd = -1, .socket_fd = -1, .signal_fd = -1, .program_fd = -1, .fallback_fd = -1};
    k->plan = (struct keeper_monitor_plan){.exe_fd = -1, .argv = argv};
    keeper_store_init(&k->store, KEEPER_FIRST_FD);
    err = again ? keeper_take_list(k, number) : keeper_take_ready_fd(k, number);
    if (!err) {
        k->signal_fd = keeper_block_signals();
        err = k->signal_fd < 0 ? -errno : 0;
    }
    if (!err) {
        /* By fd: an upgrade that replaces the file does not change the monitor unasked. */
        k->plan.exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        err = k->plan.exe_fd < 0 ? -errno : 0;
    }
    return err ? err : keeper_rights_set(&k->plan);
}

int keeper_main(int argc, char **argv)
{
    const bool again = argc > 1 && strcmp(argv[1], KEEPER_AGAIN_ARG) == 0;
    struct keeper k;
    uint64_t number;
    uint64_t level;
    int err;

    if (argc < KEEPER_WORDS || !numbers_decimal(argv[2], INT_MAX, &number) ||
        !numbers_decimal(argv[3], LOG_DEBUG, &level)) {
        log_error("keeper: only poemd can start it");
        return 2;
    }
    log_init("poemd", (enum log_level)level);
    log_dress();
    (void)prctl(PR_SET_NAME, KEEPER_NAME, 0, 0, 0);
    /* The monitor's words take the place of the last two of these. */
    argv[2] = MONITOR_NAME;
    argv[3] = MONITOR_ARG;
    err = keeper_init(&k, again, again ? (int)number : (int)number - 1, argv + 2);
    if (err) {
        log_error("cannot start: %s", strerror(-err));
        k.status = KEEPER_FAILED;
    } else {
        keeper_run(&k);
        keeper_rest_kill(LIMIT_STOP_KILLED_MS);
    }
    keeper_store_deinit(&k.store, k.leaves);
    sock_close(&k.socket_fd);
    sock_close(&k.ready_fd);
    sock_close(&k.program_fd);
    sock_close(&k.fallback_fd);
    return k.status;
}

int keeper_execute(int argc, char **argv, int ready_fd, int log_level)
{
    const int exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char **const words = calloc((size_t)argc + KEEPER_WORDS, sizeof *words);
    char name[] = KEEPER_NAME;
    char arg[] = KEEPER_ARG;
    char ready[16];
    char level[16];
    int err;

    if (exe_fd < 0 || !words) {
        err = exe_fd < 0 ? -errno : -ENOMEM;
    } else {
        /* Its number plus one, so that 0 is none. */
        snprintf(ready, sizeof ready, "%d", ready_fd + 1);
        snprintf(level, sizeof level, "%d", log_level);
        words[0] = name;
        words[1] = arg;
        words[2] = ready;
        words[3] = level;
        memcpy(words + KEEPER_WORDS, argv + 1, (size_t)(argc - 1) * sizeof *words);
        if (ready_fd >= 0) {
            (void)fcntl(ready_fd, F_SETFD, 0);
        }
        fexecve(exe_fd, words, environ);
        err = -errno;
    }
    if (exe_fd >= 0) {
        close(exe_fd);
    }
    free(words);
    return err;
}
