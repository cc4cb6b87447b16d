/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The script finds which command stands on the line, then offers its actions or options, or the
 * words of a choice. Everything else is the name of a file, which bash completes by itself.
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

void poemctl_complete(FILE *f, const struct poemctl_command *const *commands)
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
