# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# cmake -D FROM=FOLDER -D TO=HEADER -P presets.cmake: writes what stands between the two marks of
# each FOLDER/NAME.conf, and in which line that begins. So a preset that is named in a configuration
# and the file to copy from are the same.
cmake_minimum_required(VERSION 3.25)

set(BEGIN "    # ---- the policy: copy from here ----\n")
set(END "    # ---- to here ----\n")
file(GLOB files ${FROM}/*.conf)
list(SORT files)
set(texts "")
set(rows "")
set(names "")
foreach(path IN LISTS files)
  get_filename_component(name ${path} NAME_WLE)
  string(MAKE_C_IDENTIFIER "preset_${name}" id)
  file(READ ${path} text)
  string(FIND "${text}" "${BEGIN}" begin)
  string(FIND "${text}" "${END}" end)
  if(begin EQUAL -1 OR end LESS begin)
    message(FATAL_ERROR "${path} has no policy between its marks")
  endif()
  string(LENGTH "${BEGIN}" n)
  math(EXPR begin "${begin} + ${n}")
  math(EXPR n "${end} - ${begin}")
  string(SUBSTRING "${text}" 0 ${begin} before)
  string(SUBSTRING "${text}" ${begin} ${n} policy)
  string(REGEX MATCHALL "\n" newlines "${before}")
  list(LENGTH newlines line)
  math(EXPR line "${line} + 1")
  string(HEX "${policy}" hex)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND texts "static const char ${id}[] = {\n${bytes}\n};\n\n")
  string(APPEND rows "    {\"${name}\", ${line}, sizeof ${id}, ${id}},\n")
  string(APPEND names "\"${name}\", ")
endforeach()

file(WRITE ${TO} "/* Made by proxy/config/presets.cmake. */
${texts}static const struct preset embedded[] = {
${rows}};

#define PRESET_NAMES ${names} NULL
")
