/*
 * What a server of MQTT writes, byte by byte.  A length that is one off makes
 * the client read every later packet wrong.
 */

#include "gw_test.h"
#include "gw_mqtt.h"


static uint8_t  buffer[70000];


static void
is_hex(size_t len, const char *want, const char *name)
{
    size_t       i;
    static char  text[1024];

    for (i = 0; i < len && i < 500; i++) {
        sprintf(text + 2 * i, "%02x", buffer[i]);
    }

    text[2 * i] = '\0';

    is_str(text, strlen(text), want, "%s", name);
}


/* whatever the room is, nothing is written behind it */

#define fits(call)                                                            \
    do {                                                                      \
        size_t  whole_, size_;                                                \
        size_ = sizeof(buffer);                                               \
        whole_ = call;                                                        \
        for (size_ = 0; size_ < whole_ + 8; size_++) {                        \
            memset(buffer, 0xee, whole_ + 16);                                \
            size_t  n_ = call;                                                \
            if (buffer[size_] != 0xee || (n_ && n_ != whole_)) {              \
                break;                                                        \
            }                                                                 \
        }                                                                     \
        ok(size_ == whole_ + 8, "nothing is written behind its room: %s",     \
           #call);                                                            \
    } while (0)

#define at(fn, ...)  fn(buffer, size_, __VA_ARGS__)


int
main(void)
{
    size_t             n;
    gw_str_t           text = gw_str("no"), where = gw_str("b"), long_topic;
    uint8_t            codes[3] = { 0x80, 0, 0x87 };
    gw_mqtt_connack_t  c;

    memset(&c, 0, sizeof(c));

    n = gw_mqtt_connack(buffer, 100, 4, GW_MQTT_SUCCESS, &c);
    is_hex(n, "20020000", "CONNACK of 3.1.1");
    n = gw_mqtt_connack(buffer, 100, 4, GW_MQTT_BAD_CREDENTIALS, &c);
    is_hex(n, "20020004", "3.1.1 3.2.2.3: 4");
    n = gw_mqtt_connack(buffer, 100, 4, GW_MQTT_NOT_AUTHORIZED, &c);
    is_hex(n, "20020005", "3.1.1 3.2.2.3: 5");
    n = gw_mqtt_connack(buffer, 100, 4, GW_MQTT_CLIENT_ID_NOT_VALID, &c);
    is_hex(n, "20020002", "3.1.1 3.2.2.3: 2");
    n = gw_mqtt_connack(buffer, 100, 4, GW_MQTT_UNSUPPORTED_VERSION, &c);
    is_hex(n, "20020001", "3.1.1 3.2.2.3: 1");
    n = gw_mqtt_connack(buffer, 100, 4, GW_MQTT_SERVER_BUSY, &c);
    is_hex(n, "20020003", "3.1.1 3.2.2.3: 3");
    n = gw_mqtt_connack(buffer, 100, 5, GW_MQTT_SUCCESS, &c);
    is_hex(n, "2003000000", "CONNACK of 5.0");

    c.session_present = 1;
    n = gw_mqtt_connack(buffer, 100, 5, GW_MQTT_SERVER_BUSY, &c);
    is_hex(n, "2003008900", "MQTT-3.2.2-6: no session with a refusal");
    c.session_present = 0;

    c.receive_maximum = 64;
    c.topic_alias_maximum = 16;
    c.maximum_packet = 0x40000;
    c.has_server_keep_alive = 1;
    c.server_keep_alive = 60;
    c.no_retain = 1;
    c.no_wildcards = 1;
    c.no_subscription_ids = 1;
    c.no_shared = 1;
    c.assigned_id = text;
    c.reason_string = text;
    c.server_reference = where;

    n = gw_mqtt_connack(buffer, 200, 5, GW_MQTT_SUCCESS, &c);
    is_hex(n, "202700002421004025002700040000" "1200026e6f" "220010"
              "1f00026e6f" "280029002a00" "13003c" "1c000162",
           "3.2.2.3: everything");
    fits(at(gw_mqtt_connack, 5, GW_MQTT_SUCCESS, &c));

    n = gw_mqtt_ack(buffer, 4, 5, GW_MQTT_PUBACK, 0x102, GW_MQTT_SUCCESS,
                    NULL);
    is_hex(n, "40020102", "MQTT-3.4.2-1: success is left out");
    n = gw_mqtt_ack(buffer, 4, 4, GW_MQTT_PUBREC, 1, GW_MQTT_QUOTA_EXCEEDED,
                    NULL);
    is_hex(n, "50020001", "3.1.1 has no reason");
    n = gw_mqtt_ack(buffer, 20, 5, GW_MQTT_PUBCOMP, 1,
                    GW_MQTT_PACKET_ID_NOT_FOUND, NULL);
    is_hex(n, "7003000192", "3.7.2: PUBCOMP");
    n = gw_mqtt_ack(buffer, 20, 5, GW_MQTT_PUBACK, 1,
                    GW_MQTT_QUOTA_EXCEEDED, &text);
    is_hex(n, "400900019705" "1f00026e6f", "3.4.2.2.2: a reason string");
    n = gw_mqtt_ack(buffer, 20, 4, GW_MQTT_PUBREL, 1, GW_MQTT_SUCCESS, NULL);
    is_hex(n, "62020001", "MQTT-3.6.1-1: flags of PUBREL");
    fits(at(gw_mqtt_ack, 5, GW_MQTT_PUBACK, 1, GW_MQTT_QUOTA_EXCEEDED,
            &text));
    fits(at(gw_mqtt_ack, 4, GW_MQTT_PUBACK, 1, GW_MQTT_SUCCESS, NULL));

    n = gw_mqtt_suback(buffer, 20, 4, GW_MQTT_SUBACK, 1, codes, 3);
    is_hex(n, "90050001800087", "3.9.3: a code a filter");
    n = gw_mqtt_suback(buffer, 20, 5, GW_MQTT_SUBACK, 1, codes, 3);
    is_hex(n, "9006000100800087", "3.9.2.1: properties before them");
    n = gw_mqtt_suback(buffer, 20, 4, GW_MQTT_UNSUBACK, 1, codes, 3);
    is_hex(n, "b0020001", "3.1.1: UNSUBACK has none");
    n = gw_mqtt_suback(buffer, 20, 5, GW_MQTT_UNSUBACK, 1, codes, 1);
    is_hex(n, "b004000100" "80", "3.11.3: 5.0 has");
    fits(at(gw_mqtt_suback, 5, GW_MQTT_SUBACK, 1, codes, 3));

    n = gw_mqtt_pingresp(buffer, 2);
    is_hex(n, "d000", "PINGRESP");
    ok(gw_mqtt_pingresp(buffer, 1) == 0, "which needs two bytes");

    n = gw_mqtt_disconnect(buffer, 20, 5, GW_MQTT_SHUTTING_DOWN, NULL, NULL);
    is_hex(n, "e0018b", "DISCONNECT");
    n = gw_mqtt_disconnect(buffer, 20, 5, GW_MQTT_USE_ANOTHER_SERVER, &text,
                           &where);
    is_hex(n, "e00b9c091f00026e6f1c000162", "3.14.2.2: texts");
    ok(gw_mqtt_disconnect(buffer, 20, 4, GW_MQTT_SHUTTING_DOWN, NULL, NULL)
       == 0, "a server of 3.1.1 has none");
    fits(at(gw_mqtt_disconnect, 5, GW_MQTT_SHUTTING_DOWN, &text, &where));

    n = gw_mqtt_publish(buffer, 20, 4, &where, &text);
    is_hex(n, "3005000162" "6e6f", "PUBLISH");
    n = gw_mqtt_publish(buffer, 20, 5, &where, &text);
    is_hex(n, "3006000162" "006e6f", "of 5.0");
    fits(at(gw_mqtt_publish, 5, &where, &text));

    long_topic.data = calloc(1, 65535);
    long_topic.len = 65535;
    n = gw_mqtt_publish(buffer, sizeof(buffer), 4, &long_topic, &text);
    ok(n == 65543 && memcmp(buffer, "\x30\x83\x80\x04\xff\xff", 6) == 0,
       "1.5.5: a length of three bytes");

    long_topic.len = 16384 - 2 - 2;
    n = gw_mqtt_publish(buffer, sizeof(buffer), 4, &long_topic, &text);
    ok(n == 16388 && memcmp(buffer, "\x30\x80\x80\x01", 4) == 0,
       "... which 16384 is the first to need");
    free((void *) long_topic.data);

    ok(strcmp(gw_mqtt_reason_name(GW_MQTT_TAKEN_OVER), "Session taken over")
       == 0, "reasons have names");
    ok(strcmp(gw_mqtt_reason_name((gw_mqtt_reason_e) 0x7f), "unknown") == 0,
       "... and what is none");
    ok(strcmp(gw_mqtt_type_name(GW_MQTT_PUBREL), "PUBREL") == 0,
       "types have names");

    return done_testing();
}
