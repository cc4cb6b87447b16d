/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Statements about the text itself: variables, defaults, templates and their instances, included
 * files. Each error has the place in the file in which it was made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "proxy/config/text/config_source.h"
#include "proxy/config/config_where.h"
#include "tests/support/unit.h"
#include "tests/unit/config/parsed.h"

static void write_file(const char *path, const char *text)
{
    FILE *const f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
}

static struct parsed load(const char *path)
{
    struct parsed x = parse_nothing();

    x.r = config_load(&x.c, path, &x.e);
    return x;
}

/* A second route, beside ROUTE. */
#define ROUTE_B "route b {\nlisten /m\nbackend /c\n}\n"

/* The text without errors. */
static struct parsed load_good(const char *path)
{
    struct parsed x = load(path);

    if (x.r) {
        config_errors_print(&x.e, path, stderr);
    }
    ck_assert_int_eq(x.r, 0);
    return x;
}

/* ---- variables ---- */

START_TEST(variables)
{
    struct parsed x = parse_good("define vms /run/vm\n"
                                 "define socket \"${vms}/n.sock\"\n"
                                 "define empty-1 \"$${x}\"\n"
                                 "route a {\n"
                                 "    listen \"${vms}/${vms}\"\n"
                                 "    backend \"${socket}\"\n"
                                 "    allow client exe \"/$x/${empty-1}%i\"\n"
                                 "}\n");

    ck_assert_str_eq(x.c.routes[0].listen, "/run/vm//run/vm");
    ck_assert_str_eq(x.c.routes[0].backend, "/run/vm/n.sock");
    ck_assert_str_eq(x.c.routes[0].allow[0].value, "/$x/${x}%i");
    let_go(&x);
}
END_TEST

static const struct wrong of_variables[] = {
    {"define 1/2 x\n" ROUTE, 1, 8, "\"1/2\" is not the name of a variable", "up to 32 letters"},
    {"define x 1\ndefine x 2\n" ROUTE, 2, 8, "the variable \"x\" is already defined", ""},
    {"define x\n" ROUTE, 1, 9, "missing VALUE after \"define\"", "define NAME VALUE"},
    {"define vms /x\nroute a {\nlisten /l\nbackend \"${vm}/b\"\n}\n", 4, 9,
     "there is no variable \"vm\"", "did you mean ${vms}?"},
    {"route a {\nlisten /l\nbackend \"/${x}\"\n}\n", 3, 9, "there is no variable \"x\"",
     "define NAME VALUE"},
    {"route a {\nlisten /l\nbackend \"/${x\"\n}\n", 3, 9, "\"${\" without a name and \"}\"",
     "$${ for the characters"},
};

START_TEST(wrong_variables)
{
    struct parsed x = parse(of_variables[_i].text);

    must_be_wrong(&x, &of_variables[_i]);
    let_go(&x);
}
END_TEST

/* ---- defaults ---- */

START_TEST(defaults_stand_in_each_route_that_follows)
{
    struct parsed x = parse_good(ROUTE "defaults {\n"
                                       "    listen mode 0660 group kvm\n"
                                       "    drain-timeout 1s\n"
                                       "    answer-after never\n"
                                       "    dma withhold\n"
                                       "    preset audit-only\n"
                                       "}\n"
                                       "route b {\n"
                                       "    listen /m mode 0600\n"
                                       "    backend /c\n"
                                       "    answer-after 2s\n"
                                       "    dma pass\n"
                                       "}\n"
                                       "route c {\n"
                                       "    listen /n\n"
                                       "    backend /d\n"
                                       "}\n");
    const struct config_route *const r = x.c.routes;

    ck_assert_uint_eq(x.c.n_routes, 3);
    ck_assert_uint_eq(r[0].mode, 0600);
    ck_assert_ptr_null(r[0].group_name);
    ck_assert_uint_eq(r[0].drain_ms, LIMIT_DRAIN_MS);
    ck_assert_uint_eq(r[0].n_licence, 0);
    ck_assert_uint_eq(r[1].mode, 0600);
    ck_assert_str_eq(r[1].group_name, "kvm");
    ck_assert_uint_eq(r[1].drain_ms, 1000);
    ck_assert_uint_eq(r[1].answer_ms, 2000);
    ck_assert_uint_eq(r[1].dma_how, CONFIG_DMA_PASS);
    ck_assert_uint_eq(r[1].n_licence, 1);
    ck_assert_uint_eq(r[2].mode, 0660);
    ck_assert_uint_eq(r[2].answer_ms, 0);
    ck_assert_uint_eq(r[2].dma_how, CONFIG_DMA_WITHHOLD);
    ck_assert_uint_eq(r[2].otherwise, CONFIG_OTHERWISE_TAINT);
    let_go(&x);
}
END_TEST

