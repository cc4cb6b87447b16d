/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The routes in the answer of a running poemd: their states, which of them are shown, and in how
 * many lines. Routes are borrowed; their form is in poemctl-status(1).
 */
#ifndef POEMD_CTL_CONTROL_STATUS_ROUTES_H
#define POEMD_CTL_CONTROL_STATUS_ROUTES_H

#include <jansson.h>
#include <stdbool.h>

/* The words of states, for the option --state: an index from 0. */
#define STATUS_ROUTES_WORDS "not-listening|failing|lost|overdue|full|tainted|busy|idle"

/* The index if it was not given. */
#define STATUS_ROUTES_ANY (-1)

/* Up to so many routes are shown with all that is known of them. */
#define STATUS_ROUTES_WHOLE 6u

/* Sets the member "state" of each route. */
void status_routes_judge(json_t *routes);

/*
 * Removes the routes that are in another state (unless state is STATUS_ROUTES_ANY), or whose name
 * does not match the pattern, as of fnmatch(3) (unless it is NULL).
 */
void status_routes_filter(json_t *routes, int state, const char *pattern);

/* Prints the numbers of sessions, of a route or of the broker: now, at most, since the start. */
void status_routes_print_begun(const json_t *o);

/* Prints one route on two lines, or more if devices fail. */
void status_routes_print_whole(const json_t *route);

/*
 * Prints how many routes are in order, and one line for each of the others, the worst first. Those
 * that do not fit a screen are only counted.
 */
void status_routes_print_summary(const json_t *routes);

#endif
