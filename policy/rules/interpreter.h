/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Programs that run other programs: interpreters, loaders, emulators. Evidence of their own licence
 * is no evidence of what they run. Pure.
 */
#ifndef POEMD_POLICY_RULES_INTERPRETER_H
#define POEMD_POLICY_RULES_INTERPRETER_H

#include <stddef.h>

/*
 * Returns what the executable at this path interprets ("Python", "a shell" …), or NULL if it is not
 * a known interpreter. Only the file's name counts, with or without a version: "python3.11",
 * "perl5.36-x86_64-linux-gnu". The path is the kernel's, in which no link is left. Static.
 */
const char *interpreter_of(const char *path);

#endif
