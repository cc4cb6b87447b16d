/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The computing of a session's start, without sockets and processes: all parties of a VERSION
 * exchange in one thread, each step of theirs timed. No I/O but the result.
 *
 *   bench-handshake-steps SESSIONS
 *
 * The broker's steps are those that proxy/worker/greeting/greeting.c makes, in its order; the
 * clients and devices do what handshake/recital.h tells them to. Kinds of sessions take turns in a
 * random order; a session in which another thread got the processor is done again. Prints JSON:
 * for each kind and step the nanoseconds of every session. Steps that a kind does not have are left
 * out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/wire/wire.h"
#include "handshake/recital.h"
#include "handshake/version.h"
#include "tests/bench/bench.h"

#define LICENCE "GPL-2.0-or-later"

/* The room that a stock QEMU's request leaves for a reply's JSON. */
#define ROOM (strlen(bench_qemu_json) + 1)

enum step {
    CLIENT_ASK, /* … with the challenge's random bytes */
    CLIENT_WRITE,
    CLIENT_SENT,
    BROKER_READ_REQUEST,
    BROKER_REQUEST,
    BROKER_ASK, /* … with the challenge's random bytes */
    BROKER_WRITE_REQUEST,
    BROKER_SENT,
    DEVICE_READ,
    DEVICE_REQUEST,
    DEVICE_ANSWER,
    DEVICE_WRITE,
    BROKER_READ_REPLY,
    BROKER_JUDGE,
    BROKER_ANSWER, /* "via" and the recital, or the refrain made to fit */
    BROKER_WRITE_REPLY,
    CLIENT_READ,
    CLIENT_JUDGE,
    STEPS
};

/* Role, and what is called. "json" are the steps that a session without poems has as well. */
static const char *const step_names[STEPS] = {
    [CLIENT_ASK] = "client recital_client_ask",
    [CLIENT_WRITE] = "client json write request",
    [CLIENT_SENT] = "client recital_client_sent",
    [BROKER_READ_REQUEST] = "broker json read request",
    [BROKER_REQUEST] = "broker recital_request_read",
    [BROKER_ASK] = "broker recital_client_ask",
    [BROKER_WRITE_REQUEST] = "broker json write request",
    [BROKER_SENT] = "broker recital_client_sent",
    [DEVICE_READ] = "device json read request",
    [DEVICE_REQUEST] = "device recital_request_read",
    [DEVICE_ANSWER] = "device recital_reply_add",
    [DEVICE_WRITE] = "device json write reply",
    [BROKER_READ_REPLY] = "broker json read reply",
    [BROKER_JUDGE] = "broker recital_client_judge",
    [BROKER_ANSWER] = "broker recital_reply_add or _fit",
    [BROKER_WRITE_REPLY] = "broker json write reply",
    [CLIENT_READ] = "client json read reply",
    [CLIENT_JUDGE] = "client recital_client_judge",
};

