// SPDX-License-Identifier: MIT
// Overlays that change the text of a spec. Pure: text and overlay in, text out.
#pragma once

#include "project/model.hh"
#include "spec/document.hh"

#include <tl/expected.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace tarn::overlay {

// Why an overlay does not apply; `key` is the key of the overlay to point at.
struct Mismatch {
    std::string key;
    std::string message;
    std::vector<std::string> notes{};
    std::vector<std::string> help{};
};
// With a remark that is a note, or help where it proposes something; nothing when empty.
tl::unexpected<Mismatch> mismatch(std::string key, std::string message, std::string remark = {});

template <class T>
using Outcome = tl::expected<T, Mismatch>;
using Unmatched = tl::unexpected<Mismatch>;

inline constexpr std::size_t kLineLimit = 64u << 10;
inline constexpr std::size_t kLineCountLimit = 2'000'000;
inline constexpr std::size_t kTextLimit = 64u << 20;

// Lines end in "\n", the last one too, and no line is longer than kLineLimit, and
// there are no more than kLineCountLimit.
Outcome<std::string> normal_spec_text(std::string_view text, const std::string& spec_name);

// How a spec is looked at: by the lines of the declaration format, or as rpm does.
enum class View { kLines, kPrecise };

// One spec-* overlay over the text of `spec_name`.
Outcome<std::string> edit_spec(const std::string& text,
                               const std::string& spec_name,
                               const Overlay& overlay,
                               View view);

// The spec with one more patch of that file name, and without those whose file name matches.
Outcome<std::string> add_patch(const std::string& text,
                               const std::string& spec_name,
                               const std::string& file,
                               const Overlay& overlay,
                               View view);
Outcome<std::string> remove_patches(const std::string& text,
                                    const std::string& spec_name,
                                    const Overlay& overlay);

// Replaces every match of an overlay's regex, literally; compiled once for many texts.
class Replacer {
  public:
    explicit Replacer(const Overlay& overlay);
    ~Replacer();
    bool matches(std::string_view text) const;
    // The same text when nothing matches.
    Outcome<std::string> replace(std::string_view text) const;

  private:
    std::unique_ptr<re2::RE2> regex_;
    const std::string& replacement_;
};

// A pattern without unescaped *, ?, [ and { is a name, in which a backslash is a backslash.
bool file_matches(std::string_view pattern, std::string_view name);

}  // namespace tarn::overlay
