// SPDX-License-Identifier: MIT
// The instance document and its like: cached, asked for again in the background, walked by path.
#include <utility>

#include "base/base64.hh"
#include "base/strings.hh"
#include "metadata/broker_detail.hh"

namespace tarn::guest {

void Broker::landed(Source& source, const Fetched& fetched) {
    for (auto& replies : source.replies) {
        replies.clear();
    }
    if (fetched.status == 200) {
        auto document = Document::parse(fetched.body);
        if (document) {
            source.document = std::move(*document);
            source.fetched = scheduler_.now();
            source.stale = false;
        } else {
            source.last = {0, {}, document.error().message};
            source.stale = true;
        }
    } else {
        source.stale = true;
    }
    if (source.stale) {
        source.next_refresh = scheduler_.now() + Millis(5000);
        log_(fmt::format("{}: {}", source.key, source.last.why));
        return;
    }
    if (&source != &instance_) {
        return;
    }
    std::string id = source.document->text("compute/vmId");
    if (id.empty()) {
        return;
    }
    if (!vm_id_.empty() && !same_vm_id(id, vm_id_)) {
        log_(
            fmt::format("the metadata service calls this machine {} now, and {} before: tokens are "
                        "asked for anew",
                        id,
                        vm_id_));
        std::erase_if(tokens_,
                      [](const auto& one) { return !one.second.pending && !one.second.landing; });
        for (auto& [key, entry] : tokens_) {
            entry.token.reset();
        }
    }
    vm_id_ = std::move(id);
}

void Broker::refresh(Source& source) {
    if (!source.pending) {
        start(source, source.request, [this, &source](const Fetched& fetched) {
            landed(source, fetched);
        });
    }
}

std::uint64_t Broker::with_document(Source& source,
                                    bool cached,
                                    const Answer& answer,
                                    std::function<std::uint64_t()> use) {
    const Millis age = scheduler_.now() - source.fetched;
    // While the service fails, the old document is better than none.
    const bool usable =
        age < 4 * options_.document_ttl || source.stale || !fetcher_.problem(source.key).empty();
    if (source.document && cached && usable) {
        if (age >= options_.document_ttl && scheduler_.now() >= source.next_refresh) {
            refresh(source);
        }
        return use();
    }
    if (!source.document && source.stale && scheduler_.now() < source.next_refresh) {
        return unavailable(answer, source.last);
    }
    const std::uint64_t ticket =
        wait(source, options_.document_patience, answer, [&source, answer, use = std::move(use)] {
            if (source.document) {
                use();
            } else {
                unavailable(answer, source.last);
            }
        });
    refresh(source);
    return ticket;
}

Broker::Source* Broker::source_of(std::string_view& path) {
    path = path.substr(0, path.find('?'));
    const auto strip = [&path](std::string_view part) {
        std::string_view rest = path;
        while (rest.starts_with('/')) {
            rest.remove_prefix(1);
        }
        if (!rest.starts_with(part) || (rest.size() > part.size() && rest[part.size()] != '/')) {
            return false;
        }
        path = rest.substr(part.size());
        return true;
    };
    strip("metadata");
    if (strip("instance")) {
        return &instance_;
    }
    if (strip("loadbalancer")) {
        return &balancer_;
    }
    return strip("versions") ? &versions_ : nullptr;
}

bool Broker::answer_path(Source& source,
                         const std::string& key,
                         std::string_view path,
                         Sight sight,
                         const Answer& answer) {
    auto& replies = source.replies[sight == Sight::kAll ? 0 : 1];
    if (const auto known = replies.find(key); known != replies.end()) {
        answer(known->second, true);
        return true;
    }
    auto found = source.document->find(path, sight);
    if (!found && &source == &balancer_) {
        found = source.document->find("loadbalancer/" + std::string(path), sight);
    }
    if (!found) {
        return false;
    }
    const std::string reply =
        reply_text(object_text({{"data", string_text(found->data)},
                                {"leaf", found->leaf ? "true" : "false"},
                                {"fetchedUSec", std::to_string(source.fetched.count() * 1000)},
                                {"stale", source.stale ? "true" : "false"}}));
    if (replies.size() < options_.max_replies) {
        replies.emplace(key, reply);
    }
    answer(reply, true);
    return true;
}

// Whoever is not root does not spend the machine's five questions a second.
bool Broker::may_be_cached(const Request& request, const Source& source) const {
    return flag_of(request.call, "cache", true) ||
           (!request.peer.is_root() && scheduler_.now() - source.fetched < Millis(10'000));
}

std::uint64_t Broker::get(const Request& request) {
    std::string key = text_of(request.call, "key");
    std::string_view path = key;
    Source* source = source_of(path);
    if (source == nullptr) {
        return refuse(request.answer, "org.tarn.Metadata.KeyNotFound", {{"key", string_text(key)}});
    }
    const Sight sight = request.peer.is_root() ? Sight::kAll : Sight::kPublic;
    const auto use = [this, source, key, rest = std::string(path), sight, answer = request.answer] {
        if (!answer_path(*source, key, rest, sight, answer)) {
            return refuse(answer, "org.tarn.Metadata.KeyNotFound", {{"key", string_text(key)}});
        }
        return std::uint64_t{0};
    };
    return with_document(*source, may_be_cached(request, *source), request.answer, use);
}

std::uint64_t Broker::get_systemd(const Request& request) {
    const std::string key = text_of(request.call, "key");
    const std::string name = text_of(request.call, "wellKnown");
    std::string_view path = key;
    const bool by_name = !name.empty() && name != "base";
    Source* source = by_name ? &instance_ : source_of(path);
    if (by_name && (!is_well_known(name) || !key.empty())) {
        return refuse(request.answer, "io.systemd.InstanceMetadata.NotSupported");
    }
    if (source == nullptr) {
        return refuse(request.answer, "io.systemd.InstanceMetadata.KeyNotFound");
    }
    const Sight sight = request.peer.is_root() ? Sight::kAll : Sight::kPublic;
    const auto use =
        [source, by_name, name, rest = std::string(path), sight, answer = request.answer] {
            std::optional<std::string> data;
            if (by_name) {
                data = well_known(*source->document, name, sight);
            } else if (auto found = source->document->find(rest, sight)) {
                data = std::move(found->data);
            }
            if (!data) {
                return refuse(answer,
                              by_name ? "io.systemd.InstanceMetadata.WellKnownKeyUnset"
                                      : "io.systemd.InstanceMetadata.KeyNotFound");
            }
            answer(reply_text(object_text({{"data", string_text(base64(*data))}})), true);
            return std::uint64_t{0};
        };
    return with_document(*source, may_be_cached(request, *source), request.answer, use);
}

}  // namespace tarn::guest
