/*
 * gw_dedup_hash.c - which device, which window, which payload.
 *
 * A print stands for (gateway, device, epoch): two that are equal would answer
 * "duplicate" to a message that was never here.  64 bits, of which only the 16
 * of the same two buckets are ever compared.  The secret keeps senders from
 * choosing names that meet, and who reads a saved table from guessing payloads.
 */

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gw_dedup.h"


typedef struct {
    XXH128_hash_t  device;
    XXH128_hash_t  window;
    uint64_t       gateway;
    uint64_t       key;
} gw_dedup_names_t;


void
gw_dedup_hash(const uint8_t *secret, uint32_t gateway, const gw_str_t *device,
    const gw_str_t *epoch, uint64_t seq, const gw_str_t *key,
    const gw_str_t *payload, gw_dedup_id_t *id)
{
    gw_dedup_names_t  names;
    const gw_str_t   *window;

    window = key ? key : epoch;

    /* each name apart: "a" of "bc" is not "ab" of "c" */

    names.device = XXH3_128bits_withSecret(device->data, device->len, secret,
                                           GW_DEDUP_SECRET_LEN);
    names.window = XXH3_128bits_withSecret(window->data, window->len, secret,
                                           GW_DEDUP_SECRET_LEN);
    names.gateway = gateway;
    names.key = (key != NULL);

    id->place = names.device.low64
                ^ (gateway + 1ULL) * 0x9e3779b97f4a7c15ULL;

    id->print = XXH3_64bits_withSecret(&names, sizeof(names), secret,
                                       GW_DEDUP_SECRET_LEN);
    /* the lowest bit tells keys, so that a window cannot change its kind */

    id->print = (id->print | 1) ^ (key == NULL);

    if (id->print == 0) {
        id->print = 2;
    }

    id->seq = key ? 0 : seq;
    id->digest = (uint32_t) XXH3_64bits_withSecret(payload->data, payload->len,
                                                   secret,
                                                   GW_DEDUP_SECRET_LEN);
    id->key = (key != NULL);
}
