/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl inspect: shows the process behind a socket, or a process or file, and its
 * licence. The file is read by the same inspector that the broker uses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "ctl/policy/inspect.h"
#include "ctl/poemctl.h"

struct options {
    bool json;
    pid_t pid;
    const char *path; /* NULL: pid is given instead */
    char what[32];
    size_t n_keys;
    size_t n_envelopes;
    struct inspector_key keys[INSPECTOR_KEYS];
    struct inspector_envelope envelopes[INSPECTOR_ENVELOPES];
};

static void poemctl_inspect_write_file(const char *path, const char *what)
{
    char text[512];

    poemctl_error("inspect", "%s: %s", log_escape(text, sizeof text, path, strlen(path)), what);
}

/* ---- the command line ---- */

/* Returns an exit code, or -1 to go on. */
static int poemctl_inspect_add_key(struct options *o, const char *path)
{
    int err = -E2BIG;

    if (o->n_keys < INSPECTOR_KEYS) {
        err = inspector_key_load(&o->keys[o->n_keys], path);
    }
    if (err) {
        poemctl_inspect_write_file(path, err == -E2BIG    ? "too many keys"
                                         : err == -EINVAL ? "no Ed25519 public key in PEM"
                                                          : strerror(-err));
        return err == -E2BIG ? POEMCTL_USAGE : POEMCTL_COULD_NOT;
    }
    o->n_keys++;
    return -1;
}

static int poemctl_inspect_add_envelope(struct options *o, const char *path)
{
    int err = -E2BIG;

    if (o->n_envelopes < INSPECTOR_ENVELOPES) {
        err = inspector_envelope_open(&o->envelopes[o->n_envelopes], path);
    }
    if (err) {
        poemctl_inspect_write_file(path, err == -E2BIG    ? "too many envelopes"
                                         : err == -EINVAL ? "no file"
                                                          : strerror(-err));
        return err == -E2BIG ? POEMCTL_USAGE : POEMCTL_COULD_NOT;
    }
    o->n_envelopes++;
    return -1;
}

static int poemctl_inspect_read_pid(struct options *o, const char *text)
{
    char *end;
    long v;

    errno = 0;
    v = strtol(text, &end, 10);
    if (errno || end == text || *end != '\0' || v < 1 || v > INT32_MAX) {
        poemctl_error("inspect", "--pid: the number of a process");
        return POEMCTL_USAGE;
    }
    o->pid = (pid_t)v;
    snprintf(o->what, sizeof o->what, "pid %ld", v);
    return -1;
}

static int poemctl_inspect_parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"envelope", required_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},
        {"pid", required_argument, NULL, 'p'},
        {"trust", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int code = -1;
    int c;

    while (code < 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'e':
            code = poemctl_inspect_add_envelope(o, optarg);
            break;
        case 'j':
            o->json = true;
            break;
        case 'p':
            code = poemctl_inspect_read_pid(o, optarg);
            break;
        case 't':
            code = poemctl_inspect_add_key(o, optarg);
            break;
        default:
            return POEMCTL_USAGE;
        }
    }
    if (code < 0 && argc - optind != (o->pid ? 0 : 1)) {
        poemctl_error("inspect", "one file, one socket, or --pid");
        return POEMCTL_USAGE;
    }
    o->path = o->pid ? NULL : argv[optind];
    return !o->path || poemctl_socket("inspect", o->path) ? code : POEMCTL_USAGE;
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
    i->process = true;
    sock_close(&fd);
    return 0;
}

static int poemctl_inspect_find(struct inspect *i, const struct options *o)
{
    struct stat st;

    peer_init_unknown(&i->peer, "it was not asked for");
    if (o->pid) {
        i->what = o->what;
        i->process = true;
        peer_init_pid(&i->peer, o->pid, false);
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
    json_t *doc;

    if (!o->json) {
        inspect_text(i, stdout);
        return code;
    }
    doc = inspect_json(i);
    if (!doc || json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0) {
        json_decref(doc);
        poemctl_error("inspect", "writing JSON failed");
        return POEMCTL_COULD_NOT;
    }
    json_decref(doc);
    putchar('\n');
    return code;
}

static int poemctl_inspect_run(struct inspect *i, const struct options *o)
{
    int err = poemctl_inspect_find(i, o);

    if (err) {
        poemctl_inspect_write_file(i->what, err == -EINVAL ? "no file" : strerror(-err));
        return POEMCTL_COULD_NOT;
    }
    err = inspect_ask(i, o->n_keys, o->keys, o->n_envelopes, o->envelopes);
    if (err) {
        poemctl_error("inspect", "no inspector: %s", strerror(-err));
        return POEMCTL_COULD_NOT;
    }
    return poemctl_inspect_show(i, o);
}

int inspect_main(int argc, char **argv)
{
    /* Static, since some tens of KiB are too much for the stack. */
    static struct options options;
    static struct inspect found;
    int code;

    log_init("poemctl", LOG_ERROR);
    code = poemctl_inspect_parse(argc, argv, &options);
    if (code < 0) {
        code = poemctl_inspect_run(&found, &options);
        peer_deinit(&found.peer);
    } else if (code == POEMCTL_USAGE) {
        (void)poemctl_usage("inspect");
    }
    for (size_t i = 0; i < options.n_envelopes; i++) {
        sock_close(&options.envelopes[i].fd);
    }
    return poemctl_finish("inspect", code);
}
