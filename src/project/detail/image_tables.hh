// SPDX-License-Identifier: MIT
// The tables inside an image's declaration.
#pragma once

#include "project/detail/checks.hh"
#include "project/image.hh"

namespace tarn::declaration {

// Settings of sysctl by name.
Reader<Image> sysctl_reader();
const TableKind<ImageUser>& image_user_kind();
const TableKind<ImageServices>& image_services_kind();
const TableKind<ImageModules>& image_modules_kind();
const TableKind<ImageLocale>& image_locale_kind();
const TableKind<ImageAssertions>& image_assertions_kind();
const TableKind<ImagePartition>& image_partition_kind();
const TableKind<ImageContainer>& image_container_kind();
const TableKind<ImageWsl>& image_wsl_kind();
const TableKind<ImageSelinux>& image_selinux_kind();

}  // namespace tarn::declaration
