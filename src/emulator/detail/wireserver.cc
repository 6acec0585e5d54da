// SPDX-License-Identifier: MIT
// 168.63.129.16: goal state, and who is ready.
#include "base/hash.hh"
#include "base/strings.hh"
#include "emulator/detail/platform.hh"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace tarn::emulator {

namespace {

constexpr const char* kVersion = "2012-11-30";
constexpr const char* kIncarnation = "1";
constexpr std::size_t kMaxReports = 100;  // kept of one instance
constexpr std::size_t kMaxText = 4096;    // of a description
constexpr const char* kXmlHead = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

struct FreeDocument {
    void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

bool named(const xmlNode* node, const char* name) {
    return node->type == XML_ELEMENT_NODE &&
           std::string_view(reinterpret_cast<const char*>(node->name)) == name;
}

const xmlNode* child(const xmlNode* node, const char* name) {
    for (const xmlNode* each = node != nullptr ? node->children : nullptr; each != nullptr;
         each = each->next) {
        if (named(each, name)) {
            return each;
        }
    }
    return nullptr;
}

const xmlNode* inside(const xmlNode* node, std::initializer_list<const char*> path) {
    for (const char* name : path) {
        node = child(node, name);
    }
    return node;
}

std::string text_of(const xmlNode* node) {
    if (node == nullptr) {
        return {};
    }
    xmlChar* text = xmlNodeGetContent(node);
    std::string out = text != nullptr ? reinterpret_cast<const char*>(text) : "";
    xmlFree(text);
    return std::string(trim(out)).substr(0, kMaxText);
}

bool known_state(const std::string& state) {
    return state == "Ready" || state == "NotReady";
}

}  // namespace

std::string container_id(const Instance& instance) {
    const std::string hex = sha256_hex("container " + instance.name);
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20, 12);
}

std::string role_instance_id(const Instance& instance) {
    return "_" + instance.name;
}

