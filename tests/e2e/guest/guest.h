/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What the parts of the guest's program share. */
#ifndef POEMD_TESTS_E2E_GUEST_GUEST_H
#define POEMD_TESTS_E2E_GUEST_GUEST_H

/* The argument with which the program does nothing. */
#define GUEST_NOTHING "nothing"

/* Writes a line to the console. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes the last line, with errno, and exits. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

void mount_or_fail(const char *type, const char *where);

/*
 * Has the kernel measure a file, by fs-verity and IMA, and reads what it says with the broker's own
 * functions. digits: the file's SHA-256 in hexadecimal.
 */
void guest_measure(const char *digits);

#endif
