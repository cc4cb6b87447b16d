/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Every limit of the broker, in one place, each with its why.
 *
 * A limit that a test exercises is tested at the limit and one past it. A
 * number that two rooms must agree on stands here and nowhere else.
 */
#ifndef POEMD_BASE_LIMITS_H
#define POEMD_BASE_LIMITS_H

/* ---- one message ---- */

/* The kernel refuses more than this many fds in one sendmsg (SCM_MAX_FD, not exported). */
#define LIMIT_FDS_KERNEL 253

/* A peer that names no max_msg_fds can receive this many ("must assume a value of 1"). */
#define LIMIT_FDS_DEFAULT 1

/* A peer that names no max_data_xfer_size takes this many bytes of data in a message. */
#define LIMIT_DATA_XFER_DEFAULT 1048576u

/*
 * A peer that names no max_bitmap_size takes so many bytes of a dirty bitmap: a bit for each page
 * of 4 KiB of 8 TiB, the largest map that libvfio-user takes. QEMU names the same number.
 */
#define LIMIT_BITMAP_DEFAULT 268435456u

/*
 * Bytes a message may have beside its data: header, the fixed part of any command, and room for
 * the lists that neither limit bounds (sparse areas, irq vectors, a feature's data). The largest
 * legal list is SET_IRQS with 2048 MSI-X vectors of one byte each, or an IO-fd list; 64 KiB holds
 * either with room.
 */
#define LIMIT_MESSAGE_OVERHEAD 65536u

/*
 * A message of which the specification bounds nothing, in bytes: as large as the largest dirty
 * bitmap. It is the receiver's to refuse, as without a broker; nothing of it is kept here. What is
 * larger is not taken for a message, since no stream of messages would go on behind it.
 */
#define LIMIT_MESSAGE (LIMIT_BITMAP_DEFAULT + LIMIT_MESSAGE_OVERHEAD)

/*
 * Requests of one side under way that ask for a larger reply than the side said that it takes, and
 * whose replies are judged by what was asked for; 12 bytes each, from the first one on. QEMU asks
 * for none, libvfio-user's sample client for one at a time. Of more the oldest are forgotten.
 */
#define LIMIT_ASKED 64u

/*
 * The VERSION exchange's JSON, NUL included. QEMU sends 194 bytes, the whole poem needs some KiB,
 * and peers put what they like into keys of their own: libvfio-user takes up to 1 MiB.
 */
#define LIMIT_VERSION_JSON 65536u

/* What the broker may add to it: its demand for a recital, or the poem with all characters escaped.
 */
#define LIMIT_VERSION_ADDED 32768u

/*
 * Fds that are kept of a VERSION message: a twin socket's, and one more, which shows that there
 * were too many.
 */
#define LIMIT_FDS_VERSION 2u

/* Nesting of that JSON. The specification needs 3 levels; a recursive parser must have an end. */
#define LIMIT_JSON_DEPTH 16u

/* ---- the relay ---- */

/*
 * How much a direction looks at before it takes messages off the socket. Large enough for 128
 * small messages in one turn, small enough that looking twice at it costs nothing.
 */
#define LIMIT_PEEK 4096u

/*
 * The queue bound of one direction. A message up to this size is held whole and leaves by one
 * sendmsg where the socket takes it (a default AF_UNIX socket took 219,264 bytes at once); a larger
 * one streams through in pieces. As large as what such a socket holds, so that one turn empties
 * it: at half the size, 1 MiB reads passed at 0.84 of the barest relay's rate instead of 1.0.
 */
#define LIMIT_QUEUE 262144u

/* Turns a direction may take before others have theirs: fairness against a flood. */
#define LIMIT_TURNS 8

/* ---- looks at executables ---- */

/*
 * Between two looks of a session: a second, since one takes six system calls in the monitor, and
 * there may be thousands of sessions; a day at most, behind which the looks would say little.
 */
