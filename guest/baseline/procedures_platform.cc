// SPDX-License-Identifier: MIT
// claims: whether the machine is what the platform says it is.
#include "base/strings.hh"

#include "baseline/detail/facts.hh"
#include "baseline/detail/procedure.hh"
#include "baseline/detail/sshd.hh"
#include <nlohmann/json.hpp>

namespace tarn::guest::baseline {
namespace {

using Json = nlohmann::json;

// The first member of this name, however deep; the document may be a string in the answer.
std::string member(const Json& json, const std::string& name, int depth = 0) {
    if (depth > 16) {
        return {};
    }
    if (json.is_string()) {
        const Json inner = Json::parse(json.get_ref<const std::string&>(), nullptr, false);
        return inner.is_object() ? member(inner, name, depth + 1) : std::string();
    }
    if (!json.is_object()) {
        return {};
    }
    for (const auto& [key, value] : json.items()) {
        if (key == name && value.is_string()) {
            return to_lower(value.get_ref<const std::string&>());
        }
        if (key == name && value.is_boolean()) {
            return value.get<bool>() ? "true" : "false";
        }
        if (std::string found = member(value, name, depth + 1); !found.empty()) {
            return found;
        }
    }
    return {};
}

void add_claim(Judgement& out,
               const std::string& what,
               const std::string& claimed,
               bool is,
               const std::string& source) {
    if (claimed.empty()) {
        out.add(Status::kNotApplicable, what, "the platform says nothing of it");
        return;
    }
    out.add((claimed == "true") == is ? Status::kPass : Status::kFail,
            what,
            std::string(is ? "on" : "off") + ", the platform says " + claimed,
            source);
}

bool secure_boot(const Facts& facts) {
    const auto bytes = facts.target.read(
        "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", 4096);
    return bytes && bytes->size() > 4 && (*bytes)[4] == 1;
}

void judge_password_login(const Facts& facts, const std::string& disabled, Judgement& out) {
    const auto& options = facts.sshd();
    if (disabled != "true" || !options) {
        out.add(
            Status::kNotApplicable, "password-login", "the platform does not ask for keys alone");
        return;
    }
    for (const std::string keyword : {"passwordauthentication", "kbdinteractiveauthentication"}) {
        const SshdValue value = sshd_value(*options, keyword);
        out.add(
            value.value == "no" ? Status::kPass : Status::kFail, keyword, value.value, value.where);
    }
}

void judge_claims(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("as the platform says");
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "claims", "are known of a running machine only");
        return;
    }
    const auto text = facts.target.platform();
    if (!text) {  // a platform that does not answer now is no fault of the machine
        const bool none = text.error().kind == ErrorKind::kNotFound;
        out.add(
            none ? Status::kNotApplicable : Status::kNotChecked, "platform", text.error().message);
        return;
    }
    const Json document = Json::parse(*text, nullptr, false);
    if (!document.is_object()) {
        out.add(Status::kError, "platform", "its answer is no JSON object");
        return;
    }
    for (const std::string& claim : rule.list("claims")) {
        if (claim == "secure-boot") {
            add_claim(out,
                      claim,
                      member(document, "secureBootEnabled"),
                      secure_boot(facts),
                      "/sys/firmware/efi/efivars");
        } else if (claim == "tpm") {
            add_claim(out,
                      claim,
                      member(document, "virtualTpmEnabled"),
                      facts.target.exists("/sys/class/tpm/tpm0"),
                      "/sys/class/tpm");
        } else if (claim == "password-login") {
            judge_password_login(facts, member(document, "disablePasswordAuthentication"), out);
        } else {
            out.add(Status::kError, "claims", "`" + claim + "` is no claim");
        }
    }
}

}  // namespace

std::vector<Procedure> platform_procedures() {
    return {{"claims", {{"claims", true, true}}, judge_claims}};
}

}  // namespace tarn::guest::baseline
