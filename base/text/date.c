/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads and writes calendar days. */
#define _GNU_SOURCE
#include "base/text/date.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

uint32_t date_today(void)
{
    const time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    return (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
}

bool date_valid(uint32_t date)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const uint32_t y = date / 10000;
    const uint32_t m = date / 100 % 100;
    const uint32_t d = date % 100;
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    return y >= 2000 && y <= 9999 && m >= 1 && m <= 12 && d >= 1 &&
           d <= days[m - 1] + (m == 2 && leap ? 1u : 0u);
}

bool date_read(const char *text, uint32_t *date)
{
    uint32_t n = 0;

    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7) {
            if (text[i] != '-') {
                return false;
            }
        } else if (isdigit((unsigned char)text[i])) {
            n = n * 10 + (uint32_t)(text[i] - '0');
        } else {
            return false;
        }
    }
    if (!date_valid(n)) {
        return false;
    }
    *date = n;
    return true;
}

const char *date_text(uint32_t date, char out[DATE_SIZE])
{
    out[0] = '\0';
    if (date_valid(date)) {
        snprintf(out, DATE_SIZE, "%04u-%02u-%02u", date / 10000 % 10000, date / 100 % 100,
                 date % 100);
    }
    return out;
}
