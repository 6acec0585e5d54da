// SPDX-License-Identifier: MIT
#include "metadata/commands.hh"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>

#include "base/fs.hh"
#include "base/strings.hh"
#include "imds/imds.hh"
#include "metadata/attest.hh"
#include "metadata/hooks.hh"
#include "metadata/serve.hh"
#include "varlink/client.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

constexpr const char* kHelp = R"(usage: tarn-metadata COMMAND [OPTIONS]
The machine's metadata, tokens and scheduled events, through the broker that all programs share.

  get [PATH]                what is below PATH (/instance/compute/name, /loadbalancer, /versions)
  tags                      the machine's tags, one NAME=VALUE a line
  token --resource URI      a token of the managed identity; one of
                            --client-id ID, --object-id ID, --msi-res-id ID chooses which
  attest [--nonce DIGITS]   fetches the attested document and verifies it
         [--ca-file PEM] [--any-machine]
  events [--follow]         scheduled events, now or as they change
  events --ack ID [--force] lets one happen now
  status                    what the broker holds
  hooks                     runs the programs of events.d for each event (a service does this)
  serve                     is the broker (systemd starts it)
        [--imds ADDRESS[:PORT]] [--config DIRECTORY] [--idle SECONDS, 0: stay]

  --socket PATH   of the broker (/run/tarn/metadata.sock)
  --fresh         with get: not from the cache
  --timeout SECONDS
  -O json         print JSON
  -h, --help, --version
Exit code: 0 done, 1 failed, 2 wrong usage.
)";

constexpr const char* kSocketPath = "/run/tarn/metadata.sock";
constexpr const char* kDmiUuid = "/sys/class/dmi/id/product_uuid";
const std::vector<std::string> kCommands = {
    "get", "tags", "token", "attest", "events", "hooks", "serve", "status"};

struct Arguments {
    std::string command;
    std::vector<std::string> positional;
    std::map<std::string, std::string> options;
    bool has(const std::string& name) const { return options.contains(name); }
    std::string value(const std::string& name, const std::string& otherwise = {}) const {
        const auto found = options.find(name);
        return found == options.end() ? otherwise : found->second;
    }
    bool json() const { return value("-O") == "json"; }
    std::string socket() const { return value("--socket", kSocketPath); }
    std::chrono::milliseconds timeout() const {
        return std::chrono::seconds(parse_u64(value("--timeout")).value_or(130));
    }
};

// Which commands take an option, and whether it has a value.
struct Option {
    const char* name;
    bool has_value;
    std::vector<std::string> commands;  // empty: all
};
const std::vector<Option>& options() {
    static const std::vector<Option> kOptions = {
        {"--socket", true, {}},
        {"--timeout", true, {}},
        {"-O", true, {}},
        {"--fresh", false, {"get"}},
        {"--resource", true, {"token"}},
        {"--client-id", true, {"token"}},
        {"--object-id", true, {"token"}},
        {"--msi-res-id", true, {"token"}},
        {"--nonce", true, {"attest"}},
        {"--ca-file", true, {"attest"}},
        {"--any-machine", false, {"attest"}},
        {"--follow", false, {"events"}},
        {"--ack", true, {"events"}},
        {"--force", false, {"events"}},
        {"--imds", true, {"serve"}},
        {"--config", true, {"serve"}},
        {"--idle", true, {"serve"}},
    };
    return kOptions;
}

Result<void> take_option(const std::vector<std::string>& words, std::size_t& at, Arguments& out) {
    const std::size_t equals = words[at].find('=');
    const std::string name = words[at].substr(0, equals);
    const auto& all = options();
    const auto option =
        std::ranges::find_if(all, [&](const Option& one) { return one.name == name; });
    if (option == all.end()) {
        std::vector<std::string> names;
        for (const Option& one : all) {
            names.emplace_back(one.name);
        }
        return fail(ErrorKind::kUsage, "unknown option `{}`; {}", name, did_you_mean(name, names));
    }
    if (!option->commands.empty() &&
        std::ranges::find(option->commands, out.command) == option->commands.end()) {
        return fail(ErrorKind::kUsage, "`{}` takes no {}", out.command, name);
    }
    std::string value;
    if (option->has_value) {
        if (equals != std::string::npos) {
            value = words[at].substr(equals + 1);
        } else if (++at < words.size()) {
            value = words[at];
        } else {
            return fail(ErrorKind::kUsage, "{} needs a value", name);
        }
    } else if (equals != std::string::npos) {
        return fail(ErrorKind::kUsage, "{} takes no value", name);
    }
    if (!out.options.emplace(name, value).second) {
        return fail(ErrorKind::kUsage, "{} is given twice", name);
    }
    return {};
}

Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
    Arguments out;
    if (words.empty()) {
        return fail(ErrorKind::kUsage, "expected a command; see tarn-metadata --help");
    }
    out.command = words[0];
    if (std::ranges::find(kCommands, out.command) == kCommands.end()) {
        return fail(ErrorKind::kUsage,
                    "unknown command `{}`; {}",
                    out.command,
                    did_you_mean(out.command, kCommands));
    }
    for (std::size_t at = 1; at < words.size(); ++at) {
        if (words[at].starts_with('-') && words[at].size() > 1) {
            TARN_TRY(take_option(words, at, out));
        } else {
            out.positional.push_back(words[at]);
        }
    }
    if (out.positional.size() > (out.command == "get" ? 1U : 0U)) {
        return fail(ErrorKind::kUsage, "`{}` is one argument too many", out.positional.back());
    }
    if (out.has("-O") && !out.json() && out.value("-O") != "text") {
        return fail(ErrorKind::kUsage, "-O is text or json");
    }
    const auto number = parse_u64(out.value("--timeout", "1"));
    if (!number || *number == 0 || *number > 86'400) {
        return fail(ErrorKind::kUsage, "--timeout is a number of seconds");
    }
    return out;
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
}

