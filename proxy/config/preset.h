/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The policies of contrib/presets, built in, for "preset NAME" in a route; and the distinction
 * between lines of a configuration and those of a preset. Pure.
 *
 * Wherever the number of a configuration's line is stored, so is that of a preset's: the preset's
 * number is above PRESET_SHIFT bits, which no configuration's lines reach (LIMIT_CONFIG_FILE).
 */
#ifndef POEMD_PROXY_CONFIG_PRESET_H
#define POEMD_PROXY_CONFIG_PRESET_H

#include <stddef.h>

struct preset {
    const char *name;
    unsigned first_line; /* of the text in its file */
    size_t n;
    const char *text; /* statements of a route; n bytes, without a NUL */
};

/* In the order of preset_get's index; ends with NULL. */
extern const char *const preset_names[];

#define PRESET_NONE (~0u)

/* Returns preset i, the index of its name. */
const struct preset *preset_get(unsigned i);

/* Line n of preset i's file is stored as preset_base(i) + n. */
unsigned preset_base(unsigned i);

/* Returns the preset of a stored line, or NULL if it is the configuration's own. */
const char *preset_of(unsigned line);

/* Returns the line's number in its file. */
unsigned preset_line(unsigned line);

#define PRESET_PLACE_SIZE 64u

/* Writes "line 12", or "preset gpl-only, line 41". Returns out. */
const char *preset_place(unsigned line, char out[PRESET_PLACE_SIZE]);

#endif