#define LIMIT_LOOK_LEAST_MS 1000u
#define LIMIT_LOOK_MOST_MS 86400000u

/* ---- fds of peers that a worker has ---- */

/*
 * Fds of one session that its worker may hold or have in flight at once, sent and not received. So
 * many are every session's own where the limit of open files has room for it: the largest message
 * of either direction, and what one read may bring beyond it.
 */
#define LIMIT_FDS_SHARE 254u

/*
 * Beside the shares, for the sessions of one worker together: a session whose share is smaller than
 * a message needs gets the rest from here. Four such messages at once.
 */
#define LIMIT_FDS_SPARE 1016u

/* How often it is looked whether fds of ended sessions have been received, in ms. */
#define LIMIT_LINGER_MS 200

/* Below this the log warns of the limit of open files: QEMU takes 16 fds with a message. */
#define LIMIT_FDS_SHARE_USUAL 17u

/*
 * How long a session that is beyond its share, or waits because its own fds have not been received,
 * may go on without one of them being received, in ms: QEMU waits 5 s for a reply, so a device that
 * has not read for longer is lost to it anyway.
 */
#define LIMIT_FDS_UNREAD_MS 5000u

/* A direction that waits for fds to be received looks again after this many ms, doubled each time.
 */
#define LIMIT_PAUSE_MS 1u
#define LIMIT_PAUSE_MAX_MS 128u

/*
 * How long a receiver may take nothing while something waits to be sent to it, in ms: Linux guests
 * give a disk's command 30 s before they give up on it. The most that may be configured is an hour.
 */
#define LIMIT_STALL_MS 30000u
#define LIMIT_STALL_MOST_MS 3600000u

/*
 * Reads of a session's socket in which it is noted whether the process that connected or listened
 * uses it, or another. QEMU asks a new device some fifty things; it costs a little with each.
 */
#define LIMIT_WITNESS_LOOKS 64u

/* A session whose party's process is gone goes on for so many ms at least, for its stream's end. */
#define LIMIT_GONE_MS 100u

/* How often a session in which something waits is looked at, in ms. */
#define LIMIT_STALL_LOOK_MS 500u

/* ---- DMA ---- */

/*
 * Maps of one session alive, where a route's "dma" words have them kept: as many as QEMU asks for
 * in its VERSION request (65,535), and no more than is agreed there. 280 bytes each.
 */
#define LIMIT_DMA_MAPS 65536u

/*
 * Maps that may have an address in common. An unmapping cuts each of them in two, so that this many
 * times log n is what it costs. QEMU has two at most, an old one whose unmapping is not answered
 * yet and the new one; libvfio-user refuses the second.
 */
#define LIMIT_DMA_OVERLAP 16

/*
 * Requests of one side of a session whose replies are awaited, 72 bytes each. QEMU sends its maps
 * without waiting for replies, some twenty of them; beyond this a map is refused, and a reply that
 * the broker makes may come before one that is under way with the same id.
 */
#define LIMIT_DMA_REQUESTS 4096u

/* Ranges of memory that one route names. */
#define LIMIT_DMA_RANGES 16u

/* ---- the handshake ---- */

/* The whole handshake by default, in milliseconds. QEMU gives its VERSION request 5 s by default.
 */
#define LIMIT_HANDSHAKE_MS 4000

/*
 * … and the longest that a configuration may ask for, where clients are known to wait longer
 * (QEMU's x-msg-timeout): so long a silent peer keeps one of the route's sessions.
 */
#define LIMIT_HANDSHAKE_MAX_MS 600000

/* After one side has closed, how long the other may take to read what is left, in ms. */
#define LIMIT_DRAIN_MS 5000

/* How often an absent or busy backend is dialled again, in milliseconds. */
#define LIMIT_REDIAL_MS 20

/* ---- the daemon ---- */

/* Relay workers at the most; the default is one per core up to this. */
#define LIMIT_WORKERS_DEFAULT 4
#define LIMIT_WORKERS 64

