/*
 * Topics to classes.  A pattern that matches too much gives a device a class
 * that is not its own; one that matches too little loses messages to "no
 * class".  What a client calls itself must never be read as a wildcard: then
 * it could name itself "#".
 */

#include "gw_test.h"
#include "gw_mqtt_topic.h"


#define TRIES  300000


/* the second implementation: a pattern in symbols, matched by trying all */

#define ANY_LEVEL  (-1)
#define ANY_REST   (-2)


static gw_str_t
str(const char *text)
{
    gw_str_t  s;

    s.data = (const uint8_t *) text;
    s.len = strlen(text);

    return s;
}


static int
compiles(const char *text, const char **detail)
{
    gw_str_t           s;
    gw_mqtt_pattern_t  p;

    s = str(text);
    *detail = "";

    return gw_mqtt_pattern(&p, &s, detail) == GW_OK;
}


static int
matches(const char *pattern, const char *topic, const char *user,
    const char *client)
{
    gw_str_t           text, t, u, c;
    const char        *detail;
    gw_mqtt_pattern_t  p;

    text = str(pattern);
    u = str(user);
    c = str(client);

    if (gw_mqtt_pattern(&p, &text, &detail) != GW_OK) {
        return -1;
    }

    t.len = strlen(topic);
    t.data = guarded(topic, t.len);

    return (int) gw_mqtt_match(&p, &t, &u, &c);
}


static size_t
symbols(const char *pattern, const char *user, const char *client, int *out)
{
    size_t       n;
    const char  *p, *name;

    n = 0;

    for (p = pattern; *p; p++) {

        if (*p == '+') {
            out[n++] = ANY_LEVEL;

        } else if (*p == '#') {
            out[n++] = ANY_REST;

        } else if (*p == '%' && *++p != '%') {
            for (name = *p == 'u' ? user : client; *name; name++) {
                out[n++] = *name;
            }

        } else {
            out[n++] = *p;
        }
    }

    return n;
}


static int
tried(const int *p, size_t n, const char *t)
{
    if (n == 0) {
        return *t == '\0';
    }

    if (p[0] == ANY_REST) {
        return 1;
    }

    if (p[0] == ANY_LEVEL) {
        for ( ;; ) {
            if (tried(p + 1, n - 1, t)) {
                return 1;
            }

            if (*t == '\0' || *t == '/') {
                return 0;
            }

            t++;
        }
    }

    if (p[0] == '/' && n == 2 && p[1] == ANY_REST && *t == '\0') {
        return 1;
    }

    return *t == p[0] && tried(p + 1, n - 1, t + 1);
}


static int
second(const char *pattern, const char *topic, const char *user,
    const char *client)
{
    int     p[256];
    size_t  n;

    if ((strstr(pattern, "%u") && *user == '\0')
        || (strstr(pattern, "%c") && *client == '\0')
        || (*topic == '$' && (*pattern == '+' || *pattern == '#')))
    {
        return 0;
    }

    n = symbols(pattern, user, client, p);

    return tried(p, n, topic);
}


static void
random_text(char *p, const char *of, unsigned most)
{
    unsigned  n;

    for (n = (unsigned) rand() % (most + 1); n; n--) {
        *p++ = of[(unsigned) rand() % strlen(of)];
    }

    *p = '\0';
}


/* a pattern of whole levels, so that most of them compile */

static void
random_pattern(char *p)
{
    unsigned                  n;
    static const char *const  levels[] = {
        "a", "b", "", "+", "%u", "%c", "a%c", "%ub", "$a", "ab", "#"
    };

    *p = '\0';

    for (n = 1 + (unsigned) rand() % 4; n; n--) {
        strcat(p, levels[(unsigned) rand() % (n == 1 ? 11 : 10)]);

        if (n > 1) {
            strcat(p, "/");
        }
    }
}


static void
test_random(void)
{
    char      pattern[64], topic[32], user[8], client[8];
    unsigned  i, wrong, yes;

    wrong = 0;
    yes = 0;
    srand(1);

    for (i = 0; i < TRIES; i++) {
        random_pattern(pattern);
        random_text(topic, "ab/$", 6);
        random_text(user, "ab", 2);
        random_text(client, "ab/+#", 2);

        if (*pattern == '\0') {
            continue;
        }

        if (matches(pattern, topic, user, client)
            != second(pattern, topic, user, client))
        {
            wrong++;
            printf("# \"%s\" on \"%s\", user \"%s\", client \"%s\"\n",
                   pattern, topic, user, client);
        }

        yes += matches(pattern, topic, user, client) == 1;
    }

    is_u64(wrong, 0, "of %u random patterns each matches what a second "
           "matcher says", TRIES);
    ok(yes > TRIES / 50, "and %u of them match", yes);
}


