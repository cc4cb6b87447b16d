/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Builds with sanitizers, whose reports need more than a confined process has. */
#ifndef POEMD_BASE_CONFINE_CONFINE_SANITIZERS_H
#define POEMD_BASE_CONFINE_CONFINE_SANITIZERS_H

#include <stdbool.h>

/*
 * Returns true in a build with sanitizers: their reports read /proc/self, so its processes keep
 * that, and their shadow memory exceeds any limit.
 */
bool confine_keeps_eyes(void);

/*
 * Returns the environment for a child to be confined: empty, except for the sanitizers' options in
 * a build that has them. Static; valid until the environment changes.
 */
char **confine_environment(void);

#endif
