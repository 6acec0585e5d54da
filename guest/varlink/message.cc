// SPDX-License-Identifier: MIT
#include "varlink/message.hh"

#include "varlink/json.hh"

namespace tarn::guest {

bool shallow(std::string_view json, unsigned deepest) {
    unsigned depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest) {
                return false;
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return true;
}

namespace {

bool flag(const nlohmann::json& message, const char* name) {
    const auto found = message.find(name);
    return found != message.end() && found->is_boolean() && found->get<bool>();
}

void take_parameters(const nlohmann::json& parameters, ParsedCall& out) {
    for (const auto& [name, value] : parameters.items()) {
        if (value.is_string()) {
            out.call.parameters.emplace(name, value.get_ref<const std::string&>());
        } else if (value.is_boolean()) {
            out.call.parameters.emplace(name, value.get<bool>());
        } else if (value.is_number_integer()) {
            out.call.parameters.emplace(name, value.get<std::int64_t>());
        } else if (!value.is_null()) {
            out.odd_parameter = name;
        }
    }
}

}  // namespace

Result<ParsedCall> parse_call(std::string_view message) {
    if (message.size() > kMaxCall) {
        return fail(ErrorKind::kCorrupt, "a call of more than {} bytes", kMaxCall);
    }
    const auto json = parse_json(message);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "a call is a JSON object");
    }
    const auto method = json->find("method");
    if (method == json->end() || !method->is_string()) {
        return fail(ErrorKind::kCorrupt, "a call without `method`");
    }
    ParsedCall out;
    out.call.method = method->get<std::string>();
    out.call.more = flag(*json, "more");
    out.call.oneway = flag(*json, "oneway");
    const auto parameters = json->find("parameters");
    if (parameters != json->end() && !parameters->is_null()) {
        if (!parameters->is_object()) {
            return fail(ErrorKind::kCorrupt, "`parameters` of a call is an object");
        }
        take_parameters(*parameters, out);
    }
    return out;
}

std::string string_text(std::string_view value) {
    return dump_json(nlohmann::json(std::string(value)));
}

std::string object_text(const Members& members) {
    std::string text = "{";
    for (const auto& [name, value] : members) {
        text += fmt::format("{}\"{}\":{}", text.size() > 1 ? "," : "", name, value);
    }
    return text + "}";
}

std::string reply_text(std::string_view parameters, bool continues) {
    std::string text = "{\"parameters\":";
    text += parameters;
    text += continues ? ",\"continues\":true}" : "}";
    return text;
}

std::string error_text(std::string_view name, std::string_view parameters) {
    return fmt::format("{{\"error\":{},\"parameters\":{}}}", string_text(name), parameters);
}

std::string call_text(std::string_view method, std::string_view parameters, bool more) {
    return fmt::format("{{\"method\":{},\"parameters\":{}{}}}",
                       string_text(method),
                       parameters,
                       more ? ",\"more\":true" : "");
}

Result<Reply> parse_reply(std::string_view message) {
    const auto json = parse_json(message);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "a reply is a JSON object");
    }
    Reply reply;
    reply.error = text_member(*json, "error");
    reply.continues = flag(*json, "continues");
    const auto parameters = json->find("parameters");
    if (parameters != json->end() && parameters->is_object()) {
        reply.parameters = dump_json(*parameters);
    } else {
        reply.parameters = "{}";
    }
    return reply;
}

}  // namespace tarn::guest
