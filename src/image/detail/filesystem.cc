// SPDX-License-Identifier: MIT
#include "image/detail/filesystem.hh"

#include "base/strings.hh"
#include "exec/sandbox.hh"
#include "image/detail/gpt.hh"
#include "image/detail/sparse.hh"
#include "image/detail/tar.hh"
#include "image/detail/xattrs.hh"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace tarn::image {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr const char* kInside = "/run/disk";
constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kShownLines = 12;

struct Maker {
    std::string program;  // in the tools tree, without leading "/"
    std::string package;
    std::string file;  // of the host, bound to kInside
    std::vector<std::string> arguments;
};

Maker ext4_maker(const FilesystemInput& input) {
    const std::string uuid = Guid::derive(input.seed, "filesystem").to_string();
    Maker out;
    out.program = "usr/sbin/mke2fs";
    out.package = "e2fsprogs";
    out.file = input.disk;
    // The image file is new and sparse: what is not written is zero, so the inode tables and the
    // journal count as zeroed and need no work on the first boot.
    const std::string extended =
        fmt::format("offset={},hash_seed={},assume_storage_prezeroed=1,nodiscard,root_owner=0:0",
                    input.offset,
                    uuid);
    out.arguments = {"-q",
                     "-F",
                     "-t",
                     "ext4",
                     "-b",
                     fmt::format("{}", kBlock),
                     "-U",
                     uuid,
                     "-L",
                     input.label,
                     "-m",
                     "1",
                     "-E",
                     extended,
                     "-d",
                     "-",
                     kInside,
                     fmt::format("{}", input.size / kBlock)};
    return out;
}

Maker erofs_maker(const FilesystemInput& input) {
    Maker out;
    out.program = "usr/bin/mkfs.erofs";
    out.package = "erofs-utils";
    out.file = input.scratch + "/root.erofs";
    out.arguments = {"--quiet",
                     "--tar=f",
                     "-zlz4",
                     "-T",
                     fmt::format("{}", input.time),
                     "-U",
                     Guid::derive(input.seed, "filesystem").to_string(),
                     "-L",
                     input.label,
                     "-x",
                     "1",
                     kInside};
    return out;
}

// Runs in a thread of its own. A reader that ended early is EPIPE, not a signal.
Result<void> feed(const FilesystemInput& input, Fd pipe) {
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
    return write_tar(*input.store, *input.tree, {input.time}, [&](std::string_view bytes) {
        return write_all(pipe.get(), bytes, "the file system's writer");
    });
}

Error maker_error(const FilesystemInput& input, const Maker& maker, const ProcessResult& result) {
    const std::string text(trim(result.output));
    // ENOSPC comes from this machine's disk; a full partition has words of its own.
    Error problem =
        error(ErrorKind::kFailed, "{} failed with exit code {}", maker.program, result.exit_code);
    if (contains(text, "No space left on device")) {
        problem = error(ErrorKind::kNoSpace, "the disk is full: cannot write {}", maker.file)
                      .advise("free space there, then run the same command again");
    } else if (contains(text, "Could not allocate") || contains(text, "No free space")) {
        problem = error(ErrorKind::kNoSpace,
                        "the image's files do not fit a root partition of {}",
                        human_size(input.size))
                      .advise("raise `size` of the image");
    }
    for (const std::string_view line : split_lines(text)) {
        problem.notes.emplace_back(line);
    }
    return problem;
}

// A program of the tools tree that sees one file of this machine.
Result<Sandbox> tool_sandbox(const FilesystemInput& input, const Maker& maker) {
    if (input.tools->find(maker.program) == nullptr) {
        return fail(error(ErrorKind::kNotFound, "the tools tree has no /{}", maker.program)
                        .advise(fmt::format("add `{}` to tools-packages", maker.package)));
    }
    Sandbox out;
    out.root = TARN_TRY(input.store->root_of(*input.tools));
    out.binds = {{maker.file, kInside, true}};
    out.argv = {"/" + maker.program};
    out.argv.insert(out.argv.end(), maker.arguments.begin(), maker.arguments.end());
    out.environment = {{"PATH", "/usr/sbin:/usr/bin"},
                       {"LC_ALL", "C.UTF-8"},
                       {"TZ", "UTC"},
                       {"SOURCE_DATE_EPOCH", fmt::format("{}", input.time)}};
    return out;
}

