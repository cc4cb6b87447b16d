/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes the page stats_page.html with the statistics in it. */
#include <errno.h>

#include "base/page.h"
#include "trace/report/stats_json.h"
#include "trace/report/stats_page.h"

int stats_html(const struct stats *s, const struct stats_about *about, FILE *f)
{
    static const char page[] = {STATS_PAGE 0};
    json_t *const o = stats_json(s, about, true);
    const int err = o ? page_write(page, o, f) : -ENOMEM;

    json_decref(o);
    return err;
}
