// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "git/detail/impl.hh"

#include <iconv.h>

#include <queue>
#include <unordered_map>

namespace tarn::git {

using detail::git_error;

namespace {

// `text` as UTF-8; unchanged when the encoding is unknown here or does not fit the bytes.
std::string to_utf8(const char* text, const char* encoding) {
    std::string input = text != nullptr ? text : "";
    if (encoding == nullptr || to_lower(encoding) == "utf-8" || to_lower(encoding) == "utf8") {
        return input;
    }
    const iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == iconv_t(-1)) {  // NOLINT: what iconv documents
        return input;
    }
    std::string output(input.size() * 4 + 16, '\0');
    char* from = input.data();
    char* to = output.data();
    std::size_t from_left = input.size();
    std::size_t to_left = output.size();
    const bool converted = iconv(converter, &from, &from_left, &to, &to_left) != std::size_t(-1);
    iconv_close(converter);
    if (!converted) {
        return text;
    }
    output.resize(output.size() - to_left);
    return output;
}

Commit read_commit(git_commit* object) {
    Commit commit;
    commit.id = detail::hex(*git_commit_id(object));
    commit.tree = detail::hex(*git_commit_tree_id(object));
    for (unsigned i = 0; i < git_commit_parentcount(object); ++i) {
        commit.parents.push_back(detail::hex(*git_commit_parent_id(object, i)));
    }
    const char* encoding = git_commit_message_encoding(object);
    const git_signature* author = git_commit_author(object);
    const git_signature* committer = git_commit_committer(object);
    commit.author = to_utf8(author->name, encoding);
    commit.author_email = to_utf8(author->email, encoding);
    commit.author_time = author->when.time;
    commit.author_offset = author->when.offset;
    commit.committer = to_utf8(committer->name, encoding);
    commit.committer_email = to_utf8(committer->email, encoding);
    commit.committer_time = committer->when.time;
    commit.message = to_utf8(git_commit_message(object), encoding);
    return commit;
}

Error cut_off(const std::string& repository, const ObjectId& at) {
    return error(ErrorKind::kFailed,
                 "the history in {} ends at commit {}: it is a shallow clone",
                 repository,
                 at)
        .advise("`git fetch --unshallow` brings the rest");
}

}  // namespace

std::string Commit::subject() const {
    std::string result;
    for (std::string_view line : split_lines(message)) {
        while (!line.empty() &&
               (line.back() == ' ' || (line.back() >= '\t' && line.back() <= '\r'))) {
            line.remove_suffix(1);
        }
        if (line.empty()) {
            if (result.empty()) {
                continue;
            }
            break;
        }
        result += result.empty() ? "" : " ";
        result += line;
    }
    return result;
}

Result<detail::CommitHandle> Repository::Impl::lookup_commit(const ObjectId& id) const {
    const git_oid oid = TARN_TRY(detail::parse_id(id));
    git_commit* object = nullptr;
    const int code = git_commit_lookup(&object, repository.get(), &oid);
    if (code < 0) {
        return fail(git_error(code, "cannot read commit " + id + " of " + directory));
    }
    return detail::CommitHandle(object);
}

Result<Commit> Repository::Impl::commit(const ObjectId& id) const {
    const detail::CommitHandle object = TARN_TRY(lookup_commit(id));
    return read_commit(object.get());
}

std::vector<ObjectId> Repository::Impl::known_parents(const Commit& commit) const {
    return boundary.contains(commit.id) ? std::vector<ObjectId>{} : commit.parents;
}

Result<Commit> Repository::commit(const ObjectId& id) const {
    return impl_->commit(id);
}

Result<std::vector<Commit>> Repository::first_parents(const ObjectId& tip,
                                                      const ObjectId& last) const {
    std::vector<Commit> chain;
    ObjectId next = tip;
    while (true) {
        chain.push_back(TARN_TRY(impl_->commit(next)));
        const Commit& commit = chain.back();
        if (commit.id == last) {
            return chain;
        }
        const std::vector<ObjectId> parents = impl_->known_parents(commit);
        if (!parents.empty()) {
            next = parents.front();
            continue;
        }
        if (last.empty()) {
            return chain;
        }
        if (!commit.parents.empty()) {
            return fail(cut_off(impl_->directory, commit.id)
                            .note(fmt::format("looked for its ancestor {}", last)));
        }
        return fail(error(ErrorKind::kNotFound,
                          "commit {} is not among the first parents of {} in {}",
                          last,
                          tip,
                          impl_->directory)
                        .note("the branch was rewritten, or the commit came in by a merge"));
    }
}

Result<std::vector<Commit>> Repository::Impl::walk(const ObjectId& tip) const {
    std::vector<Commit> found;
    std::unordered_map<ObjectId, std::size_t> index;
    std::vector<std::size_t> children;  // that have not been put out yet
    const auto visit = [&](const ObjectId& id) -> Result<void> {
        const auto [at, fresh] = index.emplace(id, found.size());
        if (fresh) {
            found.push_back(TARN_TRY(commit(id)));
            children.push_back(0);
        }
        return {};
    };
    TARN_TRY(visit(tip));
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const ObjectId& parent : known_parents(found[i])) {
            TARN_TRY(visit(parent));
            ++children[index.at(parent)];
        }
    }
    // The newest of those without children left; among equals the one that came first.
    struct Ready {
        std::int64_t time;
        std::size_t order, commit;
        bool operator<(const Ready& other) const {
            return time != other.time ? time < other.time : order > other.order;
        }
    };
    std::priority_queue<Ready> ready;
    std::size_t order = 0;
    ready.push({found[0].committer_time, order++, 0});
    std::vector<std::size_t> sequence;
    while (!ready.empty()) {
        const std::size_t at = ready.top().commit;
        ready.pop();
        sequence.push_back(at);
        for (const ObjectId& parent : known_parents(found[at])) {
            const std::size_t to = index.at(parent);
            if (--children[to] == 0) {
                ready.push({found[to].committer_time, order++, to});
            }
        }
    }
    std::vector<Commit> result;
    result.reserve(found.size());
    for (const std::size_t at : sequence) {
        result.push_back(std::move(found[at]));
    }
    return result;
}

Result<std::vector<Commit>> Repository::ancestors(const ObjectId& tip) const {
    return impl_->walk(tip);
}

}  // namespace tarn::git
