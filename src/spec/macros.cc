// SPDX-License-Identifier: MIT
#include "spec/macros.hh"

#include "base/strings.hh"
#include "spec/detail/expander.hh"
#include "spec/detail/expression.hh"
#include "spec/detail/header.hh"
#include "spec/detail/joiner.hh"

namespace tarn {
namespace {

constexpr std::uint64_t kWork = 64U << 20U;

constexpr std::string_view kOfRpm = R"(%nil %{!?nil}
%defined() %{expand:%%{?%{1}:1}%%{!?%{1}:0}}
%undefined() %{expand:%%{?%{1}:0}%%{!?%{1}:1}}
%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}
%without() %{expand:%%{?with_%{1}:0}%%{!?with_%{1}:1}}
%_prefix /usr
%_exec_prefix %{_prefix}
%_bindir %{_exec_prefix}/bin
%_sbindir %{_exec_prefix}/sbin
%_libexecdir %{_exec_prefix}/libexec
%_datadir %{_prefix}/share
%_datarootdir %{_prefix}/share
%_includedir %{_prefix}/include
%_infodir %{_datadir}/info
%_mandir %{_datadir}/man
%_sysconfdir /etc
%_sharedstatedir /var/lib
%_localstatedir /var
%ix86 i386 i486 i586 i686 pentium3 pentium4 athlon geode
%arm32 armv3l armv4b armv4l armv4tl armv5tl armv5tel armv5tejl armv6l armv6hl \
  armv7l armv7hl armv7hnl armv8l armv8hl armv8hnl armv8hcnl
%arm %{arm32}
%arm64 aarch64
%mips32 mips mipsel mipsr6 mipsr6el
%mips64 mips64 mips64el mips64r6 mips64r6el
%mips %{mips32} %{mips64}
%power64 ppc64 ppc64p7 ppc64le
%riscv64 riscv64
%loongarch64 loongarch64
%sparc sparc sparcv8 sparcv9 sparcv9v sparc64 sparc64v
%alpha alpha alphaev56 alphaev6 alphaev67
)";

}  // namespace

void MacroTable::define(std::string name, Macro macro) {
    macros_[std::move(name)] = std::move(macro);
}

void MacroTable::undefine(std::string name) {
    macros_[std::move(name)] = std::nullopt;
}

const MacroTable::Macro* MacroTable::find(std::string_view name) const {
    const auto found = macros_.find(name);
    return found == macros_.end() || !found->second ? nullptr : &*found->second;
}

bool MacroTable::known(std::string_view name) const {
    return macros_.contains(name);
}

void MacroTable::overlay(const MacroTable& other) {
    for (const auto& [name, macro] : other.macros_) {
        macros_[name] = macro;
    }
}

void MacroTable::define_file(std::string_view text) {
    specs::LineJoiner joiner;
    const char* begin = nullptr;
    for (std::string_view line : split_lines(text)) {
        begin = joiner.open() ? begin : line.data();
        joiner.feed(line);
        const bool last = line.data() + line.size() + 1 >= text.data() + text.size();
        if (joiner.open() && !last) {
            continue;
        }
        joiner.reset();
        const std::string_view whole = specs::strip_space(
            {begin, static_cast<std::size_t>(line.data() + line.size() - begin)});
        if (!whole.starts_with('%')) {
            continue;
        }
        if (auto definition = specs::read_definition(whole.substr(1))) {
            define(std::string(definition->name),
                   {std::move(definition->body), std::move(definition->options)});
        }
    }
}

Expansion MacroTable::expand(std::string_view text) const {
    specs::Work work{kWork};
    return specs::Expander(*this, specs::Unknown::kAsWritten, work).expand(text);
}

Expansion MacroTable::run(std::string_view text) {
    specs::Work work{kWork};
    specs::Expander expander(*this, specs::Unknown::kAsWritten, work);
    Expansion result = expander.expand(text);
    for (auto& [name, macro] : expander.definitions()) {
        macros_[name] = std::move(macro);
    }
    return result;
}

std::optional<bool> MacroTable::condition(std::string_view text) const {
    specs::Work work{kWork};
    const Expansion expanded =
        specs::Expander(*this, specs::Unknown::kCondition, work).expand(text);
    return specs::evaluate(expanded.text).truth();
}

const MacroTable& MacroTable::of_rpm() {
    static const MacroTable table = [] {
        MacroTable made;
        made.define_file(kOfRpm);
        return made;
    }();
    return table;
}

}  // namespace tarn
