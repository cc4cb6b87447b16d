/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/config/config_where.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/preset.h"

/* A line has at least one byte. */
_Static_assert(LIMIT_CONFIG_FILE < CONFIG_WHERE_MOST, "a text's lines reach the next text's");
_Static_assert(LIMIT_CONFIG_FILES + PRESETS_MOST + 2u <= 1u << (32 - CONFIG_WHERE_SHIFT),
               "too many texts for a line number");

unsigned config_where_preset(unsigned i)
{
    return (i + 1) << CONFIG_WHERE_SHIFT;
}

unsigned config_where_file_base(size_t i)
{
    return (unsigned)(1 + PRESETS_MOST + i) << CONFIG_WHERE_SHIFT;
}

unsigned config_where_line(unsigned line)
{
    return line & CONFIG_WHERE_MOST;
}

const char *config_where_preset_of(unsigned line)
{
    const unsigned i = line >> CONFIG_WHERE_SHIFT;

    return i == 0 || i > PRESETS_MOST ? NULL : preset_names[i - 1];
}

const char *config_where_file_of(const struct config *c, unsigned line)
{
    const size_t i = line >> CONFIG_WHERE_SHIFT;

    return i > PRESETS_MOST && i - 1 - PRESETS_MOST < c->files.n
               ? c->files.items[i - 1 - PRESETS_MOST].text
               : NULL;
}

const char *config_where(const struct config *c, unsigned line, char out[CONFIG_WHERE_SIZE])
{
    const char *const preset = config_where_preset_of(line);
    const char *const file = config_where_file_of(c, line);
    char shown[CONFIG_WHERE_SIZE - 24];

    if (preset) {
        snprintf(out, CONFIG_WHERE_SIZE, "preset %s, line %u", preset, config_where_line(line));
    } else if (file) {
        const size_t n = strlen(file);
        const size_t most = sizeof shown - 8;

        log_escape(shown, sizeof shown, n > most ? file + n - most : file, n > most ? most : n);
        snprintf(out, CONFIG_WHERE_SIZE, "%s%s, line %u", n > most ? "…" : "", shown,
                 config_where_line(line));
    } else {
        snprintf(out, CONFIG_WHERE_SIZE, "line %u", line);
    }
    return out;
}
