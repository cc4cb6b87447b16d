/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The configuration of poemd: its contents, and its reading from the project's own language
 * (poemd.conf(5)) or from the command line.
 *
 *   config_load = config_source        ->  config_parse  ->  config_resolve
 *                 (the file's bytes,       (pure)            (user and group names, cores)
 *                 included ones, folders)
 *
 * config_parse sees only bytes: no file, clock, log or name service; it is fuzzed as it is. All
 * faults of a file are collected with their places, not only the first.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_H
#define POEMD_PROXY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/log.h"
#include "poem/file.h"
#include "policy/rules/rules.h"
#include "proxy/config/config_trace.h"
#include "proxy/ipc/session_settings.h"

/* A place in a file, both from 1; columns count bytes, a tab is one. line 0: not from a file. */
struct config_place {
    unsigned line;
    unsigned column;
};

/* ---- the contents ---- */

/* The treatment of new sessions while the audit log cannot be written. */
enum config_audit_failure {
    CONFIG_AUDIT_REFUSE,
    CONFIG_AUDIT_TAINT,
};

#define CONFIG_DIGEST_SIZE 32u

/* Texts in the order of the file, owned. */
struct config_text {
    char *text;
    struct config_place at;
};

struct config_list {
    size_t n;
    struct config_text *items;
};

/* A route's treatment of sessions that do not meet its rules. */
enum config_otherwise {
    CONFIG_OTHERWISE_DENY,
    CONFIG_OTHERWISE_TAINT,
};

/* Whether a route's backend gets the fds of its client's memory. */
enum config_dma {
    CONFIG_DMA_PASS,
    CONFIG_DMA_WITHHOLD,
    CONFIG_DMA_WITHHOLD_FILE_IO,
};

/* The policy statements as written; config_resolve makes rules of them. Texts are owned. */
struct config_allow {
    unsigned party; /* enum side */
    unsigned fact;  /* enum rules_fact */
    char *value;
    struct config_place at, value_at;
};

/* Beside the versions of the GPL, a licence may have to be compatible with a party's. */
#define CONFIG_TARGET_CLIENT ((unsigned)SPDX_TARGETS)
#define CONFIG_TARGET_BACKEND (CONFIG_TARGET_CLIENT + 1u)
#define CONFIG_TARGET_NONE (CONFIG_TARGET_CLIENT + 2u) /* not given */

/* The third word for a licence's rule, which is a rule on a property. */
#define CONFIG_KIND_CONSISTENT 2u

#define CONFIG_GRADE_NONE ((unsigned)EVIDENCE_GRADES) /* not given */

struct config_licence {
    unsigned party;
    unsigned kind;   /* enum rules_licence_kind, or CONFIG_KIND_CONSISTENT */
    unsigned target; /* enum spdx_target, or one of CONFIG_TARGET_* */
    unsigned grade;  /* enum evidence_grade, less EVIDENCE_DECLARED, or CONFIG_GRADE_NONE */
    unsigned covers; /* enum config_covers */
    struct config_place at;
};

/* What a rule on a party's licence is about. */
enum config_covers {
    CONFIG_COVERS_CODE,
    CONFIG_COVERS_EXECUTABLE, /* not written */
};

struct config_code {
    unsigned party;
    unsigned grade; /* enum evidence_grade, less EVIDENCE_DECLARED */
    struct config_place at;
};

struct config_executable {
    unsigned party;
    struct config_place at;
};

struct config_assign {
    unsigned party;
    char *licence;
    char *exe;    /* NULL: any */
    char *digest; /* … */
    struct config_place at;
};

/* The control socket, or that of metrics; texts are owned. */
struct config_control {
    char *path;       /* absolute, or NULL */
    mode_t mode;      /* without rights for others if of control; default 0600 */
    char *owner_name; /* as of a route's listen */
    char *group_name;
    uid_t owner; /* by config_resolve; (uid_t)-1: leave it */
    gid_t group;
    struct config_place at, mode_at, owner_at, group_at;
};

/* The treatment of a session if a process other than the judged one uses its socket. */
enum config_same {
    CONFIG_SAME_TAINT,
    CONFIG_SAME_END,
    CONFIG_SAME_UNASKED, /* any process may use it */
};

/* The checked party. */
enum config_same_of { CONFIG_SAME_OF_BOTH, CONFIG_SAME_OF_CLIENT, CONFIG_SAME_OF_BACKEND };

/* Whether the recital of servers behind a backend is demanded, too. */
enum config_demand { CONFIG_DEMAND_ALL_THE_WAY, CONFIG_DEMAND_ONE };

