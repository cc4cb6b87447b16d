/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl inspect: shows the process behind a socket, or a process or file, and its
 * licence. The file is read by the same inspector that the broker uses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/date.h"
#include "base/log.h"
#include "base/sock.h"
#include "ctl/policy/inspect.h"
#include "policy/peer/peer_vm.h"
#include "policy/rules/rules.h"
#include "ctl/poemctl_json.h"
#include "ctl/poemctl.h"

struct options {
    bool json;
    pid_t pid;
    const char *path; /* NULL: pid is given instead */
    char what[32];
    struct cli_list trust;
    struct cli_list envelope;
    size_t n_envelopes;
    struct inspector_key keys[INSPECTOR_KEYS];
    struct inspector_envelope envelopes[INSPECTOR_ENVELOPES];
    const char *revoked_file; /* NULL: none */
    size_t n_revoked;
    struct inspector_revoked revoked[INSPECTOR_REVOKED];
};

/* ---- the command line ---- */

static bool poemctl_inspect_load_revoked(struct options *o)
{
    char why[96];
    unsigned line;
    const int err = inspector_revoked_load(o->revoked, &o->n_revoked, o->revoked_file, &line);

    if (err == -EINVAL && line > 0) {
        snprintf(why, sizeof why, "line %u does not begin with 64 hexadecimal digits", line);
    } else if (err == -E2BIG) {
        snprintf(why, sizeof why, "more than %u revocations", INSPECTOR_REVOKED);
    } else {
        snprintf(why, sizeof why, "%s", err == -EINVAL ? "not a regular file" : strerror(-err));
    }
    if (err) {
        (void)poemctl_could_not("inspect", o->revoked_file, why);
    }
    return err == 0;
}

/* Loads the keys and the revocations, and opens the envelopes that are named. */
static bool poemctl_inspect_open(struct options *o)
{
    for (size_t i = 0; i < o->trust.n; i++) {
        const int err = inspector_key_load(&o->keys[i], o->trust.items[i]);

        if (err) {
            (void)poemctl_could_not("inspect", o->trust.items[i],
                                    err == -EINVAL
                                        ? "not a public key in PEM, Ed25519 or ECDSA over P-256"
                                        : strerror(-err));
            return false;
        }
    }
    for (size_t i = 0; i < o->envelope.n; i++) {
        const int err = inspector_envelope_open(&o->envelopes[i], o->envelope.items[i]);

        if (err) {
            (void)poemctl_could_not("inspect", o->envelope.items[i],
                                    err == -EINVAL ? "not a regular file" : strerror(-err));
            return false;
        }
        o->n_envelopes++;
    }
    return !o->revoked_file || poemctl_inspect_load_revoked(o);
}

/* ---- the subject ---- */

/* Opens a file, which need not be any process's executable. */
static int poemctl_inspect_find_file(struct inspect *i, const char *path)
{
    struct peer *p = &i->peer;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    bool known;
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    known = fstat(fd, &st) == 0;
    if (known && !S_ISREG(st.st_mode)) {
        err = -EINVAL;
    } else if (!known || !realpath(path, p->exe.path)) {
        err = -errno;
    } else {
        err = peer_file_id_get(fd, &p->exe.id);
    }
    if (err) {
        close(fd);
        return err;
    }
    p->exe.fd = fd;
    peer_verity_measure(fd, &p->exe.verity);
    p->exe.path_ours = true;
    memset(&p->unknown[PEER_EXE_PATH], 0, sizeof p->unknown[PEER_EXE_PATH]);
    memset(&p->unknown[PEER_EXE_ID], 0, sizeof p->unknown[PEER_EXE_ID]);
    memset(&p->unknown[PEER_EXE_FILE], 0, sizeof p->unknown[PEER_EXE_FILE]);
    return 0;
}

static int poemctl_inspect_find_listener(struct inspect *i, const char *path)
{
    int fd = sock_connect(path, true);

    if (fd < 0) {
        return fd;
    }
    peer_init(&i->peer, fd);
    i->process = i->wants_code = true;
    sock_close(&fd);
    return 0;
}

