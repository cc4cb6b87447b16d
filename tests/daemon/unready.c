/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A program that claims that it can go on for a running poemd, and is its keeper, but whose monitor
 * ends at once.
 */
#include <string.h>

#include "proxy/ipc/fdstore_wire.h"
#include "proxy/keeper/keeper.h"
#include "proxy/keeper/keeper_upgrade.h"

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], KEEPER_AGAIN_ARG) == 0) {
        return keeper_main(argc, argv);
    }
    return argc > 1 && strcmp(argv[1], MONITOR_ARG) == 0 ? 3 : 0;
}
