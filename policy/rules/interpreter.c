/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The list of interpreters, as data, by the names of their files. */
#include "policy/rules/interpreter.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Longer names are of no interpreter. */
#define INTERPRETER_NAME 64u

/*
 * A name is compared as it is, and without its version. The loader of dynamic programs is one of
 * them: "ld-linux-x86-64.so.2 PROGRAM" executes the loader. qemu-ARCH is the user mode of QEMU, not
 * the machine emulator, which is qemu-system-ARCH.
 */
static const struct {
    const char *pattern; /* of fnmatch(3) */
    const char *what;
} interpreters[] = {
    {"python", "Python"},
    {"platform-python", "Python"},
    {"pypy", "Python"},
    {"micropython", "Python"},
    {"perl", "Perl"},
    {"ruby", "Ruby"},
    {"jruby", "Ruby"},
    {"mruby", "Ruby"},
    {"node", "JavaScript"},
    {"nodejs", "JavaScript"},
    {"deno", "JavaScript"},
    {"bun", "JavaScript"},
    {"qjs", "JavaScript"},
    {"gjs-console", "JavaScript"},
    {"cjs-console", "JavaScript"},
    {"qml", "JavaScript"},
    {"qmlscene", "JavaScript"},
    {"java", "Java"},
    {"jshell", "Java"},
    {"jsvc", "Java"},
    {"gij", "Java"},
    {"dotnet", ".NET"},
    {"mono", ".NET"},
    {"mono-sgen", ".NET"},
    {"lua", "Lua"},
    {"luajit", "Lua"},
    {"texlua", "Lua"},
    {"php", "PHP"},
    {"php-cgi", "PHP"},
    {"php-fpm", "PHP"},
    {"phpdbg", "PHP"},
    {"guile", "Scheme"},
    {"csi", "Scheme"},
    {"racket", "Scheme"},
    {"gsi", "Scheme"},
    {"scheme", "Scheme"},
    {"sbcl", "Lisp"},
    {"clisp", "Lisp"},
    {"ecl", "Lisp"},
    {"emacs", "Lisp"},
    {"emacs-*", "Lisp"},
    {"tclsh", "Tcl"},
    {"wish", "Tcl"},
    {"jimsh", "Tcl"},
    {"expect", "Tcl"},
    {"beam.smp", "Erlang"},
    {"beam", "Erlang"},
    {"escript", "Erlang"},
    {"R", "R"},
    {"octave-cli", "Octave"},
    {"octave-gui", "Octave"},
    {"julia", "Julia"},
    {"swipl", "Prolog"},
    {"gprolog", "Prolog"},
    {"gforth", "Forth"},
    {"runghc", "Haskell"},
    {"ghc", "Haskell"},
    {"ocaml", "OCaml"},
    {"ocamlrun", "OCaml"},
    {"gawk", "awk"},
    {"mawk", "awk"},
    {"awk", "awk"},
    {"original-awk", "awk"},
    {"bpftrace", "bpftrace"},
    {"stapbpf", "SystemTap"},
    {"gdb", "a debugger"},
    {"lldb", "a debugger"},
    {"sh", "a shell"},
    {"bash", "a shell"},
    {"rbash", "a shell"},
    {"bash-static", "a shell"},
    {"dash", "a shell"},
    {"ash", "a shell"},
    {"ksh", "a shell"},
    {"mksh", "a shell"},
    {"mksh-static", "a shell"},
    {"lksh", "a shell"},
    {"pdksh", "a shell"},
    {"yash", "a shell"},
    {"posh", "a shell"},
    {"zsh", "a shell"},
    {"zsh-static", "a shell"},
    {"fish", "a shell"},
    {"csh", "a shell"},
    {"bsd-csh", "a shell"},
    {"tcsh", "a shell"},
    {"es", "a shell"},
    {"rc", "a shell"},
    {"elvish", "a shell"},
    {"nu", "a shell"},
    {"pwsh", "a shell"},
    {"busybox", "a shell"},
    {"busybox-*", "a shell"},
    {"toybox", "a shell"},
    {"wasmtime", "WebAssembly"},
    {"wasmer", "WebAssembly"},
    {"iwasm", "WebAssembly"},
    {"wasmedge", "WebAssembly"},
    {"wine", "Windows programs"},
    {"wine*-preloader", "Windows programs"},
    {"wineloader", "Windows programs"},
    {"box64", "programs of another machine"},
    {"box86", "programs of another machine"},
    {"FEXInterpreter", "programs of another machine"},
    /* valgrind(1) executes one of its tools, which executes the program within itself. */
    {"memcheck-*", "programs under valgrind"},
    {"cachegrind-*", "programs under valgrind"},
    {"callgrind-*", "programs under valgrind"},
    {"helgrind-*", "programs under valgrind"},
    {"drd-*", "programs under valgrind"},
    {"massif-*", "programs under valgrind"},
    {"dhat-*", "programs under valgrind"},
    {"lackey-*", "programs under valgrind"},
    {"none-*-linux", "programs under valgrind"},
    {"ld.so", "a program loader"},
    {"ld-linux*.so.*", "a program loader"},
    {"ld-musl-*.so.*", "a program loader"},
    {"ld64.so.*", "a program loader"},
    {"ld-[0-9]*.so", "a program loader"},
    {"klibc-*.so", "a program loader"},
    {"qemu-aarch64*", "programs of another machine"},
    {"qemu-alpha*", "programs of another machine"},
    {"qemu-arm*", "programs of another machine"},
    {"qemu-cris*", "programs of another machine"},
    {"qemu-hexagon*", "programs of another machine"},
    {"qemu-hppa*", "programs of another machine"},
    {"qemu-i386*", "programs of another machine"},
    {"qemu-loongarch64*", "programs of another machine"},
    {"qemu-m68k*", "programs of another machine"},
    {"qemu-microblaze*", "programs of another machine"},
    {"qemu-mips*", "programs of another machine"},
    {"qemu-nios2*", "programs of another machine"},
    {"qemu-or1k*", "programs of another machine"},
    {"qemu-ppc*", "programs of another machine"},
    {"qemu-riscv*", "programs of another machine"},
    {"qemu-s390x*", "programs of another machine"},
    {"qemu-sh4*", "programs of another machine"},
    {"qemu-sparc*", "programs of another machine"},
    {"qemu-x86_64*", "programs of another machine"},
    {"qemu-xtensa*", "programs of another machine"},
};

/* Cuts off a version: the first digit and all after it, with a '-' or '.' before it. */
static void interpreter_cut_version(char *name)
{
    size_t n = strcspn(name, "0123456789");

    while (n > 1 && name[n] && (name[n - 1] == '-' || name[n - 1] == '.')) {
        n--;
    }
    if (n > 0) {
        name[n] = '\0';
    }
}

const char *interpreter_of(const char *path)
{
    const char *const slash = strrchr(path, '/');
    const char *const whole = slash ? slash + 1 : path;
    char name[INTERPRETER_NAME];

    if (strlen(whole) >= sizeof name) {
        return NULL;
    }
    snprintf(name, sizeof name, "%s", whole);
    interpreter_cut_version(name);
    for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++) {
        if (fnmatch(interpreters[i].pattern, whole, 0) == 0 ||
            strcmp(interpreters[i].pattern, name) == 0) {
            return interpreters[i].what;
        }
    }
    return NULL;
}
