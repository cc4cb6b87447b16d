/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Completion of poemctl's command line by bash, from the commands' tables. */
#ifndef POEMD_CTL_POEMCTL_COMPLETE_H
#define POEMD_CTL_POEMCTL_COMPLETE_H

#include <stdio.h>

#include "ctl/poemctl.h"

/* Prints a script for bash that completes the commands of the list, which ends with NULL. */
void poemctl_complete(FILE *f, const struct poemctl_command *const *commands);

#endif
