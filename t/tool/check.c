/*
 * check.c - the registry as a worker reads it, for the .t files beside it: one
 * handle that stays open, one answer a line.
 *
 *   check FILE [UID]      UID: what the reader is, as a worker is not root
 *
 *   sign DEVICE TOKEN [NOW]     ok DEVICE tenant=T classes=BITS topics=LIST
 *                               speaks_for=LIST, or the reason of a refusal
 *   key DEVICE [NOW]            ok KEY in base64url, or the reason
 *   changed                     1 or 0
 *
 * Without it the tests would judge what the command writes by what the command
 * reads.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gw_base64.h"
#include "gw_registry.h"


static const gw_str_t  names[] = {
    gw_str("control"), gw_str("heartbeat"), gw_str("telemetry")
};


static const char *
refusal(gw_reason_e reason)
{
    return reason == GW_R_REVOKED ? "revoked"
           : reason == GW_R_UNAUTHENTICATED ? "unauthenticated" : "internal";
}


static void
sign(gw_registry_t *r, const char *device, const char *token, int64_t now)
{
    gw_reason_e    reason;
    gw_identity_t  id;

    if (gw_registry_check(r, (const uint8_t *) device, strlen(device),
                          (const uint8_t *) token, strlen(token), now, &id,
                          &reason)
        != GW_OK)
    {
        printf("%s\n", refusal(reason));
        return;
    }

    printf("ok %.*s tenant=%.*s classes=%u topics=%.*s speaks_for=%.*s\n",
           (int) id.device_len, id.device, (int) id.tenant_len, id.tenant,
           (unsigned) id.classes, (int) id.topics_len, id.topics,
           (int) id.speaks_for_len, id.speaks_for);
}


static void
key(gw_registry_t *r, const char *device, int64_t now)
{
    size_t         n;
    uint8_t        raw[GW_HMAC_KEY_MAX];
    uint8_t        text[gw_base64url_encoded(GW_HMAC_KEY_MAX)];
    gw_reason_e    reason;
    gw_identity_t  id;

    n = gw_registry_hmac_key(r, (const uint8_t *) device, strlen(device), now,
                             raw, &id, &reason);

    if (reason != GW_R_NONE) {
        printf("%s\n", refusal(reason));
        return;
    }

    n = gw_base64url_encode(raw, n, text);
    printf("ok %.*s\n", (int) n, text);
}


int
main(int argc, char **argv)
{
    int             n;
    char            line[512], error[256], verb[16], device[160], rest[2][160];
    long long       now;
    gw_registry_t  *r;

    if (argc < 2 || (argc > 2 && setgid((gid_t) atol(argv[2])) != 0)
        || (argc > 2 && setuid((uid_t) atol(argv[2])) != 0))
    {
        return 2;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    r = gw_registry_open(argv[1], names, 3, 256, error, sizeof(error));

    if (r == NULL) {
        printf("%s\n", error);
        return 1;
    }

    printf("open\n");

    while (fgets(line, sizeof(line), stdin)) {
        n = sscanf(line, "%15s %159s %159s %159s", verb, device, rest[0],
                   rest[1]);

        if (strcmp(verb, "sign") == 0 && n >= 3) {
            now = n > 3 ? atoll(rest[1]) : 1800000000;
            sign(r, device, rest[0], now);

        } else if (strcmp(verb, "key") == 0 && n >= 2) {
            now = n > 2 ? atoll(rest[0]) : 1800000000;
            key(r, device, now);

        } else {
            error[0] = '\0';
            n = gw_registry_changed(r, error, sizeof(error));
            printf("%d%s%s\n", n, error[0] ? " " : "", error);
        }
    }

    gw_registry_close(r);

    return 0;
}
