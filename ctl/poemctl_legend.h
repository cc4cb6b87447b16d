/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The legend of a report. */
#ifndef POEMD_CTL_POEMCTL_LEGEND_H
#define POEMD_CTL_POEMCTL_LEGEND_H

#include <jansson.h>

/* Returns the meanings of letters and grades for audit_report_html, or NULL if out of memory. */
json_t *poemctl_legend(void) __attribute__((warn_unused_result));

#endif
