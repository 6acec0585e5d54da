// SPDX-License-Identifier: MIT
// The instance document and the load balancer's, as clients see them: a path below a JSON value,
// with user data left out for all but root.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace tarn::guest {

struct Found {
    std::string data;  // a leaf's text, else JSON
    bool leaf = false;
};

enum class Sight { kAll, kPublic };

class Document {
  public:
    // kCorrupt unless it is a JSON object.
    static Result<Document> parse(std::string_view json);
    // "compute/name", "network/interface/0"; empty: all of it. Case of names does not matter when
    // nothing has it as given.
    std::optional<Found> find(std::string_view path, Sight sight) const;
    std::string text(std::string_view path) const;  // a leaf of all, or empty

  private:
    struct Tree;
    std::shared_ptr<const Tree> all_, public_;
};

// The name of systemd's InstanceMetadata ("hostname", "region", "zone", "ipv4_public",
// "ipv6_public", "ssh_key", "userdata"); nothing when the document has none or there is no such.
std::optional<std::string> well_known(const Document& document, std::string_view name, Sight sight);
bool is_well_known(std::string_view name);

// Whether two UUIDs name one machine: case does not matter, nor that firmware of the first
// generation of machines swaps the bytes of the first three groups.
bool same_vm_id(std::string_view a, std::string_view b);

}  // namespace tarn::guest