Result<void> run_maker(const FilesystemInput& input, const Maker& maker) {
    const Sandbox sandbox = TARN_TRY(tool_sandbox(input, maker));
    Pipe pipe = TARN_TRY(make_pipe());
    // A larger pipe means fewer switches between the two; the default works as well.
    static_cast<void>(fcntl(pipe.write.get(), F_SETPIPE_SZ, kPipeBytes));
    Command command;
    command.input_fd = pipe.read.get();
    command.merge_error = true;
    command.stop = input.stop;
    Result<void> fed;
    Result<ProcessResult> result;
    {
        const std::jthread feeder(
            [&, end = std::move(pipe.write)]() mutable { fed = feed(input, std::move(end)); });
        result = run_in_sandbox(sandbox, command);
        // Without a reader the feeder ends, whatever became of the program.
        pipe.read.reset();
    }
    const ProcessResult process = TARN_TRY(std::move(result));
    // A file that could not be read cuts the archive short: that is the cause, not what mke2fs says
    // of it. A pipe broken by the program's own end is not.
    if (!fed && fed.error().kind != ErrorKind::kSystem) {
        return fed;
    }
    if (process.exit_code != 0) {
        return fail(maker_error(input, maker, process));
    }
    return fed;
}

Result<std::uint64_t> place_in_disk(const FilesystemInput& input, const std::string& file) {
    const Fd from = TARN_TRY(open_file(file, O_RDONLY));
    const Fd disk = TARN_TRY(open_file(input.disk, O_RDWR));
    const off_t end = lseek(from.get(), 0, SEEK_END);
    if (end < 0) {
        return fail(sys_error("read", file));
    }
    const auto size = static_cast<std::uint64_t>(end);
    if (size > input.size) {
        return fail(error(ErrorKind::kNoSpace,
                          "the image's files take {}, the root partition has {}",
                          human_size(size),
                          human_size(input.size))
                        .advise("raise `size` of the image"));
    }
    TARN_TRY(copy_sparse_at(from.get(), disk.get(), size, input.offset, input.disk));
    return size;
}

// What mke2fs leaves out. debugfs repeats each command on stdout, counts few failures in its exit
// code, and says all of them on stderr, where its version comes first.
Result<void> set_xattrs(const FilesystemInput& input) {
    const std::string commands = TARN_TRY(xattr_commands(*input.tree));
    if (commands.empty()) {
        return {};
    }
    Maker maker;
    maker.program = "usr/sbin/debugfs";
    maker.package = "e2fsprogs";
    maker.file = input.disk;
    maker.arguments = {"-w", "-f", "-", fmt::format("{}?offset={}", kInside, input.offset)};
    Command command;
    command.input = commands;
    command.stop = input.stop;
    const Sandbox sandbox = TARN_TRY(tool_sandbox(input, maker));
    const ProcessResult process = TARN_TRY(run_in_sandbox(sandbox, command));
    std::vector<std::string_view> said = split_lines(process.errors);
    if (!said.empty() && said.front().starts_with("debugfs ")) {
        said.erase(said.begin());
    }
    if (process.exit_code == 0 && said.empty()) {
        return {};
    }
    Error problem = error(ErrorKind::kFailed, "debugfs cannot set extended attributes");
    for (std::size_t i = 0; i < said.size() && i < kShownLines; ++i) {
        problem.notes.emplace_back(said[i]);
    }
    return fail(std::move(problem));
}

// mkfs.erofs lets everybody write to a root that has no entry.
Result<Tree> with_root(const Tree& tree, std::int64_t time) {
    if (tree.find("") != nullptr) {
        return tree;
    }
    std::vector<TreeEntry> entries = tree.entries();
    TreeEntry root;
    root.kind = EntryKind::kDirectory;
    root.mode = 0755;
    root.mtime = time;
    entries.push_back(std::move(root));
    return Tree::make(std::move(entries));
}

}  // namespace

Result<std::uint64_t> write_filesystem(const FilesystemInput& input) {
    if (input.type == "ext4") {
        TARN_TRY(run_maker(input, ext4_maker(input)));
        TARN_TRY(set_xattrs(input));
        return input.size;
    }
    if (input.type == "erofs") {
        const Maker maker = erofs_maker(input);
        TARN_TRY(open_file(maker.file, O_RDWR | O_CREAT | O_TRUNC));
        const Tree tree = TARN_TRY(with_root(*input.tree, input.time));
        FilesystemInput rooted = input;
        rooted.tree = &tree;
        TARN_TRY(run_maker(rooted, maker));
        const std::uint64_t size = TARN_TRY(place_in_disk(input, maker.file));
        if (unlink(maker.file.c_str()) != 0) {
            return fail(sys_error("remove", maker.file));
        }
        return size;
    }
    return fail(error(ErrorKind::kUsage, "unknown file system `{}`", input.type)
                    .advise(did_you_mean(input.type, {"ext4", "erofs"})));
}

}  // namespace tarn::image
