// SPDX-License-Identifier: MIT
#include "pgp/detail/rnp.hh"

#include "base/fd.hh"
#include "pgp/detail/ed25519.hh"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace tarn::rnp {

namespace {

// Calls a librnp getter that hands out a string to be freed; empty when it fails.
template <class Getter>
std::string text_of(Getter getter, rnp_key_handle_t key) {
    char* text = nullptr;
    if (getter(key, &text) != RNP_SUCCESS || text == nullptr) {
        return {};
    }
    const Buffer owner(text);
    return text;
}

KeyAlgorithm algorithm_of(const std::string& name) {
    if (name == "EDDSA") {
        return KeyAlgorithm::kEd25519;
    }
    return name == "RSA" ? KeyAlgorithm::kRsa4096 : KeyAlgorithm::kOther;
}

}  // namespace

Error failure(std::string_view what, rnp_result_t code) {
    return error(ErrorKind::kFailed, "{}: {}", what, rnp_result_to_string(code));
}

Result<Ffi> make_ffi() {
    rnp_ffi_t raw = nullptr;
    if (const auto code = rnp_ffi_create(&raw, RNP_KEYSTORE_GPG, RNP_KEYSTORE_GPG)) {
        return fail(failure("cannot start the OpenPGP library", code));
    }
    Ffi ffi(raw);
    Fd null = TARN_TRY(open_file("/dev/null", O_WRONLY));
    if (rnp_ffi_set_log_fd(raw, null.get()) == RNP_SUCCESS) {
        null.release();  // closed with the ffi
    }
    return ffi;
}

Result<Input> input_of(std::string_view bytes) {
    static constexpr std::uint8_t kNothing = 0;
    rnp_input_t raw = nullptr;
    const auto* data =
        bytes.empty() ? &kNothing : reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (const auto code = rnp_input_from_memory(&raw, data, bytes.size(), false)) {
        return fail(failure("cannot read from memory", code));
    }
    return Input(raw);
}

Result<Output> memory_output() {
    rnp_output_t raw = nullptr;
    if (const auto code = rnp_output_to_memory(&raw, 0)) {
        return fail(failure("cannot write to memory", code));
    }
    return Output(raw);
}

std::string_view bytes_of(const Output& output) {
    std::uint8_t* data = nullptr;
    std::size_t size = 0;
    if (rnp_output_memory_get_buf(output.get(), &data, &size, false) != RNP_SUCCESS || size == 0) {
        return {};
    }
    return {reinterpret_cast<const char*>(data), size};
}

void quietly(const std::function<void()>& work) {
    const auto body = [&work] {
        // An empty range: nothing is closed, the table of descriptors becomes this thread's own.
        if (::close_range(~0U, ~0U, CLOSE_RANGE_UNSHARE) == 0) {
            if (const auto null = open_file("/dev/null", O_WRONLY)) {
                ::dup2(null->get(), STDERR_FILENO);
            }
        }
        work();
    };
    std::thread thread;
    try {
        thread = std::thread(body);
    } catch (const std::system_error&) {
        work();  // no more threads to be had: rather noisy than not at all
        return;
    }
    thread.join();
}

Result<void> import_keys(const Ffi& ffi,
                         std::string_view bytes,
                         std::uint32_t flags,
                         std::string_view name) {
    const Input input = TARN_TRY(input_of(bytes));
    rnp_result_t code = RNP_SUCCESS;
    quietly([&] {
        code = rnp_import_keys(ffi.get(), input.get(), flags | RNP_LOAD_SAVE_PERMISSIVE, nullptr);
    });
    if (code != RNP_SUCCESS) {
        return fail(ErrorKind::kCorrupt,
                    "{} holds no OpenPGP keys that can be read: {}",
                    name,
                    rnp_result_to_string(code));
    }
    return {};
}

KeyInfo key_info(rnp_key_handle_t key) {
    KeyInfo info;
    info.fingerprint = text_of(rnp_key_get_fprint, key);
    info.key_id = text_of(rnp_key_get_keyid, key);
    info.user_id = text_of(rnp_key_get_primary_uid, key);
    info.algorithm = algorithm_of(text_of(rnp_key_get_alg, key));
    std::uint32_t created = 0;
    std::uint32_t lifetime = 0;
    rnp_key_get_creation(key, &created);
    rnp_key_get_expiration(key, &lifetime);
    info.created = created;
    info.expires = lifetime == 0 ? 0 : std::int64_t{created} + lifetime;
    if (info.algorithm == KeyAlgorithm::kEd25519) {
        if (const auto packet = export_key(key, RNP_KEY_EXPORT_PUBLIC, Armor::kNo)) {
            const auto numbers = pgp::parse_ed25519_key(*packet);
            info.point = numbers ? numbers->point : std::string();
        }
    }
    return info;
}

KeyInfo primary_info(const Ffi& ffi, rnp_key_handle_t key) {
    bool is_subkey = false;
    if (rnp_key_is_sub(key, &is_subkey) == RNP_SUCCESS && is_subkey) {
        const std::string fingerprint = text_of(rnp_key_get_primary_fprint, key);
        rnp_key_handle_t raw = nullptr;
        if (!fingerprint.empty() &&
            rnp_locate_key(ffi.get(), "fingerprint", fingerprint.c_str(), &raw) == RNP_SUCCESS &&
            raw != nullptr) {
            const Key primary(raw);
            return key_info(raw);
        }
    }
    return key_info(key);
}

Result<std::string> export_key(rnp_key_handle_t key, std::uint32_t flags, Armor armor) {
    const Output output = TARN_TRY(memory_output());
    const std::uint32_t form = armor == Armor::kYes ? std::uint32_t{RNP_KEY_EXPORT_ARMORED} : 0U;
    if (const auto code = rnp_key_export(key, output.get(), flags | form)) {
        return fail(failure("cannot export the key", code));
    }
    return std::string(bytes_of(output));
}

}  // namespace tarn::rnp
