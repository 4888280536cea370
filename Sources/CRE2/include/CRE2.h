// Regular expressions of RE2: matching takes time linear in the text, whatever the pattern.
#ifndef CRE2_H
#define CRE2_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_expression cre2_expression;

/// Compiles a pattern of UTF-8. NULL when it is none or too large, with the reason in `failure`, cut to `capacity` bytes
/// with the zero at the end; NULL with an empty reason when memory is short.
cre2_expression *cre2_compile(const char *pattern, size_t count, char *failure, size_t capacity);

void cre2_destroy(cre2_expression *expression);

/// Whether the whole text, of UTF-8, matches. Safe to call from several threads.
bool cre2_matches(const cre2_expression *expression, const char *text, size_t count);

#ifdef __cplusplus
}
#endif

#endif