/* The parties that must recite. */
#define CONFIG_FROM_BACKEND 1u
#define CONFIG_FROM_CLIENT 2u

/* Whether a client may map BAR memory that a backend shares. */
enum config_mappable {
    CONFIG_MAPPABLE_PASS,
    CONFIG_MAPPABLE_STRIP, /* each access is a message */
    CONFIG_MAPPABLE_ADOPT, /* the device's next process is given the memory */
};

/* Whether faults may be injected into a route's sessions. */
enum config_inject { CONFIG_INJECT_REFUSED, CONFIG_INJECT_ALLOWED };

/* Controllers whose drivers are helped to notice another process of their device. */
enum config_assist { CONFIG_ASSIST_NONE, CONFIG_ASSIST_NVME };

/* A connection from a listening socket to a backend's. All strings are owned by the config. */
struct config_route {
    char *name;    /* unique, [A-Za-z0-9._-]+, at most LIMIT_NAME bytes */
    char *listen;  /* absolute path, unique, fits sockaddr_un */
    char *backend; /* absolute path, fits sockaddr_un, not the route's own listen; or NULL, and: */
    char *spawn;   /* the command of a spawned backend (proxy/config/command.h) */
    char *spawn_user; /* its user if the monitor is root; NULL: proxy/config/accounts.h chooses */
    char *spawn_group;
    uid_t spawn_uid; /* by config_resolve */
    gid_t spawn_gid;
    gid_t *spawn_groups; /* supplementary: those of spawn_user; owned */
    size_t n_spawn_groups;
    mode_t mode;      /* of the listening socket; default 0600 */
    char *owner_name; /* as written, name or number; NULL: leave the socket's owner unchanged */
    char *group_name;
    uid_t owner;              /* by config_resolve; (uid_t)-1: leave it, as sock_listen takes it */
    gid_t group;              /* by config_resolve; (gid_t)-1: leave it */
    unsigned sessions;        /* at once, 1 … config's max_sessions */
    unsigned wait_backend_ms; /* 0: refuse at once if the backend is absent; <= handshake_ms */
    unsigned handshake_ms;    /* 1 … LIMIT_HANDSHAKE_MAX_MS */
    unsigned drain_ms;
    unsigned stall_ms;       /* at least 1 */
    unsigned answer_ms;      /* 0: never */
    unsigned hold_ms;        /* how long a session is held without its backend; 0: it ends */
    unsigned mappable;       /* enum config_mappable, as written: see config_route_mappable */
    unsigned assist;         /* enum config_assist */
    char *adopt;             /* the file of "mappable adopt", or NULL */
    unsigned loss, loss_end; /* fixed words of "on backend loss", without meaning */
    struct config_place loss_at, loss_end_at, hold_at, mappable_at, adopt_at;
    unsigned busy_poll_us;     /* how long workers look again before they sleep; 0: they do not */
    unsigned recite_to_client; /* enum config_recite */
    unsigned demand_from;      /* CONFIG_FROM_* */
    unsigned demand_how;       /* enum config_demand */
    struct config_place demand_how_at;
    unsigned look_ms;      /* between two looks at executables; 0: only at the verdict */
    unsigned look_then;    /* enum config_same: the consequence of a change */
    unsigned same_process; /* enum config_same */
    unsigned same_of;      /* enum config_same_of */
    unsigned preset;       /* of which the statements apply, too (proxy/config/preset.h) */
    struct config_place preset_at;
    size_t n_allow, n_licence, n_code, n_executable, n_assign;
    struct config_allow *allow;
    struct config_licence *licence;
    struct config_code *code;
    struct config_executable *executable;
    struct config_assign *assign;
    unsigned otherwise;               /* enum config_otherwise */
    struct config_place demand_at[2]; /* of the party's word, in the order of CONFIG_FROM_* */
    struct config_place otherwise_at, permissive_at;
    unsigned permissive_until; /* YYYYMMDD; 0: not configured */
    unsigned dma_how;          /* enum config_dma */
    unsigned dma_max_maps;     /* 0: not configured */
    char *dma_max_bytes;       /* NULL: not configured */
    struct config_list dma_ranges;
    struct config_place dma_at, dma_max_maps_at, dma_max_bytes_at;
    unsigned inject; /* enum config_inject */
    struct config_place inject_at;
    struct config_list inject_rules; /* as written: config_inject.h */
    struct dma_settings dma;         /* by config_check, from these */
    struct rules rules;              /* by config_resolve; its arrays are owned */
    struct config_place at;          /* of its route statement */
    char *trace_file;                /* absolute; NULL: the route's sessions are not captured */
    struct config_trace trace;
    struct config_place trace_at, trace_filter_at, trace_pack_at;
    struct config_place name_at, listen_at, backend_at, owner_at, group_at, sessions_at, wait_at;
    struct config_place spawn_user_at, spawn_group_at;
};

