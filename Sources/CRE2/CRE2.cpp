#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <new>

struct cre2_expression {
    RE2 compiled;
};

static RE2::Options quiet() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
}

cre2_expression *cre2_compile(const char *pattern, size_t count, char *failure, size_t capacity) {
    if (capacity > 0) failure[0] = 0;
    try {
        auto *expression = new cre2_expression{RE2(re2::StringPiece(pattern, count), quiet())};
        if (expression->compiled.ok()) return expression;
        const std::string &reason = expression->compiled.error();
        if (capacity > 0) failure[reason.copy(failure, std::min(capacity - 1, reason.size()))] = 0;
        delete expression;
    } catch (const std::bad_alloc &) {
    }
    return nullptr;
}

void cre2_destroy(cre2_expression *expression) { delete expression; }

bool cre2_matches(const cre2_expression *expression, const char *text, size_t count) {
    try {
        return RE2::FullMatch(re2::StringPiece(text, count), expression->compiled);
    } catch (const std::bad_alloc &) {
        return false;
    }
}
