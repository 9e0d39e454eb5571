/* What of a peer's bytes may go to where only UTF-8 is taken. */
#ifndef SYS_UTF8_H
#define SYS_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 sequence at s, which ends with a NUL; 0 when there is none (overlong forms, surrogates and the like included). */
size_t utf8_len(const char *s);

#endif
