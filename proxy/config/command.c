/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Splits a command line. Bytes in, words out. */
#include "proxy/config/command.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

struct splitter {
    struct command *command;
    struct value_fault *fault;
    const char *at;
    size_t out;   /* bytes written to the command's text */
    char quote;   /* the open quote, or NUL */
    bool in_word; /* also in an empty one, "" */
    int fd;
    unsigned fds; /* number of %fd so far */
};

static bool command_fault(struct splitter *s, const char *text, const char *hint)
{
    snprintf(s->fault->text, sizeof s->fault->text, "%s", text);
    snprintf(s->fault->hint, sizeof s->fault->hint, "%s", hint);
    return false;
}

/* If it does not fit, the text was too long for the configuration, too. */
static bool command_put(struct splitter *s, const char *bytes, size_t n)
{
    if (n > sizeof s->command->text - s->out) {
        return command_fault(s, "the command is too long",
                             "a command must fit into a line of the configuration");
    }
    memcpy(s->command->text + s->out, bytes, n);
    s->out += n;
    return true;
}

static bool command_begin_word(struct splitter *s)
{
    if (s->in_word) {
        return true;
    }
    if (s->command->n == COMMAND_WORDS) {
        return command_fault(s, "the command has too many words", "at most 128");
    }
    s->command->argv[s->command->n++] = s->command->text + s->out;
    s->in_word = true;
    return true;
}

static bool command_end_word(struct splitter *s)
{
    const bool ended = s->in_word;

    s->in_word = false;
    return !ended || command_put(s, "", 1);
}

/* s->at is behind a '%'. */
static bool command_percent(struct splitter *s)
{
    char number[16];
    char shown[24];
    char text[80];

    if (*s->at == '%') {
        s->at++;
        return command_put(s, "%", 1);
    }
    if (strncmp(s->at, "fd", 2) == 0) {
        s->at += 2;
        s->fds++;
        snprintf(number, sizeof number, "%d", s->fd);
        return command_put(s, number, strlen(number));
    }
    snprintf(text, sizeof text, "unknown sequence \"%%%s\"",
             log_escape(shown, sizeof shown, s->at, *s->at ? 1 : 0));
    return command_fault(s, text,
                         "use %fd for the number of the device's socket, %% for a percent sign");
}

/* Takes one byte of the text, or one escape of several. */
static bool command_step(struct splitter *s)
{
    const char c = *s->at++;

    if (s->quote ? c == s->quote : c == '"' || c == '\'') {
        s->quote = s->quote ? '\0' : c;
        return command_begin_word(s);
    }
    if (!s->quote && (c == ' ' || c == '\t')) {
        return command_end_word(s);
    }
    if (!command_begin_word(s)) {
        return false;
    }
    return c == '%' ? command_percent(s) : command_put(s, &c, 1);
}

bool command_read(struct command *c, const char *text, int fd, struct value_fault *f)
{
    struct splitter s = {.command = c, .fault = f, .at = text, .fd = fd};

    c->n = 0;
    f->hint[0] = '\0';
    while (*s.at) {
        if (!command_step(&s)) {
            return false;
        }
    }
    if (s.quote) {
        return command_fault(&s, "unclosed quote", "close it with the same character, ' or \"");
    }
    if (!command_end_word(&s)) {
        return false;
    }
    c->argv[c->n] = NULL;
    if (c->n == 0 || c->argv[0][0] != '/') {
        return command_fault(&s, "the command does not begin with an absolute path",
                             "/usr/lib/device --fd %fd");
    }
    if (s.fds != 1) {
        return command_fault(
            &s,
            s.fds == 0 ? "the command does not contain \"%fd\""
                       : "the command contains \"%fd\" more than once",
            "\"/usr/lib/device --fd %fd\", in quotes: the socket's number, exactly once");
    }
    return true;
}
