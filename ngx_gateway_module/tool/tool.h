/*
 * tool.h - what the parts of gateway-devices share: how a command ends, and
 * the one way to speak of what went wrong.
 */

#ifndef _TOOL_H_INCLUDED_
#define _TOOL_H_INCLUDED_


typedef enum {
    TOOL_DONE = 0,
    TOOL_REFUSED,              /* no such device, exists already, bad value */
    TOOL_USAGE,
    TOOL_FAILED                /* a file cannot be opened, read or written */
} tool_status_e;


/* TOOL_DONE: whatever was printed has left this program; else it is said */
tool_status_e tool_shown(void);

/* one line on stderr; no secret may be among the arguments */
void tool_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));


#endif /* _TOOL_H_INCLUDED_ */
