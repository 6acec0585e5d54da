// SPDX-License-Identifier: MIT
#pragma once

extern "C" {
#include <solv/solver.h>
}

#include "solve/detail/pool.hh"

namespace tarn::solve {

// Why there is no solution: the message names the requested things that cannot be had, the notes
// are the rules that exclude each other, in words.
Error explain(const FilledPool& pool, Solver* solver);

}  // namespace tarn::solve
