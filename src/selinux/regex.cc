// SPDX-License-Identifier: MIT
#include "selinux/detail/regex.hh"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace tarn::selinux {
namespace {

constexpr std::size_t kLongestExpression = 4096;  // libselinux's own limit
constexpr std::uint32_t kMatchLimit = 1'000'000;
constexpr std::uint32_t kDepthLimit = 10'000;
constexpr std::uint32_t kHeapLimitKib = 16 * 1024;
// Most expressions see a handful of paths: machine code would cost more than it saves.
constexpr unsigned kUsesBeforeJit = 48;

template <auto Function>
struct Free {
    template <class T>
    void operator()(T* object) const {
        Function(object);
    }
};

std::string message_of(int code) {
    std::array<PCRE2_UCHAR, 256> buffer{};
    if (pcre2_get_error_message(code, buffer.data(), buffer.size()) < 0) {
        return fmt::format("PCRE2 error {}", code);
    }
    return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

struct Regex::State {
    std::unique_ptr<pcre2_code, Free<pcre2_code_free>> code;
    std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data;
    std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context;
    unsigned uses = 0;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view expression) {
    if (expression.size() >= kLongestExpression) {
        return fail(ErrorKind::kCorrupt,
                    "an expression of {} bytes is too long (at most {})",
                    expression.size(),
                    kLongestExpression - 1);
    }
    const std::string anchored = fmt::format("^{}$", expression);
    int code = 0;
    PCRE2_SIZE offset = 0;
    auto state = std::make_unique<State>();
    state->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(anchored.data()),
                                    anchored.size(),
                                    PCRE2_DOTALL,
                                    &code,
                                    &offset,
                                    nullptr));
    if (state->code == nullptr) {
        const PCRE2_SIZE at = offset == 0 ? 0 : offset - 1;
        return fail(ErrorKind::kCorrupt, "{} at character {}", message_of(code), at + 1);
    }
    return Regex(std::move(state));
}

Result<bool> Regex::matches(std::string_view subject) const {
    State& state = *state_;
    if (state.data == nullptr) {
        state.data.reset(pcre2_match_data_create(1, nullptr));
        state.context.reset(pcre2_match_context_create(nullptr));
        if (state.data == nullptr || state.context == nullptr) {
            return fail(ErrorKind::kSystem, "out of memory");
        }
        pcre2_set_match_limit(state.context.get(), kMatchLimit);
        pcre2_set_depth_limit(state.context.get(), kDepthLimit);
        pcre2_set_heap_limit(state.context.get(), kHeapLimitKib);
    }
    if (++state.uses == kUsesBeforeJit) {
        // Without machine code the interpreter goes on.
        static_cast<void>(pcre2_jit_compile(state.code.get(), PCRE2_JIT_COMPLETE));
    }
    const auto match = [&](std::uint32_t options) {
        return pcre2_match(state.code.get(),
                           reinterpret_cast<PCRE2_SPTR>(subject.data()),
                           subject.size(),
                           0,
                           options,
                           state.data.get(),
                           state.context.get());
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
        result = match(PCRE2_NO_JIT);
    }
    if (result >= 0) {
        return true;
    }
    if (result == PCRE2_ERROR_NOMATCH) {
        return false;
    }
    return fail(ErrorKind::kFailed, "{}", message_of(result));
}

}  // namespace tarn::selinux
