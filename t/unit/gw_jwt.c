/*
 * gw_jwt.c - a token taken apart, and what it claims.
 *
 * The story: tokens come from whoever has learnt the address.  Unseen without
 * it: two spellings of one token, a header that brings its own key or says how
 * it wants to be read, a date that is no number, an audience of somebody else,
 * a claim of the wrong type that is taken for none, a name that is two names.
 * Signatures are the matter of gw_jose.c and gw_keys.c: any will do here.
 */

#include "gw_token.h"


#define NOW     1800000000LL
#define LATER   "\"exp\":1900000000"
#define WHO     "\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"pump-7\""
#define GOOD    WHO "," LATER
#define HEADER  "{\"alg\":\"HS256\"}"


typedef struct {
    const char      *text;
    gw_jwt_error_e   error;
} case_t;


static const gw_str_t        names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};

static const gw_jwt_rules_t  all = {
    gw_str("fleet"), gw_str("gateway"), gw_str("sub"),
    gw_str("gateway_classes"), gw_str("tenant"), gw_str("gateway_topics"),
    0, 60, names, 3
};

static gw_jwt_rules_t        rules;
static gw_identity_t         identity;


static int
parse(const char *header, const char *payload)
{
    token_end(token_start(header, payload), "signature", 9);

    return token_parse();
}


/* on a dirty identity: what is not written shows */

static int
claims_at(const char *payload, int64_t now)
{
    memset(&identity, 0xa5, sizeof(identity));

    if (!parse(HEADER, payload)) {
        return 0;
    }

    return gw_jwt_claims(&json, &jwt, &rules, now, &identity, &error)
           == GW_OK;
}


static int
claims(const char *payload)
{
    return claims_at(payload, NOW);
}


static void
repeat(char *dst, const char *what, unsigned n)
{
    size_t  len;

    len = strlen(what);

    for ( /* void */ ; n; n--) {
        memcpy(dst, what, len);
        dst += len;
    }

    *dst = '\0';
}


static void
test_names(void)
{
    unsigned                  i, k;
    gw_jwt_alg_e              alg;
    static const char *const  bad[] = {
        "", "none", "None", "NONE", "nOnE", "none ", "hs256", "HS256 ",
        " HS256", "HS25", "HS2567", "HS224", "ES256K", "EDDSA", "Ed25519",
        "RSA1_5", "dir", "RS1", "HS256\n"
    };

    for (i = 0; i < GW_JWT_ALG_N; i++) {
        alg = GW_JWT_ALG_N;
        ok(gw_jwt_alg((const uint8_t *) gw_jwt_alg_name(i),
                      strlen(gw_jwt_alg_name(i)), &alg)
           == GW_OK && alg == i, "%s is an algorithm", gw_jwt_alg_name(i));
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(gw_jwt_alg((const uint8_t *) bad[i], strlen(bad[i]), &alg)
           == GW_ERROR, "\"%s\" is none", shown(bad[i]));
    }

    is_str(gw_jwt_alg_name(GW_JWT_ALG_N), 4, "none",
           "what is no algorithm has no name of one");

    for (i = 0; i < GW_JWT_E_N; i++) {
        for (k = 0; k < i; k++) {
            if (strcmp(gw_jwt_strerror(i), gw_jwt_strerror(k)) == 0) {
                break;
            }
        }

        ok(k == i && gw_jwt_strerror(i)[0], "error %u has a sentence of its "
           "own: %s", i, gw_jwt_strerror(i));
    }

    ok(gw_jwt_strerror(GW_JWT_E_N) != NULL, "and any other has one");
}


