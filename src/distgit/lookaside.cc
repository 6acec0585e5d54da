// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "distgit/detail/transport.hh"
#include "upstream/fetch.hh"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace tarn::distgit {
namespace {

constexpr std::uint64_t kLargest = 32ULL << 30;

// What a path segment keeps as it is.
bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.~$&+:=@").find(c) != std::string_view::npos;
}

std::string encoded(std::string_view text) {
    std::string result;
    for (const char c : text) {
        result += is_plain(c)
                      ? std::string(1, c)
                      : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return result;
}

struct HashType {
    std::string_view name;
    HashKind kind;
    std::size_t digits;
};
constexpr HashType kHashTypes[] = {{"md5", HashKind::kMd5, 32},
                                   {"sha256", HashKind::kSha256, 64},
                                   {"sha512", HashKind::kSha512, 128}};

const HashType* hash_type(const std::string& name) {
    const std::string lower = to_lower(name);
    const auto* found = std::find_if(std::begin(kHashTypes), std::end(kHashTypes),
                                     [&](const HashType& type) { return type.name == lower; });
    return found == std::end(kHashTypes) ? nullptr : found;
}

Digest key_of(const LookasideFile& file) {
    return KeyBuilder("lookaside", 1)
        .field("hash-type", to_lower(file.hash_type))
        .field("hash", to_lower(file.hash))
        .key();
}

Result<void> check(const LookasideRequest& request) {
    const LookasideFile& file = request.file;
    const std::string who = fmt::format("{}: source `{}`", request.package, file.name);
    const bool control = std::any_of(file.name.begin(), file.name.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
    if (file.name.empty() || file.name == "." || file.name == ".." || control ||
        contains(file.name, "/")) {
        return fail(error(ErrorKind::kUsage, "{}: a file {} cannot be fetched", request.package,
                          control ? "with control characters in its name" : "`" + file.name + "`")
                        .advise("the name of a source is one name without directories"));
    }
    if (!file.hash.empty()) {
        const HashType* type = hash_type(file.hash_type);
        if (type == nullptr) {
            return fail(error(ErrorKind::kUsage, "{}: unknown hash type `{}`", who, file.hash_type)
                            .advise("MD5, SHA256 and SHA512 are known"));
        }
        std::string bytes;
        if (file.hash.size() != type->digits || !from_hex(file.hash, bytes)) {
            return fail(error(ErrorKind::kUsage, "{}: `{}` is no {} hash", who,
                              file.hash.substr(0, 140), to_lower(file.hash_type))
                            .advise(fmt::format("it has {} hex digits", type->digits)));
        }
    }
    if (file.hash.empty() && request.origin.empty()) {
        return fail(error(ErrorKind::kUsage, "{}: the lookaside is asked by hash, and there is none", who)
                        .advise("give `hash` and `hash-type`"));
    }
    if (request.uri_templates.empty() && request.origin.empty()) {
        return fail(error(ErrorKind::kUsage, "{}: there is nowhere to fetch it from", who)
                        .advise("`lookaside-base-uri` of the distro or the source's `origin.uri`; "
                                "`disable-origins` forbids the latter"));
    }
    return {};
}

// A file that is wanted, by one request or several.
struct Job {
    LookasideFile file;
    std::string package;
    std::vector<std::size_t> requests;
    std::vector<std::string> urls;
    std::size_t url = 0;       // that is tried now
    unsigned mismatches = 0;   // of that URL
    std::vector<std::string> failures;
    ErrorKind kind = ErrorKind::kNotFound;
    std::optional<Digest> digest;
    std::optional<Error> error;
    bool open() const { return !digest && !error; }
};

void add_urls(Job& job, const LookasideRequest& request) {
    const auto add = [&](std::string url) {
        if (std::find(job.urls.begin(), job.urls.end(), url) == job.urls.end()) {
            job.urls.push_back(std::move(url));
        }
    };
    for (const std::string& uri : request.uri_templates) {
        if (!request.file.hash.empty()) {
            add(lookaside_url(uri, request.package, request.file));
        }
    }
    if (!request.origin.empty()) {
        add(request.origin);
    }
}

class Downloads {
  public:
    Downloads(const Store& store, const Options& options, Reporter& reporter)
        : store_(store), options_(options), reporter_(reporter) {}

    void run(std::vector<Job>& jobs) {
        std::vector<Job*> open = still_open(jobs);
        while (!open.empty()) {
            auto result = one_round(open);
            if (result && retry_soon_) {
                result = detail::pause_before_retry(1, options_);
            }
            if (!result) {
                for (Job* job : open) {
                    job->error = job->digest ? job->error : std::optional(result.error());
                }
                return;
            }
            open = still_open(jobs);
        }
    }

  private:
    static std::vector<Job*> still_open(std::vector<Job>& jobs) {
        std::vector<Job*> open;
        for (Job& job : jobs) {
            if (job.open()) {
                open.push_back(&job);
            }
        }
        return open;
    }

    FetchOptions fetch_options() const {
        FetchOptions result;
        result.retries = std::max(1U, options_.attempts) - 1;
        result.size_limit = kLargest;
        result.stop = options_.stop;
        result.retry_pause = options_.pause;
        result.stall_seconds = static_cast<unsigned>(
            std::clamp<std::int64_t>(options_.timeout.count(), 1, result.stall_seconds));
        return result;
    }

    // Downloads go to a store of their own: what a server lies about never reaches the real one.
    Result<void> one_round(const std::vector<Job*>& open) {
        const TempDir aside = TARN_TRY(TempDir::make(store_.temporary_directory()));
        const Store downloaded = TARN_TRY(Store::open(aside.path()));
        std::vector<FetchRequest> wanted;
        for (const Job* job : open) {
            wanted.push_back({job->urls[job->url], std::nullopt,
                              fmt::format("{}: {}", job->package, job->file.name)});
        }
        const FetchOutcome outcome = fetch(downloaded, wanted, fetch_options(), reporter_);
        retry_soon_ = false;
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (outcome.digests[i]) {
                TARN_TRY(judge(*open[i], downloaded, *outcome.digests[i]));
            }
        }
        for (const FetchFailure& failure : outcome.failures) {
            const ErrorKind kind = failure.error.kind;
            if (kind == ErrorKind::kNoSpace || kind == ErrorKind::kSystem ||
                kind == ErrorKind::kInterrupted) {
                return fail(failure.error);
            }
            next_url(*open[failure.index], failure.error.message, kind);
        }
        return {};
    }

    Result<void> judge(Job& job, const Store& downloaded, const Digest& digest) {
        // Another job of this round may have moved the same bytes over.
        const std::string path = (store_.has(digest) ? store_ : downloaded).blob_path(digest);
        if (job.file.hash.empty()) {
            return keep(job, path, digest);
        }
        const HashType* type = hash_type(job.file.hash_type);
        const std::string hash = TARN_TRY(hash_file_hex(type->kind, path));
        if (hash == to_lower(job.file.hash)) {
            return keep(job, path, digest);
        }
        if (++job.mismatches < options_.attempts) {
            retry_soon_ = true;
            return {};
        }
        next_url(job,
                 fmt::format("{} has the {} {} ({} bytes)", job.urls[job.url], type->name, hash,
                             digest.size),
                 ErrorKind::kCorrupt);
        return {};
    }

    Result<void> keep(Job& job, const std::string& path, const Digest& digest) {
        const std::string name = join_path(
            store_.temporary_directory(),
            fmt::format("lookaside-{}-{}", digest.hex().substr(0, 16), ::getpid()));
        if (!store_.has(digest)) {
            // The same bytes may have come twice, under hashes of two types.
            auto moved = rename_path(path, name);
            if (!moved) {
                return moved;
            }
            TARN_TRY(store_.adopt(name, digest));
        }
        if (!job.file.hash.empty()) {
            TARN_TRY(keep_file(store_, job.file, digest));
        }
        job.digest = digest;
        return {};
    }

    static void next_url(Job& job, std::string why, ErrorKind kind) {
        job.failures.push_back(std::move(why));
        // A lie says more than an absence; a server that did not answer may do so later.
        if (kind == ErrorKind::kCorrupt ||
            (kind == ErrorKind::kNetwork && job.kind != ErrorKind::kCorrupt)) {
            job.kind = kind;
        }
        job.mismatches = 0;
        if (++job.url < job.urls.size()) {
            return;
        }
        Error why_not = error(job.kind, "{}: cannot fetch source `{}`", job.package, job.file.name);
        why_not.notes = job.failures;
        if (!job.file.hash.empty()) {
            why_not.notes.push_back(fmt::format("expected the {} {}", to_lower(job.file.hash_type),
                                                to_lower(job.file.hash)));
        }
        why_not.help.emplace_back(
            job.kind == ErrorKind::kCorrupt
                ? "nothing was kept; fetch it by hand and compare: the hash or the server is wrong"
                : "check `lookaside-base-uri`, or name another server in `lookaside-mirrors`");
        job.error = std::move(why_not);
    }

    const Store& store_;
    const Options& options_;
    Reporter& reporter_;
    bool retry_soon_ = false;
};

Error offline(const LookasideRequest& request) {
    return error(ErrorKind::kNetwork,
                 "{}: source `{}` was not downloaded so far, and --offline forbids to",
                 request.package, request.file.name)
        .advise("run once without --offline");
}

}  // namespace

