// SPDX-License-Identifier: MIT
// Handles of librnp that free themselves, and what both keys and keyrings need of it.
#pragma once

#include "base/result.hh"
#include "pgp/pgp.hh"

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace tarn::rnp {

template <auto Destroy>
struct Deleter {
    template <class T>
    void operator()(T* handle) const {
        Destroy(handle);
    }
};
template <class HandlePointer, auto Destroy>
using Handle = std::unique_ptr<std::remove_pointer_t<HandlePointer>, Deleter<Destroy>>;

using Ffi = Handle<rnp_ffi_t, rnp_ffi_destroy>;
using Key = Handle<rnp_key_handle_t, rnp_key_handle_destroy>;
using Input = Handle<rnp_input_t, rnp_input_destroy>;
using Output = Handle<rnp_output_t, rnp_output_destroy>;
using SignOperation = Handle<rnp_op_sign_t, rnp_op_sign_destroy>;
using VerifyOperation = Handle<rnp_op_verify_t, rnp_op_verify_destroy>;
using GenerateOperation = Handle<rnp_op_generate_t, rnp_op_generate_destroy>;
using Signature = Handle<rnp_signature_handle_t, rnp_signature_handle_destroy>;
using Identifiers = Handle<rnp_identifier_iterator_t, rnp_identifier_iterator_destroy>;
using Buffer = Handle<char*, rnp_buffer_destroy>;

// kFailed with librnp's own words for `code`.
Error failure(std::string_view what, rnp_result_t code);

// An empty pair of rings that writes nothing to the terminal.
Result<Ffi> make_ffi();
// Does not copy: `bytes` must outlive the input.
Result<Input> input_of(std::string_view bytes);
Result<Output> memory_output();
std::string_view bytes_of(const Output& output);

// librnp 0.16 tells what it dislikes about outside bytes on stderr and cannot be told not to. Runs
// `work` on a thread whose descriptor 2 leads nowhere; that of all other threads stays as it is.
// Not for work that makes a key or signature: a descriptor opened in there is lost afterwards, and
// the random generator keeps one.
void quietly(const std::function<void()>& work);

// Armored or binary keys, several after each other; keys librnp cannot read are left out.
Result<void> import_keys(const Ffi& ffi,
                         std::string_view bytes,
                         std::uint32_t flags,
                         std::string_view name);
KeyInfo key_info(rnp_key_handle_t key);
// The key, or the primary key above it when it is a subkey.
KeyInfo primary_info(const Ffi& ffi, rnp_key_handle_t key);
enum class Armor { kNo, kYes };
Result<std::string> export_key(rnp_key_handle_t key,
                               std::uint32_t flags,
                               Armor armor = Armor::kYes);

}  // namespace tarn::rnp
