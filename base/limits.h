/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Every limit of the broker, in one place, each with its reason.
 *
 * A limit that a test exercises is tested at the limit and one past it. A number that several rooms
 * share is defined here only.
 */
#ifndef POEMD_BASE_LIMITS_H
#define POEMD_BASE_LIMITS_H

/* ---- one message ---- */

/* The kernel refuses more than this many fds in one sendmsg (SCM_MAX_FD, not exported). */
#define LIMIT_FDS_KERNEL 253

/* Number of fds that a peer can receive if it names no max_msg_fds ("must assume a value of 1"). */
#define LIMIT_FDS_DEFAULT 1

/* Bytes of data per message for a peer that names no max_data_xfer_size. */
#define LIMIT_DATA_XFER_DEFAULT 1048576u

/*
 * Bytes of a dirty bitmap for a peer that names no max_bitmap_size: a bit for each page of 4 KiB of
 * 8 TiB, the largest map that libvfio-user accepts. QEMU names the same number.
 */
#define LIMIT_BITMAP_DEFAULT 268435456u

/*
 * Bytes of a message in addition to its data: header, the fixed part of any command, and the lists
 * that neither limit bounds (sparse areas, irq vectors, a feature's data). The largest legal list
 * is SET_IRQS with 2048 MSI-X vectors of one byte each, or an IO-fd list; 64 KiB holds either with
 * room.
 */
#define LIMIT_MESSAGE_OVERHEAD 65536u

/*
 * Bytes of a message that the specification does not bound: as large as the largest dirty bitmap.
 * Refusing it is up to the receiver, as without a broker; nothing of it is kept here. Anything
 * larger is not treated as a message, since no stream of messages would continue after it.
 */
#define LIMIT_MESSAGE (LIMIT_BITMAP_DEFAULT + LIMIT_MESSAGE_OVERHEAD)

/*
 * Outstanding requests of one side for a reply above the side's declared limit; such replies are
 * judged by their requests. QEMU sends none, libvfio-user's sample client one at a time. 8 bytes
 * each, for four directions in the session's page, which with more of them would not fit its 2,048
 * bytes. Beyond this the oldest are forgotten.
 */
#define LIMIT_ASKED 16u

/*
 * Bytes of the VERSION exchange's JSON, including NUL. QEMU sends 194 bytes, the whole poem needs
 * some KiB, and peers may add keys of their own: libvfio-user accepts up to 1 MiB.
 */
#define LIMIT_VERSION_JSON 65536u

/*
 * Bytes that the broker may add: its demand for a recital, or the poem with all characters escaped.
 */
#define LIMIT_VERSION_ADDED 32768u

/*
 * Fds kept of a VERSION message: a twin socket's, and one more, which shows that there were too
 * many.
 */
#define LIMIT_FDS_VERSION 2u

/* Nesting of that JSON. The specification needs 3 levels; a recursive parser must have a limit. */
#define LIMIT_JSON_DEPTH 16u

/* ---- the relay ---- */

/*
 * Bytes that a direction looks at before it takes messages off the socket. Large enough for 128
 * small messages in one turn, small enough that looking twice costs nothing.
 */
#define LIMIT_PEEK 4096u

/*
 * Queue limit of one direction. A message up to this size is held whole and leaves by one sendmsg
 * if the socket takes it (a default AF_UNIX socket took 219,264 bytes at once); a larger one
 * streams through in pieces. About the capacity of such a socket, so that one turn empties it: at
 * half the size, 1 MiB reads passed at 0.84 of a minimal relay's rate instead of 1.0.
 */
#define LIMIT_QUEUE 262144u

/*
 * Queues of a worker whose bytes outlive it, and as many that it may take over from others: 33 MiB
 * each, of address space and of a file's size, and of memory as far as they are in use. Only slow
 * peers keep a queue. Beyond it queues are the worker's alone, and end with it.
 */
#define LIMIT_HELD 128u

/*
 * How long a worker may look for messages before it sleeps ("busy-poll"), in us: longer than a
 * device needs for an answer from memory, and short enough that the worker's timers, which wait
 * that long, are not late.
 */
#define LIMIT_BUSY_POLL_MOST_US 1000u

/*
 * Chunks of a worker in which the gates of its sessions keep what outlives it, a page of memory
 * each, and as many that it may take over from others: 16 MiB each, of address space and of a
 * file's size, and of memory as far as they are in use. A session with "dma" statements has one for
 * about 20 maps. Beyond it a session ends with its worker.
 */
