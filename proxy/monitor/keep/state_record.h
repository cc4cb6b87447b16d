/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The records in the monitor's state file (state_file.h), and their checks. They refer to each
 * other by numbers and names, never by pointers. A reader checks each as it would a peer's bytes.
 * Pure.
 */
#ifndef POEMD_PROXY_MONITOR_KEEP_STATE_RECORD_H
#define POEMD_PROXY_MONITOR_KEEP_STATE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/side.h"
#include "base/wire/wire.h"
#include "handshake/recital.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/session_page.h"
#include "proxy/ipc/session_settings.h"
#include "proxy/ipc/session_state.h"

/*
 * Changes with every change of a record, or of a field's meaning; and of a message to the tracer
 * (trace/capture/tracer_channel.h), which lives on.
 */
#define STATE_VERSION 2u

/* Of a configuration file's SHA-256; all zero: not from a file. */
#define STATE_DIGEST 32u

/* The room for a time in the form of audit records, with its NUL. */
#define STATE_TIME 32u

enum state_kind {
    STATE_FREE,
    STATE_TEXT, /* the rest of another block's text */
    STATE_SESSION,
    STATE_ENDED, /* a session that has ended, with its audit record as its text */
    STATE_WORKER,
    STATE_ROUTE,
    STATE_REFUSAL,
    STATE_CAPTURE, /* one that runs, with its filter as its text */
    STATE_KINDS,
};

/* The broker's: at the beginning of the file. */
struct state_head {
    uint32_t version; /* STATE_VERSION */
    uint32_t blocks;  /* number of blocks behind it */
    uint64_t started_ms;
    uint64_t last_session; /* the last numbers used */
    uint64_t last_worker;
    uint64_t last_refusal;
    uint64_t last_text;
    uint64_t last_capture; /* … of sessions, workers, refusals, texts of configurations, captures */
    uint64_t resumed;      /* as in struct monitor_session_table */
    uint32_t taint;
    uint32_t observed;
    uint32_t planned; /* 1: the monitor was to be replaced, by an upgrade */
    int32_t keeper;   /* pid of the monitor's parent */
    int32_t tracer;   /* pid, or 0 */
    uint32_t zero;
    uint8_t digest[STATE_DIGEST];     /* of the configuration in force */
    int32_t monitors[LIMIT_MONITORS]; /* their pids, the newest first; 0: none */
};

/* Bits of a session. */
enum state_bit {
    STATE_QUIET = 1 << 0,
    STATE_HELD = 1 << 1,
    STATE_MUTED = 1 << 2,
    STATE_IS_FRESH = 1 << 3,
    STATE_DENIED = 1 << 4,
    STATE_UNRECORDED = 1 << 5,
    STATE_OPENED = 1 << 6,
    STATE_COUNTED = 1 << 7,
    STATE_HEARD = 1 << 8,
    STATE_ENDING = 1 << 9,
    STATE_RESUMING = 1 << 10,
    STATE_IN_HAND = 1 << 11,
    STATE_EXPORTING = 1 << 12,
    STATE_RELOOKS = 1 << 13, /* looked has its executables */
    STATE_BITS = (1 << 14) - 1,
};

/* A party's executable (proxy/monitor/relook.h). */
struct state_looked {
    int32_t pid; /* 0: its executable was never known */
    uint32_t looks;
    uint32_t changed; /* 1: it has changed, which has been reported */
    uint32_t dev_major;
    uint32_t dev_minor;
    uint32_t zero;
    uint64_t inode;
    uint64_t size;
    int64_t mtime;
    int64_t ctime;
    char first[STATE_TIME];
    char last[STATE_TIME];
};

/* A session; fields as in struct monitor_session. Its text: the facts of its verdict. */
struct state_session {
    uint64_t id;
    uint64_t accepted_ms;
    uint64_t record;
    uint64_t overdue;
    uint64_t worker; /* the serial of the process that has or had it; 0: none */
    struct ipc_count to_backend;
    struct ipc_count to_client;
    uint32_t slot;
    uint32_t state;      /* enum session_state */
    uint32_t bits;       /* enum state_bit */
    uint32_t request_id; /* at most UINT16_MAX */
    uint32_t asked;      /* enum session_reason */
    uint32_t lost_by;    /* enum session_reason */
    int32_t verdict_err;
    uint32_t gone;
    uint32_t taint;
    uint32_t observed;
    uint32_t taint_of[SIDES];
    uint32_t resumed;
    int32_t resumed_from;
    struct sender_check_settings senders;
    int32_t device; /* pids of the spawned backend and of its guard; 0: none */
    int32_t guard;
    uint64_t device_ms; /* … since when */
    uint32_t suspect_set;
    uint32_t suspect_way;
    uint64_t suspect_taken;
    struct wire_hdr suspect_hdr;
    struct state_looked looked[SIDES];
    uint8_t digest[STATE_DIGEST]; /* of the configuration under which it began */
    char route[LIMIT_NAME + 1];
    uint8_t zero[7];
};

/* A session that has ended. */
struct state_ended {
    uint64_t id;
    uint64_t least; /* its record's number in the log is at least this */
};

/* A worker's process, or one that is gone but whose pages are still needed. */
struct state_worker {
    uint64_t serial;
    uint32_t number; /* in the pool */
    int32_t pid;     /* 0: gone */
    int32_t gone_pid;
    uint32_t zero;
};

struct state_route {
    struct recital_id self;
    uint32_t taint;
    uint32_t observed;
    uint64_t begun;
    uint64_t resumed;
    uint64_t overdue;
    char name[LIMIT_NAME + 1];
    uint8_t zero[7];
};

/* A client that is to be refused (proxy/monitor/workers/worker_pool_refuse.h). */
struct state_refusal {
    uint64_t number;
    uint64_t until_ms;
    uint32_t err;
    uint32_t heard; /* 1: its request has been read, with this id: */
    uint32_t id;
    uint32_t zero;
};

/* A capture that the tracer has; fields as in struct capture. */
struct state_capture {
    uint64_t number;
    uint64_t session; /* 0: the route's */
    uint32_t payload;
    uint32_t memory_mib;
    uint32_t configured; /* 1: the next monitor begins another one instead */
    char route[LIMIT_NAME + 1];
    uint8_t zero[3];
};

/* Returns true if the head is one of this version, and its enums and numbers are in range. */
bool state_record_head_sound(const struct state_head *h);

/* Returns the size of a kind's record; 0: it has none. */
size_t state_record_size(enum state_kind kind);

/* Returns true if the record's enums and numbers are in range, and its texts are terminated. */
bool state_record_sound(enum state_kind kind, const void *record);

#endif
