/*
 * gw_envelope.h - from a scanned document to an envelope, and from an
 * envelope to the one line of JSON that becomes the Kafka record's value.
 *
 * decode() reads the members device, epoch, seq, class, ts and data from the
 * tape of one document.  Any other member is refused: a device whose fields
 * are silently left out would be told that they are safe.  data is required
 * and is never looked into here.
 *
 * All views point into the document or into the envelope itself (a string
 * that came escaped is kept unescaped in its buf), so an envelope must not be
 * copied and must not outlive its document.  No allocation.
 *
 * An empty name and an explicit null (but for data) are refused: they would
 * look like a member left out.  A name may be spelled with escapes, as JSON
 * lets it; so may a date, of up to 64 characters.
 */

#ifndef _GW_ENVELOPE_H_INCLUDED_
#define _GW_ENVELOPE_H_INCLUDED_


#include "gw.h"
#include "gw_json.h"


typedef struct {
    gw_str_t   device;         /* len 0: not named */
    gw_str_t   epoch;          /* len 0: default */
    gw_str_t   class_name;     /* len 0: default */
    gw_str_t   data;           /* raw bytes, quotes and brackets included */
    gw_str_t   document;       /* all of it, as it came */
    const uint8_t  *doc;       /* what the tape's offsets count from */
    uint32_t   data_node;      /* data in the tape */
    uint64_t   seq;
    int64_t    ts;             /* ms since 1970, UTC */
    uint8_t    has_seq;
    uint8_t    has_ts;
    uint8_t    strip_nl;       /* data holds raw line ends between tokens */

    uint8_t    device_buf[GW_DEVICE_MAX];
    uint8_t    epoch_buf[GW_EPOCH_MAX];
    uint8_t    class_buf[GW_CLASS_MAX];
} gw_envelope_t;


/*
 * doc is the base the tape's offsets count from; the root is tape[0].
 * GW_OK; GW_ERROR: *detail is a constant sentence that names the member and
 * never carries bytes of the input.  On GW_ERROR env holds nothing of use.
 */
int gw_envelope_decode(const gw_json_t *j, const uint8_t *doc,
    gw_envelope_t *env, const char **detail);

/* the raw format: data is all of the document of text, just parsed; the other
   members are left as they are */
void gw_envelope_whole(const gw_json_t *j, const gw_str_t *text,
    gw_envelope_t *env);

/*
 * The parts for the raw format, where headers carry the metadata.
 * GW_OK or GW_ERROR (the value is not what design.md section 3 allows).
 */
int gw_envelope_name_valid(const uint8_t *p, size_t len, size_t max);
int gw_envelope_parse_seq(const uint8_t *p, size_t len, uint64_t *seq);
int gw_envelope_parse_ts(const uint8_t *p, size_t len, int64_t *ts);

/* an upper bound, in bytes, of what write() puts out */
size_t gw_envelope_size(const gw_envelope_t *env);

/*
 * Writes {"device":...,"epoch":...,"seq":...,"class":...,"ts":...,
 * "received_at":...,"data":...}: no white space of ours, no line end; seq is
 * left out where there is none, ts defaults to received_at.  device, epoch
 * and class_name must have passed their check (they need no escape); the
 * caller has put in the defaults of device and class_name, epoch may be empty.
 * data must be one JSON value; with strip_nl its raw CR and LF are left out.
 * Returns the bytes written; none behind them is touched.
 */
size_t gw_envelope_write(uint8_t *dst, const gw_envelope_t *env,
    int64_t received_at);


#endif /* _GW_ENVELOPE_H_INCLUDED_ */
