// SPDX-License-Identifier: MIT
// The native procedures that rules are declared over.
#pragma once

#include "baseline/finding.hh"
#include "baseline/rule.hh"
#include "baseline/target.hh"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

class Facts;
struct Change;

// What a procedure finds, thing by thing.
class Judgement {
  public:
    // One thing that was looked at. `actual` is what it is.
    Evidence& add(Status status, std::string what, std::string actual, std::string source = {});
    void expect(std::string text) { expected_ = std::move(text); }
    // error before fail before not checked before pass before informational; n.a. without any.
    Status status() const;
    void write(Finding& finding) const;
    std::vector<Evidence> evidence;

  private:
    std::string expected_;
};

struct Parameter {
    std::string_view name;
    bool required = false;
    bool list = false;
};

using JudgeFunction = void (*)(const Facts& facts, const Rule& rule, Judgement& out);
// What would make a failing rule pass; empty: nothing that can be done by itself.
using PlanFunction = std::vector<Change> (*)(const Facts& facts, const Rule& rule);

struct Procedure {
    std::string_view name;
    std::vector<Parameter> parameters;
    JudgeFunction judge = nullptr;
    PlanFunction plan = nullptr;
    bool needs_expect = false;
};
const std::vector<Procedure>& procedures();
const Procedure* find_procedure(std::string_view name);

// The parts of the table, one per file of this room.
std::vector<Procedure> kernel_procedures();    // sysctl, module, kernel, secure-boot, text
std::vector<Procedure> file_procedures();      // mount, file, walk, setting
std::vector<Procedure> login_procedures();     // sshd, pam, accounts, sudoers
std::vector<Procedure> service_procedures();   // unit, audit-rules, audit-state, firewall, sockets
std::vector<Procedure> package_procedures();   // package, signatures, repositories, verify
std::vector<Procedure> platform_procedures();  // claims

// kError for anything but "not there", which is `absent`.
Status status_of(const Error& error, Status absent);

}  // namespace tarn::guest::baseline
