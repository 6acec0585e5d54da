// SPDX-License-Identifier: MIT
// PCRE2 as libselinux uses it: "^<expression>$" over bytes, '.' matches newlines too, and limits on
// what an expression may cost.
#pragma once

#include "base/result.hh"

#include <memory>
#include <string>
#include <string_view>

namespace tarn::selinux {

class Regex {
  public:
    // The Error's message is PCRE2's, without a place.
    static Result<Regex> compile(std::string_view expression);
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    // kFailed when a limit was reached before there was an answer.
    Result<bool> matches(std::string_view subject) const;

  private:
    struct State;
    explicit Regex(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tarn::selinux
