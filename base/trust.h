/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds out who else can change a file: users other than root and ourselves.
 *
 * Every component of the path counts, including the targets of symbolic links. Root is the owner of
 * "/": in a user namespace that does not map root, that is the number by which the kernel shows it.
 */
#ifndef POEMD_BASE_TRUST_H
#define POEMD_BASE_TRUST_H

#include <linux/limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum trust_why {
    TRUST_OTHER_OWNER, /* another user owns it */
    TRUST_GROUP,       /* its group may write to it; never reported for group 0 */
    TRUST_EVERYBODY,   /* all users may write to it */
};

/* The first component that others can change. */
struct trust_fault {
    char path[PATH_MAX];
    enum trust_why why;
    uid_t uid; /* of TRUST_OTHER_OWNER */
    gid_t gid; /* of TRUST_GROUP */
};

/*
 * Looks at a path and all that leads to it, using only the kernel's answers. A folder that others
 * can write to is a fault unless it is sticky: there they can neither rename nor remove others'
 * files. The last component may be anything; unless it is a folder, others must not be able to
 * write to it. Returns 0 if others cannot change it, 1 with *fault if they can, -ENOENT if a
 * component does not exist (those before it are in order), -ELOOP, -ENAMETOOLONG, or another
 * -errno.
 */
int trust_look(const char *path, struct trust_fault *fault) __attribute__((warn_unused_result));

/* The same for the folder that contains path, which itself need not exist. */
int trust_look_folder(const char *path, struct trust_fault *fault)
    __attribute__((warn_unused_result));

/* Returns true if the user is neither root nor ourselves. */
bool trust_is_other(uid_t uid);

/*
 * Writes "user 1000 owns it", "group 7 can write to it" or "every user can write to it". Returns
 * out.
 */
const char *trust_text(const struct trust_fault *fault, char *out, size_t size);

#endif
