// SPDX-License-Identifier: MIT
#include "health/commands.hh"

int main(int argc, char** argv) {
    return tarn::guest::run_health({argv + 1, argv + argc});
}
