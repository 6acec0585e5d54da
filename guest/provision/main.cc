// SPDX-License-Identifier: MIT
#include "provision/command.hh"

#include <cstdio>

int main(int argc, char** argv) {
    const int code = tarn::guest::provision_main({argv + 1, argv + argc});
    std::fflush(nullptr);
    return code;
}