static void
test_form(void)
{
    char                      was;
    size_t                    i, n, len;
    unsigned                  k;
    const char               *at;
    static const char *const  bad[] = {
        "", ".", "..", "...", "a", "a.b", "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.e30", ".e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA.AAAA.AAAA",
        "eyJhbGciOiJIUzI1NiJ9=.e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30=.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA==", "eyJhbGciOiJIUzI1NiJ9.e30.AA=",
        "eyJhbGciOiJIUzI1NiJ9.e31.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.AB",
        "eyJhbGciOiJIUzI1NiK.e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.A",
        " eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA ",
        "eyJhbGciOiJIUzI1NiJ9 .e30.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA\n",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA\r\nAA", "eyJhbGciOiJIUzI1NiJ9.e 30.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA+A", "eyJhbGciOiJIUzI1NiJ9.e30.AA/A",
        "eyJhbGciOiJIUzI1NiJ9.e30.AA%41", "eyJhbGciOiJIUzI1NiJ9,e30,AAAA"
    };

    ok(parse("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"a/b\"}", "{}"),
       "three segments are a token");
    n = (size_t) (strrchr(token, '.') - token);

    ok(jwt.alg == GW_JWT_ES256 && error == GW_JWT_E_NONE, "of its algorithm");
    is_str(jwt.kid, jwt.kid_len, "a/b", "and kid");
    is_str(jwt.payload, jwt.payload_len, "{}", "its payload is decoded");
    is_str(jwt.signature, jwt.signature_len, "signature", "its signature too");
    ok(jwt.signed_part.len == n
       && memcmp(jwt.signed_part.data, token, n) == 0,
       "and signed is what stands before the last dot, as it was sent");

    ok(parse(" {\t\"alg\" : \"HS256\"\r\n} ", "") && jwt.payload_len == 0
       && jwt.kid_len == 0,
       "white space in the header is JSON's; no kid; an empty payload");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        strcpy(token, bad[i]);
        ok(!token_parse() && error == GW_JWT_E_FORM,
           "no token of three canonical segments: \"%s\"",
           shown(bad[i]));
    }

    ok(gw_jwt_parse(&json, NULL, 0, &jwt, &error) == GW_ERROR
       && error == GW_JWT_E_FORM, "nothing at all is none");

    /* one text for one value: no other character at any place decodes alike */

    parse(HEADER, "{\"a\":1}");
    len = strlen(token);
    k = 0;

    for (i = 0; i < len; i++) {
        was = token[i];

        for (at = "=+/ \t\n%\x80"; *at; at++) {
            token[i] = *at;
            k += token_parse();
        }

        token[i] = was;
    }

    is_u64(k, 0, "no other character may stand in it, wherever");

    for (i = 0; i < len; i++) {
        k += gw_jwt_parse(&json, guarded(token, i), i, &jwt, &error) == GW_OK
             && i <= (size_t) (strrchr(token, '.') - token) + 1;
    }

    is_u64(k, 0, "and none of its beginnings without a signature is one");
}


static void
test_bounds(void)
{
    char          header[3000], kid[1024];
    size_t        n, room;
    static char   payload[8192];
    static char   signature[1200];

    /* the payload takes what the other segments leave */

    n = token_start(HEADER, "");
    room = (GW_JWT_MAX - n - 1 - 4) / 4 * 3;
    memset(payload, ' ', room);

    token_end(token_start(HEADER, payload), "abc", 3);
    n = strlen(token);
    ok(n <= GW_JWT_MAX && token_parse() && jwt.payload_len == room,
       "a token of %zu characters is read", n);

    token_end(token_start(HEADER, payload), "abcdefghi", 9);
    n = strlen(token);
    ok(n > GW_JWT_MAX && !token_parse() && error == GW_JWT_E_FORM,
       "one of %zu is too long", n);

    memset(signature, 0x5a, sizeof(signature));
    token_end(token_start(HEADER, "{}"), signature, GW_JWT_SIG_MAX);
    ok(token_parse() && jwt.signature_len == GW_JWT_SIG_MAX
       && memcmp(jwt.signature, signature, GW_JWT_SIG_MAX) == 0,
       "a signature of an RSA key of 8192 bits is read whole");
    token_end(token_start(HEADER, "{}"), signature, GW_JWT_SIG_MAX + 1);
    ok(!token_parse() && error == GW_JWT_E_FORM, "a byte more is refused");

    memset(header, ' ', sizeof(header));
    memcpy(header, HEADER, strlen(HEADER));
    header[1536] = '\0';
    ok(parse(header, "{}"), "a header of 2048 characters is read");
    header[1536] = ' ';
    header[1537] = '\0';
    ok(!parse(header, "{}") && error == GW_JWT_E_FORM, "one more is refused");

    memset(kid, 'k', sizeof(kid));
    kid[GW_JWT_KID_MAX] = '\0';
    snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kid);
    ok(parse(header, "{}") && jwt.kid_len == GW_JWT_KID_MAX,
       "a kid of 128 bytes is read");
    snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%sk\"}",
             kid);
    ok(!parse(header, "{}") && error == GW_JWT_E_HEADER, "of 129 refused");

    repeat(kid, "\\u006b", GW_JWT_KID_MAX);
    snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kid);
    ok(parse(header, "{}") && jwt.kid_len == GW_JWT_KID_MAX
       && jwt.kid[0] == 'k' && jwt.kid[127] == 'k',
       "and read, if every byte of it is spelled as an escape");

    ok(parse("{\"alg\":\"HS256\",\"kid\":\"a\\u0000b\"}", "{}")
       && jwt.kid_len == 3 && memcmp(jwt.kid, "a\0b", 3) == 0,
       "a NUL does not end a kid");
}


