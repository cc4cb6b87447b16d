/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The words for the steps and outcomes of a replacement. */
#include "proxy/ipc/replace_step.h"

#include <stddef.h>

const char *replace_step_word(uint32_t step)
{
    static const char *const words[REPLACE_STEPS] = {
        "begin", "greet", "ask-new", "wait", "ask-old", "set-up",  "stop-old", "resume-new",
        "copy",  "load",  "swap",    "run",  "kick",    "restore", "end"};

    return step < REPLACE_STEPS && words[step] ? words[step] : "?";
}

const char *replace_outcome_word(uint32_t outcome)
{
    static const char *const words[REPLACE_OUTCOMES] = {"replaced", "possible", "refused",
                                                        "rolled-back", "lost"};

    return outcome < REPLACE_OUTCOMES ? words[outcome] : "?";
}