#define LIMIT_GATE_CHUNKS 4096u

/* Reads that a direction may do before others have their turn: fairness against a flood. */
#define LIMIT_TURNS 8

/* ---- replies that do not come ---- */

/*
 * Age at which a client's request is answered in the device's stead, in ms: QEMU waits 5 s for a
 * reply (x-msg-timeout), and a later one with a body destroys its device. Half a second is for the
 * way there, and for a machine under load. A configuration may set up to an hour.
 */
#define LIMIT_ANSWER_MS 4500u
#define LIMIT_ANSWER_MOST_MS 3600000u

/*
 * Part of that time that a request gets while the device has sent no reply since an earlier one was
 * answered so: about 110 ms. QEMU's monitor stands still meanwhile, and may have to wait for a few
 * of them: a reset of a device is several requests, and a guest that polls may get the lock first.
 */
#define LIMIT_ANSWER_SILENT_PART 40u

/*
 * Interval of looks at requests that cannot be passed on yet, since the device takes nothing, in
 * ms. They are answered earlier by up to this time, since their age is not known better.
 */
#define LIMIT_LOOK_AHEAD_MS 250u

/*
 * Requests of a client that are watched at once, 8 bytes each, and late replies that are awaited, 2
 * bytes each: together they leave a session within a page. QEMU waits for one request at a time,
 * and for the youngest of about twenty maps.
 */
#define LIMIT_OVERDUE_REQUESTS 40u
#define LIMIT_OVERDUE_REPLIES 96u

/*
 * Replies to newer requests after which a late one is no longer expected once its id is used again:
 * more than a device can put before it, and less than 65,536, after which QEMU's ids repeat.
 */
#define LIMIT_OVERDUE_STALE 4096u

/* ---- a device that is restarted ---- */

/*
 * What is kept of a session on a route with "on backend loss hold", so that a new process of its
 * device can be given it. QEMU has about twenty maps and one eventfd for each interrupt; a guest
 * with many DIMMs or an NVMe disk with a queue for each of 256 vCPUs stays within these.
 */
#define LIMIT_SETUP_MAPS 4096u
#define LIMIT_SETUP_FDS 512u

/* Vectors of one interrupt index: those of MSI-X (PCI Express Base Specification, 7.7.2.2). */
#define LIMIT_SETUP_VECTORS 2048u

/*
 * Requests under way, and their bytes in all. One that does not fit is not sent again, but answered
 * with an error. QEMU has one, and some maps that it does not wait for.
 */
#define LIMIT_SETUP_REQUESTS 256u
#define LIMIT_SETUP_REQUEST_BYTES 65536u

/* Requests of a device that its client has not answered. libvfio-user has one at a time. */
#define LIMIT_SETUP_ASKED 256u

/*
 * Answers about the device: one about itself, nine regions, five interrupts, each perhaps in two
 * sizes; and the longest, with a list of areas.
 */
#define LIMIT_SETUP_INFOS 64u
#define LIMIT_SETUP_INFO 4096u

/* Time that a new process has to take all of it, in ms: a few hundred messages at 50 us each. */
#define LIMIT_REATTACH_MS 3000u

/*
 * Time for a running device's replacement, in ms, or three quarters of "answer-after" if that is
 * less; and after that for the old process to run again: together below the 5 s for which QEMU
 * waits for a reply.
 */
#define LIMIT_REPLACE_MS 4000u
#define LIMIT_REPLACE_BACK_MS 700u

/*
 * Time, above the limits of all its steps, in which a worker must report how a replacement has
 * ended, in ms: a busy one needs less; one that does not has its session ended.
 */
#define LIMIT_REPLACE_REPORT_MS 10000u

/*
 * The pause between looks whether requests are under way, in ms. A client may answer the device
 * only when its own request, which is held, has been answered: so holding alternates with letting
 * pass.
 */
#define LIMIT_REPLACE_LOOK_MS 20u

/* Bytes of a device's state in one message: at 64 KiB, the calls cost less than the copying. */
#define LIMIT_REPLACE_PART 65536u

/* Requests in a row to which a device does not reply in time, after which it counts as lost. */
#define LIMIT_HOLD_MISSED 3u

/* The longest time to hold a session, in ms: a day. */
#define LIMIT_HOLD_MOST_MS 86400000u

