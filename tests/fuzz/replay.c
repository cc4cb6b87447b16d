/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * usage: replay_TARGET FOLDER...
 *
 * Gives every file of the folders to a fuzz target, so that the corpus is a part of every test run,
 * with every compiler and sanitizer. A folder without files is a fault: nothing would be tested.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static void die(const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* The input lies in memory of just its size, so that reading past its end is seen. */
static void replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *p;
    size_t n;

    if (!f || fstat(fileno(f), &st) < 0) {
        die(path);
    }
    n = (size_t)st.st_size;
    p = malloc(n > 0 ? n : 1);
    if (!p || fread(p, 1, n, f) != n) {
        die(path);
    }
    fclose(f);
    (void)LLVMFuzzerTestOneInput(p, n);
    free(p);
}

static int is_input(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct dirent **files;
        const int n = scandir(argv[i], &files, is_input, alphasort);

        if (n < 0) {
            die(argv[i]);
        }
        for (int k = 0; k < n; k++) {
            char *path = NULL;

            if (asprintf(&path, "%s/%s", argv[i], files[k]->d_name) < 0) {
                die(argv[i]);
            }
            printf("%s\n", path);
            fflush(stdout);
            replay(path);
            free(path);
            free(files[k]);
        }
        free(files);
        if (n == 0) {
            fprintf(stderr, "replay: %s is empty\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