/* Sessions of one route by default: a device serves one client. */
#define LIMIT_SESSIONS_ROUTE_DEFAULT 1

/* Sessions of one route and of the whole daemon that a configuration may ask for. */
#define LIMIT_SESSIONS 65536

/* Routes in one configuration. */
#define LIMIT_ROUTES 4096

/*
 * Clients being refused at once, per worker: each only waits for its VERSION request to be
 * answered. Where more come, the oldest is closed unanswered: nothing may grow.
 */
#define LIMIT_REFUSALS 64

/*
 * Copies of their sockets that the monitor keeps, per worker: those, and as many whose end is on
 * its way from the worker.
 */
#define LIMIT_REFUSALS_KEPT (2 * LIMIT_REFUSALS)

/*
 * Descriptors a worker needs beside two per session (four with twin_socket): its
 * loop, its channel, the log, the largest message's fds in transit in both directions.
 */
#define LIMIT_WORKER_SPARE_FDS 640

/* A session's sockets: client, backend, and both twin sockets. */
#define LIMIT_FDS_PER_SESSION 4

/*
 * A worker's address space in bytes: the program, its libraries and their heaps, refusals with
 * their VERSION messages, and what malloc loses to fragments (40 MiB were measured).
 */
#define LIMIT_WORKER_MEMORY (256ull << 20)

/*
 * ... and for each session: a queue each way on two pairs of sockets (LIMIT_QUEUE), the handshake's
 * messages and JSON trees, as much again of fragments.
 */
#define LIMIT_MEMORY_PER_SESSION (2ull << 20)

/* ... and if its maps are kept, LIMIT_DMA_MAPS of them and the requests of both sides. */
#define LIMIT_MEMORY_PER_DMA_SESSION (24ull << 20)

/*
 * The tracer's address space in bytes, beside rings and the flight recorders of routes: the
 * program, and captures in memory that are asked for on the control socket, of
 * LIMIT_CONTROL_MEMORY_MIB each; beyond it the next of them cannot begin.
 */
#define LIMIT_TRACER_MEMORY (4ull << 30)

/*
 * Where a route is full, so many of its sessions are looked at for clients that have gone: one
 * system call, however many connections come.
 */
#define LIMIT_ENDING 64

/* How long a start waits for another one that listens at the same path at this moment, in ms. */
#define LIMIT_LISTEN_LOCK_MS 1000u

/* Accept queue of a listening socket; the kernel cuts it to net.core.somaxconn. */
#define LIMIT_BACKLOG 128

/* Connections taken in one turn of the loop, so that a flood of them starves nobody. */
#define LIMIT_ACCEPTS 32

/* A dead worker is started again after this many ms, doubled each time up to the second. */
#define LIMIT_RESPAWN_MS 50
#define LIMIT_RESPAWN_MAX_MS 5000

/*
 * Each worker, the inspector and the tracer is asked every so many ms whether it still makes its
 * turns. Twice a second: two system calls of each side, and a process that hangs gets new work for
 * half a second at the most.
 */
#define LIMIT_BEAT_MS 500u

/*
 * Silence, in ms, after which one is killed: above any turn by a factor of hundreds, and short
 * enough that, with a beat before it and a new worker after it, a client is still answered within
 * the handshake's time.
 */
#define LIMIT_SILENT_MS 2000u

/* The same until it begins its work: it is executed, linked, and gives up its rights. */
#define LIMIT_START_MS 10000u

/* The same where it waits for a disk in the kernel, where it cannot be killed anyway. */
#define LIMIT_HELD_MS 10000u

/*
 * A process that has been killed is gone within microseconds, unless the kernel holds it. After so
 * many beats it is left behind: its sessions end, and another one is started.
 */
#define LIMIT_KILLED_BEATS 2u

/*
 * What the monitor adds to a handshake's time before it ends that itself, in ms: the worker has its
 * own timer, and is given the time for its answer. A client of QEMU's waits for 5 s.
 */
