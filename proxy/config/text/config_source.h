/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The text of a configuration: its file, the files that it includes, and the folders that are
 * instances of its templates, put together into one text, which config_parse reads and the audit
 * log keeps. A file without "include", and without folders as instances, is its own text.
 *
 * An "include" stays, and is followed by the files, each behind a line
 *
 *   source "/etc/poemd/poemd.conf.d/a.conf" 1     the next line is this one of that file
 *
 * and behind the last one by
 *
 *   source main 12                          … of the file itself
 *
 * "instances" with a pattern stays, and is followed by "instances" with the folders' names, and a
 * "source" for where the text goes on.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_SOURCE_H
#define POEMD_PROXY_CONFIG_CONFIG_SOURCE_H

#include <stddef.h>

#include "proxy/config/config.h"

/*
 * Reads the file. *text (owned by the caller) has *n bytes; more than LIMIT_CONFIG_FILE if it is
 * too large, which config_parse reports. Adds errors of included files to e, at the statement's
 * place. Returns 0, or -errno if the file itself cannot be read.
 */
int config_source_read(const char *path, char **text, size_t *n, struct config_errors *e)
    __attribute__((warn_unused_result));

/*
 * Splits a pattern of folders: an absolute path whose last component is a star, which stands for
 * the instance, with a slash behind it. Returns the length of the path before the star, or 0 if it
 * is not such a pattern. Pure.
 */
size_t config_source_star(const char *pattern);

#endif
