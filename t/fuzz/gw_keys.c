/*
 * gw_keys.c - key sets nobody wrote, and the tokens of the RFCs, which were
 * signed by five keys that everybody knows.
 *
 * The input is the text of a set.  Promises: a refusal is one line of
 * printable text that quotes no member of a key; a set has 1 to 64 keys and no
 * private one; a token of an RFC holds under it only if jansson finds the very
 * key of that RFC in the text, for the token's algorithm, and it does hold if
 * that key stands there alone; what was changed in one bit never holds; and a
 * second verdict is the first.
 */

#include <ctype.h>

#include <jansson.h>

#include "fuzz.h"
#include "gw_base64.h"
#include "gw_keys.h"


#define INPUT_MAX  4096

#define JOE  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG" \
             "FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"


/* RFC 7515 A.1 to A.4, RFC 8037 A.4 */

static const struct {
    const char  *alg;
    const char  *kty;
    const char  *crv;
    const char  *member[2];
    const char  *value[2];
    const char  *token;
} examples[] = {
    { "HS256", "oct", NULL, { "k", NULL },
      { "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h"
        "cgUuTwjAzZr1Z9CAow", NULL },
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE
      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" },

    { "RS256", "RSA", NULL, { "n", "e" },
      { "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw"
        "-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b3269"
        "0r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS"
        "-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG"
        "hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp"
        "oQ", "AQAB" },
      "eyJhbGciOiJSUzI1NiJ9." JOE ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g"
      "2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7"
      "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBM"
      "Hlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7n"
      "oOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp"
      "0igcN_IoypGlUPQGe77Rw" },

    { "ES256", "EC", "P-256", { "x", "y" },
      { "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" },
      "eyJhbGciOiJFUzI1NiJ9." JOE ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Gawxaep"
      "mXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },

    { "ES512", "EC", "P-521", { "x", "y" },
      { "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1j"
        "SfS9tsz4qUxcWceqwQGk",
        "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0A"
        "ZMaZmh9ubmf63e3kyMj2" },
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_Ux"
      "Mi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2Y"
      "BJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn" },

    { "EdDSA", "OKP", "Ed25519", { "x", NULL },
      { "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", NULL },
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP"
      "0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0"
      "KAg" }
};

#define EXAMPLES  (sizeof(examples) / sizeof(examples[0]))


static const gw_json_limits_t  limits = {
    .max_bytes = 16384, .max_nodes = 256, .max_depth = 8, .max_keys = 64,
    .max_string = 16384, .max_number = 64
};

static gw_jwt_t  tokens[EXAMPLES];


static int
is(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0
           && json_string_length(value) == strlen(text);
}


/* the same bytes; of a number, zeros in front do not count */

static int
same(const json_t *value, const char *text, int number)
{
    size_t    n[2];
    uint8_t   raw[2][INPUT_MAX], *p[2];
    unsigned  i;

    if (!json_is_string(value) || json_string_length(value) > INPUT_MAX / 2
        || gw_base64url_decode((const uint8_t *) json_string_value(value),
                               json_string_length(value), raw[0], &n[0])
           != GW_OK
        || gw_base64url_decode((const uint8_t *) text, strlen(text), raw[1],
                               &n[1])
           != GW_OK)
    {
        return 0;
    }

    for (i = 0; i < 2; i++) {
        for (p[i] = raw[i]; number && n[i] && *p[i] == 0; n[i]--) {
            p[i]++;
        }
    }

    return n[0] == n[1] && memcmp(p[0], p[1], n[0]) == 0;
}


/* the key of the example, that may be used for it */

static int
is_key(const json_t *jwk, unsigned e)
{
    int           listed;
    size_t        i;
    json_t       *op, *ops, *alg;
    unsigned      m;

    alg = json_object_get(jwk, "alg");
    ops = json_object_get(jwk, "key_ops");

    if (!is(json_object_get(jwk, "kty"), examples[e].kty)
        || (examples[e].crv
            && !is(json_object_get(jwk, "crv"), examples[e].crv))
        || (json_object_get(jwk, "use")
            && !is(json_object_get(jwk, "use"), "sig"))
        || (alg && !is(alg, examples[e].alg)))
    {
        return 0;
    }

    listed = ops == NULL;

    json_array_foreach(ops, i, op) {
        listed |= is(op, "verify");
    }

    for (m = 0; m < 2 && examples[e].member[m]; m++) {
        if (!same(json_object_get(jwk, examples[e].member[m]),
                  examples[e].value[m], strcmp(examples[e].kty, "RSA") == 0))
        {
            return 0;
        }
    }

    return listed;
}


static unsigned
found(const json_t *list, unsigned e)
{
    size_t     i;
    json_t    *jwk;
    unsigned   n;

    n = 0;

    json_array_foreach(list, i, jwk) {
        n += is_key(jwk, e) != 0;
    }

    return n;
}


/* a private key would be handed to every worker */

static unsigned
private(const json_t *list)
{
    size_t                    i, k;
    json_t                   *jwk, *kty;
    unsigned                  n;
    static const char *const  members[] = {
        "d", "p", "q", "dp", "dq", "qi", "oth", "k"
    };

    n = 0;

    json_array_foreach(list, i, jwk) {
        kty = json_object_get(jwk, "kty");

        if ((is(kty, "RSA") || is(kty, "EC") || is(kty, "OKP"))
            && json_object_get(jwk, "use") == NULL
            && json_object_get(jwk, "key_ops") == NULL)
        {
            for (k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
                n += json_object_get(jwk, members[k]) != NULL;
            }
        }
    }

    return n;
}


/* what is told of a key is its kid, which may be made of anything */

static int
in_a_kid(const json_t *list, const char *text)
{
    size_t       i;
    json_t      *jwk;
    const char  *kid;

    json_array_foreach(list, i, jwk) {
        kid = json_string_value(json_object_get(jwk, "kid"));

        if (kid && strstr(kid, text)) {
            return 1;
        }
    }

    return 0;
}


static void
refusal(const char *said, size_t size, const json_t *list)
{
    size_t       i, n;
    json_t      *jwk, *value;
    const char  *name;

    n = strnlen(said, size);

    fuzz_promise(n && n < size, "a refusal of %zu bytes", n);

    for (i = 0; i < n; i++) {
        fuzz_promise(isprint((unsigned char) said[i]),
                     "byte %02x in a refusal", (unsigned char) said[i]);
    }

    json_array_foreach(list, i, jwk) {
        json_object_foreach(jwk, name, value) {
            fuzz_promise(strcmp(name, "kid") == 0
                         || json_string_length(value) < 24
                         || strstr(said, json_string_value(value)) == NULL
                         || in_a_kid(list, json_string_value(value)),
                         "\"%s\" is told: %s", name, said);
        }
    }
}


static void
verify(gw_keys_t *keys, const json_t *list)
{
    int             rc;
    unsigned        e, n;
    gw_jwt_t       *jwt;
    gw_jwt_error_e  error;

    for (e = 0; e < EXAMPLES; e++) {
        jwt = &tokens[e];
        n = found(list, e);

        rc = gw_keys_verify(keys, jwt, &error);

        fuzz_promise((rc == GW_OK) == (error == GW_JWT_E_NONE)
                     && (rc == GW_OK || error == GW_JWT_E_ALG
                         || error == GW_JWT_E_KEY
                         || error == GW_JWT_E_SIGNATURE),
                     "verify() returns %d, error %d", rc, (int) error);

        fuzz_promise(rc != GW_OK || n == 1, "%s holds, of %u keys",
                     examples[e].alg, n);
        fuzz_promise(rc == GW_OK || n != 1 || json_array_size(list) != 1,
                     "%s does not hold: %s", examples[e].alg,
                     gw_jwt_strerror(error));

        if (rc != GW_OK) {
            continue;
        }

        jwt->signature[jwt->signature_len / 3] ^= 4;
        fuzz_promise(gw_keys_verify(keys, jwt, &error) == GW_ERROR
                     && error == GW_JWT_E_SIGNATURE, "%s: changed, it holds",
                     examples[e].alg);
        jwt->signature[jwt->signature_len / 3] ^= 4;

        fuzz_promise(gw_keys_verify(keys, jwt, &error) == GW_OK,
                     "%s: it holds only once", examples[e].alg);
    }
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    unsigned          e;
    gw_json_t         json;
    gw_jwt_error_e    error;
    static uint64_t   arena[4096];

    (void) argc;
    (void) argv;

    json_object_seed(1);

    if (gw_json_arena_size(&limits) > sizeof(arena)
        || gw_json_init(&json, &limits, arena, 1) != GW_OK)
    {
        abort();
    }

    for (e = 0; e < EXAMPLES; e++) {
        fuzz_promise(gw_jwt_parse(&json,
                                  (const uint8_t *) examples[e].token,
                                  strlen(examples[e].token), &tokens[e],
                                  &error)
                     == GW_OK, "%s: %s", examples[e].alg,
                     gw_jwt_strerror(error));
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         said[256];
    json_t      *tree, *list;
    gw_keys_t   *keys;
    fuzz_copy_t  copy;

    if (size > INPUT_MAX) {
        return 0;
    }

    copy = fuzz_copy(data, size);
    memset(said, '\n', sizeof(said));

    keys = gw_keys_load(copy.data, copy.len, said, sizeof(said));

    tree = json_loadb((const char *) copy.data, copy.len,
                      JSON_REJECT_DUPLICATES, NULL);
    list = json_object_get(tree, "keys");

    fuzz_free(&copy);

    if (keys) {
        fuzz_promise(gw_keys_count(keys) >= 1
                     && gw_keys_count(keys) <= GW_KEYS_MAX
                     && gw_keys_count(keys) <= json_array_size(list),
                     "a set of %u keys", gw_keys_count(keys));
        fuzz_promise(private(list) == 0, "a set with a private key");
        verify(keys, list);

    } else {
        refusal(said, sizeof(said), list);
    }

    gw_keys_free(keys);
    json_decref(tree);

    return 0;
}
