# The fuzz targets: a program for each t/fuzz/gw_*.c, with libFuzzer, ASan and
# UBSan.  Called by .ci/fuzz.
#
#   NGINX_TREE  for gw_conf: where .ci/static built an nginx with our modules
#               inside, every object of it under the same sanitizers
#   FUZZ_PURE   another pure/, for the self-test

BUILD      ?= build
CLANG      ?= clang
FUZZ_PURE  ?= ngx_gateway_module/pure

out     := $(BUILD)/fuzz
pure    := $(FUZZ_PURE)
auth    := ngx_gateway_module/auth
checks  := address,undefined
flags   := -std=gnu99 -g -O1 -fno-omit-frame-pointer \
           -fno-sanitize-recover=all -Wall -Wextra -Werror -I t/fuzz

objs    := $(patsubst $(pure)/%.c,$(out)/pure/%.o,$(wildcard $(pure)/gw*.c))
more    := $(patsubst $(auth)/%.c,$(out)/auth/%.o,$(wildcard $(auth)/gw*.c))
sources := $(filter-out %/gw_conf.c,$(wildcard t/fuzz/gw_*.c))

all: $(patsubst t/fuzz/%.c,$(out)/%,$(sources))

$(out)/pure $(out)/auth $(out)/obj:
	mkdir -p $@

$(out)/pure/%.o: $(pure)/%.c | $(out)/pure
	$(CLANG) $(flags) $(CFLAGS_EXTRA) -I $(pure) \
	    -fsanitize=fuzzer-no-link,$(checks) -MMD -MP -c $< -o $@

$(out)/auth/%.o: $(auth)/%.c | $(out)/auth
	$(CLANG) $(flags) $(CFLAGS_EXTRA) -I $(pure) -I $(auth) \
	    -fsanitize=fuzzer-no-link,$(checks) -MMD -MP -c $< -o $@

# a target's own code is no ground to explore

$(out)/obj/%.o: t/fuzz/%.c | $(out)/obj
	$(CLANG) $(flags) $(CFLAGS_EXTRA) -I $(pure) -I $(auth) \
	    -fsanitize=$(checks) -MMD -MP -c $< -o $@

$(out)/gw_%: $(out)/obj/gw_%.o $(objs)
	$(CLANG) -fsanitize=fuzzer,$(checks) $^ -o $@ $(needs) -ljansson -lpcre2-8 -lz \
	    -lm

# targets named as a file of auth/ have all of it; the others go without, so
# that a pure/ that is not whole will do for them

within  := $(filter $(patsubst $(out)/auth/%.o,$(out)/%,$(more)), \
               $(patsubst t/fuzz/%.c,$(out)/%,$(sources)))

$(within): needs := -lsqlite3 -lcrypto
$(within): $(more)


# nginx as it was linked, but for main(); the wrapped functions are those that
# would reach out of the process

ifneq ($(NGINX_TREE),)

made    := $(NGINX_TREE)/objs/Makefile
link    := $(shell sed -n '/-o objs\/nginx /,/^$$/p' $(made))
main    := src/core/nginx.o
nginx   := $(addprefix $(NGINX_TREE)/,$(filter-out %/$(main), \
               $(filter %.o,$(link))))
libs    := $(filter -l%,$(link))
comma   := ,
wrap    := fork open open64 glob glob64 getaddrinfo dlopen
dirs    := $(filter-out ALL_INCS = -I \,$(shell \
               sed -n '/^ALL_INCS/,/^$$/p' $(made)))
incs    := $(foreach d,$(dirs),-I $(if $(filter /%,$d),,$(NGINX_TREE)/)$d)
gateway := ngx_gateway_module

$(out)/obj/gw_conf.o: t/fuzz/gw_conf.c $(nginx) | $(out)/obj
	$(CLANG) $(flags) -Wno-unused-parameter $(CFLAGS_EXTRA) -D_GNU_SOURCE \
	    -DNGX_DEBUG_PALLOC=1 \
	    $(incs) \
	    $(addprefix -I $(gateway)/,pure auth core kafka http) \
	    -fsanitize=$(checks) -MMD -MP -c $< -o $@

$(out)/obj/nginx.o: $(NGINX_TREE)/objs/$(main) | $(out)/obj
	objcopy --redefine-sym main=nginx_main $< $@

$(out)/gw_conf: $(out)/obj/gw_conf.o $(out)/obj/nginx.o $(nginx)
	$(CLANG) -fsanitize=fuzzer,$(checks) \
	    $(addprefix -Wl$(comma)--wrap=,$(wrap)) $^ -o $@ $(libs)

endif

.PHONY: all
.SECONDARY:

-include $(wildcard $(out)/pure/*.d $(out)/auth/*.d $(out)/obj/*.d)
