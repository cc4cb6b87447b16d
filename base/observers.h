/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Lists of observers: parts subscribe to the events of a subject, which knows none of them. An
 * observer is a static table of functions, NULL for an event that it ignores, and the first
 * argument of each of them.
 */
#ifndef POEMD_BASE_OBSERVERS_H
#define POEMD_BASE_OBSERVERS_H

#include <stdlib.h>

/* Maximum number of observers of one subject; the monitor has fewer parts. */
#define OBSERVERS_MAX 12u

/* Declares a list of observers with this type of table. */
#define OBSERVERS_LIST(table_type) \
    struct { \
        struct { \
            const table_type *events; \
            void *arg; \
        } each[OBSERVERS_MAX]; \
        unsigned n; \
    }

/* Adds one after the others. */
#define OBSERVERS_ADD(list, table, argument) \
    do { \
        if ((list)->n == OBSERVERS_MAX) { \
            abort(); \
        } \
        (list)->each[(list)->n].events = table; \
        (list)->each[(list)->n++].arg = argument; \
    } while (0)

/* Calls all, in the order in which they were added. */
#define OBSERVERS_NOTIFY(list, event, ...) \
    do { \
        for (unsigned o = 0; o < (list)->n; o++) { \
            if ((list)->each[o].events->event) { \
                (list)->each[o].events->event((list)->each[o].arg, __VA_ARGS__); \
            } \
        } \
    } while (0)

#endif
