/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
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
    const char *socket_path; /* NULL: use given_fd */
    int given_fd;            /* a listening or a connected socket; -1 if none */
    int bar2_fd;             /* memory of BAR 2; -1: the device makes it */
    int ready_fd;            /* written to when ready; -1 if none */
    bool once;
    bool no_mmap;
    enum log_level log_level;
    uint64_t dma_mask;
    struct negotiate_caps caps;
    bool recite;
    const char *licence;   /* NULL: not declared */
    const char *poem_path; /* NULL: the built-in poem */
    struct fault_list faults;
    bool stray_dma;
    bool help;
    bool version;
};

enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_TOLD,  /* --help or --version has been printed */
    OPTIONS_WRONG, /* the error has been printed */
};

enum options_outcome options_parse(struct options *o, int argc, char **argv)
    __attribute__((warn_unused_result));

#endif