/* Pauses between attempts to reach a new process of a device, in ms. */
#define LIMIT_HOLD_DIAL_MS 20u
#define LIMIT_HOLD_DIAL_MOST_MS 1000u

/* ---- looks at executables ---- */

/*
 * Interval of a session's looks: at least a second, since one takes six system calls in the
 * monitor, and there may be thousands of sessions; at most a day, beyond which looks would mean
 * little.
 */
#define LIMIT_LOOK_LEAST_MS 1000u
#define LIMIT_LOOK_MOST_MS 86400000u

/* ---- peers' fds in a worker ---- */

/*
 * Fds of one session that its worker may hold or have in flight (sent, not received) at once. Every
 * session has this share if the limit of open files permits: the largest message of either
 * direction, and the excess that one read may bring.
 */
#define LIMIT_FDS_SHARE 254u

/*
 * Further fds for the sessions of one worker together: a session with a share too small for a
 * message gets the rest from here. Enough for four such messages at once.
 */
#define LIMIT_FDS_SPARE 1016u

/* Interval of checks that fds of ended sessions have been received, in ms. */
#define LIMIT_LINGER_MS 200

/* Below this the log warns about the limit of open files: QEMU accepts 16 fds with a message. */
#define LIMIT_FDS_SHARE_USUAL 17u

/*
 * Time limit, in ms, for a session above its share, or waiting because its own fds are unreceived,
 * until one of them is received: QEMU waits 5 s for a reply, so a device that has not read for
 * longer is lost to it anyway.
 */
#define LIMIT_FDS_UNREAD_MS 5000u

/* A direction that waits for fds to be received looks again after this many ms, doubled each time.
 */
#define LIMIT_PAUSE_MS 1u
#define LIMIT_PAUSE_MAX_MS 128u

/*
 * How long a receiver may take nothing while something waits to be sent to it, in ms: Linux guests
 * give a disk's command 30 s before they give up on it. A configuration may set up to an hour.
 */
#define LIMIT_STALL_MS 30000u
#define LIMIT_STALL_MOST_MS 3600000u

/*
 * Reads of a session's socket during which use by another process than the one that connected or
 * listened is noted. QEMU sends a new device about fifty requests; each look costs a little.
 */
#define LIMIT_WITNESS_LOOKS 64u

/* How long a session goes on at least after a party's process is gone, to finish its stream. */
#define LIMIT_GONE_MS 100u

/* Interval of looks at a session in which something waits, in ms. */
#define LIMIT_STALL_LOOK_MS 500u

/* ---- DMA ---- */

/*
 * Live maps of one session, if a route's "dma" statements need them: as many as QEMU requests in
 * VERSION (65,535), and at most the negotiated number. 280 bytes each.
 */
#define LIMIT_DMA_MAPS 65536u

/*
 * Maps that may share an address. An unmapping cuts each of them in two, so it costs this many
 * times log n. QEMU has at most two, an old one with an unanswered unmapping and the new one;
 * libvfio-user refuses the second.
 */
#define LIMIT_DMA_OVERLAP 16

/*
 * Requests of one side of a session that await replies, 72 bytes each. QEMU sends about twenty maps
 * without waiting for replies; beyond this limit a map is refused, and a reply made by the broker
 * may overtake one with the same id.
 */
#define LIMIT_DMA_REQUESTS 4096u

/* Ranges of memory in one route's statements. */
#define LIMIT_DMA_RANGES 16u

/* ---- the handshake ---- */

/* The whole handshake by default, in ms. QEMU's default timeout for its VERSION request is 5 s. */
#define LIMIT_HANDSHAKE_MS 4000

/*
 * … and the longest that may be configured, for clients that wait longer (QEMU's x-msg-timeout): a
 * silent peer occupies one of the route's sessions for this time.
 */
#define LIMIT_HANDSHAKE_MAX_MS 600000

/* Time for one side to read the rest after the other has closed, in ms. */
#define LIMIT_DRAIN_MS 5000

/* Interval of attempts to dial an absent or busy backend, in ms. */
#define LIMIT_REDIAL_MS 20

/* ---- the daemon ---- */

/* Maximum number of relay workers; the default is one per core, up to the first number. */
#define LIMIT_WORKERS_DEFAULT 4
#define LIMIT_WORKERS 64

/* Sessions of one route by default: a device serves one client. */
#define LIMIT_SESSIONS_ROUTE_DEFAULT 1

