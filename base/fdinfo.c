/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads /proc/self/fdinfo: the kernel's text, one line per member. */
#define _GNU_SOURCE
#include "base/fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdinfo_open(void)
{
    const int fd = open("/proc/self/fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Bytes of an entry that are read: an eventfd's has about 100. */
#define FDINFO_TEXT 512u

/* Reads the entry of fd; empty if there is none. */
static void fdinfo_read(int folder_fd, int fd, char text[static FDINFO_TEXT])
{
    char name[16];
    ssize_t n = -1;
    int file_fd;

    snprintf(name, sizeof name, "%d", fd);
    file_fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (file_fd >= 0) {
        n = read(file_fd, text, FDINFO_TEXT - 1);
        close(file_fd);
    }
    text[n > 0 ? n : 0] = '\0';
}

bool fdinfo_is_eventfd(int folder_fd, int fd)
{
    char text[FDINFO_TEXT];

    fdinfo_read(folder_fd, fd, text);
    return strstr(text, "\neventfd-count:") != NULL;
}

uint64_t fdinfo_eventfd(int folder_fd, int fd)
{
    static const char member[] = "\neventfd-id:";
    char text[FDINFO_TEXT];
    const char *at;

    fdinfo_read(folder_fd, fd, text);
    at = strstr(text, member);
    return at ? strtoull(at + sizeof member - 1, NULL, 10) : 0;
}