static void
test_headers(void)
{
    char                 header[256];
    size_t               i, k;
    static const case_t  bad[] = {
        { " ", GW_JWT_E_HEADER },
        { "null", GW_JWT_E_HEADER },
        { "[]", GW_JWT_E_HEADER },
        { "\"HS256\"", GW_JWT_E_HEADER },
        { "{}", GW_JWT_E_HEADER },
        { "{\"alg\":null}", GW_JWT_E_HEADER },
        { "{\"alg\":0}", GW_JWT_E_HEADER },
        { "{\"alg\":[\"HS256\"]}", GW_JWT_E_HEADER },
        { "{\"alg\":{\"alg\":\"HS256\"}}", GW_JWT_E_HEADER },
        { "{\"h\":{\"alg\":\"HS256\"}}", GW_JWT_E_HEADER },
        { "{\"h\":\"alg\",\"HS256\":\"HS256\"}", GW_JWT_E_HEADER },
        { "{\"ALG\":\"HS256\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\"", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\"}{}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\"} x", GW_JWT_E_HEADER },
        { "\xef\xbb\xbf{\"alg\":\"HS256\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"a\":\"\xff\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"alg\":\"none\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"b\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"x\":1,\"x\":2}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":\"\"}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":7}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":null}", GW_JWT_E_HEADER },
        { "{\"alg\":\"HS256\",\"kid\":[\"a\"]}", GW_JWT_E_HEADER },
        { "{\"alg\":\"\"}", GW_JWT_E_ALG },
        { "{\"alg\":\"none\"}", GW_JWT_E_ALG },
        { "{\"alg\":\"nOnE\"}", GW_JWT_E_ALG },
        { "{\"alg\":\"n\\u006fne\"}", GW_JWT_E_ALG },
        { "{\"alg\":\"hs256\"}", GW_JWT_E_ALG },
        { "{\"alg\":\"HS256\\u0000\"}", GW_JWT_E_ALG },
        { "{\"alg\":\"HS256HS256HS256HS256\"}", GW_JWT_E_ALG }
    };
    static const char *const  never[] = {
        "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t",
        "x5t#S256", "\\u0063rit", "j\\u0077k", "cri\\u0074"
    };
    static const char *const  values[] = {
        "null", "[]", "[\"exp\"]", "{}", "true", "false", "\"\"", "\"DEF\""
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!parse(bad[i].text, "{}") && error == bad[i].error,
           "%s: %s", gw_jwt_strerror(bad[i].error),
           shown(bad[i].text));
    }

    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        for (k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"%s\":%s}",
                     never[i], values[k]);

            if (parse(header, "{}") || error != GW_JWT_E_HEADER) {
                break;
            }
        }

        ok(k == sizeof(values) / sizeof(values[0]),
           "a header with \"%s\" is refused, whatever it says", never[i]);
    }

    ok(parse("{\"typ\":\"at+jwt\",\"\\u0061l\\u0067\":\"\\u0048S256\","
             "\"cty\":7}", "{}") && jwt.alg == GW_JWT_HS256,
       "escapes are read, and members that mean nothing passed over");
}


