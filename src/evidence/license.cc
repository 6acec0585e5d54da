// SPDX-License-Identifier: MIT
// SPDX license expressions (SPDX 2.3, annex D), read generously: operators in any case, and words
// that are on no list made into references.
#include "evidence/detail/license_ids.hh"
#include "evidence/evidence.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <algorithm>
#include <cctype>

namespace tarn::evidence {
namespace {

constexpr std::size_t kMaxText = 16384;
constexpr int kMaxDepth = 64;

bool is_id_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '-');
}

bool is_reference(std::string_view word) {
    const std::size_t colon = word.find(':');
    if (word.starts_with("DocumentRef-") && colon != std::string_view::npos) {
        word.remove_prefix(colon + 1);
    }
    return word.starts_with("LicenseRef-") && word.size() > 11 &&
           std::ranges::all_of(word, is_id_char);
}

std::string reference_of(std::string_view words) {
    std::string name;
    for (const char c : words) {
        if (is_id_char(c)) {
            name += c;
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    name.resize(std::min<std::size_t>(name.size(), 40));
    while (name.ends_with('-')) {
        name.pop_back();
    }
    // Two texts may come out alike; what was changed is told apart by a hash.
    if (name != words) {
        name += (name.empty() ? "" : "-") + sha256_hex(words).substr(0, 8);
    }
    return "LicenseRef-" + name;
}

// Recursive descent; what it cannot read leaves `good` false.
class Reader {
  public:
    explicit Reader(std::string_view text) {
        std::string word;
        const auto flush = [&] {
            if (!word.empty()) {
                words_.push_back(std::move(word));
                word.clear();
            }
        };
        for (const char c : text) {
            if (c == '(' || c == ')') {
                flush();
                words_.emplace_back(1, c);
            } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
                flush();
            } else {
                word += c;
            }
        }
        flush();
    }

    bool read(License& out) {
        out_ = &out;
        out.expression = either(0);
        return good_ && next_ == words_.size();
    }

  private:
    bool at(std::string_view lower) const {
        return next_ < words_.size() && to_lower(words_[next_]) == lower;
    }
    std::string chain(int depth, std::string_view lower, std::string_view upper,
                      std::string (Reader::*part)(int)) {
        std::string text = (this->*part)(depth);
        while (good_ && at(lower)) {
            ++next_;
            text += fmt::format(" {} {}", upper, (this->*part)(depth));
        }
        return text;
    }
    std::string either(int depth) { return chain(depth, "or", "OR", &Reader::both); }
    std::string both(int depth) { return chain(depth, "and", "AND", &Reader::one); }
    std::string one(int depth);
    std::string license(const std::string& word);

    std::vector<std::string> words_;
    std::size_t next_ = 0;
    bool good_ = true;
    License* out_ = nullptr;
};

std::string Reader::license(const std::string& word) {
    const std::string_view base =
        word.ends_with('+') ? std::string_view(word).substr(0, word.size() - 1) : word;
    if (is_spdx_license(base) || is_reference(word)) {
        return word;
    }
    std::string name = reference_of(word);
    out_->references[name] = word;
    return name;
}

std::string Reader::one(int depth) {
    if (next_ >= words_.size() || depth > kMaxDepth || at("and") || at("or") || at("with") ||
        at(")")) {
        good_ = false;
        return {};
    }
    const std::string word = words_[next_++];
    if (word == "(") {
        std::string inner = either(depth + 1);
        good_ = good_ && at(")");
        ++next_;
        return "(" + inner + ")";
    }
    if (!at("with")) {
        return license(word);
    }
    ++next_;
    if (next_ >= words_.size()) {
        good_ = false;
        return {};
    }
    const std::string exception = words_[next_++];
    const bool known = is_spdx_exception(exception);
    const std::string name = license(word);
    if (known && !name.starts_with("LicenseRef-")) {
        return name + " WITH " + exception;
    }
    // SPDX 2.3 has no reference for an exception: the pair becomes one license.
    const std::string pair = word + " WITH " + exception;
    out_->references.erase(name);
    const std::string reference = reference_of(pair);
    out_->references[reference] = pair;
    return reference;
}

}  // namespace

License normalize_license(std::string_view text) {
    text = trim(text);
    License out;
    if (text.empty()) {
        out.expression = "NOASSERTION";
        return out;
    }
    if (text == "NOASSERTION" || text == "NONE") {
        out.expression = text;
        return out;
    }
    if (text.size() <= kMaxText && Reader(text).read(out)) {
        for (const std::string_view word : split_words(replace_all(
                 replace_all(out.expression, "(", " "), ")", " "))) {
            if (is_reference(word)) {
                out.references.try_emplace(std::string(word), std::string(word));
            }
        }
        return out;
    }
    out = {};
    out.expression = reference_of(text);
    out.references[out.expression] = text;
    return out;
}

}  // namespace tarn::evidence