#define LIMIT_HANDSHAKE_GRACE_MS 250u

/* A worker that has been asked to end a session has so long, in ms; then the monitor ends it. */
#define LIMIT_END_MS 1000u

/*
 * A worker may know a session for so many answered beats after the monitor has ended it: longer
 * than any turn. One that never reports its end is not a worker any more.
 */
#define LIMIT_DISOWNED_BEATS 20u

/*
 * After so many ms of a turn of the loop the kernel is asked for news, whatever is left to do. No
 * turn is to take 5: the callback that is under way may take as much again, and giving memory back
 * takes 3 after thousands of sessions.
 */
#define LIMIT_TURN_MS 1

/*
 * Memory goes back to the kernel so many ms after so many sessions have begun or ended: not for a
 * few, since it takes a millisecond for thousands of them, and they leave less than a MiB.
 */
#define LIMIT_HEAP_REST_MS 1000
#define LIMIT_HEAP_CHANGES 64u

/* ---- what peers may have written ---- */

/*
 * Sessions of one user on one route that come to nothing (denied, a handshake that fails, a backend
 * that is absent) and have lines and records of their own: so many at once, then one each so many
 * ms. A client that is misconfigured and tries each second is seen each time; one that tries as
 * fast as it can writes some 4 KiB a second.
 */
#define LIMIT_REPEAT_BURST 64u
#define LIMIT_REPEAT_MS 1000u

/* The others are counted for so many ms, then told as one line and one record. */
#define LIMIT_REPEAT_TELL_MS 10000u

/* … of so many users in one turn of the loop. */
#define LIMIT_REPEAT_TURN 32u

/* Users on routes that are told apart, some 500 bytes each; all others of a route are one. */
#define LIMIT_REPEAT_PEERS 1024u

/*
 * Sessions of one user on one route that are let in and end within LIMIT_BRIEF_MS: each has its
 * records, some 4 KiB. After so many at once the next ones wait: one goes on each so many ms, so
 * that nobody writes more than 16 KiB a second. A burst is as large as a host that starts all its
 * guests and ends them again soon; sessions that last are not counted.
 */
#define LIMIT_BRIEF_MS 10000u
#define LIMIT_BRIEF_BURST 64u
#define LIMIT_BRIEF_INTERVAL_MS 250u

/* The same without an audit log: nothing waits, and beyond this there are no lines, of 500 bytes.
 */
#define LIMIT_MUTE_BURST 512u

/* Lines on an audit log that can and cannot be written: so many at once, then one each so many ms.
 */
#define LIMIT_AUDIT_LINES 8u
#define LIMIT_AUDIT_LINES_MS 10000u

/* Lines on control clients that may not ask, the same. */
#define LIMIT_STRANGER_LINES 16u
#define LIMIT_STRANGER_LINES_MS 4000u

/* Lines on the devices of one route that start and end: so many at once, then one each so many ms.
 */
#define LIMIT_DEVICE_LINES 64u
#define LIMIT_DEVICE_LINES_MS 1000u

/*
 * How long processes may take to end their sessions when the broker stops, and how long those that
 * were killed then may take to go: together below the 2 s in which SIGTERM is to be obeyed.
 */
#define LIMIT_STOP_MS 1500u
#define LIMIT_STOP_KILLED_MS 300u

/* ---- the control socket ---- */

/* Clients at once: operators and their tools; each capture that is held is one. */
#define LIMIT_CONTROL_CLIENTS 64

/* How long a client may take to ask, and to read each part of its answer, in milliseconds. */
#define LIMIT_CONTROL_MS 5000

/* How long workers may take to say what has passed; then what was known last is told. */
#define LIMIT_CONTROL_COUNT_MS 1000

/* What a capture that is asked for may keep: of a message's data, and in memory altogether. */
#define LIMIT_CONTROL_PAYLOAD 1048576u
#define LIMIT_CONTROL_MEMORY_MIB 1024u

