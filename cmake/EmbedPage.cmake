# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Texts as C: poemd_embed_page(TARGET NAME [FILE]) compiles FILE of the current folder (default
# NAME.html) into TARGET, whose sources get it as the list of characters NAME, in capitals, of
# FOLDER/NAME.h.
#
# As a script: cmake -D FROM=PAGE -D TO=HEADER -D MACRO=NAME -P EmbedPage.cmake writes that header.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${FROM} text HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" lines "${text}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${lines}")
  string(REPLACE "\n" " \\\n" list "${bytes}")
  file(WRITE ${TO} "/* Made by cmake/EmbedPage.cmake. */\n#define ${MACRO} \\\n${list}\n")
  return()
endif()

set(POEMD_EMBED_PAGE ${CMAKE_CURRENT_LIST_FILE})

function(poemd_embed_page target name)
  string(TOUPPER ${name} macro)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/${name}.h)
  set(file ${name}.html)
  if(ARGC GREATER 2)
    set(file ${ARGV2})
  endif()
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${CMAKE_COMMAND} -D FROM=${CMAKE_CURRENT_SOURCE_DIR}/${file} -D TO=${header}
            -D MACRO=${macro} -P ${POEMD_EMBED_PAGE}
    DEPENDS ${file} ${POEMD_EMBED_PAGE}
    VERBATIM)
  target_sources(${target} PRIVATE ${header})
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR})
endfunction()