/* Who does what. Each is named like the way of the benchmark's other half that does the same. */
static const struct kind {
    const char *name;
    bool client_asks;
    bool client_recites;
    bool says_refrain;
    bool demands; /* the broker asks the device, whatever the client said */
    bool device_recites;
} kinds[] = {
    {.name = "never"},
    {.name = "refrain", .says_refrain = true},
    {.name = "challenged", .client_asks = true},
    {.name = "recited", .client_asks = true, .device_recites = true},
    {.name = "demanded", .says_refrain = true, .demands = true, .device_recites = true},
    {.name = "everything",
     .client_asks = true,
     .client_recites = true,
     .demands = true,
     .device_recites = true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

struct message {
    uint8_t data[WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX];
    size_t size;
};

/* One session of one kind. */
struct run {
    const struct kind *kind;
    uint64_t last;
    uint64_t times[STEPS];
    struct message request;       /* the client's */
    struct message forwarded;     /* the broker's to the device */
    struct message reply;         /* the device's */
    struct message answer;        /* the broker's to the client */
    struct recital_client client; /* the exchange of the client with the broker … */
    struct recital_client own;    /* … and of the broker with the device */
    struct recital_request asked; /* what the broker was asked */
    struct version_offer read;    /* the client's request, as the broker changes it */
};

static const struct recital_id identity = {.bytes = "of the benchmark"};

static uint64_t *samples[KINDS][STEPS];

static void begin(struct run *r)
{
    r->last = bench_now();
}

/* The time since begin or the last lap was this step's. */
static void lap(struct run *r, enum step step)
{
    const uint64_t now = bench_now();

    r->times[step] += now - r->last;
    r->last = now;
}

static void need(const struct run *r, bool good, enum step step)
{
    if (!good) {
        fprintf(stderr, "%s: ", r->kind->name);
        bench_die(step_names[step], 0);
    }
}

static json_t *capabilities(const struct version_offer *o)
{
    return json_object_get(o->json, "capabilities");
}

/* What QEMU offers; the device of the benchmark offers the same. */
static void offer_init(struct version_offer *o)
{
    version_init(o);
    o->json = json_loads(bench_qemu_json, 0, NULL);
    if (!o->json) {
        bench_die("memory", -ENOMEM);
    }
}

static void write_message(struct run *r, struct message *m, const struct version_offer *o,
                          enum step step)
{
    const size_t n = version_write(o, m->data + WIRE_HDR_SIZE, VERSION_PAYLOAD_MAX);
    const struct wire_hdr hdr = {.command = WIRE_VERSION, .size = (uint32_t)(WIRE_HDR_SIZE + n)};

    wire_put_hdr(m->data, &hdr);
    m->size = hdr.size;
    lap(r, step);
    need(r, n > 0, step);
}

static void read_message(struct run *r, const struct message *m, struct version_offer *o,
                         enum step step)
{
    enum json_outcome json;
    enum version_outcome outcome;

    version_init(o);
    begin(r);
    outcome = version_read(o, m->data + WIRE_HDR_SIZE, m->size - WIRE_HDR_SIZE, &json);
    lap(r, step);
    need(r, outcome == VERSION_OK, step);
}

static bool random_bytes(uint8_t *p, size_t n)
{
    return getrandom(p, n, 0) == (ssize_t)n;
}

/* ---- the client ---- */

static void client_asks(struct run *r, struct version_offer *o)
{
    uint8_t bytes[2 * RECITAL_RANDOM_SIZE];
    const bool recites = r->kind->client_recites;
    const struct recital_ask ask = {.poem = &poem_builtin,
                                    .challenge = bytes,
                                    .nonce = recites ? bytes + RECITAL_RANDOM_SIZE : NULL,
                                    .licence = recites ? LICENCE : NULL};
    bool good;

    begin(r);
    good = random_bytes(bytes, recites ? sizeof bytes : RECITAL_RANDOM_SIZE) &&
           recital_client_ask(&r->client, &ask, o->number, capabilities(o)) == RECITAL_OK;
    lap(r, CLIENT_ASK);
    need(r, good, CLIENT_ASK);
    write_message(r, &r->request, o, CLIENT_WRITE);
    good = recital_client_sent(&r->client, r->request.data, r->request.size) == RECITAL_OK;
    lap(r, CLIENT_SENT);
    need(r, good, CLIENT_SENT);
}

/* A stock QEMU's request costs nothing here: it is as long as ever, and QEMU's own affair. */
static void client_request(struct run *r)
{
    struct version_offer o;

    offer_init(&o);
    if (r->kind->client_asks) {
        client_asks(r, &o);
    } else {
        memset(r->request.data, 0, WIRE_HDR_SIZE + sizeof o.number);
        memcpy(r->request.data + WIRE_HDR_SIZE + sizeof o.number, bench_qemu_json, ROOM);
        r->request.size = WIRE_HDR_SIZE + sizeof o.number + ROOM;
    }
    version_deinit(&o);
}

static void client_reply(struct run *r)
{
    struct version_offer o;
    struct recital_reply told;
    enum recital_outcome outcome;

    if (!r->kind->client_asks) {
        return;
    }
    read_message(r, &r->answer, &o, CLIENT_READ);
    outcome = recital_client_judge(&r->client, capabilities(&o), &told);
    lap(r, CLIENT_JUDGE);
    need(r, outcome == RECITAL_OK && told.via.hops[0].recited == r->kind->device_recites,
         CLIENT_JUDGE);
    version_deinit(&o);
}

/* ---- the broker ---- */

static void broker_asks(struct run *r)
{
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    const struct recital_ask ask = {.poem = &poem_builtin,
                                    .challenge = challenge,
                                    .licence = LICENCE,
                                    .through = &r->asked.through,
                                    .self = &identity};
    const bool good =
        random_bytes(challenge, sizeof challenge) &&
        recital_client_ask(&r->own, &ask, r->read.number, capabilities(&r->read)) == RECITAL_OK;

    lap(r, BROKER_ASK);
    need(r, good, BROKER_ASK);
}

static void broker_request(struct run *r)
{
    enum recital_outcome outcome;

    recital_client_silent(&r->own);
    read_message(r, &r->request, &r->read, BROKER_READ_REQUEST);
    outcome = recital_request_read(&r->asked, &poem_builtin, r->request.data, r->request.size,
                                   capabilities(&r->read), &identity);
    recital_strip(capabilities(&r->read));
    lap(r, BROKER_REQUEST);
    need(r,
         outcome == RECITAL_OK &&
             r->asked.recital == (r->kind->client_recites ? RECITAL_OK : RECITAL_MISSING),
         BROKER_REQUEST);
    if (r->kind->demands || r->asked.challenged) {
        broker_asks(r);
    }
    write_message(r, &r->forwarded, &r->read, BROKER_WRITE_REQUEST);
    outcome = recital_client_sent(&r->own, r->forwarded.data, r->forwarded.size);
    lap(r, BROKER_SENT);
    need(r, outcome == RECITAL_OK, BROKER_SENT);
    version_deinit(&r->read);
}

/* The broker's words to the client, added to the device's reply. */
static bool say(const struct run *r, enum recital_outcome judged, const struct recital_reply *told,
                struct version_offer *o)
{
    struct recital_via via;
    const struct recital_answer answer = {
        .poem = &poem_builtin, .recite = true, .licence = LICENCE, .via = &via};

    if (r->asked.speaks) {
        return recital_via_make(&via, &identity, judged, told) == RECITAL_OK &&
               recital_reply_add(&r->asked, &answer, capabilities(o)) == RECITAL_OK;
    }
    return !r->kind->says_refrain ||
           recital_fit(o->json, ROOM, poem_builtin.refrain) == RECITAL_FITS;
}

static void broker_reply(struct run *r)
{
    struct version_offer o;
    struct recital_reply told;
    enum recital_outcome judged;
    bool good;

    read_message(r, &r->reply, &o, BROKER_READ_REPLY);
    judged = recital_client_judge(&r->own, capabilities(&o), &told);
    recital_strip(capabilities(&o));
    lap(r, BROKER_JUDGE);
    need(r, judged == (r->kind->device_recites ? RECITAL_OK : RECITAL_MISSING), BROKER_JUDGE);
    /* It is written twice: the first time tells what room there is. */
    begin(r);
    write_message(r, &r->answer, &o, BROKER_WRITE_REPLY);
    good = say(r, judged, &told, &o);
    lap(r, BROKER_ANSWER);
    need(r, good, BROKER_ANSWER);
    begin(r);
    write_message(r, &r->answer, &o, BROKER_WRITE_REPLY);
    version_deinit(&o);
}

/* ---- the device ---- */

static void device_recites(struct run *r, const struct version_offer *request,
                           struct version_offer *reply)
{
    const struct recital_answer answer = {
        .poem = &poem_builtin, .recite = true, .licence = LICENCE};
    struct recital_request asked;
    enum recital_outcome outcome;

    begin(r);
    outcome = recital_request_read(&asked, &poem_builtin, r->forwarded.data, r->forwarded.size,
                                   capabilities(request), NULL);
    lap(r, DEVICE_REQUEST);
    need(r, outcome == RECITAL_OK && asked.challenged, DEVICE_REQUEST);
    outcome = recital_reply_add(&asked, &answer, capabilities(reply));
    lap(r, DEVICE_ANSWER);
    need(r, outcome == RECITAL_OK, DEVICE_ANSWER);
}

static void device(struct run *r)
{
    struct version_offer request;
    struct version_offer reply;

    read_message(r, &r->forwarded, &request, DEVICE_READ);
    offer_init(&reply);
    if (r->kind->device_recites) {
        device_recites(r, &request, &reply);
    }
    begin(r);
    write_message(r, &r->reply, &reply, DEVICE_WRITE);
    version_deinit(&request);
    version_deinit(&reply);
}

/* ---- all of them ---- */

static void session(struct run *r, const struct kind *kind)
{
    r->kind = kind;
    memset(r->times, 0, sizeof r->times);
    client_request(r);
    broker_request(r);
    device(r);
    broker_reply(r);
    client_reply(r);
}

/* How often this thread was taken off its processor. */
static long switches(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_THREAD, &u) < 0) {
        bench_die("getrusage", -errno);
    }
    return u.ru_nvcsw + u.ru_nivcsw;
}