/* A user, and its primary group; of a number without an account, the same number. */
struct config_ids {
    uid_t uid;
    gid_t gid;
};

/* The identity of a file's contents. All 0 if it cannot be looked at. */
struct config_file_id {
    uint64_t dev;
    uint64_t ino;
    uint64_t size;
    uint64_t mtime_ns;
};

/* By which routes are found (config_index.h). */
enum config_by { CONFIG_BY_NAME, CONFIG_BY_LISTEN, CONFIG_BY_TRACE, CONFIG_BYS };

struct config_index;

struct config {
    struct config_route *routes;         /* in the order of the file */
    struct config_index *by[CONFIG_BYS]; /* by config_check; owned */
    size_t n_routes;
    unsigned workers; /* 0 until config_resolve: then one per core, at most LIMIT_WORKERS_DEFAULT */
    char *user;       /* the workers' user if the monitor is root: a name or a number; NULL: open */
    struct config_place workers_at, user_at, max_sessions_at, trace_buffer_at;
    struct config_ids worker;    /* by config_resolve, or if open (CONFIG_NO_UID) ... */
    struct config_ids inspector; /* ... by proxy/config/accounts.h, like these always */
    struct config_ids tracer;
    struct config_ids exporter;
    unsigned max_sessions; /* of all routes together */
    unsigned
        most_sessions; /* by config_resolve: what processes are made for, which a reload keeps */
    unsigned handshake_ms; /* default for the routes */
    unsigned orphan_ms;    /* how long workers relay without a monitor */
    enum log_level log_level;
    struct config_control control;
    char *metrics_address;         /* where metrics are served: "ADDRESS:PORT", or … */
    struct config_control metrics; /* … a socket; at most one of them is configured */
    struct config_place metrics_address_at;
    char *poem_file;                     /* replaces the built-in poem; NULL: does not */
    char *audit_file;                    /* NULL: not configured */
    char *audit_key;                     /* PEM, Ed25519 */
    unsigned audit_rotate_mib;           /* 0: never */
    unsigned trace_buffer_mib;           /* of each worker, for captures */
    unsigned on_audit_failure;           /* enum config_audit_failure */
    bool accept_loss;                    /* --accept-loss */
    struct config_list trust_keys;       /* PEM files of keys that may sign envelopes */
    struct config_list envelopes;        /* files */
    struct config_file_id *envelope_ids; /* by config_resolve, of each; owned */
    char *revoked_file;                  /* the revocation list, or NULL */
    struct config_place revoked_at;
    struct inspector_key *trusted; /* by config_resolve: the keys in trust_keys; owned */
    size_t n_trusted;
    struct inspector_revoked *revoked; /* by config_resolve: the entries of revoked_file; owned */
    size_t n_revoked;
    struct config_list files;   /* the included files, from the text's "source" statements */
    struct config_list folders; /* the patterns of "instances" */
    bool has_template;          /* there may be no route at the moment */
    char *file;                 /* the path given to config_load, absolute; otherwise NULL */
    bool from_file;             /* config_load: digest is the SHA-256 of: */
    uint8_t digest[CONFIG_DIGEST_SIZE];
    char *text; /* config_load: the file's text with those that it includes, and the names of
                 * instances (config_source.h); may be NULL */
    size_t text_size;
    struct poem_file poem; /* by config_resolve */
    struct config_place poem_at, audit_at;
};

/* Accounts to use, if they exist, for kinds of processes without a configured user. */
#define CONFIG_WORKER_ACCOUNT "poemd-worker"
#define CONFIG_INSPECTOR_ACCOUNT "poemd-inspector"
#define CONFIG_TRACER_ACCOUNT "poemd-tracer"
#define CONFIG_EXPORTER_ACCOUNT "poemd-exporter"

/* An id not chosen yet. No account can have it: (uid_t)-1 means "unchanged" to chown(2). */
#define CONFIG_NO_UID ((uid_t)-1)
#define CONFIG_MAX_SESSIONS_DEFAULT 1024u
#define CONFIG_MODE_DEFAULT 0600

/* The default path at which poemctl looks for the control socket. */
#define CONFIG_CONTROL_USUAL "/run/poemd/control.sock"

/* Initializes an empty config with the defaults. Returns 0, or -ENOMEM with c deinitialized. */
int config_init(struct config *c) __attribute__((warn_unused_result));

