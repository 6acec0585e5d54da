// SPDX-License-Identifier: MIT
// A payload (custom data, user data) as parts with a kind each, known by their first bytes and by
// their MIME types; gzip and MIME around them are taken away.
// Limits: 1 MiB as it comes, 8 MiB unpacked and no more than 200 times its size; gzip twice at
// most.
#pragma once

#include "base/result.hh"

#include "provision/problem.hh"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct PayloadPart {
    enum class Kind { kCloudConfig, kScript };
    Kind kind = Kind::kCloudConfig;
    std::string name;  // for messages: "user-data", "user-data, part 2 (setup.sh)"
    std::string file;  // a script's file name: "part-001", or the one it was given; no '/'
    std::string text;
};

struct Payload {
    std::vector<PayloadPart> parts;
    Problems problems;    // parts only cloud-init may read
    std::string ignored;  // why the payload is no configuration at all: data of an application
};

// kUsage: broken gzip, broken MIME, a template that cannot be filled in.
Result<Payload> read_payload(std::string_view document,
                             std::string_view bytes,
                             const std::map<std::string, std::string>& variables);

// kUsage: no gzip, cut off, more than `limit` bytes.
Result<std::string> gunzip(std::string_view what, std::string_view bytes, std::size_t limit);

}  // namespace tarn::guest
