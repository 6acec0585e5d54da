// SPDX-License-Identifier: MIT
#include "baseline/detail/netlink.hh"

#include "base/fd.hh"

#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

namespace tarn::guest::baseline {
namespace {

constexpr std::size_t kMessages = 100'000;

template <class T>
T take(std::string_view bytes, std::size_t at) {
    T value{};
    if (at <= bytes.size() && bytes.size() - at >= sizeof value) {
        std::memcpy(&value, bytes.data() + at, sizeof value);
    }
    return value;
}

using Answer = std::function<void(unsigned type, std::string_view body)>;

// One request; `answer` sees every message until the end of the dump, an acknowledgement or an
// error. Two seconds without an answer are an error.
Result<void> ask(int protocol,
                 unsigned type,
                 unsigned flags,
                 std::string_view body,
                 unsigned last_type,
                 const Answer& answer) {
    Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (!fd) {
        return fail(sys_error("open", "a netlink socket"));
    }
    const timeval limit{2, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
    header.nlmsg_type = static_cast<std::uint16_t>(type);
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = 1;
    std::string message(reinterpret_cast<const char*>(&header), sizeof header);
    message += body;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(fd.get(),
                 message.data(),
                 message.size(),
                 0,
                 reinterpret_cast<const sockaddr*>(&kernel),
                 sizeof kernel) < 0) {
        return fail(sys_error("ask", "the kernel"));
    }
    std::string buffer(64u << 10, '\0');
    for (std::size_t seen = 0; seen < kMessages;) {
        sockaddr_nl from{};
        socklen_t length = sizeof from;
        const ssize_t got = ::recvfrom(
            fd.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(sys_error("hear from", "the kernel"));
        }
        if (from.nl_pid != 0) {
            continue;  // not the kernel
        }
        std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
        while (rest.size() >= sizeof(nlmsghdr)) {
            ++seen;
            const auto one = take<nlmsghdr>(rest, 0);
            if (one.nlmsg_len < sizeof one || one.nlmsg_len > rest.size()) {
                return fail(ErrorKind::kCorrupt, "the kernel's answer is cut off");
            }
            const std::string_view content = rest.substr(sizeof one, one.nlmsg_len - sizeof one);
            if (one.nlmsg_type == NLMSG_DONE) {
                return {};
            }
            if (one.nlmsg_type == NLMSG_ERROR) {
                const int code = -take<std::int32_t>(content, 0);
                if (code != 0) {
                    return fail(sys_error("ask", "the kernel", code));
                }
                if (last_type == 0) {
                    return {};
                }
            } else {
                answer(one.nlmsg_type, content);
                if (one.nlmsg_type == last_type) {
                    return {};
                }
            }
            rest.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(one.nlmsg_len), rest.size()));
        }
    }
    return fail(ErrorKind::kCorrupt, "the kernel's answer does not end");
}

struct Call {
    const char* name;
    long number;
};
// Of the calls that rules speak of; aarch64 has only the newer ones.
constexpr Call kCalls[] = {
    {"adjtimex", SYS_adjtimex},
    {"settimeofday", SYS_settimeofday},
    {"clock_settime", SYS_clock_settime},
    {"sethostname", SYS_sethostname},
    {"setdomainname", SYS_setdomainname},
    {"fchmod", SYS_fchmod},
    {"fchmodat", SYS_fchmodat},
    {"fchown", SYS_fchown},
    {"fchownat", SYS_fchownat},
    {"setxattr", SYS_setxattr},
    {"lsetxattr", SYS_lsetxattr},
    {"fsetxattr", SYS_fsetxattr},
    {"removexattr", SYS_removexattr},
    {"lremovexattr", SYS_lremovexattr},
    {"fremovexattr", SYS_fremovexattr},
    {"mount", SYS_mount},
    {"umount2", SYS_umount2},
    {"unlinkat", SYS_unlinkat},
    {"renameat", SYS_renameat},
    {"renameat2", SYS_renameat2},
    {"init_module", SYS_init_module},
    {"finit_module", SYS_finit_module},
    {"delete_module", SYS_delete_module},
    {"openat", SYS_openat},
    {"truncate", SYS_truncate},
    {"ftruncate", SYS_ftruncate},
    {"execve", SYS_execve},
#ifdef SYS_chmod
    {"chmod", SYS_chmod},
    {"chown", SYS_chown},
    {"lchown", SYS_lchown},
    {"unlink", SYS_unlink},
    {"rename", SYS_rename},
    {"open", SYS_open},
    {"creat", SYS_creat},
#endif
};

std::string permission_text(std::uint32_t bits) {
    std::string out;
    for (const auto& [bit, letter] : {std::pair{AUDIT_PERM_READ, 'r'},
                                      {AUDIT_PERM_WRITE, 'w'},
                                      {AUDIT_PERM_EXEC, 'x'},
                                      {AUDIT_PERM_ATTR, 'a'}}) {
        if ((bits & static_cast<std::uint32_t>(bit)) != 0) {
            out.push_back(letter);
        }
    }
    return out;
}

std::string syscalls_text(const audit_rule_data& rule) {
    bool all = true;
    for (int i = 0; i < AUDIT_BITMASK_SIZE - 1; ++i) {
        all = all && rule.mask[i] == 0xffffffffu;
    }
    if (all) {
        return " -S all";
    }
    std::string out;
    for (const Call& call : kCalls) {
        const auto number = static_cast<std::size_t>(call.number);
        if (number / 32 < AUDIT_BITMASK_SIZE &&
            (rule.mask[number / 32] & (1u << (number % 32))) != 0) {
            out += (out.empty() ? " -S " : ",") + std::string(call.name);
        }
    }
    return out;
}

}  // namespace

