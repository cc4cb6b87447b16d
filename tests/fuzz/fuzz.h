/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a fuzz target is: one function, to which libFuzzer, or replay.c for a corpus, gives bytes. A
 * target checks what must hold of any bytes by FUZZ_REQUIRE, and leaves nothing behind.
 */
#ifndef POEMD_TESTS_FUZZ_H
#define POEMD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Holds in every build, unlike assert. */
#define FUZZ_REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

#endif
