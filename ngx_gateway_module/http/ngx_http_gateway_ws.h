/*
 * ngx_http_gateway_ws.h - MQTT over WebSocket: what the files of http/ that
 * carry it share.
 *
 * A request that was answered 101 stays, with its pool, as long as the
 * connection: access log, limit_conn and variables are of it.
 */

#ifndef _NGX_HTTP_GATEWAY_WS_H_INCLUDED_
#define _NGX_HTTP_GATEWAY_WS_H_INCLUDED_


#include "gw_ws.h"
#include "ngx_gateway_connection.h"
#include "ngx_http_gateway.h"


/* the handler of a location with "gateway_pass protocol=mqtt" */
ngx_int_t ngx_http_gateway_upgrade_handler(ngx_http_request_t *r);

/* the connection is the WebSocket's from here on; what the handler of the
   location returns */
ngx_int_t ngx_http_gateway_ws_open(ngx_http_request_t *r);


#endif /* _NGX_HTTP_GATEWAY_WS_H_INCLUDED_ */
