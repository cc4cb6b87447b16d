# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# How every target is compiled: C11, the house's warnings, hardening in optimized builds,
# sanitizers on request.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(POEMD_WERROR "Treat warnings as errors" OFF)
option(POEMD_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
                    -Wformat=2 -Wundef -Wvla -Wcast-qual -fno-common)
if(POEMD_WERROR)
  add_compile_options(-Werror)
endif()
include_directories(${CMAKE_SOURCE_DIR})

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(POEMD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
else()
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>
                      -fstack-protector-strong -fstack-clash-protection)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# The licence of a program as a note inside it, as "poemctl attest --note" prints, where the linker
# can: Debian 12's GNU ld, not its lld or gold. COPYING explains the exception.
include(CheckLinkerFlag)
check_linker_flag(C "-Wl,--package-metadata={}" POEMD_LINKER_NOTES)
function(poemd_note_licence target)
  if(POEMD_LINKER_NOTES)
    target_link_options(${target} PRIVATE
                        "-Wl,--package-metadata={\"license\":\"GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception\"}")
  endif()
endfunction()
