/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The policies of contrib/presets, built in, for "preset NAME" in a route. Pure. */
#ifndef POEMD_PROXY_CONFIG_PRESET_H
#define POEMD_PROXY_CONFIG_PRESET_H

#include <stddef.h>

/* At least the number of presets. */
#define PRESETS_MOST 32u

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

#endif