std::string audit_rule_text(std::string_view bytes) {
    if (bytes.size() < sizeof(audit_rule_data)) {
        return {};
    }
    const auto rule = take<audit_rule_data>(bytes, 0);
    std::string_view strings = bytes.substr(sizeof rule);
    if (rule.field_count > AUDIT_MAX_FIELDS || rule.buflen > strings.size()) {
        return {};
    }
    constexpr const char* kLists[] = {"user", "task", "entry", "watch", "exit", "exclude"};
    const std::uint32_t list = rule.flags & ~static_cast<std::uint32_t>(AUDIT_FILTER_PREPEND);
    std::string out = fmt::format("-a {},{}",
                                  rule.action == AUDIT_NEVER ? "never" : "always",
                                  list < std::size(kLists) ? kLists[list] : "other");
    out += syscalls_text(rule);
    for (std::uint32_t i = 0; i < rule.field_count; ++i) {
        const std::uint32_t field = rule.fields[i];
        const std::uint32_t value = rule.values[i];
        const bool text = field == AUDIT_WATCH || field == AUDIT_DIR || field == AUDIT_FILTERKEY ||
                          (field >= AUDIT_SUBJ_USER && field <= AUDIT_SUBJ_CLR) ||
                          (field >= AUDIT_OBJ_USER && field <= AUDIT_OBJ_LEV_HIGH) ||
                          field == AUDIT_EXE;
        if (text && value > strings.size()) {
            return {};
        }
        if (field == AUDIT_WATCH || field == AUDIT_DIR) {
            out += fmt::format(
                " -F {}={}", field == AUDIT_WATCH ? "path" : "dir", strings.substr(0, value));
        } else if (field == AUDIT_PERM) {
            out += " -F perm=" + permission_text(value);
        } else if (field == AUDIT_ARCH) {
            out += (value & __AUDIT_ARCH_64BIT) != 0 ? " -F arch=b64" : " -F arch=b32";
        }
        if (text) {
            strings.remove_prefix(value);
        }
    }
    return out;
}

Result<AuditState> netlink_audit() {
    AuditState state;
    TARN_TRY(
        ask(NETLINK_AUDIT, AUDIT_GET, 0, {}, AUDIT_GET, [&](unsigned type, std::string_view body) {
            if (type == AUDIT_GET) {
                const auto status = take<audit_status>(
                    std::string(body) + std::string(sizeof(audit_status), '\0'), 0);
                state.enabled = status.enabled;
                state.lost = status.lost;
                state.backlog_limit = status.backlog_limit;
            }
        }));
    TARN_TRY(ask(NETLINK_AUDIT,
                 AUDIT_LIST_RULES,
                 NLM_F_DUMP,
                 {},
                 0,
                 [&](unsigned type, std::string_view body) {
                     if (type == AUDIT_LIST_RULES) {
                         state.rules += audit_rule_text(body) + "\n";
                     }
                 }));
    return state;
}

namespace {

// The attributes of a netlink message, one after the other.
void each_attribute(std::string_view bytes,
                    const std::function<void(unsigned type, std::string_view value)>& visit) {
    while (bytes.size() >= sizeof(nlattr)) {
        const auto attribute = take<nlattr>(bytes, 0);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > bytes.size()) {
            return;
        }
        visit(attribute.nla_type & static_cast<unsigned>(NLA_TYPE_MASK),
              bytes.substr(sizeof attribute, attribute.nla_len - sizeof attribute));
        bytes.remove_prefix(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), bytes.size()));
    }
}

}  // namespace

std::string input_chain_policy(std::string_view attributes) {
    bool input = false;
    std::uint32_t policy = NF_ACCEPT;
    each_attribute(attributes, [&](unsigned type, std::string_view value) {
        if (type == NFTA_CHAIN_POLICY) {
            policy = ntohl(take<std::uint32_t>(value, 0));
        } else if (type == NFTA_CHAIN_HOOK) {
            each_attribute(value, [&](unsigned inner, std::string_view number) {
                if (inner == NFTA_HOOK_HOOKNUM && number.size() >= 4) {
                    input = ntohl(take<std::uint32_t>(number, 0)) == NF_INET_LOCAL_IN;
                }
            });
        }
    });
    return !input ? "" : policy == NF_DROP ? "drop" : "accept";
}

Result<std::vector<std::string>> netlink_input_policies() {
    std::vector<std::string> out;
    nfgenmsg family{};
    family.nfgen_family = NFPROTO_UNSPEC;
    family.version = NFNETLINK_V0;
    const std::string_view body(reinterpret_cast<const char*>(&family), sizeof family);
    constexpr unsigned kGetChain = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN;
    TARN_TRY(ask(
        NETLINK_NETFILTER, kGetChain, NLM_F_DUMP, body, 0, [&](unsigned, std::string_view message) {
            if (message.size() < sizeof family) {
                return;
            }
            std::string policy = input_chain_policy(message.substr(sizeof family));
            if (!policy.empty()) {
                out.push_back(std::move(policy));
            }
        }));
    return out;
}

}  // namespace tarn::guest::baseline
