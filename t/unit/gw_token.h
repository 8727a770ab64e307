/*
 * gw_token.h - a token put together for the tests of gw_jwt and gw_keys, and
 * the scanner that takes it apart.  It knows no key: gw_token_sign.h does.
 */

#ifndef _GW_TOKEN_H_INCLUDED_
#define _GW_TOKEN_H_INCLUDED_


#include "gw_test.h"

#include "gw_base64.h"
#include "gw_jwt.h"


#define TOKEN_MAX  16384


static gw_json_t       json;
static gw_jwt_t        jwt;
static gw_jwt_error_e  error;
static char            token[TOKEN_MAX];


static inline void
token_init(void)
{
    static uint64_t                arena[16384];
    static const gw_json_limits_t  limits = {
        .max_bytes = 65536, .max_nodes = 1024, .max_depth = 8,
        .max_keys = 64, .max_string = 65536, .max_number = 64
    };

    if (gw_json_arena_size(&limits) > sizeof(arena)
        || gw_json_init(&json, &limits, arena, 1) != GW_OK)
    {
        abort();
    }
}


static inline size_t
b64(const void *p, size_t len, char *dst)
{
    size_t  n;

    n = gw_base64url_encode(p, len, (uint8_t *) dst);
    dst[n] = '\0';

    return n;
}


/* for the name of a test, of which a line is one; cut where it is long */

static inline const char *
shown(const char *text)
{
    size_t       i;
    static char  line[96];

    for (i = 0; text[i] && i + 1 < sizeof(line); i++) {
        line[i] = text[i] < ' ' || text[i] == '#' ? '?' : text[i];
    }

    line[i] = '\0';

    return line;
}


/* what is to be signed; the length of it is returned */

static inline size_t
token_start(const char *header, const char *payload)
{
    size_t  n;

    n = b64(header, strlen(header), token);
    token[n++] = '.';

    return n + b64(payload, strlen(payload), token + n);
}


static inline void
token_end(size_t n, const void *signature, size_t len)
{
    token[n++] = '.';
    b64(signature, len, token + n);
}


/* at a guard page */

static inline int
token_parse(void)
{
    size_t  len;

    error = GW_JWT_E_N;
    len = strlen(token);

    return gw_jwt_parse(&json, guarded(token, len), len, &jwt, &error)
           == GW_OK;
}


#endif /* _GW_TOKEN_H_INCLUDED_ */