/* Sessions of one route, and of the whole daemon, that may be configured. */
#define LIMIT_SESSIONS 65536

/* Routes in one configuration. */
#define LIMIT_ROUTES 4096

/*
 * Clients being refused at once, per worker: each only waits for an answer to its VERSION request.
 * If more come, the oldest is closed unanswered, so that nothing grows.
 */
#define LIMIT_REFUSALS 64

/*
 * Copies of their sockets in the monitor, per worker: those, and as many with an end on its way
 * from the worker.
 */
#define LIMIT_REFUSALS_KEPT (2 * LIMIT_REFUSALS)

/*
 * Descriptors of a worker in addition to two per session (four with twin_socket): its loop, its
 * channel, the log, the largest message's fds in transit in both directions.
 */
#define LIMIT_WORKER_SPARE_FDS 640

/* A session's sockets: client, backend, and both twin sockets. */
#define LIMIT_FDS_PER_SESSION 4

/*
 * A worker's address space in bytes: the program, its libraries and their heaps, refusals with
 * their VERSION messages, and malloc's fragmentation (40 MiB were measured).
 */
#define LIMIT_WORKER_MEMORY (256ull << 20)

/*
 * ... and for each session: a queue each way on two pairs of sockets (LIMIT_QUEUE), the handshake's
 * messages and JSON trees, and as much again for fragmentation.
 */
#define LIMIT_MEMORY_PER_SESSION (2ull << 20)

/* ... and if its maps are kept, LIMIT_DMA_MAPS of them and the requests of both sides. */
#define LIMIT_MEMORY_PER_DMA_SESSION (24ull << 20)

/*
 * The tracer's address space in bytes, in addition to rings and routes' flight recorders: the
 * program, and captures in memory requested at the control socket, with LIMIT_CONTROL_MEMORY_MIB
 * each; when it is used up, further ones cannot begin.
 */
#define LIMIT_TRACER_MEMORY (4ull << 30)

/*
 * Sessions of a full route that are checked for clients that have gone: one system call, however
 * many connections come.
 */
#define LIMIT_ENDING 64

/*
 * Milliseconds for reading a new configuration, its keys and its envelopes; then the reload fails,
 * and nothing has changed. A file system that hangs keeps only a thread.
 */
#define LIMIT_RELOAD_MS 30000u

/*
 * Milliseconds for which a reload that ends denied sessions waits for those in their handshake:
 * more than LIMIT_HANDSHAKE_MS, so that only those with a longer time of their own end undecided.
 */
#define LIMIT_RELOAD_HANDSHAKES_MS 5000u

/* Milliseconds between two looks at them: some sessions at the loop's expense of microseconds. */
#define LIMIT_RELOAD_LOOK_MS 50u

/* How long a start waits for another one that begins to listen at the same path, in ms. */
#define LIMIT_LISTEN_LOCK_MS 1000u

/* Accept queue of a listening socket; the kernel limits it to net.core.somaxconn. */
#define LIMIT_BACKLOG 128

/* Connections accepted in one turn of the loop, so that a flood of them starves nothing else. */
#define LIMIT_ACCEPTS 32

/*
 * Monitors, one after the other: a session's socket keeps the pid of the monitor that made it, by
 * which a worker recognizes sockets that lead to this broker. Beyond this the oldest are forgotten.
 */
#define LIMIT_MONITORS 8

/*
 * How long workers relay without a monitor ("orphan-timeout"), in ms: longer than the next one
 * takes to start on a machine under load. A configuration may set a second to an hour.
 */
#define LIMIT_ORPHAN_MS 30000u
#define LIMIT_ORPHAN_LEAST_MS 1000u
#define LIMIT_ORPHAN_MOST_MS 3600000u

/*
 * Parts of that time, each of which must pass in silence: if the worker itself did not run for a
 * while, as in a frozen group of processes, that counts as one of them.
 */
#define LIMIT_ORPHAN_LOOKS 8u

/*
 * How long the monitor of a new program may take to get ready, in ms, before the keeper goes back
 * to the earlier program: as long as any process of the broker may take to start.
 */
#define LIMIT_UPGRADE_READY_MS 10000u

/* Time for the answer about an upgrade to be read before the monitor ends, in ms. */
#define LIMIT_UPGRADE_ANSWER_MS 100u

