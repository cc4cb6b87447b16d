# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# cmake -D FROM=FOLDER -D TO=HEADER -P embed.cmake: writes the poem of the folder, its digest and
# its grant as lists of C characters. Fails where the poem is not the pinned one.
cmake_minimum_required(VERSION 3.25)

# c_list(VAR HEX): each two digits become a C character and a comma, 16 to a line.
function(c_list var hex)
  string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${lines}")
  string(REPLACE "\n" " \\\n" list "${bytes}")
  set(${var} "${list}" PARENT_SCOPE)
endfunction()

file(SHA256 ${FROM}/poem.txt digest)
file(STRINGS ${FROM}/poem.txt.sha256 pinned)
if(NOT pinned STREQUAL "${digest}  poem.txt")
  message(FATAL_ERROR "${FROM}/poem.txt is not the poem that poem.txt.sha256 pins: ${digest}")
endif()

file(READ ${FROM}/poem.txt text HEX)
file(READ ${FROM}/COPYRIGHT grant HEX)
c_list(text_list "${text}")
c_list(grant_list "${grant}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," digest_list "${digest}")

file(WRITE ${TO} "/* Made by poem/embed.cmake. */
#define POEM_EMBEDDED_TEXT \\
${text_list}

#define POEM_EMBEDDED_DIGEST ${digest_list}

#define POEM_EMBEDDED_GRANT \\
${grant_list}
")