/* A session that was computed in one go: one that was not is done again. */
static void whole_session(struct run *r, const struct kind *kind)
{
    long before;

    do {
        before = switches();
        session(r, kind);
    } while (switches() != before);
}

static void report(size_t n)
{
    for (size_t k = 0; k < KINDS; k++) {
        const char *comma = "";

        printf("%s\"%s\":{", k > 0 ? "," : "{", kinds[k].name);
        for (size_t s = 0; s < STEPS; s++) {
            if (samples[k][s][0] == 0) {
                continue;
            }
            printf("%s\"%s\":[", comma, step_names[s]);
            for (size_t i = 0; i < n; i++) {
                printf("%s%" PRIu64, i > 0 ? "," : "", samples[k][s][i]);
            }
            printf("]");
            comma = ",";
        }
        printf("}");
    }
    printf("}\n");
}

static void prepare(size_t *order, size_t n)
{
    if (recital_prepare() < 0) {
        bench_die("libcrypto", -ENOMEM);
    }
    for (size_t k = 0; k < KINDS; k++) {
        order[k] = k;
        for (size_t s = 0; s < STEPS; s++) {
            samples[k][s] = calloc(n, sizeof *samples[k][s]);
            if (!samples[k][s]) {
                bench_die("memory", -ENOMEM);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static struct run r;
    const size_t n = argc == 2 && atoi(argv[1]) > 0 ? (size_t)atoi(argv[1]) : 0;
    const size_t warm_up = n / 10;
    size_t order[KINDS];

    if (n == 0) {
        fprintf(stderr, "usage: %s SESSIONS\n", program_invocation_short_name);
        return 2;
    }
    prepare(order, n);
    for (size_t i = 0; i < warm_up + n; i++) {
        bench_shuffle(order, KINDS);
        for (size_t k = 0; k < KINDS; k++) {
            whole_session(&r, &kinds[order[k]]);
            for (size_t s = 0; i >= warm_up && s < STEPS; s++) {
                samples[order[k]][s][i - warm_up] = r.times[s];
            }
        }
    }
    report(n);
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t s = 0; s < STEPS; s++) {
            free(samples[k][s]);
        }
    }
    return 0;
}
