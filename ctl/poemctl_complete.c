/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Scripts for shells, from the tables of commands and options. Each finds which command stands on
 * the line, then offers its actions or options, or the words of a choice. Everything else is the
 * name of a file, which shells complete by themselves.
 */
#include "ctl/poemctl.h"

#include <string.h>

typedef void poemctl_complete_fn(FILE *f, const struct poemctl_command *c);

/* Calls fn for the commands and their actions. */
/* NOLINTNEXTLINE(misc-no-recursion): actions have no actions of their own. */
static void poemctl_complete_each(FILE *f, const struct poemctl_command *const *list,
                                  poemctl_complete_fn *fn)
{
    for (; *list; list++) {
        fn(f, *list);
        if ((*list)->actions) {
            poemctl_complete_each(f, (*list)->actions, fn);
        }
    }
}

static void poemctl_complete_name(FILE *f, const struct poemctl_command *c)
{
    fprintf(f, "\" %s\" | ", c->name);
}

/* The words of a choice; those in capitals stand for something else. */
static void poemctl_complete_choice(FILE *f, const char *value)
{
    size_t n;

    for (; *value; value += n + (value[n] == '|')) {
        n = strcspn(value, "|");
        if (strcspn(value, "abcdefghijklmnopqrstuvwxyz") < n) {
            fprintf(f, "%.*s ", (int)n, value);
        }
    }
}

/* The words that may follow each option with an argument. */
static void poemctl_complete_values(FILE *f, const struct poemctl_command *c)
{
    for (const struct cli_option *o = c->options; o && o->name; o++) {
        if (o->value) {
            fprintf(f, "        \" %s --%s\"", c->name, o->name);
            if (o->letter) {
                fprintf(f, " | \" %s -%c\"", c->name, o->letter);
            }
            fprintf(f, ") words=\"");
            poemctl_complete_choice(f, o->value);
            fprintf(f, "\" ;;\n");
        }
    }
}

/* The actions or options that may follow a command. */
static void poemctl_complete_words(FILE *f, const struct poemctl_command *c)
{
    fprintf(f, "                \" %s\") words=\"", c->name);
    for (size_t i = 0; c->actions && c->actions[i]; i++) {
        fprintf(f, "%s ", strrchr(c->actions[i]->name, ' ') + 1);
    }
    for (const struct cli_option *o = c->options; o && o->name; o++) {
        fprintf(f, "--%s ", o->name);
    }
    fprintf(f, "--help\" ;;\n");
}

static void poemctl_complete_bash(FILE *f, const struct poemctl_command *const *commands)
{
    fputs("# Completion of poemctl(1) by bash; made by poemctl --completion.\n"
          "_poemctl() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} command=\"\" words=\"\" i\n"
          "    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case \"$command ${COMP_WORDS[i]}\" in\n"
          "            ",
          f);
    poemctl_complete_each(f, commands, poemctl_complete_name);
    fputs("\" --help\") command+=\" ${COMP_WORDS[i]}\" ;;\n"
          "            *) break ;;\n"
          "        esac\n"
          "    done\n"
          "    case \"$command ${COMP_WORDS[COMP_CWORD - 1]}\" in\n",
          f);
    poemctl_complete_each(f, commands, poemctl_complete_values);
    fputs("        *)\n"
          "            case \"$command\" in\n"
          "                \"\") words=\"",
          f);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(f, "%s ", commands[i]->name);
    }
    fputs("--help --version --completion\" ;;\n", f);
    poemctl_complete_each(f, commands, poemctl_complete_words);
    fputs("            esac\n"
          "            # Operands are files, unless an option is begun.\n"
          "            [[ $words != -* || $current == -* ]] || return 0\n"
          "            ;;\n"
          "    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n"
          "complete -o default -F _poemctl poemctl\n",
          f);
}

/* ---- zsh and fish, whose scripts have the help as well ---- */

/* Prints a text between quotes; each of the characters in special behind a backslash. */
static void poemctl_complete_quoted(FILE *f, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", f);
        } else {
            fprintf(f, "%s%c", strchr(special, *text) ? "\\" : "", *text);
        }
    }
}

/* Returns true if the argument is one of some words; those in capitals stand for something else. */
static bool poemctl_complete_is_choice(const char *value)
{
    return value[strcspn(value, "abcdefghijklmnopqrstuvwxyz")] != '\0';
}

static void poemctl_complete_zsh_list(FILE *f, const struct poemctl_command *const *list)
{
    for (; *list; list++) {
        fprintf(f, " '%s:", poemctl_word(*list));
        poemctl_complete_quoted(f, (*list)->what, ":");
        fputc('\'', f);
    }
}

