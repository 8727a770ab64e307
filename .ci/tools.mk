# The commands beside the modules: $(BUILD)/gateway-devices, which keeps the
# registry of devices.  "tests" makes what t/tool/*.t want besides: the command
# under ASan and UBSan, a reader of the registry that is the workers' own, and
# the unit test of its CSV reader.  Called by "make".

CC     ?= gcc
BUILD  ?= build

out    := $(BUILD)/tool
pure   := ngx_gateway_module/pure
auth   := ngx_gateway_module/auth
tool   := ngx_gateway_module/tool

flags  := -std=gnu99 -g -Wall -Wextra -Werror -MMD -MP \
          -I $(pure) -I $(tool) -I $(out)
asan   := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
          -fno-omit-frame-pointer

parts  := $(notdir $(wildcard $(tool)/*.c)) gw_base64.c gw_envelope.c \
          gw_identity.c gw_json.c gw_time.c
reader := check.c gw_base64.c gw_envelope.c gw_identity.c gw_json.c \
          gw_registry.c gw_registry_file.c gw_time.c

command := $(BUILD)/gateway-devices
rig     := $(out)/asan/gateway-devices $(out)/check $(out)/csv

all: $(command)

tests: $(command) $(rig)

$(command): $(parts:%.c=$(out)/obj/%.o)
	$(CC) $(CFLAGS_EXTRA) $^ -o $@ -lsqlite3 -lcrypto

$(out)/asan/gateway-devices: $(parts:%.c=$(out)/asan/%.o)
	$(CC) $(asan) $(CFLAGS_EXTRA) $^ -o $@ -lsqlite3 -lcrypto

$(out)/check: $(reader:%.c=$(out)/asan/%.o)
	$(CC) $(asan) $(CFLAGS_EXTRA) $^ -o $@ -lsqlite3 -lcrypto

$(out)/csv: $(out)/asan/csv_test.o $(out)/asan/csv.o
	$(CC) $(asan) $(CFLAGS_EXTRA) $^ -o $@

vpath %.c $(tool) $(pure) $(auth) t/tool

$(out)/obj/%.o: %.c $(out)/registry_sql.h | $(out)/obj
	$(CC) $(flags) -O2 $(CFLAGS_EXTRA) -c $< -o $@

$(out)/asan/%.o: %.c $(out)/registry_sql.h | $(out)/asan
	$(CC) $(flags) $(asan) -I $(auth) -I t/unit $(CFLAGS_EXTRA) -c $< -o $@

# the schema as a string: one line of it is one line here

$(out)/registry_sql.h: $(auth)/registry.sql | $(out)/obj
	{ echo 'static const char  registry_sql[] ='; \
	  sed -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n"/' $<; echo '    ;'; } > $@

$(out)/obj $(out)/asan:
	mkdir -p $@

.PHONY: all tests
.DELETE_ON_ERROR:

-include $(wildcard $(out)/obj/*.d $(out)/asan/*.d)
