// SPDX-License-Identifier: MIT
#include "selinux/file_contexts.hh"

#include "base/strings.hh"
#include "selinux/detail/lines.hh"
#include "selinux/detail/regex.hh"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace tarn {
namespace {

using namespace selinux;

constexpr std::size_t kLargestText = 64u << 20;
constexpr std::size_t kMostSpecs = 200'000;
constexpr std::size_t kShownProblems = 20;

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>()(text);
    }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

struct Spec {
    std::string_view context;
    std::string_view file;
    std::uint32_t line = 0;
    std::optional<EntryKind> kind{};
    bool never = false;
    std::string prefix{};  // of an expression: what every match begins with
    std::optional<Regex> regex{};

    bool speaks_of(EntryKind other) const { return !never && (!kind || *kind == other); }
};

// Where a specification was given first, to find a second one of the same words in one file.
struct Given {
    std::string_view file;
    std::uint32_t line = 0;
    std::string_view context;
    int kind = -1;  // -1: every kind; 100: sockets
};

int kind_number(const SpecLine& line) {
    return line.never ? 100 : line.kind ? static_cast<int>(*line.kind) : -1;
}

}  // namespace

struct FileContexts::State {
    std::array<FileContextsFile, 3> files;
    std::vector<Spec> specs;                         // in the order that decides: later ones win
    StringMap<std::vector<std::uint32_t>> literals;  // by path
    StringMap<std::vector<std::uint32_t>> stems;     // expressions by stem_of
    std::vector<Substitution> subs, subs_dist;
    StringMap<std::vector<Given>> given;  // while reading
    Error problems{ErrorKind::kCorrupt, ""};
    std::size_t problem_count = 0;

    void read(const FileContextsFile& file);
    Result<void> add(const SpecLine& line, std::string_view file, std::uint32_t number);
    Result<void> check_repeated(const SpecLine& line, const Given& now);
    const Spec* literal(std::string_view path, EntryKind kind) const;
    Result<const Spec*> expression(std::string_view path, EntryKind kind) const;
};

Result<void> FileContexts::State::check_repeated(const SpecLine& line, const Given& now) {
    std::vector<Given>& earlier = given[std::string(line.expression)];
    for (const Given& other : earlier) {
        const bool overlap = other.kind == now.kind;
        if (overlap && other.file == now.file && other.context != now.context) {
            return fail(ErrorKind::kCorrupt,
                        "`{}` gets {} here and {} in line {}",
                        line.expression,
                        now.context,
                        other.context,
                        other.line);
        }
    }
    earlier.push_back(now);
    return {};
}

Result<void> FileContexts::State::add(const SpecLine& line,
                                      std::string_view file,
                                      std::uint32_t number) {
    TARN_TRY(check_repeated(line, {file, number, line.context, kind_number(line)}));
    Spec spec;
    spec.context = line.context;
    spec.file = file;
    spec.line = number;
    spec.kind = line.kind;
    spec.never = line.never;
    const auto index = static_cast<std::uint32_t>(specs.size());
    if (const auto path = literal_of(line.expression)) {
        literals[*path].push_back(index);
    } else {
        auto regex = Regex::compile(line.expression);
        if (!regex) {
            return fail(ErrorKind::kCorrupt,
                        "`{}` is no regular expression: {}",
                        line.expression,
                        regex.error().message);
        }
        spec.regex = std::move(*regex);
        spec.prefix = fixed_prefix(line.expression);
        stems[stem_of(line.expression)].push_back(index);
    }
    specs.push_back(std::move(spec));
    return {};
}

void FileContexts::State::read(const FileContextsFile& file) {
    std::uint32_t number = 0;
    for (const std::string_view text : split_lines(file.text)) {
        ++number;
        Result<void> done;
        auto line = parse_spec_line(text);
        if (!line) {
            done = fail(std::move(line.error()));
        } else if (*line && specs.size() >= kMostSpecs) {
            done = fail(ErrorKind::kCorrupt, "more than {} specifications", kMostSpecs);
        } else if (*line) {
            done = add(**line, file.name, number);
        }
        if (done) {
            continue;
        }
        const std::string where = fmt::format("{}:{}: ", file.name, number);
        if (++problem_count == 1) {
            problems.message = where + done.error().message;
            problems.help = done.error().help;
        } else if (problem_count <= kShownProblems) {
            problems.notes.push_back(where + done.error().message);
        }
        if (specs.size() >= kMostSpecs) {
            return;
        }
    }
}

