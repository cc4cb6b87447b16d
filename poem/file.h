/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A poem from a file, for programs that are told of one on their command line.
 */
#ifndef POEMD_POEM_FILE_H
#define POEMD_POEM_FILE_H

#include "poem/poem.h"

struct poem_file {
    struct poem poem;
    char *text; /* owned; NULL: the poem is the one built in */
};

/*
 * Reads the poem at path; NULL is the one built in. 0; or a negative errno, *outcome being POEM_OK
 * where the file could not be read, and otherwise why (with -EINVAL) it is no poem: the file needs
 * no deinit then.
 */
int poem_file_init(struct poem_file *f, const char *path, enum poem_outcome *outcome)
    __attribute__((warn_unused_result));

void poem_file_deinit(struct poem_file *f);

/* Why poem_file_init failed, for messages. Valid until the next call of strerror. */
const char *poem_file_why(int err, enum poem_outcome outcome);

#endif