/*
 * Interval of tries to hand a session over to another worker, in ms: it must be between two
 * messages, which most are at once.
 */
#define LIMIT_LEAVE_MS 5u

/* A dead worker is started again after this many ms, doubled each time up to the second number. */
#define LIMIT_RESPAWN_MS 50
#define LIMIT_RESPAWN_MAX_MS 5000

/*
 * Interval of checks that each worker, the inspector and the tracer still make their turns, in ms.
 * Twice a second: it costs two system calls on each side, and a hung process gets new work for at
 * most half a second.
 */
#define LIMIT_BEAT_MS 500u

/*
 * Silence, in ms, after which a process is killed: hundreds of times longer than any turn, and
 * short enough that, after one beat before and with a new worker after it, a client is still
 * answered within the handshake's time.
 */
#define LIMIT_SILENT_MS 2000u

/* The same for a starting process, which is executed, linked, and gives up its rights. */
#define LIMIT_START_MS 10000u

/* The same for a process that waits for a disk in the kernel, where it cannot be killed anyway. */
#define LIMIT_HELD_MS 10000u

/*
 * A killed process is gone within microseconds, unless the kernel holds it. After this many beats
 * it is left behind: its sessions end, and another one is started.
 */
#define LIMIT_KILLED_BEATS 2u

/*
 * Added to a handshake's time before the monitor itself ends it, in ms: the worker has its own
 * timer, and gets this time for its answer. QEMU waits for 5 s.
 */
#define LIMIT_HANDSHAKE_GRACE_MS 250u

/* Time for a worker to end a session on request, in ms; then the monitor ends it. */
#define LIMIT_END_MS 1000u

/*
 * Answered beats for which a worker may still know a session that the monitor has ended: longer
 * than any turn. A worker that never reports the end is broken, and killed.
 */
#define LIMIT_DISOWNED_BEATS 20u

/*
 * After this many ms of a turn of the loop the kernel is asked for new events, whatever is left to
 * do. No turn should take 5: the current callback may take as much again, and returning memory
 * takes 3 after thousands of sessions.
 */
#define LIMIT_TURN_MS 1

/*
 * A worker's loop asks again after this many callbacks instead, since reading the clock after each
 * of them would slow the relay down. One callback relays at most LIMIT_PEEK bytes of whole
 * messages, in about 20 us, so a turn takes 1 to 2 ms.
 */
#define LIMIT_TURN_CALLBACKS 64

/*
 * Memory is returned to the kernel this many ms after this many sessions have begun or ended: not
 * for a few, since it takes a millisecond for thousands of them, and they leave less than a MiB.
 */
#define LIMIT_HEAP_REST_MS 1000
#define LIMIT_HEAP_CHANGES 64u

/* ---- lines and records that peers can cause ---- */

/*
 * Sessions of one user on one route that come to nothing (denied, a failed handshake, an absent
 * backend) and have lines and records of their own: this many at once, then one per interval. A
 * misconfigured client that tries each second is seen each time; one that tries as fast as it can
 * causes about 4 KiB a second.
 */
#define LIMIT_REPEAT_BURST 64u
#define LIMIT_REPEAT_MS 1000u

/* The others are counted for this many ms, then reported as one line and one record. */
#define LIMIT_REPEAT_TELL_MS 10000u

/* … for this many users in one turn of the loop. */
#define LIMIT_REPEAT_TURN 32u

/* Users on routes with an entry of their own, about 500 bytes each; a route's others share one. */
#define LIMIT_REPEAT_PEERS 1024u

/*
 * Sessions of one user on one route that are allowed and end within LIMIT_BRIEF_MS: each has its
 * records, about 4 KiB. After a burst the next ones wait, one goes on per interval, so that no user
 * causes more than 16 KiB a second. A burst covers a host that starts all its guests and soon ends
 * them again; sessions that last are not counted.
 */
#define LIMIT_BRIEF_MS 10000u
#define LIMIT_BRIEF_BURST 64u
#define LIMIT_BRIEF_INTERVAL_MS 250u

/*
 * The same without an audit log: nothing waits, but beyond this there are no lines (500 bytes
 * each).
 */
#define LIMIT_MUTE_BURST 512u

/* Lines about an audit log that fails and recovers: this many at once, then one per interval. */
#define LIMIT_AUDIT_LINES 8u
#define LIMIT_AUDIT_LINES_MS 10000u

