// SPDX-License-Identifier: MIT
// A file server for repositories. Paths are resolved by the kernel and must come out below the
// directory; there is no listing.
#include "base/fd.hh"
#include "base/fs.hh"
#include "repo/repo.hh"

#include <fcntl.h>
#include <httplib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

namespace tarn {

namespace {

constexpr std::size_t kPiece = 256u << 10;

std::string_view content_type(std::string_view path) {
    if (path.ends_with(".xml")) {
        return "text/xml";
    }
    if (path.ends_with(".asc") || path.find("RPM-GPG-KEY") != std::string_view::npos) {
        return "text/plain";
    }
    return path.ends_with(".rpm") ? "application/x-rpm" : "application/octet-stream";
}

std::optional<std::string> real_path(const std::string& path) {
    char buffer[PATH_MAX];
    if (::realpath(path.c_str(), buffer) == nullptr) {
        return std::nullopt;
    }
    return std::string(buffer);
}

// The regular file a request path means, with all links followed, when it lies below `root`.
std::optional<std::string> resolve(const std::string& root, const std::string& request_path) {
    const auto relative = safe_relative_path(request_path, Absolute::kStrip);
    if (!relative || relative->empty()) {
        return std::nullopt;
    }
    auto path = real_path(join_path(root, *relative));
    const std::string prefix = root == "/" ? root : root + "/";
    if (!path || !path->starts_with(prefix)) {
        return std::nullopt;
    }
    return path;
}

// httplib takes ranges as they come; those that leave the file are refused here.
bool ranges_fit(const httplib::Ranges& ranges, std::int64_t size) {
    constexpr std::size_t kMaxRanges = 16;
    return ranges.size() <= kMaxRanges &&
           std::all_of(ranges.begin(), ranges.end(), [size](const httplib::Range& range) {
               const auto [first, last] = range;
               if (first < 0) {
                   return last > 0 && last <= size;  // the last so many bytes
               }
               return first < size && last < size && (last < 0 || last >= first);
           });
}

void answer(const std::string& root, const httplib::Request& request, httplib::Response& response) {
    response.status = 404;
    const auto path = resolve(root, request.path);
    if (!path) {
        return;
    }
    // Links are resolved: one that turned up since is not followed. A FIFO must not block.
    auto opened = open_file(*path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat info{};
    if (!opened || ::fstat(opened->get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return;
    }
    if (!ranges_fit(request.ranges, info.st_size)) {
        response.status = 416;
        return;
    }
    response.status = request.ranges.empty() ? 200 : 206;
    if (info.st_size == 0) {
        response.set_content("", std::string(content_type(*path)));
        return;
    }
    auto file = std::make_shared<Fd>(std::move(*opened));
    response.set_content_provider(
        static_cast<std::size_t>(info.st_size),
        std::string(content_type(*path)),
        [file, name = *path](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
            const auto piece = pread_exact(file->get(), offset, std::min(length, kPiece), name);
            return piece && sink.write(piece->data(), piece->size());
        });
}

// Stops the server as soon as it runs and the token says so.
void stop_when_asked(httplib::Server& server,
                     const std::stop_token& stop,
                     const std::atomic<bool>& done) {
    while (!done.load()) {
        if (stop.stop_requested() && server.is_running()) {
            server.stop();
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

}  // namespace

Result<void> serve(const ServeOptions& options) {
    const auto root = real_path(options.directory);
    if (!root || !is_directory(*root)) {
        return fail(error(ErrorKind::kNotFound,
                          "{} is not a directory that can be served",
                          options.directory)
                        .advise("publish a repository first: tarn repo publish"));
    }
    try {
        httplib::Server server;
        server.set_keep_alive_timeout(2);  // how long a stop may have to wait
        server.Get(".*", [&root](const httplib::Request& request, httplib::Response& response) {
            answer(*root, request, response);
        });
        if (options.on_request) {
            server.set_logger(
                [&](const httplib::Request& request, const httplib::Response& response) {
                    options.on_request(
                        fmt::format("{} {} {}", request.method, request.path, response.status));
                });
        }
        int port = options.port;
        if (port == 0) {
            port = server.bind_to_any_port(options.address);
        } else if (!server.bind_to_port(options.address, port)) {
            port = -1;
        }
        if (port <= 0) {
            return fail(
                error(ErrorKind::kSystem, "cannot listen on {}:{}", options.address, options.port)
                    .advise("another program may use the port; --port 0 picks a free one"));
        }
        if (options.ready) {
            options.ready(port);
        }
        std::atomic<bool> done{false};
        std::jthread watcher([&] { stop_when_asked(server, options.stop, done); });
        const bool served = server.listen_after_bind();
        done = true;
        watcher.join();
        if (!served && !options.stop.stop_requested()) {
            return fail(
                ErrorKind::kSystem, "the server on {}:{} stopped by itself", options.address, port);
        }
        return {};
    } catch (const std::exception& problem) {
        return fail(ErrorKind::kSystem, "cannot serve {}: {}", options.directory, problem.what());
    }
}

}  // namespace tarn
