#include "report.h"
#include "escape.h"

#include <jansson.h>

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct report report_begin(const struct options *options)
{
    struct report report = { .json = option_flag(options, "json") };
    if (report.json)
        report.open[0] = json_object();
    return report;
}

void report_end(struct report *report)
{
    if (report->json) {
        json_dumpf(report->open[0], stdout,
                   JSON_INDENT(2) | JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII);
        putchar('\n');
    }
    report_drop(report);
}

void report_drop(struct report *report)
{
    json_decref(report->open[0]);
    *report = (struct report){ 0 };
}

/* Takes `value` over. */
static void add(struct report *report, const char *name, json_t *value)
{
    json_t *into = report->open[report->depth];
    if (json_is_array(into))
        json_array_append_new(into, value);
    else
        json_object_set_new(into, name, value);
}

static void indent(const struct report *report)
{
    printf("%*s", 2 * report->depth, "");
}

/* "name:", a blank for each underscore; in a list "-". */
static void print_name(const struct report *report, const char *name)
{
    indent(report);
    for (const char *c = name ? name : "-"; *c; c++)
        putchar(*c == '_' ? ' ' : *c);
    if (name)
        putchar(':');
}

static void print_line(const char *before, const char *text)
{
    fputs(before, stdout);
    print_escaped(stdout, text);
    putchar('\n');
}

static void open_one(struct report *report, const char *name, json_t *value)
{
    assert(report->depth + 1 < REPORT_DEPTH);
    if (report->json) {
        add(report, name, value);
    } else if (name) {
        print_name(report, name);
        putchar('\n');
    }
    report->open[++report->depth] = value;
}

void report_object(struct report *report, const char *name)
{
    open_one(report, name, report->json ? json_object() : NULL);
}

void report_list(struct report *report, const char *name)
{
    open_one(report, name, report->json ? json_array() : NULL);
}

void report_close(struct report *report)
{
    assert(report->depth > 0);
    report->depth--;
}

/* File names may be any bytes; JSON may not. */
static json_t *utf8(char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    for (char *c = text; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(text);
}

void report_text(struct report *report, const char *name, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if (report->json) {
        add(report, name, utf8(text));
    } else {
        print_name(report, name);
        print_line(" ", text);
    }
    free(text);
}

void report_int(struct report *report, const char *name, long long value)
{
    if (report->json) {
        add(report, name, json_integer(value));
    } else {
        print_name(report, name);
        printf(" %lld\n", value);
    }
}

void report_real(struct report *report, const char *name, double value)
{
    if (report->json) {
        add(report, name, isfinite(value) ? json_real(value) : json_null());
    } else {
        print_name(report, name);
        printf(" %.6g\n", value);
    }
}

void report_bool(struct report *report, const char *name, bool value)
{
    if (report->json) {
        add(report, name, json_boolean(value));
    } else {
        print_name(report, name);
        puts(value ? " yes" : " no");
    }
}

void report_words(struct report *report, const char *name, const char *words)
{
    if (!report->json) {
        print_name(report, name);
        print_line(" ", words);
        return;
    }
    json_t *list = json_array();
    for (const char *word = words; *word;) {
        size_t length = strcspn(word, " ");
        json_array_append_new(list, json_stringn(word, length));
        word += length + strspn(word + length, " ");
    }
    add(report, name, list);
}

void report_say(struct report *report, const char *format, ...)
{
    if (report->json)
        return;
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    indent(report);
    print_line("", text);
    free(text);
}
