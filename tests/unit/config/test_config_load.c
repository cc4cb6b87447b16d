/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Configurations from files and from the command line, and the names of users and groups in them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "proxy/config/places.h"
#include "tests/support/unit.h"
#include "tests/unit/config/parsed.h"

/* ---- names of this machine ---- */

START_TEST(resolves_names_and_numbers)
{
    struct passwd daemon_user = {0};
    struct parsed x = parse_good("route a {\nlisten /a owner root group root\nbackend /x\n}\n"
                                 "route b {\nlisten /b owner 12 group 4294967294\nbackend /x\n}\n"
                                 "route c {\nlisten /c\nbackend /x\n}\nuser daemon\n");

    ck_assert_ptr_nonnull(getpwnam("daemon"));
    daemon_user = *getpwnam("daemon");
    ck_assert_int_eq(config_resolve(&x.c, &x.e), 0);
    ck_assert_uint_eq(x.c.worker.uid, daemon_user.pw_uid);
    ck_assert_uint_eq(x.c.worker.gid, daemon_user.pw_gid);
    ck_assert(x.c.workers >= 1 && x.c.workers <= LIMIT_WORKERS_DEFAULT);
    ck_assert(x.c.routes[0].owner == 0 && x.c.routes[0].group == 0);
    ck_assert_uint_eq(x.c.routes[1].owner, 12);
    ck_assert_uint_eq(x.c.routes[1].group, 4294967294u);
    ck_assert(x.c.routes[2].owner == (uid_t)-1 && x.c.routes[2].group == (gid_t)-1);
    let_go(&x);
}
END_TEST

START_TEST(the_control_socket_has_its_own_names)
{
    struct parsed x = parse_good(ROUTE "control /c mode 0660 owner 12 group root\n");
    struct parsed none = parse_good(ROUTE);

    ck_assert_int_eq(config_resolve(&x.c, &x.e), 0);
    ck_assert_str_eq(x.c.control.path, "/c");
    ck_assert_uint_eq(x.c.control.mode, 0660);
    ck_assert_uint_eq(x.c.control.owner, 12);
    ck_assert_uint_eq(x.c.control.group, 0);
    ck_assert_int_eq(config_resolve(&none.c, &none.e), 0);
    ck_assert_ptr_null(none.c.control.path);
    ck_assert_uint_eq(none.c.control.mode, 0600);
    ck_assert(none.c.control.owner == (uid_t)-1 && none.c.control.group == (gid_t)-1);
    let_go(&x);
    let_go(&none);
}
END_TEST

START_TEST(a_number_nobody_has_is_its_own_group)
{
    struct parsed x = parse_good(ROUTE "user 3999999999\n");

    ck_assert_ptr_null(getpwuid(3999999999u));
    ck_assert_int_eq(config_resolve(&x.c, &x.e), 0);
    ck_assert_uint_eq(x.c.worker.uid, 3999999999u);
    ck_assert_uint_eq(x.c.worker.gid, 3999999999u);
    let_go(&x);
}
END_TEST

#define SPAWNED "route a {\nlisten /l\nbackend spawn \"/d %fd\" "

#define DIGITS "1111111111111111111111111111111111111111111111111111111111111111"

