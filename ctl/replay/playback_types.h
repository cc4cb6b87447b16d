/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The types of a program that "poemctl trace export --test c" writes. playback.c follows it there,
 * then the tables of fields and messages.
 */
#ifndef PLAYBACK_TYPES_H
#define PLAYBACK_TYPES_H

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SAME, DIFFERS, USAGE, GONE };
enum { REPLY = 0x1, NO_REPLY = 0x10, ERROR = 0x20 };
enum { DMA_MAP = 2, DMA_UNMAP = 3, DMA_READ = 11, DMA_WRITE = 12 };
enum { PATIENCE_MS = 5000, DRAIN_MS = 1000, HEADER = 16, FDS_MAX = 253, ROOM = 1 << 21 };

struct file {
    const char *kind;
    unsigned which; /* the same number: the same file */
    uint64_t size;
};

struct message {
    uint64_t number;
    const char *name;
    bool client; /* the client sent it */
    uint16_t id;
    uint16_t command;
    uint32_t flags;
    uint32_t error;
    uint32_t size;       /* with its header */
    const char *payload; /* hexadecimal; as far as the trace has it */
    size_t after;        /* number of the device's messages that come before it */
    unsigned pause_us;   /* silence of the client before it */
    uint64_t partner;    /* number of its request or reply; 0: none */
    const struct file *files;
    unsigned n_files;
};

/* The fields of a command; the last has no name. The list ends with command 0. */
struct fields {
    unsigned command;
    struct {
        unsigned offset;
        unsigned size;
        const char *name;
    } field[8];
};

struct header {
    uint16_t id;
    uint16_t command;
    uint32_t size;
    uint32_t flags;
    uint32_t error;
};

struct dma_map {
    uint32_t argsz;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t size;
};

struct dma_unmap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t address;
    uint64_t size;
};

struct dma_access {
    uint64_t address;
    uint64_t count;
};

/* The state of a message of the session. */
struct fate {
    bool came;    /* of a device's message */
    bool waiting; /* a request of the client without its reply */
    uint16_t id;  /* of a device's command: with which it came */
};

struct memory {
    struct dma_map map;
    int fd;
    struct memory *next;
};

struct made {
    unsigned which;
    int fd;
    struct made *next;
};

#endif
