// SPDX-License-Identifier: MIT
// Native triggers: what packages' scripts would have done, once for the whole image. Each is an
// Action over just those files it reads, so an image whose inputs to a trigger are unchanged gets
// its result from the store. The programs come from the tools tree, never from this machine.
#pragma once

#include "base/events.hh"
#include "exec/action.hh"
#include "image/detail/overlay.hh"

#include <functional>
#include <string>
#include <vector>

namespace tarn::image {

struct TriggerContext {
    const Store* store = nullptr;
    Executor* executor = nullptr;
    const Tree* tools = nullptr;
    Digest tools_digest{};
    std::int64_t time = 0;
    unsigned jobs = 1;
    std::stop_token stop{};
};

struct Trigger {
    std::string name;
    std::string program;  // in the tools tree, without leading "/"
    std::string package;  // that brings the program, for advice
    std::vector<std::string> arguments;
    std::vector<std::string> outputs;  // paths in the image
    std::function<bool(const TreeEntry&)> reads;
    std::function<bool(const TreeEntry&)> needed;  // some entry must say so, or nothing is run
};

// systemd-sysusers alone: its result decides about owners. `tree` has /etc/passwd already.
Trigger sysusers_trigger();
// ldconfig, depmod, systemd-hwdb, systemctl preset-all for system and users.
std::vector<Trigger> system_triggers(const std::string& kernel_version);

// Runs them side by side over the same tree; what they made is added to `overlay`, in the order of
// the triggers. An unsuccessful one is an Error with the end of its output.
Result<void> run_triggers(const TriggerContext& context,
                          const std::vector<Trigger>& triggers,
                          const Tree& tree,
                          Overlay& overlay);

}  // namespace tarn::image
