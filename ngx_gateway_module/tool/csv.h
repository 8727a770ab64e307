/*
 * csv.h - CSV as of RFC 4180, read byte by byte: fields parted by commas,
 * quoted where they hold commas, quotes or line ends, records ended by CRLF or
 * LF.  A byte order mark in front is passed over, so are empty lines.
 *
 * Strict: a quote inside a field that is not quoted, bytes behind a closing
 * quote, a carriage return alone and a NUL are refused.  A reader that guesses
 * puts a value under the wrong column.
 *
 * No allocation, no I/O; where the input is cut makes no difference.
 */

#ifndef _CSV_H_INCLUDED_
#define _CSV_H_INCLUDED_


#include "gw.h"


#define CSV_RECORD_MAX  16384  /* bytes of all fields of a record */
#define CSV_FIELDS_MAX  32


typedef struct {
    const char     *error;     /* a sentence without a byte of the input */
    unsigned long   line;      /* the one being read, from 1; after GW_ERROR
                                  the one that is wrong */
    unsigned        n;         /* fields of the record */
    unsigned        state;
    unsigned        begun;     /* a record is under way */
    unsigned        first;     /* nothing but the mark may have been read */
    size_t          used;
    size_t          ends[CSV_FIELDS_MAX];
    unsigned long   lines[CSV_FIELDS_MAX + 1];
    uint8_t         buf[CSV_RECORD_MAX];
} csv_t;


void csv_init(csv_t *c);

/*
 * Reads from *p up to the end of a record and moves *p behind it.  GW_OK: a
 * record is complete, its fields hold until the next call; GW_AGAIN: all is
 * read and more is needed; GW_ERROR: see error, line and n (the field).
 */
int csv_feed(csv_t *c, const uint8_t **p, const uint8_t *end);

/* behind the last byte: GW_OK, a last record without a line end; GW_DONE,
   nothing is left; GW_ERROR */
int csv_end(csv_t *c);

/* i below n, after GW_OK; the line is the one the field begins in */
gw_str_t csv_field(const csv_t *c, unsigned i);
unsigned long csv_line(const csv_t *c, unsigned i);


#endif /* _CSV_H_INCLUDED_ */
