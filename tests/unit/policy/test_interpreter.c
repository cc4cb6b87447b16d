/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Programs whose own licence is not that of what they run. */
#include <string.h>

#include "policy/rules/interpreter.h"
#include "tests/support/unit.h"

static const struct {
    const char *path;
    const char *what; /* NULL: not an interpreter */
} programs[] = {
    {"/usr/bin/python3.11", "Python"},
    {"/usr/bin/perl", "Perl"},
    {"/usr/bin/perl5.36-x86_64-linux-gnu", "Perl"},
    {"/usr/bin/node", "JavaScript"},
    {"/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "Java"},
    {"/usr/bin/lua5.4", "Lua"},
    {"/usr/bin/tclsh8.6", "Tcl"},
    {"/usr/bin/bash", "a shell"},
    {"/bin/busybox", "a shell"},
    {"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "a program loader"},
    {"/usr/bin/qemu-aarch64-static", "programs of another machine"},
    {"/usr/bin/qemu-x86_64", "programs of another machine"},
    {"/usr/bin/python3.11-dbg", "Python"},
    {"/usr/bin/ruby3.1", "Ruby"},
    {"/usr/sbin/php-fpm8.2", "PHP"},
    {"/usr/bin/guile-3.0", "Scheme"},
    {"/usr/bin/luajit-2.1.0-beta3", "Lua"},
    {"/usr/bin/dash", "a shell"},
    {"/usr/libexec/valgrind/memcheck-amd64-linux", "programs under valgrind"},
    {"/usr/libexec/valgrind/none-amd64-linux", "programs under valgrind"},
    {"/usr/bin/qemu-system-x86_64", NULL},
    /* They execute another program in their place, which is looked at instead. */
    {"/usr/bin/env", NULL},
    {"/usr/bin/valgrind.bin", NULL},
    {"/usr/bin/qemu-img", NULL},
    {"/usr/sbin/poemd", NULL},
    {"/usr/bin/bashful", NULL},
    {"/usr/bin/pythonic-device", NULL},
    {"/opt/python/bin/device", NULL},
    {"perl", "Perl"},
    {"/", NULL},
    {"", NULL},
};

START_TEST(a_program_is_an_interpreter_by_its_files_name)
{
    const char *const what = interpreter_of(programs[_i].path);

    ck_assert_msg((what != NULL) == (programs[_i].what != NULL), "%s", programs[_i].path);
    if (what) {
        ck_assert_str_eq(what, programs[_i].what);
    }
}
END_TEST

START_TEST(a_long_name_is_of_none)
{
    char path[4096];

    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    ck_assert_ptr_null(interpreter_of(path));
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("interpreter");
    TCase *const tc = unit_case(s, "names");

    tcase_add_loop_test(tc, a_program_is_an_interpreter_by_its_files_name, 0,
                        (int)(sizeof programs / sizeof *programs));
    tcase_add_test(tc, a_long_name_is_of_none);
    return unit_run(s);
}