static void
test_dates(void)
{
    char                  payload[256];
    size_t                i;
    static const struct {
        const char       *member;
        int64_t           now;
        gw_jwt_error_e    error;
    } dates[] = {
        { "\"exp\":1800000000", 1799999999, GW_JWT_E_NONE },
        { "\"exp\":1800000000", 1800000059, GW_JWT_E_NONE },
        { "\"exp\":1800000000", 1800000060, GW_JWT_E_EXPIRED },
        { "\"exp\":1800000000.999", 1800000059, GW_JWT_E_NONE },
        { "\"exp\":1800000000.999", 1800000060, GW_JWT_E_EXPIRED },
        { "\"exp\":0", NOW, GW_JWT_E_EXPIRED },
        { "\"exp\":0", 59, GW_JWT_E_NONE },
        { "\"exp\":9007199254740991", NOW, GW_JWT_E_NONE },
        { "\"exp\":9007199254740991.5", NOW, GW_JWT_E_NONE },
        { "\"exp\":9007199254740992", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":9007199254740999", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":18446744073709551617", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":18446744075509551616", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1e999", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1e400", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1.9e9", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":19e8", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1900000000E0", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1900000000.0E0", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":NaN", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":Infinity", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":0x7fffffff", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":01900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":+1900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":-1", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":-0", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":-1900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":\"1900000000\"", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":\"\"", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":null", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":true", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":[1900000000]", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":{}", NOW, GW_JWT_E_CLAIMS },
        { "\"EXP\":1900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"x\":{\"exp\":1900000000}", NOW, GW_JWT_E_CLAIMS },
        { "\"x\":\"exp\",\"y\":1900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1900000000,\"exp\":1900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1,\"\\u0065xp\":1900000000", NOW, GW_JWT_E_CLAIMS },
        { "\"e\\u0078p\":1900000000", NOW, GW_JWT_E_NONE },

        { LATER ",\"nbf\":1800000060", NOW, GW_JWT_E_NONE },
        { LATER ",\"nbf\":1800000060.9", NOW, GW_JWT_E_NONE },
        { LATER ",\"nbf\":1800000061", NOW, GW_JWT_E_EARLY },
        { LATER ",\"nbf\":9007199254740991", NOW, GW_JWT_E_EARLY },
        { LATER ",\"nbf\":\"0\"", NOW, GW_JWT_E_CLAIMS },
        { LATER ",\"nbf\":null", NOW, GW_JWT_E_CLAIMS },
        { LATER ",\"nbf\":-1", NOW, GW_JWT_E_CLAIMS },
        { LATER ",\"nbf\":1e-999", NOW, GW_JWT_E_CLAIMS },
        { LATER ",\"iat\":1800000060", NOW, GW_JWT_E_NONE },
        { LATER ",\"iat\":1800000061", NOW, GW_JWT_E_EARLY },
        { LATER ",\"iat\":\"0\"", NOW, GW_JWT_E_CLAIMS },
        { LATER ",\"iat\":1e999", NOW, GW_JWT_E_CLAIMS },
        { "\"exp\":1,\"nbf\":1900000000", NOW, GW_JWT_E_EXPIRED }
    };

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        snprintf(payload, sizeof(payload), "{" WHO ",%s}", dates[i].member);
        claims_at(payload, dates[i].now);
        is_u64(error, dates[i].error, "at %lld, %s: %s",
               (long long) dates[i].now, dates[i].member,
               gw_jwt_strerror(dates[i].error));
    }

    ok(!claims("{" WHO "}") && error == GW_JWT_E_CLAIMS,
       "without an end a token would hold for ever: refused");

    rules.leeway = 0;
    ok(claims_at("{" WHO ",\"exp\":1800000000,\"nbf\":1799999999}",
                 1799999999), "without leeway, in the second before its end");
    ok(!claims_at("{" WHO ",\"exp\":1800000000}", 1800000000)
       && error == GW_JWT_E_EXPIRED, "and no more in the second of it");
    ok(!claims_at("{" WHO "," LATER ",\"nbf\":1800000000}", 1799999999)
       && error == GW_JWT_E_EARLY, "nor in the second before it begins");
    rules = all;

    ok(claims("{" WHO ",\"exp\":1900000000.7,\"nbf\":1700000000}")
       && identity.not_before == 1700000000
       && identity.not_after == 1900000000,
       "the identity holds from nbf to exp");
    ok(claims("{" GOOD "}") && identity.not_before == 0,
       "and from ever, where nothing is said");
}


