// SPDX-License-Identifier: MIT
#include "metadata/commands.hh"

int main(int argc, char** argv) {
    return tarn::guest::run_metadata({argv + 1, argv + argc});
}
