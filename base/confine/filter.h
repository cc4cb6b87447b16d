/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The system-call filter of a process that reads peers' data: an allow-list (libseccomp).
 *
 * A call that is not on the list, or not with these arguments, is not made. It returns ENOSYS, as
 * from a kernel without it, so that a C library newer than this list uses its fall-back. The
 * process is not killed: that would end all sessions of a worker where a fall-back would do, and an
 * attacker in the process gains nothing from a call that is not made. A call of another
 * architecture (i386, x32) has no honest cause, and kills the process.
 *
 * The kernel logs refusals (audit records of type 1326, with the call's number). At log level debug
 * each refused call is a signal to the process itself, which logs its name, once.
 *
 * How to add an entry: docs/ARCHITECTURE, "SYSTEM CALLS OF A CONFINED PROCESS".
 */
#ifndef POEMD_BASE_CONFINE_FILTER_H
#define POEMD_BASE_CONFINE_FILTER_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Maximum number of conditions on an entry's arguments. */
#define FILTER_CONDITIONS 3

/* An entry: the call passes if all its conditions hold. A call may have several entries. */
struct filter_call {
    int number; /* SCMP_SYS(name); negative if this architecture lacks the call */
    unsigned n_conditions;
    struct scmp_arg_cmp conditions[FILTER_CONDITIONS];
};

#define FILTER_CALL(name) \
    { \
        .number = SCMP_SYS(name) \
    }
#define FILTER_CALL_IF(name, condition) \
    { \
        .number = SCMP_SYS(name), .n_conditions = 1, .conditions = { condition } \
    }
#define FILTER_CALL_IF2(name, condition, condition2) \
    { \
        .number = SCMP_SYS(name), .n_conditions = 2, .conditions = { condition, condition2 } \
    }
#define FILTER_CALL_IF3(name, condition, condition2, condition3) \
    { \
        .number = SCMP_SYS(name), .n_conditions = 3, .conditions = { \
            condition, \
            condition2, \
            condition3 \
        } \
    }

/* Argument number a (from 0) equals v; has none, or all, of the bits of mask. */
#define FILTER_CONDITION(a, how, x, y) \
    { \
        .arg = (a), .op = (how), .datum_a = (x), .datum_b = (y) \
    }
#define FILTER_IS(a, v) FILTER_CONDITION(a, SCMP_CMP_EQ, (scmp_datum_t)(v), 0)
#define FILTER_IS_INT(a, v) FILTER_CONDITION(a, SCMP_CMP_EQ, (uint32_t)(v), 0)
#define FILTER_LACKS(a, mask) FILTER_CONDITION(a, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), 0)
#define FILTER_HAS(a, mask) \
    FILTER_CONDITION(a, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(mask))

/*
 * Allows n calls and those of every confined process (memory, its log, its end), and refuses all
 * others from now on; the caller has set PR_SET_NO_NEW_PRIVS. In a build with sanitizers their own
 * calls are allowed as well; under valgrind nothing is refused (base/confine/filter_tools.c). who:
 * "worker" ..., static; begins the log lines. Returns 0, or -errno: -ENOSYS or -EINVAL if the
 * kernel has no filters.
 */
int filter_enter(const char *who, const struct filter_call *calls, size_t n)
    __attribute__((warn_unused_result));

/* ---- debugging tools: base/confine/filter_tools.c ---- */

/* Returns the calls that this build's sanitizers make, if any. */
const struct filter_call *filter_tools_calls(size_t *n);

/* Returns true if the process runs under valgrind. */
bool filter_tools_valgrind(void);

#endif