static const struct wrong of_defaults[] = {
    {"defaults {\nbackend /b\n}\n" ROUTE, 2, 1, "unexpected \"backend\"", "in a route block"},
    {"defaults {\nworkers 3\n}\n" ROUTE, 2, 1, "unexpected \"workers\"", "outside of blocks"},
    {"defaults {\nlisten /l\n}\n" ROUTE, 2, 8, "unknown word \"/l\"", "listen [mode MODE]"},
    {"defaults {\ndrain-timeout 1\n}\n" ROUTE ROUTE_B, 2, 15, "is not a duration", ""},
    {"defaults {\ndrain-timeout 1s\ndrain-timeout 2s\n}\n" ROUTE ROUTE_B, 3, 1,
     "duplicate \"drain-timeout\"", "line 2"},
    {"defaults {\n}\ndefaults {\n}\n" ROUTE, 3, 1, "duplicate \"defaults\"", "line 1"},
    {"defaults x {\n}\n" ROUTE, 1, 10, "unexpected argument \"x\"", ""},
    {"defaults\n" ROUTE, 1, 9, "missing \"{\" after \"defaults\"", "defaults {"},
    {ROUTE "defaults {\nsessions 3\n", 5, 1, "unclosed block", "close it"},
    {"defaults {\nsessions 3\n} # x\ndefaults\n" ROUTE, 4, 1, "duplicate \"defaults\"", ""},
};

START_TEST(wrong_defaults)
{
    struct parsed x = parse(of_defaults[_i].text);

    must_be_wrong(&x, &of_defaults[_i]);
    let_go(&x);
}
END_TEST

/* ---- templates ---- */

START_TEST(a_template_is_a_route_for_each_instance)
{
    struct parsed x = parse_good("defaults {\n"
                                 "    sessions 2\n"
                                 "}\n"
                                 "route nvme@ {\n"
                                 "    instances vm1 vm2\n"
                                 "    listen /run/%i/n.sock\n"
                                 "    backend spawn \"/bin/dev --name %i-100%% --fd %fd x%%i\"\n"
                                 "    preset audit-only\n"
                                 "    instances vm3\n"
                                 "}\n"
                                 "route last {\n"
                                 "    listen /%i\n"
                                 "    backend /b\n"
                                 "}\n");
    static const char *const names[] = {"nvme@vm1", "nvme@vm2", "nvme@vm3", "last"};

    ck_assert_uint_eq(x.c.n_routes, 4);
    for (size_t i = 0; i < x.c.n_routes; i++) {
        ck_assert_str_eq(x.c.routes[i].name, names[i]);
        ck_assert_uint_eq(x.c.routes[i].sessions, 2);
        ck_assert_uint_eq(x.c.routes[i].n_licence, i < 3);
    }
    ck_assert_str_eq(x.c.routes[1].listen, "/run/vm2/n.sock");
    ck_assert_str_eq(x.c.routes[1].spawn, "/bin/dev --name vm2-100%% --fd %fd x%%i");
    ck_assert_uint_eq(x.c.routes[2].listen_at.line, 6);
    ck_assert_str_eq(x.c.routes[3].listen, "/%i");
    ck_assert_uint_eq(x.c.routes[3].listen_at.line, 12);
    let_go(&x);
}
END_TEST

#define TEMPLATE(lines) "route a@ {\n" lines "\n}\n"
#define SOCKETS "listen /l/%i\nbackend /b/%i\n"

