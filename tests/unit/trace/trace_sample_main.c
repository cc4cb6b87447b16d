/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * usage: trace_sample OUT [BLOCKS]
 *
 * Writes the sample trace of tests/unit/trace/trace_sample.h, or its first BLOCKS blocks, to OUT.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/trace/trace_sample.h"

int main(int argc, char **argv)
{
    static struct trace_sample s;
    size_t n;
    FILE *f;

    if (argc < 2 || argc > 3) {
        fputs("usage: trace_sample OUT [BLOCKS]\n", stderr);
        return 2;
    }
    trace_sample(&s);
    n = s.size;
    if (argc == 3) {
        const unsigned long blocks = strtoul(argv[2], NULL, 10);

        n = blocks == 0 ? 0 : blocks < s.n_blocks ? s.ends[blocks - 1] : s.size;
    }
    f = fopen(argv[1], "wb");
    if (!f || fwrite(s.p, 1, n, f) != n || fclose(f) != 0) {
        fprintf(stderr, "trace_sample: %s: %s\n", argv[1], strerror(errno));
        return 3;
    }
    return 0;
}
