// SPDX-License-Identifier: MIT
#include "cli/command.hh"

int main(int argc, char** argv) {
    return tarn::cli::run_tarn(std::vector<std::string>(argv + 1, argv + argc));
}
