// SPDX-License-Identifier: MIT
// MIME messages (RFC 2045, 2046) as cloud-init's users wrap them: multipart of any depth, each part
// 7bit, 8bit, binary, base64 or quoted-printable.
// Limits: 4 MiB, 100 parts, depth 5, 100 header lines.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct MimePart {
    std::string type;          // "text/cloud-config", in lower case; text/plain when there is none
    std::string filename;      // of Content-Disposition or Content-Type; empty when there is none
    bool merge_rules = false;  // it has Merge-Type or X-Merge-Type
    std::string body;          // decoded
    unsigned line = 1;         // where the body begins in the message
};

// "Content-Type:" or "MIME-Version:" at its beginning, any case.
bool looks_like_mime(std::string_view text);

// The leaves, in order. kUsage with the line that is wrong.
Result<std::vector<MimePart>> parse_mime(std::string_view document, std::string_view text);

}  // namespace tarn::guest