static void
test_who(void)
{
    char                 payload[2048], name[1024];
    size_t               i;
    static const case_t  bad[] = {
        { "", GW_JWT_E_CLAIMS },
        { "[]", GW_JWT_E_CLAIMS },
        { "null", GW_JWT_E_CLAIMS },
        { "{" GOOD "", GW_JWT_E_CLAIMS },
        { "{" GOOD "}}", GW_JWT_E_CLAIMS },
        { "{" GOOD "}{}", GW_JWT_E_CLAIMS },
        { "{" GOOD "} x", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"x\":\"\xc0\xae\"}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"x\":1,\"x\":1}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"sub\":\"pump-8\"}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"s\\u0075b\":\"pump-8\"}", GW_JWT_E_CLAIMS },
        { "{\"aud\":\"gateway\",\"sub\":\"a\"," LATER "}", GW_JWT_E_ISSUER },
        { "{\"iss\":\"fleet2\",\"aud\":\"gateway\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_ISSUER },
        { "{\"iss\":\"flee\",\"aud\":\"gateway\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_ISSUER },
        { "{\"iss\":\"Fleet\",\"aud\":\"gateway\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_ISSUER },
        { "{\"iss\":\"fleet\\u0000\",\"aud\":\"gateway\",\"sub\":\"a\","
          LATER "}", GW_JWT_E_ISSUER },
        { "{\"iss\":[\"fleet\"],\"aud\":\"gateway\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_ISSUER },
        { "{\"iss\":null,\"aud\":\"gateway\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_ISSUER },
        { "{\"iss\":\"fleet\",\"sub\":\"a\"," LATER "}", GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":\"gate\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":\"a gateway\",\"sub\":\"a\"," LATER "}",
          GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":[],\"sub\":\"a\"," LATER "}",
          GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":[\"x\",7,null],\"sub\":\"a\"," LATER
          "}", GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":[[\"gateway\"]],\"sub\":\"a\"," LATER
          "}", GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":{\"gateway\":\"gateway\"},\"sub\":\"a\","
          LATER "}", GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":[\"x\"],\"y\":\"gateway\",\"sub\":\"a\","
          LATER "}", GW_JWT_E_AUDIENCE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\"," LATER "}",
          GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"\"," LATER "}",
          GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":7," LATER "}",
          GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":[\"a\"]," LATER
          "}", GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"a\\u0022b\","
          LATER "}", GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"a\\\\b\"," LATER
          "}", GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"a\\nb\"," LATER
          "}", GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"a\\u0000\","
          LATER "}", GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"a\\u007f\","
          LATER "}", GW_JWT_E_DEVICE },
        { "{\"iss\":\"fleet\",\"aud\":\"gateway\",\"sub\":\"p\xc3\xbcmp\","
          LATER "}", GW_JWT_E_DEVICE },
        { "{" GOOD ",\"tenant\":7}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"tenant\":null}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"tenant\":[\"acme\"]}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"tenant\":\"a\\u0022\"}", GW_JWT_E_CLAIMS },
        { "{" GOOD ",\"tenant\":\"\xc3\xbc\"}", GW_JWT_E_CLAIMS }
    };

    ok(claims("{" GOOD ",\"tenant\":\"acme inc.\"}"), "good claims are good");
    is_str(identity.device, identity.device_len, "pump-7", "name the device");
    is_str(identity.tenant, identity.tenant_len, "acme inc.", "and its tenant");
    ok(error == GW_JWT_E_NONE && identity.speaks_for_len == 0,
       "who speaks for nobody else");

    ok(claims("{" GOOD "}") && identity.tenant_len == 0, "or has no tenant");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!claims(bad[i].text) && error == bad[i].error,
           "%s: %s", gw_jwt_strerror(bad[i].error),
           shown(bad[i].text));
    }

    ok(claims("{\"iss\":\"\\u0066leet\",\"aud\":[\"x\",[7],{\"gateway\":0},"
              "\"g\\u0061teway\"],\"sub\":\"p\\u0075mp\"," LATER "}"),
       "an audience among others, and escapes");
    is_str(identity.device, identity.device_len, "pump", "are resolved");

    repeat(name, "\\u0061", GW_DEVICE_MAX);
    snprintf(payload, sizeof(payload), "{\"iss\":\"fleet\",\"aud\":\"gateway\","
             LATER ",\"sub\":\"%s\"}", name);
    ok(claims(payload) && identity.device_len == GW_DEVICE_MAX,
       "a device of 128 bytes, all escapes, is one");

    repeat(name, "a", GW_DEVICE_MAX + 1);
    snprintf(payload, sizeof(payload), "{\"iss\":\"fleet\",\"aud\":\"gateway\","
             LATER ",\"sub\":\"%s\"}", name);
    ok(!claims(payload) && error == GW_JWT_E_DEVICE, "of 129 it is not");

    repeat(name, "a", GW_TENANT_MAX);
    snprintf(payload, sizeof(payload), "{" GOOD ",\"tenant\":\"%s\"}", name);
    ok(claims(payload) && identity.tenant_len == GW_TENANT_MAX,
       "a tenant of 64 bytes is one");
    snprintf(payload, sizeof(payload), "{" GOOD ",\"tenant\":\"%sa\"}", name);
    ok(!claims(payload) && error == GW_JWT_E_CLAIMS, "of 65 it is not");

    memset(&rules.issuer, 0, sizeof(gw_str_t));
    memset(&rules.audience, 0, sizeof(gw_str_t));
    ok(claims("{\"sub\":\"a\"," LATER ",\"iss\":7,\"aud\":{}}"),
       "issuer and audience that are not asked for are not looked at");

    memset(&rules.tenant_claim, 0, sizeof(gw_str_t));
    memset(&rules.classes_claim, 0, sizeof(gw_str_t));
    memset(&rules.topics_claim, 0, sizeof(gw_str_t));
    ok(claims("{\"sub\":\"a\"," LATER ",\"\":\"control\"}")
       && identity.tenant_len == 0 && identity.classes == 0
       && identity.topics_len == 0,
       "a claim without a name is not the member without a name");
    rules = all;

    rules.device_claim.data = (const uint8_t *) "https://a/device";
    rules.device_claim.len = 16;
    ok(claims("{" GOOD ",\"https:\\/\\/a\\/device\":\"valve\"}"),
       "the device may stand in any claim");
    is_str(identity.device, identity.device_len, "valve", "which then counts");
    ok(!claims("{" GOOD "}") && error == GW_JWT_E_DEVICE, "and no other");
    rules = all;

    repeat(name, "x", 600);
    rules.issuer.data = (const uint8_t *) name;
    rules.issuer.len = 600;
    name[0] = '/';
    snprintf(payload, sizeof(payload), "{\"iss\":\"\\%s\",\"aud\":\"gateway\","
             "\"sub\":\"a\"," LATER "}", name);
    ok(claims(payload), "a long issuer may be spelled with an escape");
    rules = all;
}


static void
test_lists(void)
{
    char    payload[2048], name[1400];
    size_t  i;
    static const struct {
        const char  *value;
        uint32_t     classes;
    } good[] = {
        { "\"control\"", 1 },
        { "\"control telemetry\"", 5 },
        { "\"control,telemetry\"", 5 },
        { "\" , control , ,heartbeat \"", 3 },
        { "\"control openid control\"", 1 },
        { "\"Control contro controls\"", 0 },
        { "\"*\"", 7 },
        { "\"* control\"", 1 },
        { "\"\"", 0 },
        { "\" ,\"", 0 },
        { "[]", 0 },
        { "[\"control\"]", 1 },
        { "[\"telemetry\",\"other\",\"heartbeat\"]", 6 },
        { "[\"control\",\"control\"]", 1 },
        { "[\"*\"]", 7 },
        { "[\"*\",\"control\"]", 1 },
        { "[\"c\\u006fntrol\"]", 1 }
    };
    static const char *const  bad[] = {
        "7", "null", "true", "{}", "{\"control\":true}", "[7]",
        "[\"control\",null]", "[[\"control\"]]", "[\"\"]",
        "[\"control\",\"\"]", "[\"control telemetry\"]",
        "[\"control,telemetry\"]", "[\",\"]"
    };
    static const struct {
        const char  *value;
        const char  *topics;
    } topics[] = {
        { "\"a\"", "a" },
        { "\"a.b,c.*\"", "a.b,c.*" },
        { "\" a  b, c \"", "a,b,c" },
        { "\"*\"", "*" },
        { "\"\"", "" },
        { "[]", "" },
        { "[\"a\",\"b.*\"]", "a,b.*" }
    };
    static const char *const  no_topics[] = {
        "\"a*b\"", "\"*a\"", "\"a**\"", "\"a\\u0022\"", "\"a\\\\\"",
        "\"a\\n\"", "\"a\\u0000\"", "\"\xc3\xbc\"", "[\"a,b\"]", "[\"a b\"]",
        "[\"\"]", "7", "null", "{}", "[7]", "[\"a\",[]]"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_classes\":%s}",
                 good[i].value);
        ok(claims(payload) && identity.classes == good[i].classes,
           "classes %s are %u", good[i].value, good[i].classes);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_classes\":%s}",
                 bad[i]);
        ok(!claims(payload) && error == GW_JWT_E_CLAIMS, "no classes: %s",
           bad[i]);
    }

    ok(claims("{" GOOD "}") && identity.classes == 0,
       "a token without classes may send none");

    rules.classes = 6;
    ok(claims("{" GOOD "}") && identity.classes == 6,
       "but those that the configuration gives it");
    ok(claims("{" GOOD ",\"gateway_classes\":[]}") && identity.classes == 0,
       "which a token that says none does without");
    ok(claims("{" GOOD ",\"gateway_classes\":\"control\"}")
       && identity.classes == 1, "as one that says others");
    ok(!claims("{" GOOD ",\"gateway_classes\":7}"),
       "and one that says nonsense is refused all the same");
    rules = all;

    for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_topics\":%s}",
                 topics[i].value);
        claims(payload);
        ok(error == GW_JWT_E_NONE, "topics %s", topics[i].value);
        is_str(identity.topics, identity.topics_len, topics[i].topics,
               "are \"%s\"", topics[i].topics);
    }

    ok(claims("{" GOOD "}") && identity.topics_len == 0,
       "a token without topics has none");

    for (i = 0; i < sizeof(no_topics) / sizeof(no_topics[0]); i++) {
        snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_topics\":%s}",
                 no_topics[i]);
        ok(!claims(payload) && error == GW_JWT_E_CLAIMS, "no topics: %s",
           no_topics[i]);
    }

    repeat(name, "t", GW_TOPIC_MAX);
    snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_topics\":"
             "[\"%s\",\"abc*\"]}", name);
    ok(claims(payload) && identity.topics_len == 254,
       "the longest topic is one");
    snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_topics\":"
             "[\"%s\",\"abcdefg\"]}", name);
    ok(!claims(payload) && error == GW_JWT_E_CLAIMS,
       "a list of 257 bytes is too long");
    snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_topics\":"
             "\"%st\"}", name);
    ok(!claims(payload) && error == GW_JWT_E_CLAIMS, "as is a longer topic");

    /* a scope may hold what is for others; it has an end all the same */

    repeat(name, "x,", (GW_JWT_LIST_MAX - 7) / 2);
    snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_classes\":"
             "\"%scontrol\"}", name);
    ok(claims(payload) && identity.classes == 1,
       "a class is found behind a thousand bytes of others");
    snprintf(payload, sizeof(payload), "{" GOOD ",\"gateway_classes\":"
             "\"%scontrol,x\"}", name);
    ok(!claims(payload) && error == GW_JWT_E_CLAIMS,
       "behind more of them the token is refused, not cut");
}


/* each element takes a comma: an array meets the bound at every remainder */

static void
test_array_bound(void)
{
    int           rc;
    char         *p;
    unsigned      i, len, bad;
    static char   payload[6000];

    bad = 0;

    for (len = GW_JWT_LIST_MAX - 4; len <= GW_JWT_LIST_MAX + 4; len++) {
        p = payload + sprintf(payload, "{" GOOD ",\"gateway_classes\":[");

        for (i = 0; i + 3 <= len - 3; i += 3) {
            p += sprintf(p, "\"xx\",");
        }

        sprintf(p, "\"%.*s\"]}", (int) (len - i), "xxxxxxxx");

        rc = claims(payload);
        bad += rc != (len <= GW_JWT_LIST_MAX);
    }

    is_u64(bad, 0, "an array of names may be as long as a list, commas "
           "counted, and not longer");
}


int
main(void)
{
    token_init();
    rules = all;

    test_names();
    test_form();
    test_bounds();
    test_headers();
    test_dates();
    test_who();
    test_lists();
    test_array_bound();

    return done_testing();
}
