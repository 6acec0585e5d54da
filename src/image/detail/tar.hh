// SPDX-License-Identifier: MIT
// Trees as tar streams, for the file systems that are made from one: the writer of `oci`.
#pragma once

#include "oci/tar.hh"

namespace tarn::image {

using oci::ByteSink;
using oci::pax_record;
using oci::TarOptions;
using oci::write_tar;

}  // namespace tarn::image
