/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Templates whose instances are folders: their routes come and go as these do. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* Route vm@ for each folder in vm/, to the rig's backend. */
static void configure(struct rig *r, const char *route)
{
    char vm[RIG_PATH];

    snprintf(vm, sizeof vm, "%s", unit_path("vm"));
    rig_configure(r,
                  "workers 1\n%s"
                  "defaults {\n    recite to client never\n}\n"
                  "route vm@ {\n    instances \"%s/*/\"\n    listen \"%s/%%i/c.sock\"\n"
                  "    backend %s\n}\n",
                  route, vm, vm, r->backend);
}

static void make_folder(const char *name)
{
    ck_assert_msg(mkdir(unit_path(name), 0700) == 0, "%s: %s", name, strerror(errno));
}

/* Removes a folder with the socket in it. */
static void remove_folder(const char *name)
{
    char socket[RIG_PATH];

    snprintf(socket, sizeof socket, "%s/c.sock", unit_path(name));
    ck_assert_int_eq(unlink(socket), 0);
    ck_assert_msg(rmdir(unit_path(name)) == 0, "%s: %s", name, strerror(errno));
}

static void await_routes(struct rig *r, unsigned n)
{
    char text[96];

    snprintf(text, sizeof text, "reloaded, since folders have come or gone: %u route", n);
    rig_await_log(r, text, NULL, 0);
}

static void begin(const struct rig *r, const char *socket, struct pair *p)
{
    rig_session_at(unit_path(socket), r->backend_fd, peer_qemu_json, "{}", p);
    pair_ping(p);
}

START_TEST(a_folder_is_a_route_while_it_exists)
{
    char route[512];
    struct rig r;
    struct pair a;
    struct pair b;

    rig_init(&r);
    make_folder("vm");
    snprintf(route, sizeof route, "route r {\n    listen %s\n    backend %s\n}\n", r.listen,
             r.backend);
    configure(&r, route);
    rig_launch(&r);

    make_folder("vm/a");
    await_routes(&r, 2);
    begin(&r, "vm/a/c.sock", &a);
    make_folder("vm/b");
    await_routes(&r, 3);
    begin(&r, "vm/b/c.sock", &b);

    /* A session outlives the folder of its route. */
    remove_folder("vm/a");
    await_routes(&r, 2);
    pair_ping(&a);
    pair_close(&a);
    rig_await_log(&r, "route=vm@a", NULL, 0);
    pair_ping(&b);
    pair_close(&b);
    rig_await_log(&r, "route=vm@b", NULL, 0);

    make_folder("vm/a");
    await_routes(&r, 3);
    begin(&r, "vm/a/c.sock", &a);
    pair_close(&a);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

START_TEST(there_may_be_no_folder_and_nowhere_to_look_for_one)
{
    struct rig r;
    struct pair a;

    rig_init(&r);
    configure(&r, "");
    rig_launch(&r);
    make_folder("vm");
    make_folder("vm/a");
    await_routes(&r, 1);
    begin(&r, "vm/a/c.sock", &a);
    pair_close(&a);
    /* Gone as a whole, and back. */
    remove_folder("vm/a");
    ck_assert_int_eq(rmdir(unit_path("vm")), 0);
    await_routes(&r, 0);
    make_folder("vm");
    make_folder("vm/b");
    await_routes(&r, 1);
    begin(&r, "vm/b/c.sock", &a);
    pair_close(&a);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("folders");
    TCase *tc = rig_case(s, "folders");

    tcase_add_test(tc, a_folder_is_a_route_while_it_exists);
    tcase_add_test(tc, there_may_be_no_folder_and_nowhere_to_look_for_one);
    return unit_run(s);
}