static const struct wrong unresolved[] = {
    {IN_ROUTE("allow backend digest 00"), 4, 22, "not a digest: \"00\"", "sha256sum prints"},
    {IN_ROUTE("allow client digest verity:sha256:" DIGITS "0"), 4, 21, "not a digest", "fsverity"},
    {IN_ROUTE("allow client digest verity:sha512:" DIGITS), 4, 21, "not a digest", ""},
    {IN_ROUTE("allow client digest verity:" DIGITS), 4, 21, "not a digest", ""},
    {IN_ROUTE("assign licence MIT to client digest verity:md5:" DIGITS), 4, 1, "not a digest", ""},
    {IN_ROUTE("allow backend vm web1"), 4, 1, "a backend has no virtual machine",
     "allow client vm NAME"},
    {IN_ROUTE("licence of backend consistent with client"), 4, 1, "last word",
     "licence of PARTY consistent"},
    {IN_ROUTE("licence of backend consistent evidence declared"), 4, 1, "last word", ""},
    {IN_ROUTE("licence of client consistent covering code"), 4, 1, "last word", ""},
    {ROUTE "user no-such-user", 5, 6, "there is no user \"no-such-user\"", "number"},
    {ROUTE "user 4294967295", 5, 6, "there is no user \"4294967295\"", "number"},
    {ROUTE "user root", 5, 6, "workers cannot run as root", ""},
    {ROUTE "user 0", 5, 6, "workers cannot run as root", ""},
    {ROUTE "user nobody", 5, 6, "other programs run as this user", "nothing else uses"},
    {ROUTE "user 65534", 5, 6, "other programs run as this user", ""},
    {SPAWNED "user nobody\n}", 3, 29, "other programs run as this user", "nothing else uses"},
    {SPAWNED "user daemon\n}\nuser daemon", 3, 29, "cannot run as the user of poemd's own", ""},
    {SPAWNED "user 2000000001\n}\nuser 2000000001", 3, 29, "cannot run as the user of poemd's own",
     ""},
    {"route a {\nlisten /l owner no-such-user\nbackend /b\n}", 2, 17, "there is no user", ""},
    {"route a {\nlisten /l group no-such-group\nbackend /b\n}", 2, 17, "there is no group", ""},
    {ROUTE "control /c owner no-such-user", 5, 18, "there is no user", ""},
    {ROUTE "control /c group no-such-group", 5, 18, "there is no group", ""},
    {"route a {\nlisten /l group 4294967295\nbackend /b\n}", 2, 17, "there is no group", ""},
    {ROUTE "audit /a", 5, 7, "\"audit\" needs a key", "keygen"},
};

START_TEST(each_unknown_name_has_its_place)
{
    const struct wrong *w = &unresolved[_i];
    struct parsed x = parse_good(w->text);

    ck_assert_int_eq(config_resolve(&x.c, &x.e), -EINVAL);
    x.r = -EINVAL;
    must_be_wrong(&x, w);
    let_go(&x);
}
END_TEST

/* ---- files ---- */

