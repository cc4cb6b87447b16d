/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The clock for callers of the rules; the rules themselves read no clock. */
#define _GNU_SOURCE
#include <time.h>

#include "policy/rules/rules.h"

struct rules_date rules_today(void)
{
    const time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    return (struct rules_date){.year = (uint16_t)(tm.tm_year + 1900),
                               .month = (uint8_t)(tm.tm_mon + 1),
                               .day = (uint8_t)tm.tm_mday};
}