/* Lines about control clients without permission, likewise. */
#define LIMIT_STRANGER_LINES 16u
#define LIMIT_STRANGER_LINES_MS 4000u

/* Lines about starts and ends of a route's devices: this many at once, then one per interval. */
#define LIMIT_DEVICE_LINES 64u
#define LIMIT_DEVICE_LINES_MS 1000u

/*
 * Time for processes to end their sessions when the broker stops, and for those killed then to go:
 * together below the 2 s allowed for SIGTERM.
 */
#define LIMIT_STOP_MS 1500u
#define LIMIT_STOP_KILLED_MS 300u

/*
 * A monitor that does not stop within this time after a signal to the keeper is killed: it has its
 * own two times above, and may have to write the last records of an audit log to a busy disk.
 */
#define LIMIT_MONITOR_STOP_MS 10000u

/*
 * A monitor that dies sooner than this counts as a failure: the next one is started later each
 * time, so that a fault in its first moments does not take all the time of a CPU.
 */
#define LIMIT_MONITOR_LIVES_MS 1000u

/* Messages of the monitor that the keeper receives before it looks at its signals again. */
#define LIMIT_KEEPER_TURN 64

/* ---- the control socket ---- */

/* Clients at once: operators and their tools; each held capture is one. */
#define LIMIT_CONTROL_CLIENTS 64

/* Time for a client to send its request, and to read each part of its answer, in ms. */
#define LIMIT_CONTROL_MS 5000

/* Time for workers to report their counts; after that the last known ones are sent. */
#define LIMIT_CONTROL_COUNT_MS 1000

/* Limits of a capture requested at the control socket: bytes of a message's data, and memory. */
#define LIMIT_CONTROL_PAYLOAD 1048576u
#define LIMIT_CONTROL_MEMORY_MIB 1024u

/*
 * Interval of snapshots of the metrics, in ms, at least: collectors ask every few seconds, and an
 * exporter that was taken over cannot keep the monitor busy.
 */
#define LIMIT_METRICS_MS 100u

/*
 * Requests of which a worker keeps the time until their replies come: some for each of thousands of
 * sessions, in 64 KiB.
 */
#define LIMIT_TALLY_REQUESTS 4096u

/* Time for which the slowest request is shown: longer than the pause between two scrapes, in ns. */
#define LIMIT_EXEMPLAR_NS 60000000000u

/* Parts of an answer sent in one turn of the loop. */
#define LIMIT_CONTROL_TURN 32

/* ---- devices that the broker starts ---- */

/*
 * A device with an ended session sees its socket close and may write back its data. After this many
 * ms it gets SIGTERM, and after the second time SIGKILL.
 */
#define LIMIT_DEVICE_END_MS 1000
#define LIMIT_DEVICE_TERM_MS 2000

/*
 * Output of devices: bytes of a line, and lines a second of all devices of a route together, since
 * each session may have another device.
 */
#define LIMIT_OUTPUT_LINE 512u
#define LIMIT_OUTPUT_RATE 50u

/* ---- the configuration language ---- */

#define LIMIT_CONFIG_FILE (1u << 20)
#define LIMIT_CONFIG_LINE 1024u
#define LIMIT_CONFIG_FILES 1000u    /* included by one configuration */
#define LIMIT_CONFIG_VARIABLES 256u /* defined in it */
#define LIMIT_CONFIG_DEPTH 8u
#define LIMIT_NAME 64u

/* ---- traces ---- */

/*
 * Names in a folder of traces that are checked in one turn of the monitor's loop, with at most two
 * system calls each: about 100 us. A folder of 100,000 takes a few thousand turns, while the old
 * file is still written.
 */
#define LIMIT_TRACING_NAMES 32u

/* Wireshark 4.0 refuses a file that contains a packet with more captured bytes. */
#define LIMIT_TRACE_PACKET 262144u

/*
 * The largest block that a reader accepts, if it must interpret it: the largest packet with the
 * longest comment has about 300 KiB; this is the reader's whole memory for the file.
 */
#define LIMIT_TRACE_BLOCK (1u << 20)

/*
 * The largest window of a packed trace, as a power of two: that of zstd --long, 128 MiB, which
 * libzstd accepts by default. A reader allocates it if the file asks for it.
 */
#define LIMIT_TRACE_WINDOW_LOG 27

/*
 * Interfaces of one section, and sessions of one trace, that a reader keeps: sixteen times the
 * daemon's maximum at once, since a trace outlives its sessions.
 */
