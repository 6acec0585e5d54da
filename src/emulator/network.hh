// SPDX-License-Identifier: MIT
// A network namespace with nothing in it but its own loopback, which has the platform's addresses.
#pragma once

#include "base/process.hh"

#include <cstdint>
#include <string>

namespace tarn::emulator {

// Between fork and exec, async-signal-safe; errno or 0. Without root, a user namespace gives the
// right, and programs in it may listen on any port. `subnet`: addresses that are the namespace's
// own as well (host order; prefix 0: none).
int unshare_network(std::uint32_t subnet = 0, unsigned prefix = 0);

// Gives the loopback of the namespace these addresses, and raises it.
int prepare_loopback(std::uint32_t subnet, unsigned prefix);

// Between fork and exec: into the namespaces of another process. `user` may be empty.
int join_network(const char* user, const char* network);
// Makes `command` start in the network namespace of process `pid`.
void enter_network_of(Command& command, int pid);

// Between fork and exec: the child ends with the program that started it, however that ends.
int end_with_parent(int parent);

}  // namespace tarn::emulator
