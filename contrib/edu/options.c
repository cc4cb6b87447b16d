/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Parses the options of edu(1). Prints to standard output and error; opens nothing. */
#include "contrib/edu/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "contrib/edu/dma_table.h"

#define BITMAP_MAX (256u << 20) /* QEMU's offer: 4 KiB pages of 8 TiB */

static const char usage[] =
    "usage: edu {--socket-path PATH | --fd N} [OPTION]...\n"
    "\n"
    "The edu PCI device (1234:11e8) as a vfio-user server.\n"
    "\n"
    "  --socket-path PATH  listen here\n"
    "  --fd N              use this socket: listening, or connected to the only client\n"
    "  --ready-fd N        write a newline to this descriptor when clients can connect\n"
    "  --once              end with the first client\n"
    "  --dma-mask N        address bits of DMA (0xfffffff)\n"
    "  --max-msg-fds N     file descriptors taken with a message (16)\n"
    "  --max-data-xfer N   bytes of data taken in a message (1048576)\n"
    "  --max-dma-maps N    DMA ranges at a time (512)\n"
    "  --no-mmap           give no mappable page to the client\n"
    "  --twin-socket       send commands on a socket of their own, where the client can\n"
    "  --recite            recite the poem to clients that ask for it\n"
    "  --licence EXPR      … and say to be under this licence (GPL-2.0-or-later with --recite)\n"
    "  --poem FILE         recite another poem\n"
    "  --fault SPEC        misbehave: late:N:MS short:N oversized:N[:BYTES] unasked:N missing:N\n"
    "                      exit:N, where N is a message's number or a command's name\n"
    "  --stray-dma         misbehave: ask the client for memory that it has not mapped, too\n"
    "  --log-level LEVEL   error, warning, info or debug (info)\n"
    "  --help, --version\n";

enum {
    FIRST = 256,
    SOCKET_PATH,
    FD,
    READY_FD,
    ONCE,
    DMA_MASK,
    MAX_MSG_FDS,
    MAX_DATA_XFER,
    MAX_DMA_MAPS,
    NO_MMAP,
    TWIN_SOCKET,
    RECITE,
    LICENCE,
    POEM,
    FAULT,
    STRAY_DMA,
    LOG_LEVEL,
    HELP,
    VERSION
};

static const struct option names[] = {
    {"socket-path", required_argument, NULL, SOCKET_PATH},
    {"fd", required_argument, NULL, FD},
    {"ready-fd", required_argument, NULL, READY_FD},
    {"once", no_argument, NULL, ONCE},
    {"dma-mask", required_argument, NULL, DMA_MASK},
    {"max-msg-fds", required_argument, NULL, MAX_MSG_FDS},
    {"max-data-xfer", required_argument, NULL, MAX_DATA_XFER},
    {"max-dma-maps", required_argument, NULL, MAX_DMA_MAPS},
    {"no-mmap", no_argument, NULL, NO_MMAP},
    {"twin-socket", no_argument, NULL, TWIN_SOCKET},
    {"recite", no_argument, NULL, RECITE},
    {"licence", required_argument, NULL, LICENCE},
    {"poem", required_argument, NULL, POEM},
    {"fault", required_argument, NULL, FAULT},
    {"stray-dma", no_argument, NULL, STRAY_DMA},
    {"log-level", required_argument, NULL, LOG_LEVEL},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

/* Reads a number from least to most in C's notation. */
static bool edu_options_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out >= least &&
           *out <= most;
}

static bool edu_options_number32(const char *text, uint64_t least, uint64_t most, uint32_t *out)
{
    uint64_t n;

    if (!edu_options_number(text, least, most, &n)) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static bool edu_options_descriptor(const char *text, int *out)
{
    uint64_t n;

    if (!edu_options_number(text, 0, INT_MAX, &n)) {
        return false;
    }
    *out = (int)n;
    return true;
}

static bool edu_options_log_level(const char *text, enum log_level *out)
{
    const int level = log_level_find(text);

    if (level < 0) {
        return false;
    }
    *out = (enum log_level)level;
    return true;
}

/* Stores an option's argument. Returns false if it is wrong. */
static bool edu_options_take(struct options *o, int option, const char *argument)
{
    switch (option) {
    case SOCKET_PATH:
        o->socket_path = argument;
        return true;
    case FD:
        return edu_options_descriptor(argument, &o->given_fd);
    case READY_FD:
        return edu_options_descriptor(argument, &o->ready_fd);
    case ONCE:
        o->once = true;
        return true;
    case DMA_MASK:
        return edu_options_number(argument, 0, UINT64_MAX, &o->dma_mask);
    case MAX_MSG_FDS:
        return edu_options_number32(argument, 0, LIMIT_FDS_KERNEL, &o->caps.max_msg_fds);
    case MAX_DATA_XFER:
        return edu_options_number32(argument, 1, INT32_MAX, &o->caps.max_data_xfer_size);
    case MAX_DMA_MAPS:
        return edu_options_number32(argument, 1, 65535, &o->caps.max_dma_maps);
    case STRAY_DMA:
        o->stray_dma = true;
        return true;
    case NO_MMAP:
        o->mmap = false;
        return true;
    case TWIN_SOCKET:
        o->caps.twin_socket = true;
        return true;
    case RECITE:
        o->recite = true;
        return true;
    case LICENCE:
        o->licence = argument;
        return recital_licence_fits(argument);
    case POEM:
        o->poem_path = argument;
        return true;
    case FAULT:
        return fault_add(&o->faults, argument) == 0;
    case LOG_LEVEL:
        return edu_options_log_level(argument, &o->log_level);
    default:
        return false;
    }
}

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
        .mmap = true,
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

enum options_outcome options_parse(struct options *o, int argc, char **argv)
{
    int index = 0;
    int option;

    edu_options_init(o);
    while ((option = getopt_long(argc, argv, "", names, &index)) != -1) {
        if (option == HELP || option == VERSION) {
            fputs(option == HELP ? usage : "edu " EDU_PROGRAM_VERSION "\n", stdout);
            return OPTIONS_TOLD;
        }
        if (option == '?') {
            /* getopt_long has printed the error. */
            return OPTIONS_WRONG;
        }
        if (!edu_options_take(o, option, optarg)) {
            char what[64];

            snprintf(what, sizeof what, "bad value for --%s", names[index].name);
            return edu_options_wrong(what, optarg);
        }
    }
    if (optind < argc) {
        return edu_options_wrong("unexpected argument", argv[optind]);
    }
    if ((o->socket_path != NULL) == (o->given_fd >= 0)) {
        return edu_options_wrong("exactly one of --socket-path and --fd is needed", NULL);
    }
    if (o->poem_path && !o->recite) {
        return edu_options_wrong("--poem is of no use without --recite", NULL);
    }
    if (o->recite && !o->licence) {
        o->licence = "GPL-2.0-or-later";
    }
    return OPTIONS_RUN;
}