static const struct wrong of_templates[] = {
    {TEMPLATE(SOCKETS), 1, 7, "this template has no \"instances\"", "instances NAME"},
    {TEMPLATE(SOCKETS "instances"), 4, 1, "missing NAME after \"instances\"", ""},
    {TEMPLATE(SOCKETS "instances x!y"), 4, 11, "\"x!y\" is not a name", ""},
    {TEMPLATE(SOCKETS "instances /run/*/x"), 4, 11, "neither a name nor a pattern", "/run/vm/*/"},
    {TEMPLATE(SOCKETS "instances run/*/"), 4, 11, "neither a name nor a pattern", ""},
    {TEMPLATE(SOCKETS "instances /*/*/"), 4, 11, "neither a name nor a pattern", ""},
    {TEMPLATE(SOCKETS "instances /a/*/b/"), 4, 11, "neither a name nor a pattern", ""},
    {TEMPLATE(SOCKETS "instances /a/b*/"), 4, 11, "neither a name nor a pattern", ""},
    {TEMPLATE(SOCKETS "instances \"${x}/*/\""), 4, 11, "there is no variable \"x\"", ""},
    {TEMPLATE(SOCKETS "instances x y x"), 4, 15, "duplicate instance \"x\"", ""},
    /* The same error once, and also without any instance. */
    {TEMPLATE(SOCKETS "sessions 0\ninstances x y z"), 4, 10, "0 is out of range", ""},
    {TEMPLATE(SOCKETS "sessions 0\ninstances /run/*/"), 4, 10, "0 is out of range", ""},
    {TEMPLATE("listen /l\nbackend /b/%i\ninstances x y z"), 2, 8, "another route listens on \"/l\"",
     "line 2"},
    {TEMPLATE("listen /l/%i\ninstances x y z"), 1, 7, "this route has no \"backend\"", ""},
    {"route b!@ {\ninstances x\n" SOCKETS "}\n", 1, 7, "is not a name", ""},
    {"route @ {\ninstances x\n" SOCKETS "}\n", 1, 7, "is not a name", ""},
    {"route a@ {\ninstances x\n" SOCKETS, 1, 7, "unclosed block", "close it"},
    {"route a@ {\ninstances x\n" SOCKETS "} # fine\n}\n", 6, 1, "\"}\" without a block", ""},
    {"route a@ {\ninstances x\n" SOCKETS "} x\n", 5, 1, "\"}\" must stand alone", ""},
    {"route a@\n", 1, 9, "missing \"{\" after \"route\"", ""},
    {IN_ROUTE("instances x"), 4, 1, "only a template has instances", "route NAME@ {"},
    {"instances x\n" ROUTE, 1, 1, "unexpected \"instances\"", "in a route block"},
};

START_TEST(wrong_templates)
{
    struct parsed x = parse(of_templates[_i].text);

    must_be_wrong(&x, &of_templates[_i]);
    let_go(&x);
}
END_TEST

START_TEST(a_name_with_its_instance_has_64_bytes)
{
    char text[256];
    char name[LIMIT_NAME + 2];

    for (int more = 0; more < 2; more++) {
        struct parsed x;

        snprintf(name, sizeof name, "%0*d", (int)LIMIT_NAME - 2 + more, 0);
        snprintf(text, sizeof text, "route a@ {\ninstances %s\nlisten /l\nbackend /b\n}\n", name);
        x = parse(text);
        ck_assert_int_eq(x.r, more ? -EINVAL : 0);
        if (more) {
            ck_assert_ptr_nonnull(strstr(x.e.error[0].text, "is too long"));
        }
        let_go(&x);
    }
}
END_TEST

/* Folders come and go: there may be none. */
START_TEST(folders_are_instances)
{
    char text[512];
    struct parsed x;

    ck_assert_int_eq(mkdir(unit_path("vm"), 0700), 0);
    snprintf(text, sizeof text,
             "define run %s\n"
             "route n@ {\n"
             "    instances other\n"
             "    instances \"${run}/vm/*/\"\n"
             "    listen \"${run}/vm/%%i/n\"\n"
             "    backend /b\n"
             "}\n"
             "route last {\n"
             "    listen /l\n"
             "    backend /b\n"
             "}\n",
             unit_path("."));
    write_file(unit_path("conf"), text);
    x = load_good(unit_path("conf"));
    ck_assert_uint_eq(x.c.n_routes, 2);
    ck_assert_uint_eq(x.c.folders.n, 1);
    let_go(&x);

    ck_assert_int_eq(mkdir(unit_path("vm/b"), 0700), 0);
    ck_assert_int_eq(mkdir(unit_path("vm/a"), 0700), 0);
    ck_assert_int_eq(mkdir(unit_path("vm/.hidden"), 0700), 0);
    ck_assert_int_eq(mkdir(unit_path("vm/not a name"), 0700), 0);
    write_file(unit_path("vm/file"), "");
    x = load_good(unit_path("conf"));
    ck_assert_uint_eq(x.c.n_routes, 4);
    ck_assert_str_eq(x.c.routes[0].name, "n@other");
    ck_assert_str_eq(x.c.routes[1].name, "n@a");
    ck_assert_str_eq(x.c.routes[2].name, "n@b");
    /* What follows has the lines of the file, in spite of the names between them. */
    ck_assert_uint_eq(x.c.routes[2].listen_at.line, 5);
    ck_assert_str_eq(x.c.routes[3].name, "last");
    ck_assert_uint_eq(x.c.routes[3].listen_at.line, 9);
    ck_assert_ptr_nonnull(strstr(x.c.text, "\ninstances a b\n"));
    let_go(&x);
}
END_TEST

