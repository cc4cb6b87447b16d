/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A relay worker as the monitor has it, and the pool of them: shared by all parts of the pool
 * (worker_pool_*.c).
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_PROCESS_H
#define POEMD_PROXY_MONITOR_WORKER_PROCESS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/helper/heartbeat.h"
#include "proxy/ipc/session_state.h"
#include "proxy/ipc/children.h"
#include "proxy/monitor/monitor_session.h"
#include "base/observers.h"
#include "proxy/monitor/workers/worker_pages.h"
#include "proxy/monitor/workers/worker_tallies.h"

struct monitor_context;
struct worker_pool_lingerer;
struct worker_pool;

struct worker_pool_disowned;
struct worker_pool_refusal;
TAILQ_HEAD(worker_pool_disowned_list, worker_pool_disowned);
TAILQ_HEAD(worker_pool_refusals, worker_pool_refusal);

struct worker_process {
    struct worker_pool *worker_pool;
    unsigned number;    /* its index in the pool */
    struct child child; /* while it runs */
    pid_t pid;          /* -1: not running */
    int channel_fd;     /* -1: not running */
    bool ready;
    unsigned false_starts; /* deaths in a row before it was ready */
    unsigned sessions;
    uint32_t longest_turn_us; /* as last reported; 0: not yet */
    bool counting;            /* has been asked for its counts, and has not sent all */
    struct event *readable;
    struct event *writable;
    struct event *retry; /* runs when memory or fds in flight have run out */
    struct event *respawn;
    struct event *bury; /* active while … */
    bool burying;       /* … it is gone, and its sessions are being ended */
    struct monitor_session_list monitor_sessions;
    SLIST_HEAD(worker_pool_lingering, worker_pool_lingerer)
    lingering; /* ended sessions, see worker_pool_linger.c */
    struct monitor_session_list
        outbox; /* sessions with messages that did not fit into the channel */
    struct heartbeat beat;
    bool ping_unsent;
    unsigned pings;                 /* sent but not answered */
    unsigned killed_beats;          /* beats since it was killed, plus 1; 0: not killed */
    enum session_reason end;        /* the reason for its sessions if it dies */
    struct worker_pages *pages;     /* of its sessions; NULL: not running */
    struct worker_tallies *tallies; /* of its routes; NULL: nothing is counted */
    bool adopted;                   /* an earlier monitor has started it, … */
    bool adopt_unsent;              /* … it has not been sent IPC_ADOPT, … */
    bool adopting;                  /* … or has not listed all its sessions, … */
    bool listing;                   /* … but has begun to: */
    uint64_t listed;                /* the last session listed */
    bool retires;                   /* hands its sessions over, takes no others, and exits */
    pid_t gone_pid;                 /* of the last process */
    uint64_t in_hand;               /* the session that this was handling when it died, or 0 */
    enum session_page_way in_hand_way;
    struct worker_pool_disowned_list
        disowned; /* sessions that the monitor has ended, but not the worker */
    int ring_fd;  /* for captures, waiting to be sent, or -1 */
    int bell_fd;
};

/* Events of workers; each function may be NULL. */
struct worker_pool_events {
    /* A process has been started, without a session so far. */
    void (*started)(void *arg, struct worker_process *w);
    /* It can be given sessions. */
    void (*ready)(void *arg, struct worker_process *w);
    /* It has sent all requested counts, or has died. */
    void (*counted)(void *arg, struct worker_process *w);
    /* It sends nothing any more; its tallies are freed behind this. */
    void (*silent)(void *arg, struct worker_process *w);
    /* It has died, and none of its sessions is left. was_ready: it had been ready. */
    void (*gone)(void *arg, struct worker_process *w, bool was_ready);
};

struct worker_pool {
    struct monitor_context *context;
    struct monitor_session_table *sessions;
    struct worker_process *members; /* the configured workers, then those that retire */
    unsigned n;
    unsigned n_own;  /* the configured ones */
    int exe_fd;      /* our own program, as it was at our start */
    int settings_fd; /* the settings that every worker reads first */
    uint64_t memory; /* by worker_pool_settings_memory: workers may use as much by now */
    uint64_t nofile; /* … by worker_pool_settings_nofile */
    struct monitor_session_list waiting; /* sessions without any worker to take them */
    struct event *take;                  /* active if more of them are to be given to a worker */
    struct worker_pool_refusals refusals;
    unsigned n_refusals;
    uint64_t last_refusal; /* the last numbers used … */
    uint64_t last_serial;  /* … of refusals, and of workers' processes */
    OBSERVERS_LIST(struct worker_pool_events) observers;
};

/* Returns true if the worker runs and has not missed a beat, so that it can be given work. */
bool worker_process_takes_work(const struct worker_process *w);

/* Returns the worker that takes work and has the fewest sessions, or NULL. */
struct worker_process *worker_process_least_busy(struct worker_pool *c);

/*
 * Takes ipc_send's result. Returns true if the message must be sent later, and schedules that.
 * After any other error the worker is dying, and SIGCHLD ends all its sessions.
 */
bool worker_process_must_wait(struct worker_process *w, int err);

/* Kills the worker; log describes what it did. Its sessions end with the reason. */
void worker_process_kill(struct worker_process *w, enum session_reason reason, const char *log);

/*
 * The worker's process is gone, or left behind: receives its last messages, ends its sessions and
 * starts another, from the loop, in as many turns as that takes.
 */
void worker_process_gone(struct worker_process *w);

/* The worker has sent all requested counts, or never will. */
void worker_process_counted(struct worker_process *w);

/* The worker counts nothing any more: has its tallies added up, and frees them. */
void worker_process_silent(struct worker_process *w);

/*
 * Makes the file of its pages, with so many slots, and tallies in it if there are metrics. Returns
 * 0 or -errno.
 */
int worker_process_pages(struct worker_process *w, uint32_t slots)
    __attribute__((warn_unused_result));

/* Returns true if one of the configured workers runs and takes work. */
bool worker_process_own_takes_work(const struct worker_pool *c);

/* ---- worker_pool.c, for worker_pool_adopt.c ---- */

/* Makes the places of the configured workers, once. Returns 0 or -ENOMEM. */
int worker_pool_make_places(struct worker_pool *c) __attribute__((warn_unused_result));

/* Returns the place of one more worker, which retires, or NULL: LIMIT_WORKERS do, or no memory. */
struct worker_process *worker_pool_add_place(struct worker_pool *c);

/* Watches the channel of a process that runs. Returns 0 or -ENOMEM. */
int worker_pool_member_events(struct worker_process *w) __attribute__((warn_unused_result));

/* Frees all that a process needs while it runs. */
void worker_pool_member_close(struct worker_process *w);

/* The process has ended: for children_add, with the worker as arg. */
void worker_pool_member_died(struct child *c, int status);

/* Gives waiting sessions to a worker, now that there is one. */
void worker_pool_take_waiting(struct worker_pool *c);

/* Gives a session that its worker has not any more to another one, to go on from its page. */
void worker_pool_move(struct monitor_session *t);

/* ---- */

/* Creates a channel's two ends, the monitor's first. Returns 0 or -errno. */
int worker_process_channel(int pair[2]) __attribute__((warn_unused_result));

/*
 * Forks a worker, our own program with this end of its channel; as a sibling if pidfd is not NULL.
 * Returns 0 or -errno.
 */
int worker_process_fork(struct worker_process *w, int channel_fd, int *pidfd)
    __attribute__((warn_unused_result));

#endif
