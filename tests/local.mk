# Unit tests: one program per room, one file per source file. They link the convenience libraries.
if HAVE_CHECK
include tests/unit/base.mk
include tests/unit/libpptp.mk
include tests/unit/libppp.mk
include tests/unit/sys.mk
include tests/unit/tunnel.mk
include tests/unit/programs.mk
endif