nlohmann::json members(const std::string& text) {
    return nlohmann::json::parse(text, nullptr, false);
}

Error error_of(const Reply& reply) {
    const nlohmann::json parameters = members(reply.parameters);
    std::string text = reply.error;
    std::string what;
    if (reply.error == "org.varlink.service.PermissionDenied") {
        return error(ErrorKind::kFailed, "this user may not have that")
            .advise("a line in /etc/tarn/metadata.conf.d/*.conf grants it");
    }
    for (const auto& [name, value] : parameters.items()) {
        what += fmt::format("{}{}: {}",
                            what.empty() ? "" : ", ",
                            name,
                            value.is_string() ? value.get<std::string>() : dump_json(value));
    }
    return error(ErrorKind::kFailed, "{}{}", text, what.empty() ? "" : " (" + what + ")");
}

// The parameters of a reply that is no error.
Result<nlohmann::json> ask(const Arguments& arguments,
                           std::string_view method,
                           const std::string& parameters) {
    VarlinkClient client = TARN_TRY(VarlinkClient::connect(arguments.socket()));
    const Reply reply = TARN_TRY(client.call(method, parameters, arguments.timeout()));
    if (!reply.error.empty()) {
        return fail(error_of(reply));
    }
    return members(reply.parameters);
}

Result<void> command_get(const Arguments& arguments) {
    const std::string path = arguments.positional.empty() ? "/instance" : arguments.positional[0];
    const auto reply =
        TARN_TRY(ask(arguments,
                     "org.tarn.Metadata.Get",
                     object_text({{"key", string_text(path)},
                                  {"cache", arguments.has("--fresh") ? "false" : "true"}})));
    if (arguments.json()) {
        print(dump_json(reply));
        return {};
    }
    const std::string data = text_member(reply, "data");
    const auto json = parse_json(data);
    const bool structured = !reply.value("leaf", true) && json;
    print(structured ? dump_json(*json, 2) : data);
    return {};
}

Result<void> command_tags(const Arguments& arguments) {
    const auto reply = TARN_TRY(
        ask(arguments, "org.tarn.Metadata.Get", R"({"key":"/instance/compute/tagsList"})"));
    const auto tags = parse_json(text_member(reply, "data"));
    if (!tags || !tags->is_array()) {
        return fail(ErrorKind::kCorrupt, "/instance/compute/tagsList is no list");
    }
    nlohmann::json all = nlohmann::json::object();
    for (const auto& tag : *tags) {
        all[text_member(tag, "name")] = text_member(tag, "value");
    }
    if (arguments.json()) {
        print(dump_json(all));
        return {};
    }
    for (const auto& [name, value] : all.items()) {
        print(name + "=" + value.get<std::string>());
    }
    return {};
}

Result<void> command_token(const Arguments& arguments) {
    if (!arguments.has("--resource")) {
        return fail(ErrorKind::kUsage, "token needs --resource URI (https://vault.azure.net)");
    }
    Members parameters = {{"resource", string_text(arguments.value("--resource"))}};
    const std::vector<std::pair<const char*, const char*>> selectors = {
        {"--client-id", "clientId"}, {"--object-id", "objectId"}, {"--msi-res-id", "msiResId"}};
    for (const auto& [option, name] : selectors) {
        if (arguments.has(option)) {
            parameters.emplace_back(name, string_text(arguments.value(option)));
        }
    }
    if (parameters.size() > 2) {
        return fail(ErrorKind::kUsage, "only one of --client-id, --object-id and --msi-res-id");
    }
    const auto reply =
        TARN_TRY(ask(arguments, "org.tarn.Metadata.GetToken", object_text(parameters)));
    print(arguments.json() ? dump_json(reply) : text_member(reply, "accessToken"));
    return {};
}