/* Frees all; c may be initialized again. Does nothing with a zeroed struct. */
void config_deinit(struct config *c);

/* Frees what a route owns. */
void config_route_deinit(struct config_route *r);

/* Returns true if metrics are served. */
static inline bool config_has_metrics(const struct config *c)
{
    return c->metrics.path || c->metrics_address;
}

/* Returns true if the route checks the processes that use that party's socket. */
bool config_route_watches(const struct config_route *r, enum side party);

/* Returns whether the route's clients may map the memory of its devices. */
enum config_mappable config_route_mappable(const struct config_route *r);

/* Returns a route with every default and no name or socket. */
struct config_route config_route_default(struct config_place at);

/* ---- its errors ---- */

/* More errors than this are not worth reading at once. */
#define CONFIG_ERRORS 20

struct config_error {
    struct config_place at; /* with the line as stored (config_where.h) */
    char file[256];         /* the end of the path of its included file; "": the file itself */
    char text[192];         /* printable ASCII: foreign bytes are escaped */
    char hint[192];         /* how to correct it; "" if there is nothing to add */
};

/* Needs no freeing. */
struct config_errors {
    const struct config *about; /* whose included files places refer to, while errors are added;
                                 * borrowed; NULL: none */
    size_t n;                   /* the number kept, in the order of places */
    size_t total;               /* the number added, including those not kept */
    struct config_error error[CONFIG_ERRORS];
};

void config_errors_init(struct config_errors *e);

/*
 * Adds an error, unless the same was added for the same place: a template has it for each instance.
 * hint may be NULL. Cuts texts that do not fit. If there are too many, keeps those of the first
 * lines: later ones may only be their consequences.
 */
void config_errors_add(struct config_errors *e, struct config_place at, const char *hint,
                       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for an error in an included file, or "" in the file itself. */
void config_errors_add_in(struct config_errors *e, const char *file, struct config_place at,
                          const char *hint, const char *text);

/*
 * Prints "FILE:LINE:COLUMN: error: text" and "    hint: …" for each error; without line and column
 * if it has no place. Escapes name.
 */
void config_errors_print(const struct config_errors *e, const char *name, FILE *to);

/* ---- reading it ---- */

/*
 * Parses the n bytes at p into c, which config_init has initialized. Pure, apart from memory.
 * Returns 0, -EINVAL with errors added to e (c has the valid parts), or -ENOMEM.
 */
int config_parse(struct config *c, const void *p, size_t n, struct config_errors *e)
    __attribute__((warn_unused_result));

/*
 * Checks across statements (names and sockets used twice, contradicting limits), and gives the
 * routes the common defaults. A part of config_parse and config_single. Pure. Returns 0, -EINVAL
 * with errors added to e, or -ENOMEM.
 */
int config_check(struct config *c, struct config_errors *e) __attribute__((warn_unused_result));

/*
 * Decides whether the route's capture is packed, and names its file so. Part of config_check, and
 * for a file that is set later. Returns 0 or -ENOMEM.
 */
int config_settle_trace(struct config_route *r) __attribute__((warn_unused_result));

/*
 * Looks up the ids of users and groups, reads the poem, and sets the number of workers if not
 * configured. Returns 0, or -EINVAL with errors added to e.
 */
int config_resolve(struct config *c, struct config_errors *e) __attribute__((warn_unused_result));

/*
 * Loads the file into c, which config_init has initialized: parses and resolves. Returns 0, -EINVAL
 * with the file's errors added to e, or another -errno if it could not be read (not in e).
 */
int config_load(struct config *c, const char *path, struct config_errors *e)
    __attribute__((warn_unused_result));

/*
 * Does the same with the text (config->text) that the file had at another time, with all that it
 * includes; takes text_fd. Returns -EIO if it cannot be read.
 */
int config_load_text_take(struct config *c, const char *path, int text_fd, struct config_errors *e)
    __attribute__((warn_unused_result));

/*
 * Gives c, which config_init has initialized, one route listen -> backend (copied) with every
 * default. It is named after the listening socket's file, without folder and ".sock", with "_" for
 * bytes that are invalid in names. Returns 0, -EINVAL with errors added to e, without a place, or
 * -ENOMEM. The caller resolves c.
 */
int config_single(struct config *c, const char *listen, const char *backend,
                  struct config_errors *e) __attribute__((warn_unused_result));

/*
 * Replaces the control socket's path in c; mode and owner stay. The caller resolves c. Returns 0,
 * -EINVAL with errors added to e, without a place, or -ENOMEM.
 */
int config_set_control(struct config *c, const char *path, struct config_errors *e)
    __attribute__((warn_unused_result));

#endif
