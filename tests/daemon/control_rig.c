/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Asks a control socket as poemctl does, and as nobody should. */
#define _GNU_SOURCE
#include "tests/daemon/control_rig.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "tests/support/patience.h"
#include "tests/support/unit.h"

#define PACKET_MAX 262144

const char *control_path(void)
{
    static char path[RIG_PATH];

    snprintf(path, sizeof path, "%s", unit_path("run/control.sock"));
    return path;
}

static void start(struct rig *r, const char *control_arguments, const char *route_statements,
                  size_t children)
{
    rig_init(r);
    rig_configure(r,
                  "workers 1\ncontrol %s %s\nroute r {\n    listen %s\n    backend %s\n"
                  "    recite to client never\n%s\n}\n",
                  control_path(), control_arguments, r->listen, r->backend, route_statements);
    rig_launch(r);
    rig_measure(r, children);
}

void control_rig_start(struct rig *r, const char *control_arguments, const char *route_statements)
{
    start(r, control_arguments, route_statements, 1);
}

void control_rig_start_tracing(struct rig *r)
{
    char trace[RIG_PATH + 64];

    snprintf(trace, sizeof trace, "sessions 100\ntrace %s memory 1", unit_path("own.pcapng"));
    start(r, "", trace, 2);
}

struct control_request control_request_of(enum control_type type)
{
    return (struct control_request){
        .magic = CONTROL_MAGIC, .version = CONTROL_VERSION, .type = type};
}

int control_connect(void)
{
    const int fd = sock_connect_packets(control_path());

    ck_assert_msg(fd >= 0, "%s: %s", control_path(), strerror(-fd));
    return fd;
}

void control_send(int fd, const void *p, size_t n, const int *fds, unsigned n_fds)
{
    struct fdset set;

    fdset_init(&set);
    while (set.n < n_fds) {
        set.fds[set.n] = fds[set.n];
        set.n++;
    }
    ck_assert_int_eq(sock_send(fd, p, n, &set, 0), (ssize_t)n);
}

json_t *control_receive(int fd, enum control_status status, bool *last)
{
    static char packet[PACKET_MAX];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct control_answer head;
    json_t *part;
    ssize_t n;

    ck_assert_int_eq(poll(&p, 1, patience_ms()), 1);
    n = recv(fd, packet, sizeof packet, 0);
    ck_assert_msg(n >= (ssize_t)sizeof head, "an answer of %zd bytes", n);
    memcpy(&head, packet, sizeof head);
    ck_assert_uint_eq(head.magic, CONTROL_MAGIC);
    ck_assert_uint_eq(head.zero, 0);
    part = json_loadb(packet + sizeof head, (size_t)n - sizeof head, JSON_REJECT_DUPLICATES, NULL);
    ck_assert(json_is_object(part));
    ck_assert_msg(head.status == status, "status %u: %.*s", head.status, (int)n - (int)sizeof head,
                  packet + sizeof head);
    *last = head.last;
    return part;
}

static void expect_closed(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;

    ck_assert_int_eq(poll(&p, 1, patience_ms()), 1);
    ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

json_t *control_answer_to(const struct control_request *q)
{
    const int fd = control_connect();
    json_t *all = json_array();
    bool last = false;

    control_send(fd, q, sizeof *q, NULL, 0);
    while (!last) {
        json_t *part = control_receive(fd, CONTROL_OK, &last);

        if (json_object_size(part) > 0) {
            ck_assert_int_eq(json_array_append(all, part), 0);
        }
        json_decref(part);
    }
    expect_closed(fd);
    return all;
}

void control_expect_at(int fd, enum control_status status, const char *text)
{
    bool last;
    json_t *part = control_receive(fd, status, &last);
    const char *error = json_string_value(json_object_get(part, "error"));

    ck_assert(last);
    ck_assert_msg(error && strstr(error, text), "\"%s\", not \"%s\"", error ? error : "", text);
    json_decref(part);
    expect_closed(fd);
}

void control_expect(const struct control_request *q, enum control_status status, const char *text)
{
    const int fd = control_connect();

    control_send(fd, q, sizeof *q, NULL, 0);
    control_expect_at(fd, status, text);
}

json_t *control_part_of(const json_t *answer, size_t i, const char *name)
{
    json_t *o = json_object_get(json_array_get(answer, i), name);

    ck_assert_msg(json_is_object(o), "part %zu is no %s", i, name);
    return o;
}
