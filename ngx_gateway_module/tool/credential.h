/*
 * credential.h - tokens and keys of devices: drawn here, shown once, and of a
 * token kept only what gw_registry compares: SHA-256(salt || secret).
 */

#ifndef _CREDENTIAL_H_INCLUDED_
#define _CREDENTIAL_H_INCLUDED_


#include "device.h"


/* text takes DEVICE_SECRET_TEXT + 1 bytes, NUL included.  GW_ERROR: no
   randomness or no hash; nothing may be stored then */
int credential_token(device_t *d, char *text);
int credential_key(device_t *d, char *text);

/* salt and hash of the secret that was given */
int credential_seal(device_t *d);


#endif /* _CREDENTIAL_H_INCLUDED_ */
