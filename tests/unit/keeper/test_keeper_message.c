/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's messages as the keeper reads them. */
#include "proxy/keeper/keeper_message.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct {
    const char *text;
    enum keeper_verb verb; /* KEEPER_NOTHING: it is refused */
    const char *name;
    pid_t pid;
} messages[] = {
    {"FDSTORE=1\nFDNAME=s17.c\nFDPOLL=0\n", KEEPER_KEEP, "s17.c", 0},
    {"FDNAME=a\nFDSTORE=1", KEEPER_KEEP, "a", 0},
    {"FDSTOREREMOVE=1\nFDNAME=a\n", KEEPER_DROP, "a", 0},
    {"READY=1\n", KEEPER_READY, "", 0},
    {"READY=1\nSTATUS=of a later version\n", KEEPER_READY, "", 0},
    {"STOPPING=1\n", KEEPER_STOPPING, "", 0},
    {"WATCHDOG=1\n", KEEPER_ALIVE, "", 0},
    {"WATCHDOG=1\nSTATUS=3 sessions\n", KEEPER_ALIVE, "", 0},
    {"RELOADING=1\nMONOTONIC_USEC=1\n", KEEPER_RELOADING, "", 0},
    {"RELOADED=1\n", KEEPER_RELOADED, "", 0},
    {"WATCHDOG=1\nREADY=1\n", KEEPER_NOTHING, "", 0},
    {"FORKING=1\n", KEEPER_FORKING, "", 0},
    {"FORKING=0\n", KEEPER_FORKED, "", 0},
    {"COLLECT=1234\n", KEEPER_COLLECT, "", 1234},
    {"", KEEPER_NOTHING, "", 0},
    {"\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\nFDNAME=\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\nFDNAME=a\nFDNAME=b\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\nFDNAME=a:b\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\nFDNAME=a b\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\nFDNAME=\xc3\xa4\n", KEEPER_NOTHING, "", 0},
    {"FDSTORE=1\nFDSTOREREMOVE=1\nFDNAME=a\n", KEEPER_NOTHING, "", 0},
    {"READY=1\nFDNAME=a\n", KEEPER_NOTHING, "", 0},
    {"READY=1x\n", KEEPER_NOTHING, "", 0},
    {"COLLECT=\n", KEEPER_NOTHING, "", 0},
    {"COLLECT=0\n", KEEPER_NOTHING, "", 0},
    {"COLLECT=-1\n", KEEPER_NOTHING, "", 0},
    {"COLLECT=99999999999\n", KEEPER_NOTHING, "", 0},
};

START_TEST(a_message)
{
    struct keeper_message m;
    const bool good = keeper_message_read(&m, messages[_i].text, strlen(messages[_i].text));

    ck_assert(good == (messages[_i].verb != KEEPER_NOTHING));
    if (good) {
        ck_assert_int_eq(m.verb, messages[_i].verb);
        ck_assert_str_eq(m.name, messages[_i].name);
        ck_assert_int_eq(m.pid, messages[_i].pid);
    }
}
END_TEST

START_TEST(a_name_has_at_most_255_characters)
{
    char name[FDSTORE_NAME_MAX + 1];

    memset(name, 'a', sizeof name);
    ck_assert(keeper_message_name_sound(name, FDSTORE_NAME_MAX));
    ck_assert(!keeper_message_name_sound(name, FDSTORE_NAME_MAX + 1));
}
END_TEST

START_TEST(a_process_is_known_by_its_name)
{
    ck_assert_int_eq(keeper_message_child("c1234"), 1234);
    ck_assert_int_eq(keeper_message_child("c"), 0);
    ck_assert_int_eq(keeper_message_child("c12x"), 0);
    ck_assert_int_eq(keeper_message_child("s12"), 0);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("unit: messages to the keeper");
    TCase *const tc = unit_case(suite, "messages");

    tcase_add_loop_test(tc, a_message, 0, sizeof messages / sizeof *messages);
    tcase_add_test(tc, a_name_has_at_most_255_characters);
    tcase_add_test(tc, a_process_is_known_by_its_name);
    return unit_run(suite);
}
