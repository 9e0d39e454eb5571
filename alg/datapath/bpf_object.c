#include "alg/datapath/bpf_object.h"

/* The path is the build tree's, where make runs. Aligned as an ELF file's own structures are. */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	".hidden bpf_object_start, bpf_object_end\n"
	".globl bpf_object_start, bpf_object_end\n"
	"bpf_object_start:\n"
	".incbin \"alg/datapath/gates.bpf.o\"\n"
	"bpf_object_end:\n"
	".byte 0\n"
	".popsection\n");
