# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# cmake -D FROM=PAGE -D TO=HEADER -P embed_page.cmake: writes the page as a list of C characters.
cmake_minimum_required(VERSION 3.25)

file(READ ${FROM} text HEX)
string(REGEX REPLACE "(................................)" "\\1\n" lines "${text}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${lines}")
string(REPLACE "\n" " \\\n" list "${bytes}")
file(WRITE ${TO} "/* Made by trace/report/embed_page.cmake. */\n#define STATS_PAGE \\\n${list}\n")