// http://HOST[:PORT]/PATH, by name: certificates say where their issuers are.
Result<std::string> fetch_url(const std::string& url) {
    const std::string_view rest =
        std::string_view(url).substr(std::min<std::size_t>(7, url.size()));
    const std::size_t slash = rest.find('/');
    const std::string host(rest.substr(0, slash));
    if (!url.starts_with("http://") || host.empty() || slash == std::string_view::npos) {
        return fail(ErrorKind::kCorrupt, "`{}` is no http:// URL of a certificate", url);
    }
    const std::size_t colon = host.find(':');
    const auto port =
        colon == std::string::npos ? 80 : parse_u64(host.substr(colon + 1)).value_or(0);
    if (port == 0 || port > 65535) {
        return fail(ErrorKind::kCorrupt, "`{}` is no http:// URL of a certificate", url);
    }
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(host.substr(0, colon).c_str(), nullptr, &hints, &found);
    if (code != 0) {
        return fail(ErrorKind::kNetwork, "{}: {}", url, gai_strerror(code));
    }
    std::array<char, INET_ADDRSTRLEN> address{};
    const auto* in = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
    inet_ntop(AF_INET, &in->sin_addr, address.data(), address.size());
    freeaddrinfo(found);
    HttpRequest request;
    request.server = {address.data(), static_cast<std::uint16_t>(port)};
    request.host = host;
    request.target = rest.substr(slash);
    request.total_timeout = std::chrono::milliseconds(10'000);
    request.body_limit = 64u << 10;
    const HttpResponse response = TARN_TRY(http_request(request));
    if (response.status != 200) {
        return fail(ErrorKind::kNetwork, "{}: http {}", url, response.status);
    }
    return response.body;
}

std::string fresh_nonce() {
    std::uint64_t value = 0;
    (void)getrandom(&value, sizeof value, 0);
    return fmt::format("{:010}", value % 10'000'000'000ULL);
}

Result<void> command_attest(const Arguments& arguments) {
    const std::string nonce = arguments.value("--nonce", fresh_nonce());
    const auto reply = TARN_TRY(ask(
        arguments, "org.tarn.Metadata.GetAttested", object_text({{"nonce", string_text(nonce)}})));
    AttestPolicy policy;
    policy.ca_file = arguments.value("--ca-file");
    policy.now = std::time(nullptr);
    policy.nonce = nonce;
    policy.fetch = fetch_url;
    if (!arguments.has("--any-machine")) {
        const auto uuid = read_file(kDmiUuid, 4096);
        if (!uuid) {
            return fail(error(ErrorKind::kFailed, "{}", uuid.error().message)
                            .advise("as root, or with --any-machine, the document is verified "
                                    "without comparing machines"));
        }
        policy.vm_id = trim(*uuid);
    }
    const Attested attested = TARN_TRY(verify_attested(text_member(reply, "signature"), policy));
    if (arguments.json()) {
        print(dump_json({{"verified", true},
                         {"signer", attested.signer},
                         {"chain", attested.chain},
                         {"vmId", attested.data.vm_id},
                         {"nonce", attested.data.nonce},
                         {"expiresOn", attested.data.expires_on},
                         {"document", members(attested.payload)}}));
        return {};
    }
    print(fmt::format("verified: machine {}\nsubscription: {}\nsigner: {}\nnonce: {}",
                      attested.data.vm_id,
                      attested.data.subscription_id,
                      attested.signer,
                      attested.data.nonce));
    return {};
}

void print_events(const Arguments& arguments, const std::string& parameters) {
    const nlohmann::json reply = members(parameters);
    if (arguments.json()) {
        print(dump_json(reply));
    } else {
        for (const auto& event : reply.value("events", nlohmann::json::array())) {
            print(fmt::format("{}  {}  {}  {}  {}",
                              text_member(event, "EventId"),
                              text_member(event, "EventType"),
                              text_member(event, "EventStatus"),
                              text_member(event, "NotBefore"),
                              dump_json(event.value("Resources", nlohmann::json::array()))));
        }
    }
    std::fflush(stdout);
}

Result<void> command_events(const Arguments& arguments) {
    if (arguments.has("--ack")) {
        TARN_TRY(ask(arguments,
                     "org.tarn.Metadata.Acknowledge",
                     object_text({{"eventId", string_text(arguments.value("--ack"))},
                                  {"force", arguments.has("--force") ? "true" : "false"}})));
        return {};
    }
    VarlinkClient client = TARN_TRY(VarlinkClient::connect(arguments.socket()));
    const bool follow = arguments.has("--follow");
    TARN_TRY(client.send("org.tarn.Metadata.GetEvents", "{}", follow));
    do {
        // Who follows waits for as long as it takes.
        const bool patient = follow && !arguments.has("--timeout");
        const Reply reply =
            TARN_TRY(client.next(patient ? std::chrono::hours(500) : arguments.timeout()));
        if (!reply.error.empty()) {
            return fail(error_of(reply));
        }
        print_events(arguments, reply.parameters);
    } while (follow);
    return {};
}

Result<void> command_hooks(const Arguments& arguments) {
    const auto name =
        TARN_TRY(ask(arguments, "org.tarn.Metadata.Get", R"({"key":"/instance/compute/name"})"));
    const Loop clock = TARN_TRY(Loop::make());
    HookOptions options;
    options.machine = text_member(name, "data");
    const auto acknowledge = [&arguments](const std::string& id) {
        const auto done = ask(arguments,
                              "org.tarn.Metadata.Acknowledge",
                              object_text({{"eventId", string_text(id)}}));
        log_line(fmt::format("event {}: {}",
                             id,
                             done ? "acknowledged" : "not acknowledged: " + done.error().message));
    };
    HookRunner runner(clock, options, acknowledge, log_line);
    VarlinkClient client = TARN_TRY(VarlinkClient::connect(arguments.socket()));
    TARN_TRY(client.send("org.tarn.Metadata.GetEvents", "{}", true));
    bool running = false;
    for (;;) {
        pollfd ready{client.fd(), POLLIN, 0};
        if (client.buffered() || poll(&ready, 1, running ? 100 : -1) > 0) {
            const Reply reply = TARN_TRY(client.next(std::chrono::seconds(10)));
            const nlohmann::json parameters = members(reply.parameters);
            const auto document = parse_events(
                dump_json({{"Events", parameters.value("events", nlohmann::json::array())}}));
            if (!reply.error.empty() || !document) {
                return fail(reply.error.empty() ? document.error() : error_of(reply));
            }
            runner.take(*document);
        }
        running = runner.step();
    }
}

Result<void> command_serve(const Arguments& arguments) {
    ServeOptions options;
    options.server = TARN_TRY(Endpoint::parse(arguments.value("--imds", kImdsAddress)));
    options.socket = arguments.socket();
    options.configuration = arguments.value("--config", options.configuration);
    const auto idle = parse_u64(arguments.value("--idle", "600"));
    if (!idle || *idle > 86'400) {
        return fail(ErrorKind::kUsage, "--idle is a number of seconds");
    }
    options.exit_when_idle = std::chrono::seconds(*idle);
    return serve(options);
}

Result<void> command_status(const Arguments& arguments) {
    const auto reply = TARN_TRY(ask(arguments, "org.tarn.Metadata.GetStatus", "{}"));
    if (arguments.json()) {
        print(dump_json(reply));
        return {};
    }
    for (const auto& [name, value] : reply.items()) {
        print(fmt::format(
            "{}: {}", name, value.is_string() ? value.get<std::string>() : dump_json(value)));
    }
    return {};
}

Result<void> dispatch(const Arguments& arguments) {
    using Run = Result<void> (*)(const Arguments&);
    static const std::map<std::string, Run> kRun = {{"get", command_get},
                                                    {"tags", command_tags},
                                                    {"token", command_token},
                                                    {"attest", command_attest},
                                                    {"events", command_events},
                                                    {"hooks", command_hooks},
                                                    {"serve", command_serve},
                                                    {"status", command_status}};
    return kRun.at(arguments.command)(arguments);
}

}  // namespace

int run_metadata(const std::vector<std::string>& words) {
    if (!words.empty() && (words[0] == "--help" || words[0] == "-h" || words[0] == "--version")) {
        std::fputs(words[0] == "--version" ? "tarn-metadata 0.1.0\n" : kHelp, stdout);
        return 0;
    }
    const auto arguments = parse_arguments(words);
    auto done = arguments ? Result<void>() : Result<void>(fail(arguments.error()));
    try {
        done = arguments ? dispatch(*arguments) : done;
    } catch (const nlohmann::json::exception& odd) {
        done = fail(ErrorKind::kCorrupt, "the broker's answer makes no sense: {}", odd.what());
    }
    if (done) {
        return std::fflush(stdout) == 0 ? 0 : 1;
    }
    std::fprintf(stderr, "tarn-metadata: %s\n", done.error().message.c_str());
    for (const std::string& line : done.error().help) {
        std::fprintf(stderr, "  help: %s\n", line.c_str());
    }
    return done.error().kind == ErrorKind::kUsage ? 2 : 1;
}

}  // namespace tarn::guest
