# Unit tests: one program per room, one file per source file. They link the convenience libraries.
if HAVE_CHECK
include tests/unit/base.mk
include tests/unit/libpptp.mk
include tests/unit/libppp.mk
include tests/unit/sys.mk
include tests/unit/tunnel.mk
include tests/unit/programs.mk
endif

# Tools of the end-to-end tests.
noinst_PROGRAMS += tests/e2e/blob tests/e2e/impair
tests_e2e_blob_SOURCES = tests/e2e/blob.c
tests_e2e_impair_SOURCES = tests/e2e/impair.c