#define LIMIT_TRACE_INTERFACES (16u * LIMIT_SESSIONS)

/* Bytes of all sessions' names and comments: 1 KiB for each of LIMIT_SESSIONS. */
#define LIMIT_TRACE_TEXTS (64u << 20)

/*
 * Bytes of requests that a filter keeps until their replies decide whether they are wanted: about
 * 16,000 of the usual size, a thousand times as many as a client has outstanding at once.
 */
#define LIMIT_FILTER_KEPT 4194304u

/*
 * Faults on purpose: rules of a session, and how often one that counts is carried out: both fit
 * what is left of a session's page. Characters of a rule, and bytes that it changes. A delay that
 * is longer is a device that hangs.
 */
#define LIMIT_INJECT_RULES 6u
#define LIMIT_INJECT_COUNT 65534u
#define LIMIT_INJECT_TEXT 191u
#define LIMIT_INJECT_BYTES 32u
#define LIMIT_INJECT_DELAY_US 60000000u

/*
 * Bytes of a session to replay, which is held in memory as a whole: hours of a busy device. And of
 * one message received then; a peer that negotiated more is not served.
 */
#define LIMIT_REPLAY_BYTES (1ull << 30)
#define LIMIT_REPLAY_MESSAGE (64u << 20)

/* ---- inspections ---- */

/*
 * Bytes that one user may have inspected on one route: at once (two of the largest files, or dozens
 * of common ones), and per second after that (a common device's executable).
 */
#define LIMIT_INSPECT_CREDIT (1LL << 30)
#define LIMIT_INSPECT_REFILL (32LL << 20)

/*
 * Cost of an inspection in bytes, in addition to the file's size: package and envelopes are read,
 * too.
 */
#define LIMIT_INSPECT_COST (1ll << 20)

/*
 * Users on routes with a credit entry, 72 bytes each; an idle one without debt makes room for the
 * next. And waiting requests of one of them: twice a route's usual sessions.
 */
#define LIMIT_INSPECT_SHARES 1024u
#define LIMIT_INSPECT_WAITING 64u

/*
 * The code that a process has mapped, if a rule covers it: distinct files (QEMU with a display has
 * about 200, a small device 10), bytes of their names together, and bytes of the kernel's list,
 * which has about 100 for each mapping (40,000 mappings; the kernel's default limit is 65,530).
 * They bound a session's memory and the time for reading; above them the code is unknown.
 */
#define LIMIT_CODE_FILES 512u
#define LIMIT_CODE_PATHS 65536u
#define LIMIT_CODE_MAPS (4u << 20)

/*
 * Files of one party's code that are open and asked about at once: enough to keep the inspector
 * busy, few enough that each party has a part of LIMIT_INSPECT_WAITING and of the monitor's fds.
 */
#define LIMIT_CODE_AHEAD 8u

/* How often the code is listed before a verdict while each list shows files that are new. */
#define LIMIT_CODE_LOOKS 4u

/*
 * Threads that look at processes, since a process can block a look. Each user occupies at most one
 * of them, so that it takes as many users to keep all others waiting.
 */
#define LIMIT_CODE_THREADS 4u

/*
 * Milliseconds for which a verdict waits for the name of the client's virtual machine. Reading it
 * takes some microseconds; a process can block it, and with it the next sessions of its user.
 */
#define LIMIT_VM_MS 500u

/* Mapped files in a record, those without evidence first: about 20 KiB of a line's 64. */
#define LIMIT_CODE_RECORDED 64u

/*
 * Inspections that the monitor keeps. A QEMU with a display has code of about 200 files mapped, and
 * devices share most of theirs: a host's usual programs fit, all at once. Each takes about 20 KiB,
 * all together 10 MiB.
 */
#define LIMIT_INSPECT_CACHE 512u

/* A file with a too slow inspection is not tried again for this many ms; 64 such are remembered. */
#define LIMIT_INSPECT_SLOW_MS 60000
#define LIMIT_INSPECT_SLOW 64u

/* ---- licences ---- */

/*
 * An SPDX expression: bytes, licences, nesting of parentheses. Debian's longest copyright files
 * list about 60 different licences; four times as many fit.
 */
#define LIMIT_SPDX_TEXT 4096u
#define LIMIT_SPDX_TERMS 256u
#define LIMIT_SPDX_DEPTH 64u

#endif
