/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Calendar days in UTC, as the number YYYYMMDD, which orders them; 0 stands for no day. */
#ifndef POEMD_BASE_TEXT_DATE_H
#define POEMD_BASE_TEXT_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* Returns the current day, by the clock of the system. */
uint32_t date_today(void);

/* Returns whether it is a day of the years 2000 to 9999. */
bool date_valid(uint32_t date);

/*
 * Reads a day from the first ten characters of text, YYYY-MM-DD, which may be shorter. Returns
 * false, with *date unchanged, if it is not a valid day.
 */
bool date_read(const char *text, uint32_t *date);

/* Bytes of "YYYY-MM-DD", including the NUL. */
#define DATE_SIZE 11u

/* Writes YYYY-MM-DD, or "" for 0. Returns out. */
const char *date_text(uint32_t date, char out[DATE_SIZE]);

#endif
