/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Who else could change what is found at a path: other users than root and ourselves.
 *
 * Every component counts, the targets of symbolic links included. Root is whom "/" belongs to: in a
 * user namespace that does not map root, that is the number by which the kernel shows it.
 */
#ifndef POEMD_BASE_TRUST_H
#define POEMD_BASE_TRUST_H

#include <linux/limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum trust_why {
    TRUST_OTHER_OWNER, /* it belongs to another user */
    TRUST_GROUP,       /* its group may write to it; never told of group 0 */
    TRUST_EVERYBODY,   /* all users may */
};

/* The first component that others can change. */
struct trust_fault {
    char path[PATH_MAX];
    enum trust_why why;
    uid_t uid; /* of TRUST_OTHER_OWNER */
    gid_t gid; /* of TRUST_GROUP */
};

/*
 * Looks at a path and all that leads to it, asking the kernel alone. A folder that others can write
 * to is a fault unless it is sticky: there they can neither rename nor remove what is not theirs.
 * The last component may be anything; as anything but a folder it must not be writable for others.
 * Returns 0 if nobody else can change it, 1 with *fault if somebody can, -ENOENT if a component is
 * not there (those before it are in order), -ELOOP, -ENAMETOOLONG, or another -errno.
 */
int trust_look(const char *path, struct trust_fault *fault) __attribute__((warn_unused_result));

/* The same of the folder that path is in, whether path itself is there or not. */
int trust_look_folder(const char *path, struct trust_fault *fault)
    __attribute__((warn_unused_result));

/* Whether files of that user are another's than root's or our own. */
bool trust_is_other(uid_t uid);

/* "user 1000 owns it", "group 7 can write to it", "every user can write to it" to out. Returns out.
 */
const char *trust_text(const struct trust_fault *fault, char *out, size_t size);

#endif
