/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What an fd is, as traces say it. Asks the kernel, changes nothing.
 */
#ifndef POEMD_TRACE_FILE_FD_H
#define POEMD_TRACE_FILE_FD_H

#include "trace/file/message.h"

/*
 * Describes an open fd: what kind, which object, how large. Eventfds are told apart by
 * folder_fd, of base/fdinfo.h; -1: they are not. Both are borrowed.
 */
struct trace_fd trace_fd_describe(int fd, int folder_fd);

#endif
