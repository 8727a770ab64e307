/*
 * One table says how every refusal is answered and named.  A wrong row would
 * go unseen: a device would drop a message it should send again (or send one
 * for ever that can never pass), and dashboards would count under a name that
 * nobody looks for.
 */

#include "gw_test.h"
#include "gw_outcome.h"


typedef struct {
    gw_reason_e    reason;
    const char    *name;
    gw_outcome_e   outcome;
    unsigned       http_status;
    unsigned       retryable;
} row_t;


static const row_t  rows[] = {
    { GW_R_NONE, "", GW_DELIVERED, 200, 0 },
    { GW_R_MALFORMED, "malformed", GW_INVALID, 400, 0 },
    { GW_R_TOO_LARGE, "too_large", GW_INVALID, 413, 0 },
    { GW_R_UNSUPPORTED, "unsupported", GW_INVALID, 415, 0 },
    { GW_R_SCHEMA, "schema", GW_INVALID, 422, 0 },
    { GW_R_CONFLICT, "conflict", GW_INVALID, 422, 0 },
    { GW_R_STALE, "stale", GW_INVALID, 409, 0 },
    { GW_R_BODY_TIMEOUT, "body_timeout", GW_INVALID, 408, 0 },
    { GW_R_UNAUTHENTICATED, "unauthenticated", GW_DENIED, 401, 0 },
    { GW_R_FORBIDDEN, "forbidden", GW_DENIED, 403, 0 },
    { GW_R_REVOKED, "revoked", GW_DENIED, 403, 0 },
    { GW_R_RATE_LIMITED, "rate_limited", GW_THROTTLED, 429, 1 },
    { GW_R_PRESSURE, "pressure", GW_SHED, 503, 1 },
    { GW_R_FULL, "full", GW_SHED, 503, 1 },
    { GW_R_EXPIRED, "expired", GW_SHED, 503, 1 },
    { GW_R_DRAINING, "draining", GW_SHED, 503, 1 },
    { GW_R_UPSTREAM, "upstream", GW_FAILED, 503, 1 },
    { GW_R_TIMEOUT, "timeout", GW_FAILED, 503, 1 },
    { GW_R_LOST, "lost", GW_FAILED, 503, 1 },
    { GW_R_UPSTREAM_REJECTED, "upstream_rejected", GW_FAILED, 502, 0 },
    { GW_R_INTERNAL, "internal", GW_FAILED, 500, 0 }
};

#define NROWS  (sizeof(rows) / sizeof(rows[0]))


static void
every_reason(void)
{
    unsigned                 i;
    const gw_reason_info_t  *info;

    is_u64(NROWS, GW_REASON_N, "the test knows every reason");

    for (i = 0; i < NROWS; i++) {
        info = gw_reason(rows[i].reason);

        is_str(info->name, strlen(info->name), rows[i].name,
               "reason %u has its name", i);
        is_u64(info->outcome, rows[i].outcome, "\"%s\" has its outcome",
               rows[i].name);
        is_u64(info->http_status, rows[i].http_status,
               "\"%s\" is answered with %u", rows[i].name,
               rows[i].http_status);
        is_u64(info->retryable, rows[i].retryable, "\"%s\" %s be sent again",
               rows[i].name, rows[i].retryable ? "may" : "need not");
    }

    ok(gw_reason(GW_REASON_N) == gw_reason(GW_R_INTERNAL),
       "a reason above the enum reads as internal");
    ok(gw_reason((gw_reason_e) -1) == gw_reason(GW_R_INTERNAL),
       "and so does one below it");
}


static void
names_and_titles(void)
{
    size_t       len;
    unsigned     i, k, labels, titles, unique, json_safe;
    const char  *name, *title;

    labels = 1;
    titles = 1;
    unique = 1;
    json_safe = 1;

    for (i = GW_R_NONE + 1; i < GW_REASON_N; i++) {
        name = gw_reason((gw_reason_e) i)->name;
        title = gw_reason((gw_reason_e) i)->title;
        len = strlen(title);

        labels &= name[0] != '\0'
                  && strspn(name, "abcdefghijklmnopqrstuvwxyz_")
                     == strlen(name);

        titles &= len > 0 && title[0] >= 'A' && title[0] <= 'Z'
                  && title[len - 1] != '.';

        for (k = 0; k < len; k++) {
            json_safe &= title[k] >= ' ' && title[k] < 0x7f
                         && title[k] != '"' && title[k] != '\\';
        }

        for (k = 0; k < i; k++) {
            unique &= strcmp(name, gw_reason((gw_reason_e) k)->name) != 0;
        }
    }

    ok(labels, "every name can be a metric label and a part of a URI");
    ok(unique, "no two reasons share a name");
    ok(titles, "every title is a sentence without full stop");
    ok(json_safe, "no title needs an escape in JSON");
}


static void
every_outcome(void)
{
    static const char *const  names[GW_OUTCOME_N] = {
        "DELIVERED", "SPOOLED", "QUEUED", "DUPLICATE", "INVALID", "DENIED",
        "THROTTLED", "SHED", "FAILED"
    };

    static const char *const  labels[GW_OUTCOME_N] = {
        "delivered", "spooled", "queued", "duplicate", "invalid", "denied",
        "throttled", "shed", "failed"
    };

    static const unsigned  statuses[GW_OUTCOME_N] = {
        200, 202, 202, 200, 0, 0, 0, 0, 0
    };

    unsigned      i;
    gw_outcome_e  o;

    for (i = 0; i < GW_OUTCOME_N; i++) {
        o = (gw_outcome_e) i;

        is_str(gw_outcome_name(o), strlen(gw_outcome_name(o)), names[i],
               "outcome %u is %s", i, names[i]);
        is_str(gw_outcome_label(o), strlen(gw_outcome_label(o)), labels[i],
               "and \"%s\" as a label", labels[i]);
        is_u64(gw_outcome_http_status(o), statuses[i],
               "%s is answered with %u", names[i], statuses[i]);
    }

    is_str(gw_outcome_name(GW_OUTCOME_N), strlen("FAILED"), "FAILED",
           "an outcome outside the enum has a name");
    is_str(gw_outcome_label(GW_OUTCOME_N), strlen("failed"), "failed",
           "and a label");
    is_u64(gw_outcome_http_status(GW_OUTCOME_N), 0, "but no status");
}


int
main(void)
{
    every_reason();
    names_and_titles();
    every_outcome();

    return done_testing();
}
