/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Presets: a table generated from contrib/presets by the build. */
#include "proxy/config/preset.h"

#include "proxy/config/presets_embedded.h"

_Static_assert(sizeof embedded / sizeof *embedded <= PRESETS_MOST, "PRESETS_MOST is too small");

const char *const preset_names[] = {PRESET_NAMES};

const struct preset *preset_get(unsigned i)
{
    return &embedded[i];
}