/* Parts of an answer in one turn of the loop. */
#define LIMIT_CONTROL_TURN 32

/* ---- devices that the broker starts ---- */

/*
 * A device whose session is over sees the end of its socket and may write back what it holds. After
 * so many ms it is told by SIGTERM, and killed so many after that.
 */
#define LIMIT_DEVICE_END_MS 1000
#define LIMIT_DEVICE_TERM_MS 2000

/*
 * What it writes to its standard output and error: bytes of a line, and lines a second of all
 * devices of a route together: each session may be another device.
 */
#define LIMIT_OUTPUT_LINE 512u
#define LIMIT_OUTPUT_RATE 50u

/* ---- the configuration language ---- */

#define LIMIT_CONFIG_FILE (1u << 20)
#define LIMIT_CONFIG_LINE 1024u
#define LIMIT_CONFIG_DEPTH 8u
#define LIMIT_NAME 64u

/* ---- traces ---- */

/*
 * Names of a folder with traces that are looked at in one turn of the monitor's loop, each with two
 * system calls at the most: some 100 us. A folder of 100,000 takes a few thousand turns, in which
 * the old file is written on.
 */
#define LIMIT_TRACING_NAMES 32u

/* Wireshark 4.0 refuses a file with a packet of which more bytes were captured. */
#define LIMIT_TRACE_PACKET 262144u

/*
 * The largest block that a reader takes of those that it must understand: the largest packet with
 * the longest comment is some 300 KiB; it is the reader's whole memory for the file.
 */
#define LIMIT_TRACE_BLOCK (1u << 20)

/*
 * Interfaces of one section, and sessions of one trace, that a reader keeps: as many as the daemon
 * may have at once, sixteen times over, since a trace outlives its sessions.
 */
#define LIMIT_TRACE_INTERFACES (16u * LIMIT_SESSIONS)

/* Bytes of all sessions' names and comments: 1 KiB for each of LIMIT_SESSIONS. */
#define LIMIT_TRACE_TEXTS (64u << 20)

/*
 * Requests that a filter keeps until their replies say whether they are wanted, in bytes: some
 * 16,000 of the usual size, a thousand times as many as a client has waiting at once.
 */
#define LIMIT_FILTER_KEPT 4194304u

/*
 * Bytes of a session that is played again, which lies in memory as a whole: hours of a busy device.
 * And of one message that comes then; who negotiated more is not served.
 */
#define LIMIT_REPLAY_BYTES (1ull << 30)
#define LIMIT_REPLAY_MESSAGE (64u << 20)

/* ---- inspections ---- */

/*
 * What one user may have inspected on one route, in bytes: at once (two of the largest files, or
 * dozens of common ones), and then in each second (a common device's executable).
 */
#define LIMIT_INSPECT_CREDIT (1LL << 30)
#define LIMIT_INSPECT_REFILL (32LL << 20)

/* What an inspection costs besides the file's size, in bytes: package and envelopes are read too.
 */
#define LIMIT_INSPECT_COST (1ll << 20)

/*
 * Users on routes whose credit is remembered, 72 bytes each; an idle one that owes nothing is
 * forgotten for the next. And requests of one of them that wait: twice a route's usual sessions.
 */
#define LIMIT_INSPECT_SHARES 1024u
#define LIMIT_INSPECT_WAITING 64u

/* A file whose inspection took too long is not begun again for so many ms; 64 such are known. */
#define LIMIT_INSPECT_SLOW_MS 60000
#define LIMIT_INSPECT_SLOW 64u

/* ---- licences ---- */

/*
 * An SPDX expression: bytes, licences, parentheses in each other. Debian's longest copyright files
 * come to some 60 different licences; four times as many are held.
 */
#define LIMIT_SPDX_TEXT 4096u
#define LIMIT_SPDX_TERMS 256u
#define LIMIT_SPDX_DEPTH 64u

#endif
