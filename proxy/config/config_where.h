/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Which text a stored line number is of. The number of a configuration's line is stored in many
 * places, and has to lead to the file as written, to a file that it includes, or to a preset: the
 * bits above CONFIG_WHERE_SHIFT are 0 for the file itself, then come the presets, then the included
 * files. Pure.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_WHERE_H
#define POEMD_PROXY_CONFIG_CONFIG_WHERE_H

#include <stddef.h>

#include "proxy/config/config.h"

#define CONFIG_WHERE_SHIFT 21

/* The greatest line of a text. */
#define CONFIG_WHERE_MOST ((1u << CONFIG_WHERE_SHIFT) - 1)

/* Line n of preset i is stored as config_where_preset(i) + n, … */
unsigned config_where_preset(unsigned i);

/* … and line n of c->files[i] as config_where_file_base(i) + n. */
unsigned config_where_file_base(size_t i);

/* Returns the line's number in its own text. */
unsigned config_where_line(unsigned line);

/* Returns the preset of a stored line, or NULL if it is not of one. */
const char *config_where_preset_of(unsigned line);

/* Returns the path of the included file of a stored line, or NULL if it is not of one. */
const char *config_where_file_of(const struct config *c, unsigned line);

#define CONFIG_WHERE_SIZE 192u

/*
 * Writes "line 12", "preset gpl-only, line 41", or "/etc/poemd/poemd.conf.d/a.conf, line 3" (cut on
 * the left if it is too long). Returns out.
 */
const char *config_where(const struct config *c, unsigned line, char out[CONFIG_WHERE_SIZE]);

#endif
