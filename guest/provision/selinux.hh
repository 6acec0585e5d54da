// SPDX-License-Identifier: MIT
// The labels of files that are made, on a machine whose kernel has SELinux, without its library:
// /proc/thread-self/attr/fscreate and /sys/fs/selinux/create.
#pragma once

#include <string>

namespace tarn::guest {

// While it lives, files this thread makes get one label.
class CreateLabel {
  public:
    // The label of the file `existing` (a descriptor), or when that is -1 the one the policy gives
    // to a new file `name` in `directory`. Without SELinux, or on another root than "/": nothing.
    CreateLabel(bool live, int directory, int existing, const std::string& name);
    ~CreateLabel();
    CreateLabel(const CreateLabel&) = delete;
    CreateLabel& operator=(const CreateLabel&) = delete;

  private:
    bool set_ = false;
};

}  // namespace tarn::guest
