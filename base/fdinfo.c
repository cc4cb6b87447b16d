/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads /proc/self/fdinfo: text of the kernel's, a line a member.
 */
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

uint64_t fdinfo_eventfd(int folder_fd, int fd)
{
    static const char member[] = "\neventfd-id:";
    char name[16];
    char text[512];
    const char *at;
    ssize_t n = -1;
    int file_fd;

    snprintf(name, sizeof name, "%d", fd);
    file_fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (file_fd >= 0) {
        n = read(file_fd, text, sizeof text - 1);
        close(file_fd);
    }
    text[n > 0 ? n : 0] = '\0';
    at = strstr(text, member);
    return at ? strtoull(at + sizeof member - 1, NULL, 10) : 0;
}
