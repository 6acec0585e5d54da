// SPDX-License-Identifier: MIT
#pragma once

#include "store/store.hh"

#include <cstdint>

namespace tarn::detail {

// collect_garbage as it would be at `now`: tests cannot wait an hour.
Result<GcResult> collect_garbage_at(const Store& store,
                                    std::int64_t max_age_seconds,
                                    DryRun dry_run,
                                    std::int64_t now);

}  // namespace tarn::detail