static int load(const char *path, struct parsed *x)
{
    *x = parse_nothing();
    x->r = config_load(&x->c, path, &x->e);
    return x->r;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(loads_a_file)
{
    const char *path = unit_path("good.conf");
    struct parsed x;

    write_file(path, ROUTE);
    ck_assert_int_eq(load(path, &x), 0);
    ck_assert_uint_eq(x.c.n_routes, 1);
    ck_assert_ptr_null(x.c.user);
    let_go(&x);
}
END_TEST

START_TEST(says_all_of_a_file_at_once)
{
    const char *path = unit_path("bad.conf");
    struct parsed x;

    write_file(path, "user no-such-user\nworker 2\n" ROUTE);
    ck_assert_int_eq(load(path, &x), -EINVAL);
    ck_assert_uint_eq(x.e.total, 2);
    ck_assert_uint_eq(x.e.error[0].at.line, 1);
    ck_assert_uint_eq(x.e.error[1].at.line, 2);
    let_go(&x);
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    struct parsed x;

    ck_assert_int_eq(load(unit_path("none.conf"), &x), -ENOENT);
    let_go(&x);
    ck_assert_int_eq(load(unit_folder(), &x), -EISDIR);
    let_go(&x);
    ck_assert_int_eq(load("/dev/zero", &x), -EINVAL);
    ck_assert_str_eq(x.e.error[0].text, "the file is too large");
    let_go(&x);
}
END_TEST

START_TEST(a_file_that_every_user_can_write)
{
    const char *path = unit_path("open.conf");
    struct parsed x;

    write_file(path, ROUTE);
    ck_assert_int_eq(chmod(path, 0662), 0);
    ck_assert_int_eq(load(path, &x), -EINVAL);
    ck_assert_str_eq(x.e.error[0].text, "every user can write to this file");
    let_go(&x);
    ck_assert_int_eq(chmod(path, 0664), 0);
    ck_assert_int_eq(load(path, &x), 0);
    let_go(&x);
}
END_TEST

START_TEST(a_recital_can_be_demanded_all_the_way)
{
    static const struct {
        const char *statements;
        bool demands, all;
        unsigned column; /* of the one error; 0: none */
        const char *error;
    } rows[] = {
        {"demand recital from backend\n", true, false, 0, NULL},
        {"demand recital from backend all the way\n", true, true, 0, NULL},
        {"demand recital from client\ndemand recital from backend all the way\n", true, true, 0,
         NULL},
        {"demand recital from client all the way\n", false, false, 36, "no servers behind it"},
        {"demand recital from backend all\n", true, false, 29, "unknown word \"all\""},
        {"demand recital from backend all the\n", true, false, 36, "missing way after \"the\""},
        {"demand recital from backend all the best\n", true, false, 37, "\"best\""},
        {"demand recital from backend all the way all the way\n", true, true, 41, "duplicate"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct parsed x;

        snprintf(text, sizeof text, "route a {\nlisten /l\nbackend /b\n%s}\n", rows[i].statements);
        write_file(unit_path("conf"), text);
        ck_assert_int_eq(load(unit_path("conf"), &x), rows[i].error ? -EINVAL : 0);
        ck_assert_uint_eq(x.e.total, rows[i].error ? 1 : 0);
        if (rows[i].error) {
            ck_assert_uint_eq(x.e.error[0].at.column, rows[i].column);
            ck_assert_msg(strstr(x.e.error[0].text, rows[i].error), "%s", x.e.error[0].text);
        }
        ck_assert_int_eq(x.c.routes[0].rules.demand_recital[SIDE_BACKEND], rows[i].demands);
        ck_assert(rows[i].error || x.c.routes[0].rules.demand_all_the_way == rows[i].all);
        let_go(&x);
    }
}
END_TEST

START_TEST(executables_are_looked_at_again)
{
    static const struct {
        const char *statement;
        unsigned ms, then;
    } rows[] = {
        {"", 0, CONFIG_SAME_END},
        {"look again every 1s\n", 1000, CONFIG_SAME_END},
        {"look again every 86400s then taint\n", 86400000, CONFIG_SAME_TAINT},
        {"look again every 1440m then end\n", 86400000, CONFIG_SAME_END},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct parsed x;

        snprintf(text, sizeof text, "route a {\nlisten /l\nbackend /b\n%s}\n", rows[i].statement);
        write_file(unit_path("conf"), text);
        ck_assert_int_eq(load(unit_path("conf"), &x), 0);
        ck_assert_uint_eq(x.c.routes[0].look_ms, rows[i].ms);
        ck_assert_uint_eq(x.c.routes[0].look_then, rows[i].then);
        let_go(&x);
    }
}
END_TEST

/* ---- places that others can change ---- */

struct warned {
    unsigned n;
    char texts[8][2048];
};

static void keep_warning(const char *text, void *arg)
{
    struct warned *w = arg;

    ck_assert_uint_lt(w->n, 8);
    snprintf(w->texts[w->n++], sizeof w->texts[0], "%s", text);
}

static void must_warn(const struct warned *w, unsigned i, const char *what)
{
    ck_assert_uint_lt(i, w->n);
    ck_assert_msg(strncmp(w->texts[i], what, strlen(what)) == 0, "%s", w->texts[i]);
    ck_assert_ptr_nonnull(strstr(w->texts[i], "every user can write to it"));
}

START_TEST(places_that_others_can_change)
{
    char text[2048];
    struct parsed x;
    struct warned w = {0};

    ck_assert_int_eq(mkdir(unit_path("open"), 0700), 0);
    ck_assert_int_eq(chmod(unit_path("open"), 0777), 0);
    write_file(unit_path("log"), "");
    ck_assert_int_eq(chmod(unit_path("log"), 0666), 0);
    /* unit_path has room for four paths at a time. */
    snprintf(text, sizeof text, "audit %s key %s\ncontrol %s\nroute a {\nlisten %s\nbackend /x\n",
             unit_path("log"), unit_path("open/key"), unit_path("open/c"), unit_path("open/a"));
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "trace %s\nmappable adopt %s\n}\nroute b {\nlisten %s\nbackend %s\n}\n",
             unit_path("open/t"), unit_path("open/m"), unit_path("b"), unit_path("open/x"));
    write_file(unit_path("conf"), text);
    ck_assert_int_eq(load(unit_path("conf"), &x), 0);
    places_check(&x.c, keep_warning, &w);
    must_warn(&w, 0, "the audit log \"");
    must_warn(&w, 1, "the audit log's key \"");
    must_warn(&w, 2, "the control socket \"");
    must_warn(&w, 3, "route a: its socket \"");
    must_warn(&w, 4, "route a: its trace \"");
    must_warn(&w, 5, "route a: its device's memory \"");
    ck_assert_uint_eq(w.n, 6);
    ck_assert_ptr_nonnull(strstr(w.texts[3], unit_path("open")));
    let_go(&x);
}
END_TEST

/* ---- a single route ---- */

static const struct {
    const char *listen;
    const char *name;
} names[] = {
    {"/run/edu.sock", "edu"},
    {"/edu", "edu"},
    {"/run/.sock", ".sock"},
    {"/run/an edu\xc3\xa9.sock", "an_edu__"},
    {"/run/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
};

START_TEST(a_single_route_is_named_after_its_socket)
{
    struct parsed x = parse_nothing();

    ck_assert_int_eq(config_single(&x.c, names[_i].listen, "/b", &x.e), 0);
    ck_assert_uint_eq(x.c.n_routes, 1);
    ck_assert_str_eq(x.c.routes[0].name, names[_i].name);
    ck_assert_str_eq(x.c.routes[0].listen, names[_i].listen);
    ck_assert_str_eq(x.c.routes[0].backend, "/b");
    ck_assert_uint_eq(x.c.routes[0].handshake_ms, LIMIT_HANDSHAKE_MS);
    let_go(&x);
}
END_TEST

START_TEST(a_single_route_is_checked_as_others_are)
{
    struct parsed x = parse_nothing();

    ck_assert_int_eq(config_single(&x.c, "l", "/b/", &x.e), -EINVAL);
    ck_assert_uint_eq(x.e.total, 2);
    let_go(&x);
    x = parse_nothing();
    ck_assert_int_eq(config_single(&x.c, "/b", "//b", &x.e), -EINVAL);
    ck_assert_uint_eq(x.e.total, 1);
    ck_assert_uint_eq(x.e.error[0].at.line, 0);
    let_go(&x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config_load");
    TCase *tc = unit_case(s, "names");

    tcase_add_test(tc, resolves_names_and_numbers);
    tcase_add_test(tc, the_control_socket_has_its_own_names);
    tcase_add_test(tc, a_number_nobody_has_is_its_own_group);
    tcase_add_loop_test(tc, each_unknown_name_has_its_place, 0, COUNT(unresolved));
    tc = unit_case(s, "files");
    tcase_add_test(tc, loads_a_file);
    tcase_add_test(tc, says_all_of_a_file_at_once);
    tcase_add_test(tc, files_that_cannot_be_read);
    tcase_add_test(tc, a_file_that_every_user_can_write);
    tcase_add_test(tc, a_recital_can_be_demanded_all_the_way);
    tcase_add_test(tc, executables_are_looked_at_again);
    tcase_add_test(tc, places_that_others_can_change);
    tc = unit_case(s, "single");
    tcase_add_loop_test(tc, a_single_route_is_named_after_its_socket, 0, COUNT(names));
    tcase_add_test(tc, a_single_route_is_checked_as_others_are);
    return unit_run(s);
}