static int poemctl_inspect_find(struct inspect *i, const struct options *o)
{
    struct stat st;

    peer_init_unknown(&i->peer, "not determined");
    if (o->pid) {
        i->what = o->what;
        i->process = i->wants_code = true;
        peer_init_pid(&i->peer, o->pid, false);
        peer_vm_find(&i->peer);
        return i->peer.unknown[PEER_PID].error ? -i->peer.unknown[PEER_PID].error : 0;
    }
    i->what = o->path;
    if (stat(o->path, &st) < 0) {
        return -errno;
    }
    return S_ISSOCK(st.st_mode) ? poemctl_inspect_find_listener(i, o->path)
                                : poemctl_inspect_find_file(i, o->path);
}

/* ---- output ---- */

static int poemctl_inspect_show(const struct inspect *i, const struct options *o)
{
    const bool all = i->inspection.outcome == INSPECTION_OK;
    const int code = !all                           ? POEMCTL_COULD_NOT
                     : i->inspection.evidence.n > 0 ? POEMCTL_YES
                                                    : POEMCTL_NO;

    if (!o->json) {
        inspect_text(i, stdout);
        return code;
    }
    return poemctl_json("inspect", inspect_json(i), code);
}

static int poemctl_inspect_run(struct inspect *i, const struct options *o)
{
    const struct inspector_settings trust = {.n_keys = o->trust.n,
                                             .keys = o->keys,
                                             .n_envelopes = o->n_envelopes,
                                             .envelopes = o->envelopes,
                                             .n_revoked = o->n_revoked,
                                             .revoked = o->revoked};
    int err = poemctl_inspect_find(i, o);

    if (err) {
        return poemctl_could_not("inspect", i->what,
                                 err == -EINVAL ? "not a regular file" : strerror(-err));
    }
    err = inspect_ask(i, &trust);
    if (err) {
        poemctl_error("inspect", "cannot start the inspector: %s", strerror(-err));
        return POEMCTL_COULD_NOT;
    }
    evidence_drop_expired(&i->inspection.evidence, date_today());
    return poemctl_inspect_show(i, o);
}

static int poemctl_inspect_main(int argc, char **argv)
{
    /* Static, since some tens of KiB are too much for the stack. */
    static struct options o;
    static struct inspect found;
    char **const operands = poemctl_parse(&poemctl_inspect, argc, argv, &o);
    int code = POEMCTL_COULD_NOT;

    log_init("poemctl", LOG_ERROR);
    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.path = operands[0];
    snprintf(o.what, sizeof o.what, "pid %d", (int)o.pid);
    if ((o.path != NULL) == (o.pid != 0)) {
        poemctl_error("inspect", "one file, one socket, or --pid");
        return poemctl_usage(&poemctl_inspect);
    }
    if (o.path && !poemctl_socket("inspect", o.path)) {
        return poemctl_usage(&poemctl_inspect);
    }
    if (o.trust.n > INSPECTOR_KEYS || o.envelope.n > INSPECTOR_ENVELOPES) {
        poemctl_error("inspect", "too many %s", o.trust.n > INSPECTOR_KEYS ? "keys" : "envelopes");
        return poemctl_usage(&poemctl_inspect);
    }
    if (poemctl_inspect_open(&o)) {
        code = poemctl_inspect_run(&found, &o);
        inspect_deinit(&found);
        peer_deinit(&found.peer);
    }
    for (size_t i = 0; i < o.n_envelopes; i++) {
        sock_close(&o.envelopes[i].fd);
    }
    return code;
}

static const struct cli_option inspect_options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"trust", 0, "KEY", "believe envelopes that this public key has signed",
     CLI_LIST(struct options, trust)},
    {"envelope", 0, "FILE", "look for the licence in this signed envelope, too",
     CLI_LIST(struct options, envelope)},
    {"revoked", 0, "FILE", "trust none of the keys and envelopes in this list",
     CLI_TEXT(struct options, revoked_file)},
    {"pid", 0, "PID", "inspect this process", CLI_NUMBER(struct options, pid, 1, INT32_MAX)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_inspect = {
    .name = "inspect",
    .synopsis =
        "[--json] [--trust KEY] [--envelope FILE] [--revoked FILE] EXE | SOCKET | --pid PID",
    .what = "show who a peer is, and the evidence of its licence",
    .manual = "poemctl-inspect(1)",
    .options = inspect_options,
    .most = 1,
    .surplus = "one file, one socket, or --pid",
    .run = poemctl_inspect_main,
};
