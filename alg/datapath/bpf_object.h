/* The compiled eBPF program, as it lies in ours. */
#ifndef ALG_DATAPATH_BPF_OBJECT_H
#define ALG_DATAPATH_BPF_OBJECT_H

extern const char bpf_object_start[], bpf_object_end[];

#endif
