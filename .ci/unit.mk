# The unit tests of ngx_gateway_module/pure and auth: one program for each
# t/unit/gw_*.c, every one of them under ASan and UBSan; the Kafka that can be
# told to fail, for t/4*.t; and the devices of the ledger.  Called by "make unit".

CC     ?= gcc
BUILD  ?= build

out    := $(BUILD)/unit
pure   := ngx_gateway_module/pure
auth   := ngx_gateway_module/auth
flags  := -std=gnu99 -g -O1 -fsanitize=address,undefined \
          -fno-sanitize-recover=all -fno-omit-frame-pointer \
          -Wall -Wextra -Werror -I $(pure) -I $(auth) -I t/unit $(CFLAGS_EXTRA)

objs   := $(patsubst $(pure)/%.c,$(out)/pure/%.o,$(wildcard $(pure)/gw*.c)) \
          $(patsubst $(auth)/%.c,$(out)/auth/%.o,$(wildcard $(auth)/gw*.c))
tests  := $(patsubst t/unit/%.c,$(out)/%,$(wildcard t/unit/gw_*.c))

mock   := $(BUILD)/mock
load   := $(BUILD)/load

all: $(tests) $(mock) $(load)

$(out)/pure $(out)/auth $(out)/obj:
	mkdir -p $@

$(out)/pure/%.o: $(pure)/%.c | $(out)/pure
	$(CC) $(flags) -MMD -MP -c $< -o $@

$(out)/auth/%.o: $(auth)/%.c | $(out)/auth
	$(CC) $(flags) -MMD -MP -c $< -o $@

$(out)/obj/%.o: t/unit/%.c | $(out)/obj
	$(CC) $(flags) -MMD -MP -c $< -o $@

$(tests): $(out)/%: $(out)/obj/%.o $(objs)
	$(CC) $(flags) $^ -o $@ $(libs) -ljansson -lsqlite3 -lcrypto -lpcre2-8 -lz -lm

# a second opinion on signatures

$(out)/gw_keys_second: libs := -lcjose

$(mock): t/kafka/mock.c | $(out)/obj
	$(CC) -std=gnu99 -g -O1 -Wall -Wextra -Werror $< -o $@ -lrdkafka

# no sanitizer: it shares a core with what it measures

parts  := $(wildcard t/ledger/*.c)

$(load): $(parts) $(wildcard t/ledger/*.h) | $(out)/obj
	$(CC) -std=gnu99 -g -O2 -Wall -Wextra -Werror $(parts) -o $@

.PHONY: all
.SECONDARY:

-include $(wildcard $(out)/pure/*.d $(out)/auth/*.d $(out)/obj/*.d)