START_TEST(a_text_that_was_put_together_means_the_same)
{
    char text[512];
    struct parsed x;
    struct parsed y;

    ck_assert_int_eq(mkdir(unit_path("vm"), 0700), 0);
    ck_assert_int_eq(mkdir(unit_path("vm/a"), 0700), 0);
    snprintf(text, sizeof text,
             "include more\nroute n@ {\ninstances %s/*/\nlisten /%%i\nbackend /b\n}",
             unit_path("vm"));
    write_file(unit_path("conf"), text);
    write_file(unit_path("more"), "sessions-of-all 1\n");
    write_file(unit_path("more"), "workers 2\nroute m {\nlisten /l\nbackend /x\n}");
    x = load_good(unit_path("conf"));
    y = parse_bytes(x.c.text, x.c.text_size);
    ck_assert_int_eq(y.r, 0);
    ck_assert_uint_eq(x.c.n_routes, 2);
    ck_assert_uint_eq(y.c.n_routes, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(y.c.routes[i].name, x.c.routes[i].name);
        ck_assert_uint_eq(y.c.routes[i].listen_at.line, x.c.routes[i].listen_at.line);
    }
    ck_assert_str_eq(y.c.files.items[0].text, unit_path("more"));
    let_go(&x);
    let_go(&y);
}
END_TEST

/* ---- included files ---- */

START_TEST(files_are_included_in_the_order_of_their_names)
{
    char where[CONFIG_WHERE_SIZE];
    char expected[CONFIG_WHERE_SIZE];
    struct parsed x;

    ck_assert_int_eq(mkdir(unit_path("conf.d"), 0700), 0);
    write_file(unit_path("conf.d/20-b.conf"), "\nroute b {\nlisten /m\nbackend /${dir}\n}\n");
    write_file(unit_path("conf.d/10-a.conf"), "define dir x\n" ROUTE);
    write_file(unit_path("conf.d/ignored"), "nonsense\n");
    write_file(unit_path("conf"), "workers 1\n"
                                  "include \"conf.d/*.conf\"\n"
                                  "include \"none.d/*.conf\"\n"
                                  "route c {\nlisten /n\nbackend \"/${dir}\"\n}\n");
    write_file(unit_path("conf.d/20-b.conf"),
               "\nroute b {\nlisten /m\nbackend \"/${dir}\"\npreset gpl-only\n}");
    x = load_good(unit_path("conf"));
    ck_assert_uint_eq(x.c.n_routes, 3);
    ck_assert_str_eq(x.c.routes[0].name, "a");
    ck_assert_str_eq(x.c.routes[1].name, "b");
    ck_assert_str_eq(x.c.routes[1].backend, "/x");
    ck_assert_str_eq(x.c.routes[2].backend, "/x");
    ck_assert_uint_eq(x.c.routes[2].listen_at.line, 5);
    ck_assert_str_eq(config_where_file_of(&x.c, x.c.routes[1].listen_at.line),
                     unit_path("conf.d/20-b.conf"));
    ck_assert_str_eq(config_where_preset_of(x.c.routes[1].licence[0].at.line), "gpl-only");
    snprintf(expected, sizeof expected, "%s, line 3", unit_path("conf.d/20-b.conf"));
    ck_assert_str_eq(config_where(&x.c, x.c.routes[1].listen_at.line, where), expected);
    let_go(&x);
}
END_TEST

/* A configuration in conf, which includes a file named a, and an error. */
static const struct {
    const char *conf;
    const char *a;
    bool in_a;
    unsigned line;
    const char *error;
} of_files[] = {
    {"include a\n" ROUTE, "worker 3\n", true, 1, "unknown word \"worker\""},
    {ROUTE "include a\nsessions 3\n", "workers 3\n", false, 6, "unexpected \"sessions\""},
    {"include a\n" ROUTE, "workers 3\nroute b {\nlisten /x\nbackend /y\n", true, 2,
     "unclosed block"},
    {"include a\n" ROUTE, ROUTE_B "}\n", true, 5, "\"}\" without a block"},
    {"include a\n" ROUTE, "include b\n", true, 1, "an included file cannot include others"},
    {"include missing\n" ROUTE, "", false, 1, "cannot include"},
    {ROUTE "include\n", "", false, 5, "missing PATTERN after \"include\""},
    {ROUTE "include a\n", "route b {\nlisten /l\nbackend /b\n}\n", true, 2,
     "another route listens on \"/l\""},
    {"route a {\ninclude a\nlisten /l\nbackend /b\n}\n", "", false, 2, "unexpected \"include\""},
    {"workers 1\ninclude a\n" ROUTE, "workers 1\n", true, 1, "duplicate \"workers\""},
};

