/*
 * gw_mqtt_topic.c - see gw_mqtt_topic.h.
 *
 * A pattern is walked beside the topic, byte by byte.  There is nothing to try
 * twice: a wildcard is a whole level, so where it ends is where the level does,
 * and what stands for a name is as long as the name.
 */

#include "gw_mqtt_topic.h"


#define GW_MQTT_SHARE  "$share/"


static size_t gw_mqtt_level(const uint8_t *p, const uint8_t *last);


int
gw_mqtt_pattern(gw_mqtt_pattern_t *p, const gw_str_t *text,
    const char **detail)
{
    size_t          n, i;
    const uint8_t  *at, *last;

    memset(p, 0, sizeof(*p));

    if (text->len == 0 || text->len > GW_MQTT_PATTERN_MAX) {
        *detail = "a topic pattern has 1 to 1024 bytes";
        return GW_ERROR;
    }

    p->text = *text;

    at = text->data;
    last = at + text->len;

    for ( ;; ) {
        n = gw_mqtt_level(at, last);

        if (++p->levels > GW_MQTT_LEVELS_MAX) {
            *detail = "a topic pattern has at most 64 levels";
            return GW_ERROR;
        }

        for (i = 0; i < n; i++) {

            switch (at[i]) {

            case '\0':
                *detail = "a topic pattern has no NUL";
                return GW_ERROR;

            case '+':
                if (n != 1) {
                    *detail = "\"+\" must be a level of its own";
                    return GW_ERROR;
                }

                break;

            case '#':
                if (n != 1 || at + 1 != last) {
                    *detail = "\"#\" must be the last level and alone in it";
                    return GW_ERROR;
                }

                p->many = 1;
                break;

            case '%':
                i++;

                if (i < n && at[i] == 'u') {
                    p->user = 1;

                } else if (i < n && at[i] == 'c') {
                    p->client = 1;

                } else if (i == n || at[i] != '%') {
                    *detail = "\"%\" must be followed by \"u\", \"c\" or "
                              "\"%\"";
                    return GW_ERROR;
                }
            }
        }

        at += n;

        if (at == last) {
            return GW_OK;
        }

        at++;
    }
}


int
gw_mqtt_match(const gw_mqtt_pattern_t *p, const gw_str_t *topic,
    const gw_str_t *user, const gw_str_t *client)
{
    uint8_t          c;
    const uint8_t   *at, *end, *t, *last;
    const gw_str_t  *name;

    if ((p->user && user->len == 0) || (p->client && client->len == 0)) {
        return 0;
    }

    at = p->text.data;
    end = at + p->text.len;
    t = topic->data;
    last = t + topic->len;

    /* MQTT-4.7.2-1 */

    if (t < last && *t == '$' && (*at == '+' || *at == '#')) {
        return 0;
    }

    while (at < end) {
        c = *at++;

        switch (c) {

        case '#':
            return 1;

        case '+':
            t += gw_mqtt_level(t, last);
            continue;

        case '/':
            if (t == last) {

                /* 4.7.1.2: "a/#" is "a" as well */

                return p->many && at + 1 == end;
            }

            break;

        case '%':
            c = *at++;

            if (c != '%') {
                name = c == 'u' ? user : client;

                if ((size_t) (last - t) < name->len
                    || memcmp(t, name->data, name->len) != 0)
                {
                    return 0;
                }

                t += name->len;
                continue;
            }
        }

        if (t == last || *t != c) {
            return 0;
        }

        t++;
    }

    return t == last;
}


/* bytes up to the next "/" */

static size_t
gw_mqtt_level(const uint8_t *p, const uint8_t *last)
{
    const uint8_t  *slash;

    slash = p < last ? memchr(p, '/', (size_t) (last - p)) : NULL;

    return (size_t) ((slash ? slash : last) - p);
}


int
gw_mqtt_topic_valid(const gw_str_t *topic)
{
    if (topic->len == 0 || topic->len > 65535
        || memchr(topic->data, '+', topic->len)
        || memchr(topic->data, '#', topic->len))
    {
        return GW_ERROR;
    }

    return GW_OK;
}


int
gw_mqtt_filter_valid(const gw_str_t *filter)
{
    size_t          n;
    const uint8_t  *p, *last;

    if (filter->len == 0 || filter->len > 65535) {
        return GW_ERROR;
    }

    p = filter->data;
    last = p + filter->len;

    /* 4.8.2: a name without wildcards, and a filter behind it */

    if (filter->len >= sizeof(GW_MQTT_SHARE) - 1
        && memcmp(p, GW_MQTT_SHARE, sizeof(GW_MQTT_SHARE) - 1) == 0)
    {
        p += sizeof(GW_MQTT_SHARE) - 1;
        n = gw_mqtt_level(p, last);

        if (n == 0 || memchr(p, '+', n) || memchr(p, '#', n)
            || p + n == last || p + n + 1 == last)
        {
            return GW_ERROR;
        }

        p += n + 1;
    }

    for ( ;; ) {
        n = gw_mqtt_level(p, last);

        if (n > 1 && (memchr(p, '+', n) || memchr(p, '#', n))) {
            return GW_ERROR;
        }

        if (n == 1 && *p == '#' && p + 1 != last) {
            return GW_ERROR;
        }

        p += n;

        if (p == last) {
            return GW_OK;
        }

        p++;
    }
}
