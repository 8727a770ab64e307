/*
 * gw_event.h - the CloudEvent at hand in the tests of it, what Kafka gets of
 * it, and the sentences more than one of these tests waits for.
 */

#ifndef _GW_EVENT_H_INCLUDED_
#define _GW_EVENT_H_INCLUDED_


#include "gw_test.h"

#include "gw_ce_attr.h"


#define E_MISSING(name)  "attribute \"" name "\" is missing"
#define E_EMPTY(name)    "attribute \"" name "\" is empty"
#define E_TEXT     "attribute is not UTF-8, or holds a control character or "  \
                   "a noncharacter"
#define E_TIME     "attribute \"time\" must be an RFC 3339 date-time, 1970 "   \
                   "to 9999"
#define E_MEDIA    "attribute \"datacontenttype\" must be a media type"
#define E_VERSION  "attribute \"specversion\" must be \"1.0\""
#define E_MORE     "event has more than 16 extensions"


static gw_ce_t      ce;
static const char  *detail;
static char         line[65536];


static inline void
put(void *data, const char *name, const gw_str_t *value)
{
    char  *out = data;

    sprintf(out + strlen(out), "%s=%.*s|", name, (int) value->len,
            (const char *) value->data);
}


static inline const char *
headers(void)
{
    line[0] = '\0';
    gw_ce_headers(&ce, put, line);

    return line;
}


static inline const char *
repeat(const char *s, size_t n)
{
    char        *p;
    size_t       len = strlen(s);
    static char  text[32768];

    text[0] = '\0';

    for (p = text; n; n--, p += len) {
        memcpy(p, s, len + 1);
    }

    return text;
}


#endif /* _GW_EVENT_H_INCLUDED_ */
