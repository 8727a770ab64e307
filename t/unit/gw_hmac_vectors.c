/*
 * The worked vectors of conf-examples/hmac/vectors.json against our own code,
 * from the header that a device sends to the verdict.
 *
 * The story: whoever writes a device has these vectors and nothing else of us.
 * Unseen without it: a text that we build otherwise than we tell, so that each
 * example is right by itself and no device gets in.
 */

#include "gw_test.h"

#include <jansson.h>

#include "gw_base64.h"
#include "gw_hmac.h"
#include "gw_signature.h"


static const char  file[] = "conf-examples/hmac/vectors.json";


static gw_str_t
member(json_t *vector, const char *name)
{
    json_t    *value;
    gw_str_t   v;

    value = json_object_get(vector, name);

    if (!json_is_string(value)) {
        printf("# no \"%s\" in a vector\n", name);
        exit(1);
    }

    v.data = (const uint8_t *) json_string_value(value);
    v.len = json_string_length(value);

    return v;
}


static gw_str_t
decoded(json_t *vector, const char *name, uint8_t *dst)
{
    size_t    n;
    gw_str_t  v;

    v = member(vector, name);

    if (gw_base64url_decode(v.data, v.len, dst, &n) != GW_OK) {
        printf("# \"%s\" is no base64url\n", name);
        exit(1);
    }

    v.data = dst;
    v.len = n;

    return v;
}


static void
one(gw_hmac_t *h, json_t *vector)
{
    int              i, n;
    char             text[2048], changed[2048];
    size_t           at, wrong, k;
    uint8_t          key_bytes[128], body_bytes[2048];
    gw_str_t         key, body, device, timestamp, signature, want, keep,
                     parts[2 * GW_SIGNATURE_MEMBERS + 1];
    const char      *name, *detail;
    gw_signed_t      request;
    gw_signature_t   s;

    name = (const char *) member(vector, "name").data;
    key = decoded(vector, "key", key_bytes);
    body = decoded(vector, "body", body_bytes);
    device = member(vector, "device");
    timestamp = member(vector, "timestamp");
    signature = member(vector, "signature");

    request.method = member(vector, "method");
    request.target = member(vector, "target");
    request.epoch = member(vector, "epoch");
    request.seq = member(vector, "seq");
    request.class_name = member(vector, "class");
    request.time = member(vector, "time");
    request.type = member(vector, "type");
    request.encoding = member(vector, "encoding");

    snprintf(text, sizeof(text), "device=\"%s\", timestamp=\"%s\", "
             "signature=\"%s\"", device.data, timestamp.data, signature.data);

    detail = "";
    ok(gw_signature_parse((const uint8_t *) text, strlen(text), &s, &detail)
       == GW_OK,
       "%s: the header is read", name);

    if (detail[0]) {
        printf("# %s\n", detail);
        return;
    }

    n = gw_signature_text(&s, &request, parts);

    if (n < 0) {
        ok(0, "%s: has a text", name);
        return;
    }

    want = member(vector, "text");
    at = 0;
    wrong = 0;

    for (i = 0; i < n; i++) {
        if (parts[i].len > want.len - at
            || memcmp(parts[i].data, want.data + at, parts[i].len) != 0)
        {
            wrong = 1;
            break;
        }

        at += parts[i].len;
    }

    ok(!wrong && at == want.len, "%s: the text is that of the vector", name);

    parts[n++] = body;

    ok(gw_hmac_verify(h, key.data, key.len, parts, (unsigned) n, s.signature)
       == GW_OK,
       "%s: the signature holds", name);

    /* all of it is under the signature: each piece, one byte changed */

    wrong = 0;

    for (i = 0; i < n; i++) {
        keep = parts[i];

        if (keep.len == 0) {
            continue;
        }

        for (k = 0; k < keep.len; k++) {
            memcpy(changed, keep.data, keep.len);
            changed[k] ^= 1;
            parts[i].data = (const uint8_t *) changed;

            wrong += gw_hmac_verify(h, key.data, key.len, parts, (unsigned) n,
                                    s.signature)
                     != GW_DECLINED;
        }

        parts[i] = keep;
    }

    is_u64(wrong, 0, "%s: with any byte changed it does not", name);
}


int
main(void)
{
    json_t        *root, *vector;
    size_t         i;
    gw_hmac_t     *h;
    json_error_t   error;

    root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    h = gw_hmac_create();

    ok(json_is_array(root) && h, "%s can be read", file);

    if (root == NULL || h == NULL) {
        printf("# %s\n", error.text);
        return done_testing();
    }

    ok(json_array_size(root) >= 6, "there are six vectors or more");

    json_array_foreach(root, i, vector) {
        one(h, vector);
    }

    json_decref(root);
    gw_hmac_free(h);

    return done_testing();
}
