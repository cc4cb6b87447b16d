/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The policies of contrib/presets, built in, for "preset NAME" in a route; and how lines are told
 * apart: those of a configuration, and those of a preset. Pure.
 *
 * Wherever a configuration's line is kept as a number, one of a preset is kept so, too: the
 * preset's number stands above PRESET_SHIFT bits, which no configuration's lines reach
 * (LIMIT_CONFIG_FILE).
 */
#ifndef POEMD_PROXY_CONFIG_PRESET_H
#define POEMD_PROXY_CONFIG_PRESET_H

#include <stddef.h>

struct preset {
    const char *name;
    unsigned first_line; /* of the text in its file */
    size_t n;
    const char *text; /* statements of a route; n bytes, no NUL behind them */
};

/* By name, in their order; NULL ends them. */
extern const char *const preset_names[];

#define PRESET_NONE (~0u)

/* preset_get(i), i being the name's index. */
const struct preset *preset_get(unsigned i);

/* Line n of preset i's file is kept as preset_base(i) + n. */
unsigned preset_base(unsigned i);

/* The preset of a line as it is kept; NULL: it is the configuration's own. */
const char *preset_of(unsigned line);

/* The line in its file. */
unsigned preset_line(unsigned line);

#define PRESET_PLACE_SIZE 64u

/* "line 12", or "preset gpl-only, line 41". Returns out. */
const char *preset_place(unsigned line, char out[PRESET_PLACE_SIZE]);

#endif
