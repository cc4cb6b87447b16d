/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Parses the options of edu(1). Prints to standard output and error; opens nothing. */
#include "contrib/edu/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/limits.h"
#include "base/text/numbers.h"
#include "contrib/edu/dma_table.h"

#define BITMAP_MAX (256u << 20) /* QEMU's offer: 4 KiB pages of 8 TiB */

/* Reads a number of 64 bits, decimal or hexadecimal behind 0x. */
static bool edu_options_read_mask(void *values, const char *text)
{
    struct options *const o = values;

    if (!numbers_read(text, strlen(text), UINT64_MAX, &o->dma_mask)) {
        fputs("edu: --dma-mask: a number of 64 bits, such as 0xfffffff\n", stderr);
        return false;
    }
    return true;
}

static bool edu_options_read_fault(void *values, const char *text)
{
    if (fault_add(&((struct options *)values)->faults, text) < 0) {
        fputs(
            "edu: --fault: late:N:MS, short:N, oversized:N[:BYTES], unasked:N, missing:N,\n"
            "     error:N[:ERRNO] or exit:N, where N is the number of a message, or the name of a\n"
            "     command or of a migration state\n",
            stderr);
        return false;
    }
    return true;
}

static const struct cli_option table[] = {
    {"socket-path", 0, "PATH", "listen here", CLI_TEXT(struct options, socket_path)},
    {"fd", 0, "N", "use this socket: listening, or connected to the only client",
     CLI_NUMBER(struct options, given_fd, 0, INT_MAX)},
    {"ready-fd", 0, "N", "write a newline to this descriptor when clients can connect",
     CLI_NUMBER(struct options, ready_fd, 0, INT_MAX)},
    {"once", 0, NULL, "end with the first client", CLI_FLAG(struct options, once)},
    {"dma-mask", 0, "N", "address bits of DMA (0xfffffff)", CLI_READ(edu_options_read_mask)},
    {"max-msg-fds", 0, "N", "file descriptors accepted with a message (16)",
     CLI_NUMBER(struct options, caps.max_msg_fds, 0, LIMIT_FDS_KERNEL)},
    {"max-data-xfer", 0, "N", "bytes of data accepted in a message (1048576)",
     CLI_NUMBER(struct options, caps.max_data_xfer_size, 1, INT32_MAX)},
    {"max-dma-maps", 0, "N", "DMA ranges at a time (512)",
     CLI_NUMBER(struct options, caps.max_dma_maps, 1, 65535)},
    {"bar2-fd", 0, "N", "share this file with clients as the memory of BAR 2",
     CLI_NUMBER(struct options, bar2_fd, 0, INT_MAX)},
    {"no-mmap", 0, NULL, "give no mappable page to the client", CLI_FLAG(struct options, no_mmap)},
    {"twin-socket", 0, NULL, "send commands on a socket of their own, if the client can",
     CLI_FLAG(struct options, caps.twin_socket)},
    {"recite", 0, NULL, "recite the poem to clients that ask for it",
     CLI_FLAG(struct options, recite)},
    {"licence", 0, "EXPR", "declare this licence (with --recite: edu's own)",
     CLI_TEXT(struct options, licence)},
    {"poem", 0, "FILE", "recite another poem", CLI_TEXT(struct options, poem_path)},
    {"fault", 0, "SPEC", "misbehave, as edu(1) explains", CLI_READ(edu_options_read_fault)},
    {"stray-dma", 0, NULL, "misbehave: also ask the client for memory that it has not mapped",
     CLI_FLAG(struct options, stray_dma)},
    {"log-level", 0, "error|warning|info|debug", "how much is logged (info)",
     CLI_CHOICE(struct options, log_level)},
    {"help", 0, NULL, "show this", CLI_FLAG(struct options, help)},
    {"version", 0, NULL, "show the version", CLI_FLAG(struct options, version)},
    {.name = NULL},
};

static enum options_outcome edu_options_wrong(const char *what, const char *argument)
{
    char shown[128];

    fprintf(stderr, "edu: %s%s%s\nTry 'edu --help'.\n", what, argument ? ": " : "",
            argument ? log_escape(shown, sizeof shown, argument, strlen(argument)) : "");
    return OPTIONS_WRONG;
}

static void edu_options_init(struct options *o)
{
    *o = (struct options){
        .given_fd = -1,
        .ready_fd = -1,
        .bar2_fd = -1,
        .log_level = LOG_INFO,
        .dma_mask = EDU_DMA_MASK_DEFAULT,
        .caps = {.max_msg_fds = 16,
                 .max_data_xfer_size = LIMIT_DATA_XFER_DEFAULT,
                 .max_dma_maps = 512,
                 .pgsizes = ~(uint64_t)(DMA_PAGE - 1),
                 .max_bitmap_size = BITMAP_MAX,
                 .write_multiple = true,
                 .migration = true},
    };
}

static enum options_outcome edu_options_check(struct options *o)
{
    if ((o->socket_path != NULL) == (o->given_fd >= 0)) {
        return edu_options_wrong("exactly one of --socket-path and --fd is needed", NULL);
    }
    if (o->poem_path && !o->recite) {
        return edu_options_wrong("--poem needs --recite", NULL);
    }
    if (o->licence && !recital_licence_fits(o->licence)) {
        return edu_options_wrong("bad value for --licence", o->licence);
    }
    if (o->recite && !o->licence) {
        o->licence = RECITAL_LICENCE_OWN;
    }
    return OPTIONS_RUN;
}

enum options_outcome options_parse(struct options *o, int argc, char **argv)
{
    int first;

    edu_options_init(o);
    first = cli_parse("edu", table, argc, argv, o);
    if (first < 0) {
        return OPTIONS_WRONG;
    }
    if (o->help) {
        puts("usage: edu {--socket-path PATH | --fd N} [OPTION]...\n\n"
             "The edu PCI device (1234:11e8) as a vfio-user server.\n");
        cli_help(stdout, table);
        return OPTIONS_TOLD;
    }
    if (o->version) {
        puts("edu " EDU_PROGRAM_VERSION);
        return OPTIONS_TOLD;
    }
    if (first < argc) {
        return edu_options_wrong("unexpected argument", argv[first]);
    }
    return edu_options_check(o);
}
