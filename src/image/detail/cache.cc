// SPDX-License-Identifier: MIT
#include "image/detail/cache.hh"

namespace tarn::image {

// The document is one JSON string: "<hex>/<size>".
std::optional<Digest> kept_blob(const Store& store, const Digest& key) {
    const auto text = store.result("image", key);
    if (!text || text->size() < 2) {
        return std::nullopt;
    }
    const auto digest = Digest::parse(std::string_view(*text).substr(1, text->size() - 2));
    return digest && store.has(*digest) ? digest : std::nullopt;
}

Result<Digest> keep_blob(const Store& store, const Digest& key, std::string_view bytes) {
    const Digest digest = TARN_TRY(store.put(bytes));
    TARN_TRY(store.put_result("image", key, "\"" + digest.to_string() + "\""));
    return digest;
}

}  // namespace tarn::image
