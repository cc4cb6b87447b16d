/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Presets: a table generated from contrib/presets by the build, and its look-ups. */
#include "proxy/config/preset.h"

#include <stdio.h>

#include "base/limits.h"
#include "proxy/config/presets_embedded.h"

#define PRESET_SHIFT 24

/* A line has at least one byte. */
_Static_assert(LIMIT_CONFIG_FILE < 1u << PRESET_SHIFT, "a configuration's lines reach presets'");

const char *const preset_names[] = {PRESET_NAMES};

const struct preset *preset_get(unsigned i)
{
    return &embedded[i];
}

unsigned preset_base(unsigned i)
{
    return (i + 1) << PRESET_SHIFT;
}

const char *preset_of(unsigned line)
{
    const unsigned i = line >> PRESET_SHIFT;

    return i == 0 || i > sizeof embedded / sizeof *embedded ? NULL : embedded[i - 1].name;
}

unsigned preset_line(unsigned line)
{
    return line & ((1u << PRESET_SHIFT) - 1);
}

const char *preset_place(unsigned line, char out[PRESET_PLACE_SIZE])
{
    const char *name = preset_of(line);

    if (name) {
        snprintf(out, PRESET_PLACE_SIZE, "preset %s, line %u", name, preset_line(line));
    } else {
        snprintf(out, PRESET_PLACE_SIZE, "line %u", line);
    }
    return out;
}
