/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads a poem from a file named on a program's command line. */
#ifndef POEMD_POEM_FILE_H
#define POEMD_POEM_FILE_H

#include "poem/poem.h"

struct poem_file {
    struct poem poem;
    char *text; /* owned; NULL for the built-in poem */
};

/*
 * Reads the poem at path; NULL selects the built-in one. Returns 0 or a negative errno. If the file
 * could not be read, *outcome is POEM_OK; if its content is not a poem, the result is -EINVAL and
 * *outcome is the reason. After an error no deinit is needed.
 */
int poem_file_init(struct poem_file *f, const char *path, enum poem_outcome *outcome)
    __attribute__((warn_unused_result));

void poem_file_deinit(struct poem_file *f);

/*
 * Returns the reason why poem_file_init failed, for messages. Valid until the next call of
 * strerror.
 */
const char *poem_file_why(int err, enum poem_outcome outcome);

#endif
