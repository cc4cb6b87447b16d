/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The steps in which a running device is replaced by another process
 * (proxy/worker/device/replace.h has their messages), and the outcomes.
 */
#ifndef POEMD_PROXY_IPC_REPLACE_STEP_H
#define POEMD_PROXY_IPC_REPLACE_STEP_H

#include <stdint.h>

enum replace_step {
    REPLACE_BEGINS,    /* the session can, or cannot, have its device replaced */
    REPLACE_GREETS,    /* the new process answers VERSION, and is judged */
    REPLACE_ASKS_NEW,  /* whether it can be given a state */
    REPLACE_WAITS,     /* until no request is under way; from here on new ones are held */
    REPLACE_ASKS_OLD,  /* whether its state can be taken */
    REPLACE_SETS_UP,   /* the new process gets what the session has set up */
    REPLACE_STOPS_OLD, /* STOP, STOP_COPY */
    REPLACE_RESUMES,   /* the new process: STOP, RESUMING */
    REPLACE_COPIES,    /* the state, from the old process to the new one */
    REPLACE_LOADS,     /* the new process: STOP, where it may refuse the state */
    REPLACE_SWAPS,     /* the client's messages go to the new process */
    REPLACE_RUNS,      /* the new process: RUNNING */
    REPLACE_KICKS,     /* each interrupt is triggered once, since one may have been lost */
    REPLACE_RESTORES,  /* after a failure, the old process: STOP, RUNNING */
    REPLACE_ENDS,
    REPLACE_STEPS
};

enum replace_outcome {
    REPLACE_DONE,
    REPLACE_COULD,       /* a dry run has found nothing against it */
    REPLACE_REFUSED,     /* before the old process was stopped: nothing has changed */
    REPLACE_ROLLED_BACK, /* the old process was stopped, and runs again */
    REPLACE_LOST,        /* … and does not */
    REPLACE_OUTCOMES
};

/* Returns the word for records, logs and `poemctl replace`. Static; "?" if out of range. */
const char *replace_step_word(uint32_t step);
const char *replace_outcome_word(uint32_t outcome);

#endif