static void poemctl_complete_zsh_option(FILE *f, const struct cli_option *o)
{
    fputs(" \\\n            ", f);
    if (o->letter) {
        fprintf(f, "'(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter, o->name);
    } else {
        fprintf(f, "'--%s[", o->name);
    }
    poemctl_complete_quoted(f, o->help, "[]:\\");
    fputc(']', f);
    if (o->value) {
        fprintf(f, ":%s:", o->name);
        if (poemctl_complete_is_choice(o->value)) {
            fputc('(', f);
            poemctl_complete_choice(f, o->value);
            fputc(')', f);
        } else {
            fputs("_files", f);
        }
    }
    fputc('\'', f);
}

static void poemctl_complete_zsh_command(FILE *f, const struct poemctl_command *c)
{
    if (c->actions) {
        return;
    }
    fprintf(f,
            "    '%s'%s)\n"
            "        shift %d words\n"
            "        (( CURRENT -= %d ))\n"
            "        _arguments",
            c->name, strchr(c->name, ' ') ? "" : "*", strchr(c->name, ' ') ? 2 : 1,
            strchr(c->name, ' ') ? 2 : 1);
    for (const struct cli_option *o = c->options; o && o->name; o++) {
        poemctl_complete_zsh_option(f, o);
    }
    fputs(" \\\n            '--help[print the usage]' '*:file:_files'\n        ;;\n", f);
}

static void poemctl_complete_zsh(FILE *f, const struct poemctl_command *const *commands)
{
    fputs("#compdef poemctl\n"
          "# Completion of poemctl(1) by zsh; made by poemctl --completion zsh.\n"
          "local -a list\n"
          "if (( CURRENT == 2 )); then\n"
          "    list=(",
          f);
    poemctl_complete_zsh_list(f, commands);
    fputs(" 'help:show the usage of a command')\n"
          "    _describe -t commands command list\n"
          "    return\n"
          "fi\n"
          "case \"$words[2] $(( CURRENT == 3 ))\" in\n",
          f);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->actions) {
            fprintf(f, "    '%s 1')\n        list=(", commands[i]->name);
            poemctl_complete_zsh_list(f, commands[i]->actions);
            fputs(")\n        _describe -t actions action list\n        return\n        ;;\n", f);
        }
    }
    fputs("esac\n"
          "case \"$words[2] $words[3]\" in\n",
          f);
    poemctl_complete_each(f, commands, poemctl_complete_zsh_command);
    fputs("esac\n", f);
}

static void poemctl_complete_fish_word(FILE *f, const char *before, const struct poemctl_command *c)
{
    fprintf(f, "complete -c poemctl -n '__poemctl_needs%s' -f -a %s -d '", before, poemctl_word(c));
    poemctl_complete_quoted(f, c->what, "");
    fputs("'\n", f);
}

static void poemctl_complete_fish_command(FILE *f, const struct poemctl_command *c)
{
    for (size_t i = 0; c->actions && c->actions[i]; i++) {
        char before[64];

        snprintf(before, sizeof before, " %s", c->name);
        poemctl_complete_fish_word(f, before, c->actions[i]);
    }
    for (const struct cli_option *o = c->options; o && o->name; o++) {
        fprintf(f, "complete -c poemctl -n '__poemctl_at %s' -l %s", c->name, o->name);
        if (o->letter) {
            fprintf(f, " -s %c", o->letter);
        }
        if (o->value && poemctl_complete_is_choice(o->value)) {
            fputs(" -x -a '", f);
            poemctl_complete_choice(f, o->value);
            fputc('\'', f);
        } else if (o->value) {
            fputs(" -r", f);
        }
        fputs(" -d '", f);
        poemctl_complete_quoted(f, o->help, "");
        fputs("'\n", f);
    }
}

static void poemctl_complete_fish(FILE *f, const struct poemctl_command *const *commands)
{
    fputs("# Completion of poemctl(1) by fish; made by poemctl --completion fish.\n"
          "function __poemctl_at\n"
          "    set -l words (commandline -opc)\n"
          "    set -l last (math (count $argv) + 1)\n"
          "    test (count $words) -ge $last\n"
          "    and test \"$words[2..$last]\" = \"$argv\"\n"
          "end\n"
          "function __poemctl_needs\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -eq (math (count $argv) + 1)\n"
          "    and test \"$words[2..-1]\" = \"$argv\"\n"
          "end\n",
          f);
    for (size_t i = 0; commands[i]; i++) {
        poemctl_complete_fish_word(f, "", commands[i]);
    }
    poemctl_complete_each(f, commands, poemctl_complete_fish_command);
}

bool poemctl_complete(FILE *f, const struct poemctl_command *const *commands, const char *shell)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *f, const struct poemctl_command *const *commands);
    } scripts[] = {{"bash", poemctl_complete_bash},
                   {"zsh", poemctl_complete_zsh},
                   {"fish", poemctl_complete_fish}};

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (strcmp(shell, scripts[i].shell) == 0) {
            scripts[i].print(f, commands);
            return true;
        }
    }
    return false;
}