Result<XmlHealth> parse_health_xml(std::string_view xml) {
    const std::unique_ptr<xmlDoc, FreeDocument> document(
        xmlReadMemory(xml.data(),
                      static_cast<int>(xml.size()),
                      "health",
                      nullptr,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
    if (document != nullptr && document->intSubset != nullptr) {
        return fail(ErrorKind::kCorrupt, "a document type is not accepted");
    }
    const xmlNode* root = document != nullptr ? xmlDocGetRootElement(document.get()) : nullptr;
    if (root == nullptr || !named(root, "Health")) {
        return fail(ErrorKind::kCorrupt, "the body is no <Health> document");
    }
    XmlHealth out;
    out.incarnation = text_of(child(root, "GoalStateIncarnation"));
    const xmlNode* container = child(root, "Container");
    out.container = text_of(child(container, "ContainerId"));
    const xmlNode* role = inside(container, {"RoleInstanceList", "Role"});
    out.instance = text_of(child(role, "InstanceId"));
    const xmlNode* health = child(role, "Health");
    out.report.form = "xml";
    out.report.state = text_of(child(health, "State"));
    out.report.substatus = text_of(inside(health, {"Details", "SubStatus"}));
    out.report.description = text_of(inside(health, {"Details", "Description"}));
    if (!known_state(out.report.state)) {
        return fail(ErrorKind::kCorrupt,
                    "Container/RoleInstanceList/Role/Health/State is neither "
                    "Ready nor NotReady");
    }
    return out;
}

Result<HealthReport> parse_health_json(std::string_view json) {
    const auto root = nlohmann::json::parse(json, nullptr, false);
    HealthReport report;
    report.form = "json";
    const auto text = [](const nlohmann::json& object, const char* name) -> std::string {
        const auto found = object.is_object() ? object.find(name) : object.end();
        return object.is_object() && found != object.end() && found->is_string()
                   ? found->get<std::string>().substr(0, kMaxText)
                   : "";
    };
    report.state = text(root, "state");
    if (!known_state(report.state)) {
        return fail(ErrorKind::kCorrupt, "state is neither Ready nor NotReady");
    }
    if (const auto details = root.find("details"); details != root.end()) {
        report.substatus = text(*details, "subStatus");
        report.description = text(*details, "description");
    }
    return report;
}

Answer Platform::record(const Turn& turn, HealthReport report) {
    auto& kept = turn.state.health;
    const bool ready_before = !kept.empty() && kept.back().state == "Ready";
    if (ready_before && report.state != "Ready") {
        return Answer::text(400, "the machine is ready already\n");
    }
    const std::string* agent = turn.request.header("x-ms-guest-agent-name");
    if (agent == nullptr) {
        agent = turn.request.header("x-ms-agent-name");
    }
    report.agent = agent != nullptr ? agent->substr(0, kMaxText) : "";
    report.seconds = turn.now;
    if (on_event_) {
        const nlohmann::ordered_json line{{"event", "health"},
                                          {"instance", turn.state.instance->name},
                                          {"state", report.state},
                                          {"substatus", report.substatus},
                                          {"description", report.description},
                                          {"form", report.form},
                                          {"agent", report.agent},
                                          {"seconds", report.seconds},
                                          {"time", turn.wall}};
        on_event_(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (kept.size() == kMaxReports) {
        kept.erase(kept.begin());
    }
    kept.push_back(std::move(report));
    return Answer::xml(200, "");
}

Answer Platform::goal_state(const Turn& turn) const {
    const Instance& instance = *turn.state.instance;
    const std::string base =
        std::string("http://") + kWireserverAddress + "/machine/" + container_id(instance);
    return Answer::xml(
        200,
        fmt::format("{}<GoalState><Version>{}</Version><Incarnation>{}</Incarnation>"
                    "<Machine><ExpectedState>Started</ExpectedState>"
                    "<StopRolesDeadlineHint>300000</StopRolesDeadlineHint>"
                    "<LBProbePorts><Port>16001</Port></LBProbePorts></Machine>"
                    "<Container><ContainerId>{}</ContainerId><RoleInstanceList><RoleInstance>"
                    "<InstanceId>{}</InstanceId><State>Started</State><Configuration>"
                    "<ExtensionsConfig>{}?comp=config&amp;type=extensionsConfig</ExtensionsConfig>"
                    "<Certificates>{}?comp=certificates</Certificates></Configuration>"
                    "</RoleInstance></RoleInstanceList></Container></GoalState>",
                    kXmlHead,
                    kVersion,
                    kIncarnation,
                    container_id(instance),
                    role_instance_id(instance),
                    base,
                    base));
}

Answer Platform::health_xml(const Turn& turn) {
    const Instance& instance = *turn.state.instance;
    auto told = parse_health_xml(turn.request.body);
    if (!told) {
        return Answer::text(400, told.error().message + "\n");
    }
    if (told->incarnation != kIncarnation) {
        return Answer::text(410, "the goal state has moved on\n");
    }
    if (told->container != container_id(instance) || told->instance != role_instance_id(instance)) {
        return Answer::text(400, "that is another machine's container or instance\n");
    }
    return record(turn, std::move(told->report));
}

Answer Platform::health_json(const Turn& turn) {
    auto told = parse_health_json(turn.request.body);
    if (!told) {
        return Answer::text(400, told.error().message + "\n");
    }
    Answer answer = record(turn, std::move(*told));
    answer.status = answer.status == 200 ? 201 : answer.status;
    return answer;
}

Answer Platform::wireserver(const Turn& turn) {
    const Request& request = turn.request;
    std::string path = request.path;
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    if (request.header("x-forwarded-for") != nullptr) {
        return Answer::text(400, "X-Forwarded-For is not accepted\n");
    }
    if (path == "/provisioning/health") {
        return request.method == "POST" ? health_json(turn) : Answer::text(405, "only POST\n");
    }
    const std::string* component = request.parameter("comp");
    if (component == nullptr || (path != "/" && path != "/machine")) {
        return Answer::text(404, "not found\n");
    }
    if (path == "/" && *component == "versions") {
        return Answer::xml(
            200,
            fmt::format("{}<Versions><Preferred><Version>{}</Version></Preferred><Supported>"
                        "<Version>{}</Version></Supported></Versions>",
                        kXmlHead,
                        kVersion,
                        kVersion));
    }
    const std::string* version = request.header("x-ms-version");
    if (version == nullptr || *version != kVersion) {
        return Answer::text(400, fmt::format("x-ms-version: {} is missing\n", kVersion));
    }
    if (path == "/machine" && *component == "goalstate") {
        return request.method == "GET" ? goal_state(turn) : Answer::text(405, "only GET\n");
    }
    if (path == "/machine" && *component == "health") {
        return request.method == "POST" ? health_xml(turn) : Answer::text(405, "only POST\n");
    }
    if (path == "/machine" && (*component == "telemetrydata" || *component == "roleProperties")) {
        return request.method == "POST" ? Answer::xml(200, "") : Answer::text(405, "only POST\n");
    }
    return Answer::text(404, "not found\n");
}

}  // namespace tarn::emulator
