/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command line of edu(1).
 */
#ifndef POEMD_EDU_OPTIONS_H
#define POEMD_EDU_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "contrib/edu/fault.h"
#include "contrib/edu/negotiate.h"
#include "contrib/edu/regs.h"

struct options {
    const char *socket_path; /* NULL: given_fd is used */
    int given_fd;            /* a listening or a connected socket; -1 if none */
    int ready_fd;            /* -1: nobody is told */
    bool once;
    bool mmap;
    enum log_level log_level;
    uint64_t dma_mask;
    struct negotiate_caps caps;
    bool recite;
    const char *licence;   /* NULL: nothing is said of it */
    const char *poem_path; /* NULL: the poem built in */
    struct fault_list faults;
    bool stray_dma;
};

enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_TOLD,  /* --help or --version: answered on standard output */
    OPTIONS_WRONG, /* said on standard error what is wrong */
};

enum options_outcome options_parse(struct options *o, int argc, char **argv)
    __attribute__((warn_unused_result));

#endif
