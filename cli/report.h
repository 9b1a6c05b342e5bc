/* What a command found, said once: as "name: value" lines, or with --json as one JSON object.
 *
 *     struct report report = report_begin(options);
 *     report_int(&report, "videos", 12);
 *     report_list(&report, "failures");
 *     report_object(&report, NULL);
 *     report_text(&report, "video", "%s", name);
 *     report_close(&report);
 *     report_close(&report);
 *     report_end(&report);
 *
 * Lines come at once; the JSON comes whole at report_end(), or not at all after report_drop(). */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "option.h"

struct json_t;

enum { REPORT_DEPTH = 8 };

struct report {
    bool json;
    int depth;
    struct json_t *open[REPORT_DEPTH]; /* the object or list being filled, innermost last */
};

struct report report_begin(const struct options *options);
void report_end(struct report *report);
void report_drop(struct report *report);

/* Inside a list the name is NULL. Each is closed by report_close(). */
void report_object(struct report *report, const char *name);
void report_list(struct report *report, const char *name);
void report_close(struct report *report);

void report_text(struct report *report, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_int(struct report *report, const char *name, long long value);
void report_real(struct report *report, const char *name, double value);
void report_bool(struct report *report, const char *name, bool value);
/* Words with a blank between them: a line, or a JSON list. */
void report_words(struct report *report, const char *name, const char *words);

/* A line for people only: nothing with --json. */
void report_say(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