static void
test_patterns(void)
{
    char         text[GW_MQTT_PATTERN_MAX + 2];
    const char  *detail;

    ok(compiles("a", &detail) && compiles("/", &detail)
       && compiles("+/+", &detail) && compiles("#", &detail)
       && compiles("a/#", &detail) && compiles("%u-%c/100%%", &detail),
       "patterns");
    ok(!compiles("", &detail) && strstr(detail, "1 to 1024"), "none");
    ok(!compiles("a+", &detail) && strstr(detail, "level of its own")
       && !compiles("+a/b", &detail), "MQTT-4.7.1-2: + is a whole level");
    ok(!compiles("a/#/b", &detail) && strstr(detail, "last level")
       && !compiles("a#", &detail) && !compiles("#/", &detail),
       "MQTT-4.7.1-1: # is the last level");
    ok(!compiles("%", &detail) && strstr(detail, "followed by")
       && !compiles("%x", &detail) && !compiles("a%/b", &detail),
       "a percent sign stands for a name or itself");

    memset(text, 'a', sizeof(text));
    text[GW_MQTT_PATTERN_MAX] = '\0';
    ok(compiles(text, &detail), "1024 bytes");
    text[GW_MQTT_PATTERN_MAX] = 'a';
    text[GW_MQTT_PATTERN_MAX + 1] = '\0';
    ok(!compiles(text, &detail), "1025 are too many");

    memset(text, '/', 64);
    text[63] = '\0';
    ok(compiles(text, &detail), "64 levels");
    text[63] = '/';
    text[64] = '\0';
    ok(!compiles(text, &detail) && strstr(detail, "64 levels"),
       "65 are too many");
}


static void
test_matches(void)
{
    ok(matches("devices/%u/telemetry", "devices/p7/telemetry", "p7", "") == 1
       && matches("devices/%u/telemetry", "devices/p8/telemetry", "p7", "")
          == 0, "a device has its own topic");
    ok(matches("%c/up", "x/y/up", "", "x/y") == 1
       && matches("%c/up", "x/z/up", "", "x/y") == 0,
       "a client id with a slash spans levels");
    ok(matches("%c", "anything", "", "#") == 0
       && matches("%c/a", "b/a", "", "+") == 0
       && matches("%c", "#", "", "#") == 1, "and is never a wildcard");
    ok(matches("a/%u", "a/", "", "") == 0 && matches("%c/#", "/a", "", "") == 0,
       "who has no name matches none");
    ok(matches("a/#", "a", "", "") == 1 && matches("a/#", "a/", "", "") == 1
       && matches("a/#", "a/b/c", "", "") == 1
       && matches("a/#", "ab", "", "") == 0, "4.7.1.2: # and its parent");
    ok(matches("+", "/a", "", "") == 0 && matches("+/+", "/a", "", "") == 1
       && matches("/+", "/a", "", "") == 1, "4.7.1.3: + is one level");
    ok(matches("#", "$SYS/a", "", "") == 0
       && matches("+/a", "$SYS/a", "", "") == 0
       && matches("$SYS/#", "$SYS/a", "", "") == 1,
       "MQTT-4.7.2-1: no wildcard for what begins with $");
    ok(matches("100%%/a", "100%/a", "", "") == 1, "a percent sign");
    ok(matches("a", "A", "", "") == 0, "4.7.3: case counts");
}


static int
valid(const char *text, int filter)
{
    gw_str_t  s;

    s.len = strlen(text);
    s.data = guarded(text, s.len);

    return (filter ? gw_mqtt_filter_valid(&s) : gw_mqtt_topic_valid(&s))
           == GW_OK;
}


static void
test_valid(void)
{
    ok(valid("a", 0) && valid("/", 0) && valid("$SYS/x", 0), "topic names");
    ok(!valid("", 0), "MQTT-4.7.3-1: an empty one");
    ok(!valid("a/+", 0) && !valid("#", 0) && !valid("a#", 0),
       "MQTT-3.3.2-2: wildcards");

    ok(valid("a/+/b", 1) && valid("#", 1) && valid("+", 1) && valid("/", 1)
       && valid("a//#", 1) && valid("+/+/#", 1), "filters");
    ok(!valid("", 1), "MQTT-4.7.3-1: an empty filter");
    ok(!valid("a+", 1) && !valid("+a/b", 1), "MQTT-4.7.1-2");
    ok(!valid("a#", 1) && !valid("#/a", 1) && !valid("a/#/", 1),
       "MQTT-4.7.1-1");
    ok(valid("$share/g/a", 1) && valid("$share/g/#", 1)
       && valid("$share/g//", 1) && valid("$shared/+", 1), "4.8.2: shared");
    ok(!valid("$share/", 1) && !valid("$share//a", 1) && !valid("$share/g", 1)
       && !valid("$share/g/", 1) && !valid("$share/+/a", 1)
       && !valid("$share/g#/a", 1) && !valid("$share/g/a+", 1),
       "MQTT-4.8.2-1, -2: and those that are none");
}


int
main(void)
{
    test_patterns();
    test_matches();
    test_valid();
    test_random();

    return done_testing();
}
