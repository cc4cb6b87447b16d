/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which of the two formats a client prefers (RFC 9110, section 12.5.1). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proxy/exporter/exporter_text.h"

static const char openmetrics[] = "application/openmetrics-text";

/* Returns the weight of a range, 0 … 1000, among its parameters in n bytes. */
static unsigned exporter_media_weight(const char *range, size_t n)
{
    static const char key[] = "q=";
    const char *const end = range + n;

    for (const char *at = memchr(range, ';', n); at; at = memchr(at, ';', (size_t)(end - at))) {
        at++;
        while (at < end && (*at == ' ' || *at == '\t')) {
            at++;
        }
        if ((size_t)(end - at) > sizeof key - 1 && strncasecmp(at, key, sizeof key - 1) == 0) {
            const double q = strtod(at + sizeof key - 1, NULL);

            return q > 0 && q < 1 ? (unsigned)(q * 1000) : q > 0 ? 1000 : 0;
        }
    }
    return 1000;
}

enum exporter_format exporter_format_of(const char *accept)
{
    unsigned best = 0;
    unsigned other = 0;

    for (const char *at = accept; at && *at; at += *at == ',') {
        const size_t n = strcspn(at += strspn(at, " \t"), ",");
        const size_t type = strcspn(at, ",; \t");
        const unsigned weight = exporter_media_weight(at, n);

        if (type == sizeof openmetrics - 1 && strncasecmp(at, openmetrics, type) == 0) {
            best = weight > best ? weight : best;
        } else if (type == strlen("text/plain") && strncasecmp(at, "text/plain", type) == 0) {
            other = weight > other ? weight : other;
        }
        at += n;
    }
    return best > 0 && best >= other ? EXPORTER_OPENMETRICS : EXPORTER_TEXT;
}

const char *exporter_media_type(enum exporter_format format)
{
    return format == EXPORTER_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}