std::optional<Digest> kept_file(const Store& store, const LookasideFile& file) {
    const auto text = store.result("lookaside", key_of(file));
    const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object() || !json.contains("file") || !json["file"].is_string()) {
        return std::nullopt;
    }
    const auto digest = Digest::parse(json["file"].get<std::string>());
    return digest && store.has(*digest) ? digest : std::nullopt;
}

Result<void> keep_file(const Store& store, const LookasideFile& file, const Digest& content) {
    const nlohmann::json json = {{"file", content.to_string()},
                                 {"hash", to_lower(file.hash)},
                                 {"hash-type", to_lower(file.hash_type)},
                                 {"name", file.name}};
    return store.put_result("lookaside", key_of(file),
                            json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string lookaside_url(const std::string& uri_template, const std::string& package,
                          const LookasideFile& file) {
    // The longer name first: $hashtype begins with $hash.
    const std::pair<std::string_view, std::string> values[] = {
        {"$hashtype", encoded(to_lower(file.hash_type))},
        {"$hash", encoded(file.hash)},
        {"$filename", encoded(file.name)},
        {"$pkg", encoded(package)}};
    std::string url;
    for (std::size_t at = 0; at < uri_template.size();) {
        const std::string_view rest = std::string_view(uri_template).substr(at);
        const auto* found = std::find_if(std::begin(values), std::end(values),
                                         [&](const auto& v) { return rest.starts_with(v.first); });
        if (found == std::end(values)) {
            url += uri_template[at++];
        } else {
            url += found->second;
            at += found->first.size();
        }
    }
    return url;
}

std::vector<Result<Digest>> fetch_lookaside(const Store& store,
                                            const std::vector<LookasideRequest>& requests,
                                            const Options& options, Reporter& reporter) {
    std::vector<Result<Digest>> results(requests.size(), Digest{});
    std::vector<Job> jobs;
    std::map<std::string, std::size_t> same;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const LookasideRequest& request = requests[i];
        if (auto good = check(request); !good) {
            results[i] = fail(good.error());
            continue;
        }
        const bool known = !request.file.hash.empty();
        if (const auto digest = known ? kept_file(store, request.file) : std::nullopt) {
            results[i] = *digest;
            continue;
        }
        if (options.offline) {
            results[i] = fail(offline(request));
            continue;
        }
        const std::string what = known ? key_of(request.file).hex() : request.origin;
        const auto [job, fresh] = same.emplace(what, jobs.size());
        if (fresh) {
            Job fresh_job;
            fresh_job.file = request.file;
            fresh_job.package = request.package;
            jobs.push_back(std::move(fresh_job));
        }
        jobs[job->second].requests.push_back(i);
        add_urls(jobs[job->second], request);
    }
    Downloads(store, options, reporter).run(jobs);
    for (const Job& job : jobs) {
        for (const std::size_t i : job.requests) {
            results[i] = job.digest ? Result<Digest>(*job.digest) : fail(*job.error);
        }
    }
    return results;
}

}  // namespace tarn::distgit
