/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The guest's console. */
#include "tests/e2e/guest/guest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

void say(const char *format, ...)
{
    va_list args;

    fputs("e2e: ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fputs("\n", stdout);
    fflush(stdout);
}

void fail(const char *format, ...)
{
    va_list args;

    fputs("e2e: fail: ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (%s)\n", strerror(errno));
    fflush(stdout);
    exit(1);
}

void mount_or_fail(const char *type, const char *where)
{
    if (mkdir(where, 0755) < 0 && errno != EEXIST)
        fail("mkdir %s", where);
    if (mount(type, where, type, 0, NULL) < 0)
        fail("mount %s", where);
}
