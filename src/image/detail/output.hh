// SPDX-License-Identifier: MIT
// Where an image appears: a directory that is replaced as a whole, so that whoever looks sees the
// old artifacts or the new ones and never a mixture. A stamp in it says for which key they stand.
#pragma once

#include "base/fs.hh"
#include "store/digest.hh"

#include <string>
#include <vector>

namespace tarn::image {

class OutputDirectory {
  public:
    // Waits for another build of the same directory, sweeps what a killed one left, and makes an
    // empty directory beside the final one.
    static Result<OutputDirectory> open(const std::string& directory);
    OutputDirectory(OutputDirectory&&) noexcept = default;
    OutputDirectory& operator=(OutputDirectory&&) noexcept = default;
    ~OutputDirectory();

    // Whether the artifacts of this key are all there, untouched since they were made.
    bool holds(const Digest& key) const;
    const std::string& staging() const { return staging_; }
    // Makes the staged files the directory's; what was there and is not an artifact stays.
    Result<void> commit(const Digest& key, const std::vector<std::string>& artifacts);

  private:
    OutputDirectory() = default;
    Result<void> write_stamp(const Digest& key, const std::vector<std::string>& artifacts) const;
    Result<void> keep_foreign(const std::vector<std::string>& artifacts) const;
    std::string directory_;
    std::string staging_;
    Fd lock_;
};

}  // namespace tarn::image