START_TEST(errors_are_of_the_file_in_which_they_are)
{
    struct parsed x;
    const struct config_error *e;

    write_file(unit_path("conf"), of_files[_i].conf);
    write_file(unit_path("a"), of_files[_i].a);
    x = load(unit_path("conf"));
    ck_assert_int_eq(x.r, -EINVAL);
    e = &x.e.error[0];
    ck_assert_uint_eq(x.e.total, 1);
    ck_assert_str_eq(e->file, of_files[_i].in_a ? unit_path("a") : "");
    ck_assert_uint_eq(config_where_line(e->at.line), of_files[_i].line);
    ck_assert_msg(strstr(e->text, of_files[_i].error), "%s", e->text);
    let_go(&x);
}
END_TEST

START_TEST(a_file_that_every_user_can_write_to_is_not_included)
{
    struct parsed x;

    write_file(unit_path("conf"), "include a\n" ROUTE);
    write_file(unit_path("a"), "workers 1\n");
    ck_assert_int_eq(chmod(unit_path("a"), 0666), 0);
    x = load(unit_path("conf"));
    ck_assert_int_eq(x.r, -EINVAL);
    ck_assert_ptr_nonnull(strstr(x.e.error[0].text, "every user can write to"));
    ck_assert_str_eq(x.e.error[0].hint, "chmod o-w");
    let_go(&x);
}
END_TEST

START_TEST(only_a_regular_file_is_included)
{
    struct parsed x;

    write_file(unit_path("conf"), "include folder\ninclude fifo\n" ROUTE);
    ck_assert_int_eq(mkdir(unit_path("folder"), 0700), 0);
    ck_assert_int_eq(mkfifo(unit_path("fifo"), 0600), 0);
    x = load(unit_path("conf"));
    ck_assert_int_eq(x.r, -EINVAL);
    ck_assert_uint_eq(x.e.total, 2);
    ck_assert_ptr_nonnull(strstr(x.e.error[0].text, "folder\": it is a folder"));
    ck_assert_str_eq(x.e.error[0].hint, "include \"FOLDER/*.conf\"");
    ck_assert_uint_eq(config_where_line(x.e.error[1].at.line), 2);
    ck_assert_ptr_nonnull(strstr(x.e.error[1].text, "fifo\": it is not a regular file"));
    let_go(&x);
}
END_TEST

START_TEST(all_files_together_have_one_limit)
{
    static char big[LIMIT_CONFIG_FILE / 2];
    struct parsed x;

    memset(big, '\n', sizeof big - 1);
    write_file(unit_path("a"), big);
    write_file(unit_path("conf"), "include a\n" ROUTE);
    x = load_good(unit_path("conf"));
    let_go(&x);
    write_file(unit_path("conf"), "include a\ninclude a\ninclude a\n" ROUTE);
    x = load(unit_path("conf"));
    ck_assert_int_eq(x.r, -EINVAL);
    ck_assert_ptr_nonnull(strstr(x.e.error[0].text, "too large"));
    let_go(&x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config_text");
    TCase *tc = unit_case(s, "variables");

    tcase_add_test(tc, variables);
    tcase_add_loop_test(tc, wrong_variables, 0, COUNT(of_variables));
    tc = unit_case(s, "defaults");
    tcase_add_test(tc, defaults_stand_in_each_route_that_follows);
    tcase_add_loop_test(tc, wrong_defaults, 0, COUNT(of_defaults));
    tc = unit_case(s, "templates");
    tcase_add_test(tc, a_template_is_a_route_for_each_instance);
    tcase_add_loop_test(tc, wrong_templates, 0, COUNT(of_templates));
    tcase_add_test(tc, a_name_with_its_instance_has_64_bytes);
    tcase_add_test(tc, folders_are_instances);
    tcase_add_test(tc, a_text_that_was_put_together_means_the_same);
    tc = unit_case(s, "files");
    tcase_add_test(tc, files_are_included_in_the_order_of_their_names);
    tcase_add_loop_test(tc, errors_are_of_the_file_in_which_they_are, 0, COUNT(of_files));
    tcase_add_test(tc, a_file_that_every_user_can_write_to_is_not_included);
    tcase_add_test(tc, only_a_regular_file_is_included);
    tcase_add_test(tc, all_files_together_have_one_limit);
    return unit_run(s);
}
