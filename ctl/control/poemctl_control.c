/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sends requests to a running poemd, and reads its answers. */
#define _GNU_SOURCE
#include "ctl/control/poemctl_control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fdset.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/sock_path.h"
#include "proxy/config/config.h"

struct control_request control_request(enum control_type type)
{
    return (struct control_request){
        .magic = CONTROL_MAGIC, .version = CONTROL_VERSION, .type = type};
}

const char *control_path(const char *path)
{
    const char *env = getenv("POEMD_CONTROL");

    return path ? path : env && *env ? env : CONFIG_CONTROL_USUAL;
}

static void poemctl_control_cannot_connect(const char *name, const char *path, int err)
{
    const char *hint = "";
    char shown[256];

    if (sock_path_fault(path)) {
        poemctl_error(name, "--control: \"%s\" is not a path: %s",
                      log_escape(shown, sizeof shown, path, strlen(path)), sock_path_fault(path));
        return;
    }
    if (err == -ENOENT || err == -ECONNREFUSED) {
        hint = ": no running poemd uses this path: see \"control\" in its configuration, or its "
               "option --control";
    } else if (err == -EACCES) {
        hint = ": only its owner, its group and root may connect";
    }
    poemctl_error(name, "cannot connect to \"%s\": %s%s",
                  log_escape(shown, sizeof shown, path, strlen(path)), strerror(-err), hint);
}

bool control_ask(struct control_connection *c, const char *name, const char *path,
                 const struct control_request *q, int fd)
{
    struct fdset fds;
    int err;

    *c = (struct control_connection){.name = name, .fd = sock_connect_packets(control_path(path))};
    if (c->fd < 0) {
        poemctl_control_cannot_connect(name, control_path(path), c->fd);
        return false;
    }
    fdset_init(&fds);
    if (fd >= 0) {
        fds.fds[fds.n++] = fd;
    }
    err = sock_send_all(c->fd, q, sizeof *q, &fds);
    /*
     * If poemd refused the client at once, the reason is in the answer, although the request
     * failed.
     */
    if (err && err != -EPIPE && err != -ECONNRESET) {
        poemctl_error(name, "cannot ask poemd: %s", strerror(-err));
        control_hang_up(c);
        return false;
    }
    return true;
}

void control_hang_up(struct control_connection *c)
{
    sock_close(&c->fd);
}

/* Returns a whole packet, for the caller to free, or NULL: then *n is 0 at the end, or -errno. */
static char *poemctl_control_receive(int fd, ssize_t *n)
{
    char *p;

    do {
        *n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
    } while (*n < 0 && errno == EINTR);
    if (*n <= 0) {
        *n = *n < 0 ? -errno : 0;
        return NULL;
    }
    p = malloc((size_t)*n);
    if (!p) {
        *n = -ENOMEM;
        return NULL;
    }
    *n = recv(fd, p, (size_t)*n, 0);
    if (*n <= 0) {
        *n = *n < 0 ? -errno : 0;
        free(p);
        return NULL;
    }
    return p;
}

/* Prints the error text of an answer; returns the exit code for its status. */
static int poemctl_control_write_refusal(const struct control_connection *c, uint32_t status,
                                         const json_t *part)
{
    poemctl_error(c->name, "%s", control_text(part, "error"));
    return status == CONTROL_NO ? POEMCTL_NO : POEMCTL_COULD_NOT;
}

/*
 * Returns true if the JSON is printable ASCII and has no escape that could hide another character.
 * poemd escapes foreign text already; since the text goes to a terminal, poemctl does not rely on
 * the peer for that.
 */
static bool poemctl_control_is_printable(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e) {
            return false;
        }
        if (p[i] == '\\' && (++i == n || (p[i] != '\\' && p[i] != '"'))) {
            return false;
        }
    }
    return true;
}

/* Returns the object in a packet's n bytes, or NULL. */
static json_t *poemctl_control_object_of(const char *p, size_t n)
{
    return poemctl_control_is_printable(p, n) ? json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL)
                                              : NULL;
}

int control_next(struct control_connection *c, json_t **part, bool *last)
{
    struct control_answer head;
    ssize_t n;
    char *p = poemctl_control_receive(c->fd, &n);
    int code = POEMCTL_YES;

    *part = NULL;
    *last = true;
    if (!p) {
        poemctl_error(c->name, "poemd ended the connection: %s",
                      n < 0 ? strerror((int)-n) : "no answer");
        return POEMCTL_COULD_NOT;
    }
    if ((size_t)n >= sizeof head) {
        memcpy(&head, p, sizeof head);
        *part = poemctl_control_object_of(p + sizeof head, (size_t)n - sizeof head);
    }
    free(p);
    if (!*part || head.magic != CONTROL_MAGIC || head.status >= CONTROL_STATUSES) {
        poemctl_error(c->name, "the answer is not from a poemd of this version");
        code = POEMCTL_COULD_NOT;
    } else if (head.status != CONTROL_OK) {
        code = poemctl_control_write_refusal(c, head.status, *part);
    } else {
        *last = head.last != 0;
    }
    if (code != POEMCTL_YES) {
        json_decref(*part);
        *part = NULL;
    }
    return code;
}

int control_ask_all(const char *name, const char *path, const struct control_request *q,
                    control_part_fn *fn, void *arg)
{
    return control_ask_all_fd(name, path, q, -1, fn, arg);
}

int control_ask_all_fd(const char *name, const char *path, const struct control_request *q, int fd,
                       control_part_fn *fn, void *arg)
{
    struct control_connection c;
    bool last = false;
    int code = POEMCTL_YES;

    if (!control_ask(&c, name, path, q, fd)) {
        return POEMCTL_COULD_NOT;
    }
    while (code == POEMCTL_YES && !last) {
        json_t *part;

        code = control_next(&c, &part, &last);
        if (part && json_object_size(part) > 0) {
            fn(part, arg);
        }
        json_decref(part);
    }
    control_hang_up(&c);
    return code;
}

const char *control_text(const json_t *o, const char *member)
{
    const char *text = json_string_value(json_object_get(o, member));

    return text ? text : "";
}

void control_print_observed(const json_t *o)
{
    const char *letters = control_text(o, "observed");

    if (*letters && strcmp(letters, "-") != 0) {
        printf(", observed %s", letters);
    }
}

long long control_number(const json_t *o, const char *member)
{
    return (long long)json_integer_value(json_object_get(o, member));
}

const char *control_duration(const json_t *o, char out[48])
{
    static const struct {
        const char *name;
        unsigned long long size;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    const json_int_t ms = json_integer_value(json_object_get(o, "ms"));
    const unsigned long long all = ms > 0 ? (unsigned long long)ms / 1000 : 0;

    for (int i = 0; i < 3; i++) {
        const unsigned long long n = all / units[i].size;

        if (n > 0) {
            snprintf(out, 48, "%llu %s %llu %s", n, units[i].name,
                     all % units[i].size / units[i + 1].size, units[i + 1].name);
            return out;
        }
    }
    snprintf(out, 48, "%llu s", all);
    return out;
}
