# SPDX-License-Identifier: LGPL-2.1-or-later
# make            build/sever
# make demo       install what is missing, build, show it at work
# make check      install what the tests need and run them all
# make check-vm   the same on other kernels and under systemd, in virtual machines; scripts/vm runs one of them
# make install    DESTDIR= PREFIX= UNITDIR= SYSUSERSDIR= TMPFILESDIR=
# V=1 shows the commands. SAN=1 builds with ASan and UBSan into build/san.
VERSION := 0.1.0
PREFIX  ?= /usr/local
UNITDIR     ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
B       := build$(if $(SAN),/san)
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= /usr/sbin/bpftool

CFLAGS   ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all \
              -fno-omit-frame-pointer)
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wno-missing-field-initializers
override CFLAGS += -std=gnu11 $(WARN) $(SANFLAGS) -D_GNU_SOURCE -DSEVER_VERSION='"$(VERSION)"' \
                   -Iinclude -Iuser -I$(B)
LIBS     := -lbpf -lmnl -lsystemd -ljansson
BPFFLAGS := -g -O2 -Wall -Werror -target bpf -Iinclude

SRC  := $(wildcard user/*/*.c)
OBJ  := $(SRC:%.c=$(B)/%.o)
LAZY := $(B)/user/cli/lazy_login.o
LIB  := $(filter-out %/main.o $(LAZY),$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))

ifneq ($(V),1)
Q   := @
say  = @printf '  %-5s %s\n' $(1) $(2);
endif

.PHONY: all tests demo check check-vm install clean
.DELETE_ON_ERROR:
.SECONDARY:
all: $(B)/sever $(B)/severd
tests: $(B)/peer $(UNIT) $(BENCH)

$(B)/sever: $(filter-out $(B)/user/daemon/%,$(OBJ))
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(filter-out -lsystemd,$(LIBS)) -ldl -o $@
$(B)/severd: $(filter-out $(B)/user/cli/%,$(OBJ))
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -lpthread -o $@
$(B)/libsever.a: $(LIB)
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^
$(B)/peer: $(wildcard tests/peer*.c) tests/peer.h | $(B)/.
	$(call say,CC,$@)$(CC) $(CFLAGS) $(filter %.c,$^) $(if $(SAN),,-static) -o $@ -lpthread
$(B)/unit/%: tests/unit/%.c $(B)/libsever.a
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP $< $(B)/libsever.a $(LIBS) -lcmocka \
	  $(shell sed -n 's/^.*LINK: //p' $<) -o $@
$(B)/bench/%: tests/bench/%.c $(B)/libsever.a
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP $< $(B)/libsever.a $(LIBS) -lcmocka -o $@
$(B)/user/%.o: user/%.c
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP -c $< -o $@
define skeleton
	$(call say,BPF,$@)$(CLANG) $(BPFFLAGS) $(2) -MMD -MP -MT $@ -MF $(B)/$(1).bpf.d -c $< -o $(B)/$(1).tmp.o && \
	  $(BPFTOOL) gen object $(B)/$(1).bpf.o $(B)/$(1).tmp.o && \
	  $(BPFTOOL) gen skeleton $(3) $(B)/$(1).bpf.o name $(1)_bpf > $@
endef
$(B)/%.lskel.h: bpf/%.bpf.c | $(B)/.
	$(call skeleton,$*,,-L)
# One that takes over the maps of another: a light one cannot.
$(B)/%.skel.h: bpf/%.bpf.c | $(B)/.
	$(call skeleton,$*)
# What runs for every connection is worth the newer instructions (Linux 5.1, 5.12), which make it a tenth shorter.
$(B)/track.lskel.h $(B)/fence.lskel.h $(B)/fence_in.skel.h: BPFFLAGS += -mcpu=v3
# One object for each kind of hook, from one source.
$(B)/hook_%.lskel.h: bpf/hooks.bpf.c | $(B)/.
	$(call skeleton,hook_$*,-DHOOK_$*,-L)
HOOKS := tp_btf sk_lookup iterators sk_storage ringbuf fentry lsm
$(B)/user/kernel/hooks.o: $(HOOKS:%=$(B)/hook_%.lskel.h)
$(B)/user/kernel/hook_cgroup.o: $(B)/hook_cgroup.lskel.h
$(B)/user/kernel/owners_bpf.o: $(B)/owner.lskel.h
$(B)/user/kernel/owners_sole.o: $(B)/sole.lskel.h
$(B)/user/kernel/track.o: $(B)/track.lskel.h
$(B)/user/kernel/fence.o: $(B)/fence.lskel.h
$(B)/user/kernel/fence_doors.o: $(B)/fence_in.skel.h
$(B)/user/kernel/engine_bpf.o: $(B)/destroy.lskel.h
# The text of an interface is what the file says: each line becomes a C string.
$(B)/%.varlink.inc: include/sever/%.varlink | $(B)/.
	$(call say,TEXT,$@)sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
INTERFACES := $(patsubst include/sever/%,$(B)/%.inc,$(wildcard include/sever/*.varlink))
$(B)/user/varlink/interface.o: $(INTERFACES)
%/.:
	@mkdir -p $@

FUZZFLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
$(B)/fuzz/%: tests/fuzz/%.c $(wildcard user/model/*.c user/kernel/diag*.c user/varlink/*.c \
  $(addprefix user/daemon/,call.c decode.c methods.c params.c peer.c service.c) user/pipeline/request_id.c \
  $(addprefix user/cli/,reader.c remote_decode.c told_fence.c event.c) user/report/*.c) | $(INTERFACES)
	$(call say,FUZZ,$@)mkdir -p $(@D) && $(CLANG) $(filter-out -fsanitize%,$(CFLAGS)) $(FUZZFLAGS) $^ -ljansson -o $@

demo:
	$(Q)scripts/deps demo && $(MAKE) --no-print-directory && scripts/demo
check:
	$(Q)scripts/deps check && scripts/check
check-vm:
	$(Q)scripts/vm check

install: all
	install -D -m 755 $(B)/sever $(DESTDIR)$(PREFIX)/sbin/sever
	install -D -m 755 $(B)/severd $(DESTDIR)$(PREFIX)/sbin/severd
	install -D -m 644 man/sever.8 $(DESTDIR)$(PREFIX)/share/man/man8/sever.8
	install -D -m 644 man/severd.8 $(DESTDIR)$(PREFIX)/share/man/man8/severd.8
	install -D -m 644 man/severd.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/severd.conf.5
	install -D -m 644 scripts/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sever
	install -d $(addprefix $(DESTDIR),$(UNITDIR) $(SYSUSERSDIR) $(TMPFILESDIR))
	sed 's|@SBINDIR@|$(PREFIX)/sbin|' scripts/systemd/severd.service >$(DESTDIR)$(UNITDIR)/severd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/severd.service
	install -m 644 scripts/systemd/severd.socket $(DESTDIR)$(UNITDIR)/severd.socket
	install -m 644 scripts/systemd/sever.sysusers $(DESTDIR)$(SYSUSERSDIR)/sever.conf
	install -m 644 scripts/systemd/sever.tmpfiles $(DESTDIR)$(TMPFILESDIR)/sever.conf
clean:
	rm -rf build

-include $(OBJ:.o=.d) $(UNIT:=.d) $(wildcard $(B)/*.bpf.d)
