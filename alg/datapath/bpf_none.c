#include <stdio.h>

#include "alg/datapath/datapath.h"

struct datapath *
datapath_bpf_open(const struct datapath_config *config, char *err, size_t errlen)
{
	(void)config;
	snprintf(err, errlen, "built without eBPF");
	return NULL;
}
