/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads a poem's file, at most one byte more than a poem may have. */
#define _DEFAULT_SOURCE
#include "poem/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads up to size bytes. Returns the number of bytes or -errno. */
static ssize_t file_read_up_to(int fd, char *out, size_t size)
{
    size_t at = 0;

    while (at < size) {
        const ssize_t n = read(fd, out + at, size - at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        at += (size_t)n;
    }
    return (ssize_t)at;
}

static ssize_t file_read_path(const char *path, char *out, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        return -errno;
    }
    n = file_read_up_to(fd, out, size);
    close(fd);
    return n;
}

int poem_file_init(struct poem_file *f, const char *path, enum poem_outcome *outcome)
{
    ssize_t n;

    *outcome = POEM_OK;
    *f = (struct poem_file){.poem = poem_builtin};
    if (!path) {
        return 0;
    }
    f->text = malloc(POEM_SIZE_MAX + 1);
    if (!f->text) {
        return -ENOMEM;
    }
    n = file_read_path(path, f->text, POEM_SIZE_MAX + 1);
    if (n >= 0) {
        *outcome = poem_read(&f->poem, f->text, (size_t)n);
    }
    if (n < 0 || *outcome != POEM_OK) {
        poem_file_deinit(f);
        return n < 0 ? (int)n : -EINVAL;
    }
    return 0;
}

void poem_file_deinit(struct poem_file *f)
{
    free(f->text);
    f->text = NULL;
}

const char *poem_file_why(int err, enum poem_outcome outcome)
{
    return outcome == POEM_OK ? strerror(-err) : poem_outcome_text(outcome);
}
