// SPDX-License-Identifier: MIT
// Images and test suites.
#include "base/strings.hh"
#include "project/detail/checks.hh"
#include "project/detail/collected.hh"
#include "project/detail/image_tables.hh"

#include <algorithm>

namespace tarn::declaration {
namespace {

const TableKind<ImageFile>& file_entry_kind() {
    using K = Keys<ImageFile>;
    static const TableKind<ImageFile> kind = {
        "image file",
        {
            {"path", root_path(&ImageFile::path), Need::kRequired},
            {"content", K::text(&ImageFile::content)},
            {"source", K::path(&ImageFile::source)},
            {"mode", file_mode(&ImageFile::mode)},
            {"user", K::text(&ImageFile::user)},
            {"group", K::text(&ImageFile::group)},
        },
        [](Reading& reading, const Value& table, ImageFile&) {
            check_content_or_source(reading, table);
        }};
    return kind;
}

const TableKind<NameReason>& verify_exception_kind() {
    using K = Keys<NameReason>;
    static const TableKind<NameReason> kind = {
        "verify exception",
        {
            {"path", root_path(&NameReason::name), Need::kRequired},
            {"reason", K::text(&NameReason::reason), Need::kRequired},
        }};
    return kind;
}

const TableKind<ImageConfig>& definition_kind() {
    using K = Keys<ImageConfig>;
    static const TableKind<ImageConfig> kind = {
        "definition",
        {
            {"type", K::word_text(&Image::definition_type, {"kiwi"})},
            {"path", K::path(&Image::definition_path)},
            {"profile", K::text(&Image::definition_profile)},
        }};
    return kind;
}

const TableKind<Capabilities>& capabilities_kind() {
    using K = Keys<Capabilities>;
    static const TableKind<Capabilities> kind = {
        "capabilities",
        {
            {"machine-bootable", K::maybe_flag(&Capabilities::machine_bootable)},
            {"container", K::maybe_flag(&Capabilities::container)},
            {"systemd", K::maybe_flag(&Capabilities::systemd)},
            {"runtime-package-management",
             K::maybe_flag(&Capabilities::runtime_package_management)},
        }};
    return kind;
}

struct SuiteReference {
    std::string name;
};

const TableKind<SuiteReference>& suite_reference_kind() {
    using K = Keys<SuiteReference>;
    static const TableKind<SuiteReference> kind = {
        "test suite reference",
        {{"name", K::reference(Names::kTestSuite, &SuiteReference::name), Need::kRequired}}};
    return kind;
}

void read_test_suites(Reading& reading, const Entry& entry, ImageConfig& out) {
    struct Suites {
        std::vector<SuiteReference> suites;
    } read;
    Keys<Suites>::list(suite_reference_kind(), &Suites::suites)(reading, entry, read);
    for (SuiteReference& suite : read.suites) {
        out.test_suites.push_back(std::move(suite.name));
    }
}

// `tests` is an array of checks of the boot test, or the table `tests.test-suites`.
const TableKind<ImageConfig>& suites_kind() {
    static const TableKind<ImageConfig> kind = {
        "tests",
        {{"test-suites",
          {read_test_suites, table_shape(ShapeKind::kTables, suite_reference_kind())}}}};
    return kind;
}

void read_tests(Reading& reading, const Entry& entry, ImageConfig& out) {
    if (entry.value.kind == ValueKind::kTable) {
        Keys<ImageConfig>::same(suites_kind())(reading, entry, out);
    } else {
        Keys<ImageConfig>::texts (&Image::tests)(reading, entry, out);
    }
}

const TableKind<ImageConfig>& publish_channels_kind() {
    static const TableKind<ImageConfig> kind = {
        "publish", {{"channels", Keys<ImageConfig>::texts(&Image::publish_channels)}}};
    return kind;
}

// Which kind of image a format belongs to is looked at when everything is known.
void read_formats(Reading& reading, const Entry& entry, ImageConfig& out) {
    static const std::vector<std::string> kFormats = {
        "raw", "vhd", "qcow2", "oci", "docker-archive", "wsl"};
    each_string(reading, entry, [&](const Value& value) {
        if (std::ranges::find(kFormats, value.text) != kFormats.end()) {
            out.formats.emplace_back(value.text);
            return;
        }
        Entry element;
        element.key = entry.key;
        element.value = value;
        report_unknown_word(reading, element, kFormats);
    });
}

// Names of packages or groups, and where each was named first.
Reader<ImageConfig> packages_reader() {
    return {[](Reading& reading, const Entry& entry, ImageConfig& out) {
                each_string(reading, entry, [&](const Value& value) {
                    out.packages.emplace_back(value.text);
                    out.package_where.emplace(value.text, value.span);
                });
            },
            Shape{ShapeKind::kTexts}};
}

void read_base(Reading& reading, const Entry& entry, ImageConfig& out) {
    Keys<ImageConfig>::reference(Names::kImage, &Image::base)(reading, entry, out);
    out.base_where = entry.value.span;
}

void check_image(Reading& reading, const Value& table, ImageConfig& out) {
    if (!out.hostname.empty() &&
        (out.hostname.size() > 64 ||
         out.hostname.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-.") != std::string::npos)) {
        reading.broken_rule(table.find("hostname")->value.span,
                            "`hostname` may have letters, digits, - and ., at most 64");
    }
}

}  // namespace

namespace {

std::vector<Field<ImageConfig>> image_fields() {
    using K = Keys<ImageConfig>;
    using I = Keys<Image>;
    return {
        {"description", K::text(&Image::description)},
        {"kind", K::word_text(&Image::kind, {"disk", "container", "wsl"})},
        {"architecture", K::word_text(&Image::architecture, {"x86_64", "aarch64"})},
        {"version", K::text(&Image::version)},
        {"packages", packages_reader()},
        {"package-groups", K::references(Names::kPackageGroup, &Image::package_groups)},
        {"exclude-packages", K::texts(&Image::exclude_packages)},
        {"weak-dependencies", K::maybe_flag(&ImageConfig::weak_given)},
        {"kernel-command-line", K::texts(&Image::kernel_command_line)},
        {"filesystem", K::word_text(&Image::filesystem, {"ext4", "erofs"})},
        {"size", K::size(&Image::size_bytes)},
        {"esp-size", K::size(&Image::esp_bytes)},
        {"esp-single-uki", K::flag(&Image::esp_single_uki)},
        {"partitions", I::list(image_partition_kind(), &Image::partitions)},
        {"bootloader", K::word_text(&Image::bootloader, {"uki", "systemd-boot"})},
        {"integrity", K::word_text(&Image::integrity, {"none", "verity"})},
        {"update-url", K::text(&Image::update_url)},
        {"secure-boot", K::flag(&Image::secure_boot)},
        {"formats", {read_formats, Shape{ShapeKind::kTexts}}},
        {"initrd-modules", K::texts(&Image::initrd_modules)},
        {"files", I::list(file_entry_kind(), &Image::files)},
        {"hostname", K::text(&Image::hostname)},
        {"machine-id", K::word_text(&Image::machine_id, {"uninitialized", "empty"})},
        {"users", I::unique_map("user", image_user_kind(), &Image::users)},
        {"services", I::table(image_services_kind(), &Image::services)},
        {"sysctl", sysctl_reader()},
        {"kernel-modules", I::table(image_modules_kind(), &Image::kernel_modules)},
        {"locale", I::table(image_locale_kind(), &Image::locale)},
        {"assert", I::table(image_assertions_kind(), &Image::assertions)},
        {"container", I::table(image_container_kind(), &Image::container)},
        {"wsl", I::table(image_wsl_kind(), &Image::wsl)},
        {"selinux", I::table(image_selinux_kind(), &Image::selinux)},
        {"version-floors", K::text_map(&Image::version_floors)},
        {"boot-install", K::text(&Image::boot_install)},
        {"tests", {read_tests, table_shape(ShapeKind::kTextsOrTable, suites_kind())}},
        {"verify-exceptions", I::list(verify_exception_kind(), &Image::verify_exceptions)},
        {"definition", K::same(definition_kind())},
        {"capabilities", I::table(capabilities_kind(), &Image::capabilities)},
        {"publish", K::same(publish_channels_kind())},
    };
}

std::vector<Field<ImageConfig>> whole_image_fields() {
    using K = Keys<ImageConfig>;
    std::vector<Field<ImageConfig>> fields = image_fields();
    fields.push_back({"base", {read_base, Shape{ShapeKind::kText}}});
    fields.push_back({"includes", K::references(Names::kImagePart, &Image::includes)});
    return fields;
}

}  // namespace

const TableKind<ImageConfig>& image_kind() {
    static const TableKind<ImageConfig> kind = {"image", whole_image_fields(), check_image};
    return kind;
}

const TableKind<ImageConfig>& image_part_kind() {
    static const TableKind<ImageConfig> kind = {"image part", image_fields(), check_image};
    return kind;
}

const TableKind<TestSuite>& test_suite_kind() {
    using K = Keys<TestSuite>;
    static const TableKind<TestSuite> pytest = {
        "pytest",
        {
            {"working-dir", K::path(&TestSuite::working_dir)},
            {"test-paths", K::texts(&TestSuite::test_paths)},
            {"extra-args", K::texts(&TestSuite::extra_args)},
            {"install", K::word_text(&TestSuite::install, {"pyproject", "requirements", "none"})},
        }};
    static const TableKind<TestSuite> framework = {
        "framework",
        {
            {"git-url", K::text(&TestSuite::framework_git_url), Need::kRequired},
            {"ref", K::text(&TestSuite::framework_ref), Need::kRequired},
        }};
    static const TableKind<TestSuite> lisa = {
        "lisa",
        {
            {"framework", K::same(framework), Need::kRequired},
            {"test-cases", K::texts(&TestSuite::test_cases), Need::kRequired},
            {"pip-pre-install", K::texts(&TestSuite::pip_pre_install)},
            {"pip-extras", K::texts(&TestSuite::pip_extras)},
            {"extra-args", K::texts(&TestSuite::extra_args)},
        }};
    static const TableKind<TestSuite> kind = {
        "test suite",
        {
            {"description", K::text(&TestSuite::description)},
            {"type", K::word_text(&TestSuite::type, {"pytest", "lisa"}), Need::kRequired},
            {"pytest", K::same(pytest)},
            {"lisa", K::same(lisa)},
        },
        [](Reading& reading, const Value&, TestSuite& suite) {
            if (suite.type == "pytest" && suite.install != "none" && suite.working_dir.empty()) {
                reading.broken_rule(suite.where, "a pytest suite needs `pytest.working-dir`");
            }
            const std::string& ref = suite.framework_ref;
            if (suite.type == "lisa" && suite.test_cases.empty()) {
                reading.broken_rule(suite.where, "a lisa suite needs at least one test case");
            }
            if (suite.type == "lisa" &&
                (ref.size() != 40 ||
                 ref.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)) {
                reading.broken_rule(suite.where,
                                    "`lisa.framework.ref` must be a commit in 40 hexadecimal "
                                    "digits");
            }
        }};
    return kind;
}

}  // namespace tarn::declaration
