// SPDX-License-Identifier: MIT
#include <malloc.h>

#include "cli/command.hh"

int main(int argc, char** argv) {
    // A project of thousands of components is many small values: fewer, larger steps of the heap.
    ::mallopt(M_TOP_PAD, 16 << 20);
    return tarn::cli::run_tarn(std::vector<std::string>(argv + 1, argv + argc));
}
