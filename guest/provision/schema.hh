// SPDX-License-Identifier: MIT
// The keys of #cloud-config as data: one table that validates, words the errors, suggests names and
// is printed as documentation.
#pragma once

#include "provision/problem.hh"
#include "provision/yaml.hh"

#include <span>
#include <string>
#include <string_view>

namespace tarn::guest {

// Which values a key takes; `nothing` is taken everywhere and means that the key is not there.
enum Takes : unsigned {
    kTakesBool = 1,  // also the words cloud-init takes for it, in quotes
    kTakesInt = 2,
    kTakesText = 4,
    kTakesList = 8,
    kTakesMap = 16,
    kTakesAnything = 32,
};

enum class Handling {
    kNative,    // applied
    kAccepted,  // read and without effect: what it asks for is so already, or is nothing here
    kHandOver,  // a key of cloud-init that only cloud-init applies
};

struct Key {
    std::string_view name;
    unsigned takes = 0;
    std::string_view about{};        // for the reference
    std::string_view choices{};      // text must be one of these: "gpt|mbr"
    std::span<const Key> members{};  // of a mapping; empty: any
    const Key* item = nullptr;       // of a list; nullptr: any
    const Key* each = nullptr;       // of a mapping whose keys are names of the document's own
    Handling handling = Handling::kNative;
    bool secret = false;  // its lines are never shown
};

// All that is wrong with a document.
void check_document(const Node& root, std::span<const Key> keys, Problems& problems);

// The table as Markdown rows, nested keys as `users[].name`.
std::string reference(std::span<const Key> keys);

// "true", "yes", "on", "1" and their opposites, in quotes or not.
bool is_true(const Node& node);

extern const std::span<const Key> kCloudConfigKeys;
extern const std::span<const Key> kNetworkConfigKeys;

}  // namespace tarn::guest
