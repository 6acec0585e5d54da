// SPDX-License-Identifier: MIT
// How Tarn says that something went wrong. An expected failure is a Result<T>; a bug is TARN_CHECK,
// which aborts. Exceptions cross no room's header: foreign ones are caught where the library is used.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace tarn {

// What kind of failure; decides the exit code and whether trying again can help.
enum class ErrorKind {
    kFailed,       // the work could not be done
    kUsage,        // wrong command line or configuration: exit code 2
    kNotFound,     // a file, package, blob or name that is not there
    kCorrupt,      // bytes that are not what a digest, signature or format says
    kNetwork,      // a server did not answer or answered wrongly; trying again may help
    kNoSpace,      // disk full
    kInterrupted,  // cancelled by a signal or a stop token: exit code 130
    kSystem,       // a system call failed
};

// One failure as a person reads it: what happened, where and why, what to do next.
struct Error {
    ErrorKind kind = ErrorKind::kFailed;
    std::string message;               // one line; names the file, URL or package it is about
    std::vector<std::string> notes{};  // further facts, one line each
    std::vector<std::string> help{};   // what to do next, one line each
    std::string rendered{};            // already drawn diagnostics (carets); printed before message

    Error&& note(std::string text) && {
        notes.push_back(std::move(text));
        return std::move(*this);
    }
    Error&& advise(std::string text) && {
        help.push_back(std::move(text));
        return std::move(*this);
    }
    // Puts "while: " in front of the message.
    Error&& context(std::string_view while_doing) && {
        message = fmt::format("{}: {}", while_doing, message);
        return std::move(*this);
    }
};

template <class T>
using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

inline Failure fail(Error error) {
    return Failure(std::move(error));
}
template <class... Args>
Failure fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return Failure(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}
template <class... Args>
Error error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return Error{kind, fmt::format(format, std::forward<Args>(args)...)};
}

// The error of a system call that just set errno: "cannot <what> <path>: <strerror>".
// ENOSPC and EDQUOT become kNoSpace, ENOENT becomes kNotFound.
Error sys_error(std::string_view what, std::string_view path);
Error sys_error(std::string_view what, std::string_view path, int errno_value);

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace tarn

// Evaluates a Result; yields its value or returns its error from the enclosing function.
#define TARN_TRY(expression)                                                    \
    __extension__({                                                             \
        auto tarn_try_result = (expression);                                    \
        if (!tarn_try_result) {                                                 \
            return ::tl::unexpected(std::move(tarn_try_result.error()));        \
        }                                                                       \
        ::tarn::detail::take(std::move(tarn_try_result));                       \
    })

#define TARN_CHECK(expression) \
    ((expression) ? static_cast<void>(0) : ::tarn::check_failed(#expression, __FILE__, __LINE__))

namespace tarn::detail {
template <class T>
T take(Result<T>&& result) {
    return std::move(*result);
}
inline void take(Result<void>&&) {}
}  // namespace tarn::detail
