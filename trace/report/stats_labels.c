/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "trace/report/stats_labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/wire/wire_names.h"

const char *stats_duration(uint64_t ns, char *out, size_t n)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if ((double)ns >= units[i].ns) {
            const double v = (double)ns / units[i].ns;

            snprintf(out, n, "%.*f %s", v < 10 ? 2 : v < 100 ? 1 : 0, v, units[i].name);
            return out;
        }
    }
    snprintf(out, n, "%" PRIu64 " ns", ns);
    return out;
}

const char *stats_region_label(const struct stats_region *r, char *out, size_t n)
{
    const char *const name = wire_name_of(wire_regions, r->index);
    char route[LIMIT_NAME + 1];

    log_escape(route, sizeof route, r->route, strlen(r->route));
    if (r->route[0] == '\0' && r->index == UINT32_MAX) {
        snprintf(out, n, "other regions");
    } else if (name) {
        snprintf(out, n, "%s %s", route, name);
    } else {
        snprintf(out, n, "%s region %" PRIu32, route, r->index);
    }
    return out;
}
