/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Describes an fd as traces record it. Only queries the kernel. */
#ifndef POEMD_TRACE_FILE_FD_H
#define POEMD_TRACE_FILE_FD_H

#include "trace/file/message.h"

/*
 * Describes an open fd: its kind, object and size. Distinguishes eventfds by means of folder_fd
 * (base/fdinfo.h), unless that is -1. Both fds are borrowed.
 */
struct trace_fd trace_fd_describe(int fd, int folder_fd);

#endif