const Spec* FileContexts::State::literal(std::string_view path, EntryKind kind) const {
    const auto found = literals.find(path);
    if (found == literals.end()) {
        return nullptr;
    }
    for (std::size_t i = found->second.size(); i-- > 0;) {
        const Spec& spec = specs[found->second[i]];
        if (spec.speaks_of(kind)) {
            return &spec;
        }
    }
    return nullptr;
}

// The stems of the path from the longest to none; in each, from its last specification back to the
// best one found so far.
Result<const Spec*> FileContexts::State::expression(std::string_view path, EntryKind kind) const {
    std::array<std::string_view, kStemDepth + 1> above{};
    std::size_t count = 1;
    for (std::size_t slash = path.find('/', 1);
         slash != std::string_view::npos && count <= kStemDepth;
         slash = path.find('/', slash + 1)) {
        above[count++] = path.substr(0, slash);
    }
    const Spec* best = nullptr;
    for (std::size_t level = count; level-- > 0;) {
        const auto found = stems.find(above[level]);
        if (found == stems.end()) {
            continue;
        }
        for (std::size_t i = found->second.size(); i-- > 0;) {
            const Spec& spec = specs[found->second[i]];
            if (best != nullptr && &spec < best) {
                break;
            }
            if (!spec.speaks_of(kind) || !path.starts_with(spec.prefix)) {
                continue;
            }
            const auto matched = spec.regex->matches(path);
            if (!matched) {
                return fail(ErrorKind::kFailed,
                            "{}:{}: cannot match {}: {}",
                            spec.file,
                            spec.line,
                            path,
                            matched.error().message);
            }
            if (*matched) {
                best = &spec;
                break;
            }
        }
    }
    return best;
}

FileContexts::FileContexts(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileContexts::FileContexts(FileContexts&&) noexcept = default;
FileContexts& FileContexts::operator=(FileContexts&&) noexcept = default;
FileContexts::~FileContexts() = default;

Result<FileContexts> FileContexts::parse(FileContextsSources sources) {
    auto state = std::make_unique<State>();
    for (const FileContextsFile* file :
         {&sources.main, &sources.homedirs, &sources.local, &sources.subs, &sources.subs_dist}) {
        if (file->text.size() > kLargestText) {
            return fail(ErrorKind::kCorrupt,
                        "{} has {}; at most {} are read",
                        file->name,
                        human_size(file->text.size()),
                        human_size(kLargestText));
        }
    }
    state->subs = parse_substitutions(sources.subs.text);
    state->subs_dist = parse_substitutions(sources.subs_dist.text);
    state->files = {std::move(sources.main), std::move(sources.homedirs), std::move(sources.local)};
    for (const FileContextsFile& file : state->files) {
        state->read(file);
    }
    if (state->problem_count > kShownProblems) {
        state->problems.notes.push_back(
            fmt::format("and {} more", state->problem_count - kShownProblems));
    }
    if (state->problem_count > 0) {
        return fail(std::move(state->problems));
    }
    state->given.clear();
    return FileContexts(std::move(state));
}

Result<FileLabel> FileContexts::lookup(std::string_view path, EntryKind kind) const {
    std::string substituted;
    for (const auto* substitutions : {&state_->subs, &state_->subs_dist}) {
        if (auto other = substitute(*substitutions, path)) {
            substituted = std::move(*other);
            path = substituted;
        }
    }
    const Spec* spec = state_->literal(path, kind);
    if (spec == nullptr) {
        spec = TARN_TRY(state_->expression(path, kind));
    }
    if (spec == nullptr) {
        return FileLabel{};
    }
    const bool none = spec->context == kNoneContext;
    return FileLabel{none ? FileLabel::Kind::kNone : FileLabel::Kind::kContext,
                     none ? std::string_view() : spec->context,
                     spec->file,
                     spec->line};
}

std::size_t FileContexts::size() const {
    return state_->specs.size();
}

}  // namespace tarn
